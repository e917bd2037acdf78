package demodata

import (
	"cmp"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/walkaround/api"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/store"
	"example.com/walkaround/domain/vehicle"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/test/samples"
)

// step is one thing that somebody does at a time of the story.
type step struct {
	ago  time.Duration
	of   string // whose visit
	what string
	do   func(*teller) error
}

// When the steps of a stay come, counted from its arrival.
const (
	atTaking  = 2 * time.Minute
	atDetails = 3 * time.Minute
	atIntake  = 6 * time.Minute
	atPhotos  = 11 * time.Minute
	atWalk    = 15 * time.Minute
	atSigning = 18 * time.Minute
	atCopy    = 19 * time.Minute
	atReopen  = 24 * time.Minute
	atAgain   = 27 * time.Minute
)

// album holds the photos by their ids.
type album map[string][]byte

// draw draws all photos, as many at once as there are processors.
func (t *teller) draw(stays []stay) (album, error) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	pictures := album{}
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, s := range stays {
		for id, p := range s.pictures() {
			slots <- struct{}{}
			wait.Go(func() {
				defer func() { <-slots }()
				if t.ctx.Err() != nil {
					return
				}
				drawn := samples.CarJPEG(s.car.paint, p.view, s.car.plate, p.defect)
				mu.Lock()
				defer mu.Unlock()
				pictures[id] = drawn
			})
		}
	}
	wait.Wait()
	return pictures, t.ctx.Err()
}

// picture is what is to be drawn for a photo.
type picture struct {
	view   string
	defect samples.Defect
}

func (s stay) pictures() map[string]picture {
	m := map[string]picture{}
	for _, v := range s.views {
		m[s.photo(string(v))] = picture{view: string(v)}
	}
	for _, d := range s.damages {
		m[s.photo(d.id)] = picture{string(d.view), samples.Defect{Kind: string(d.kind), X: d.px, Y: d.py, Size: d.size}}
	}
	return m
}

// timeline lists what everybody does, in the order in which it happened.
func timeline(stays []stay, photos album) []step {
	var all []step
	for _, s := range stays {
		all = append(all, s.steps(photos)...)
	}
	slices.SortStableFunc(all, func(a, b step) int { return cmp.Compare(b.ago, a.ago) })
	return all
}

func (s stay) steps(photos album) []step {
	var list []step
	add := func(after time.Duration, what string, needed bool, do func(*teller) error) {
		if needed {
			list = append(list, step{s.ago - after, s.name, what, do})
		}
	}
	add(0, "arrival", true, s.arrive)
	add(atTaking, "taking", s.stage >= taken, s.take)
	add(atDetails, "details", s.stage >= asked, s.detail)
	add(atIntake, "intake", s.stage >= asked, s.ask)
	add(atPhotos, "photos", s.stage >= halfway, func(t *teller) error { return s.photograph(t, photos) })
	add(atWalk, "walk-around", s.stage >= halfway, s.walk)
	add(atSigning, "signature", s.stage >= signed, s.sign)
	add(atCopy, "copy", s.stage >= signed, s.handOver)
	add(atReopen, "revision", s.reopened != "", s.reopen)
	add(atAgain, "second signature", s.forgotten != nil, s.signAgain)
	add(atDetails, "cancellation", s.cancelled != "", s.cancel)
	return list
}

func (s stay) path(under string) string { return "/v1/visits/" + s.id() + under }

// arrive opens the visit: the gate tells the plate, who greets asks for the name too.
func (s stay) arrive(t *teller) error {
	a := visit.Arrival{ID: s.id(), Plate: s.car.plate}
	if s.who != (visit.Customer{}) {
		a.Customer = &s.who
	}
	_, err := t.call(s.by, http.MethodPost, "/v1/visits", a)
	return err
}

func (s stay) take(t *teller) error {
	_, err := t.call(s.taker, http.MethodPost, s.path("/take"), nil)
	return err
}

// detail completes what the plate alone did not say.
func (s stay) detail(t *teller) error {
	var v visit.Visit
	if err := t.read(s.taker, s.path(""), &v); err != nil {
		return err
	}
	err := t.change(s.taker, http.MethodPatch, "/v1/vehicles/"+v.VehicleID, vehicle.Patch{
		Make: &s.car.maker, Model: &s.car.model, Year: &s.car.year, Colour: &s.car.colour,
	})
	if err != nil {
		return err
	}
	return t.change(s.taker, http.MethodPatch, s.path(""), visit.Correction{VIN: &s.car.vin, OdometerKM: &s.car.km})
}

func (s stay) ask(t *teller) error {
	return t.change(s.taker, http.MethodPut, s.path("/intake"), s.intake(t.at))
}

func (s stay) photograph(t *teller, photos album) error {
	for id := range s.pictures() {
		if _, err := t.call(s.taker, http.MethodPut, s.path("/photos/"+id), file{"image/jpeg", photos[id]}); err != nil {
			return err
		}
	}
	if !s.sound {
		return nil
	}
	_, err := t.call(s.taker, http.MethodPut, s.path("/recordings/"+s.recording()), file{"audio/mp4", samples.M4A()})
	return err
}

func (s stay) walk(t *teller) error {
	var codes []string
	for _, i := range store.DefaultChecklist(api.FirstStore, domain.At(t.at)).Items {
		codes = append(codes, i.Code)
	}
	return t.change(s.taker, http.MethodPut, s.path("/inspection"), s.inspection(codes, t.at))
}

// sign lets the customer sign what is shown to him.
func (s stay) sign(t *teller) error {
	var shown struct{ Digest string }
	if err := t.read(s.taker, s.path("/inspection"), &shown); err != nil {
		return err
	}
	drawn, err := signature(s.car.paint, 3)
	if err != nil {
		return err
	}
	_, err = t.call(s.taker, http.MethodPost, s.path("/signatures"), api.SignatureRequest{
		Document: visit.DocumentInspection, Digest: shown.Digest, Signer: evidence.Signer{Name: s.who.Name, Relation: "owner"},
		SignedAt: domain.At(t.at), Image: drawn.image, Strokes: drawn.strokes,
		Device: evidence.Device{ID: "tablet-" + s.taker, AppVersion: "demo", ClockOffsetMS: 41},
	})
	return err
}

// handOver gives the customer his copy.
func (s stay) handOver(t *teller) error {
	var signatures api.SignatureList
	if err := t.read(s.taker, s.path("/signatures"), &signatures); err != nil {
		return err
	}
	last := signatures.Items[len(signatures.Items)-1]
	_, err := t.call(s.taker, http.MethodPost, s.path("/copies"), api.CopyRequest{Digest: last.Digest, Kind: visit.CopyPaper})
	return err
}

func (s stay) reopen(t *teller) error {
	_, err := t.call(s.taker, http.MethodPost, s.path("/inspection/revisions"), api.RevisionRequest{Reason: s.reopened})
	return err
}

// signAgain adds what was forgotten and has the new revision signed.
func (s stay) signAgain(t *teller) error {
	s.things = append(slices.Clone(s.things), *s.forgotten)
	for _, do := range []func(*teller) error{s.walk, s.sign, s.handOver} {
		if err := do(t); err != nil {
			return err
		}
	}
	return nil
}

func (s stay) cancel(t *teller) error {
	_, err := t.call(s.taker, http.MethodPost, s.path("/cancel"), api.CancelRequest{Reason: s.cancelled})
	return err
}

// first names the stay and the damage as which a mark was first seen.
func (d damage) first() (stayName, damageID string) {
	stayName, damageID, _ = strings.Cut(d.known, ".")
	return stayName, damageID
}
