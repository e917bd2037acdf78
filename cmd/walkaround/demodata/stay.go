package demodata

import (
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/visit"
)

// stay is one visit of the story, as far as it has come.
type stay struct {
	name      string // names its ids
	car       car
	who       visit.Customer
	language  domain.Language
	ago       time.Duration // from the arrival to the end of the story
	by        string        // who opens it
	taker     string        // who receives the car
	stage     stage
	words     []string // what the customer asks for
	fuel      int64
	damages   []damage
	views     []visit.View // photos of the car as a whole
	things    []visit.Belonging
	urgent    map[string]string // codes of the checklist that need a look, with a note
	sound     bool              // the engine was recorded
	reopened  string            // why a new revision was opened
	forgotten *visit.Belonging  // and what it adds; it is signed again with it
	cancelled string            // why it ended
}

// stage is how far a stay has come; each holds those before it.
type stage int

const (
	waiting stage = iota
	taken
	asked    // the intake is written down
	halfway  // the walk around the car has begun
	complete // nothing is missing but the signature
	signed
)

// car is a vehicle of the story.
type car struct {
	plate, vin, maker, model, colour string
	year, km                         int64
	paint                            uint64 // the seed of its pictures
}

// damage is a mark with its photo.
type damage struct {
	id       string
	view     visit.View
	x, y     float64 // on the drawing
	px, py   float64 // in the photo
	size     float64 // in the photo; 1 is usual
	kind     visit.Kind
	severity visit.Severity
	mm       int64
	note     string
	known    string // <stay>.<damage> that it was first seen as
	change   visit.Change
}

// id is that of the visit: the same in every demo, so that documentation can name it.
func (s stay) id() string { return visitID(s.name) }

func visitID(name string) string { return domain.DerivedID("walkaround/demo", name) }

// photo is the id of one of its photos: of a damage by its id, of a view by its name.
func (s stay) photo(of string) string { return domain.DerivedID(s.id(), "photo/"+of) }

// recording is the id of the engine's sound.
func (s stay) recording() string { return domain.DerivedID(s.id(), "recording") }

// intake is what the customer asked for, restated to him at the given time.
func (s stay) intake(at time.Time) visit.Intake {
	in := visit.Intake{FuelPercent: &s.fuel, Language: s.language, WantedAt: new(domain.At(at.Add(5 * time.Hour).Truncate(30 * time.Minute)))}
	for i, words := range s.words {
		in.Requests = append(in.Requests, visit.Request{
			ID: "r" + string(rune('1'+i)), Words: words, Restated: new(true), RestatedAt: new(domain.At(at.Add(-time.Duration(len(s.words)-i) * 40 * time.Second))),
		})
	}
	return in
}

// inspection is the walk-around as it stands at the given time. codes are those of the checklist.
func (s stay) inspection(codes []string, at time.Time) visit.Inspection {
	in := visit.Inspection{
		CustomerPresent: new(true), ValuablesReminderAt: new(domain.At(at.Add(-9 * time.Minute))),
		Covers: &visit.Covers{
			Seat: new(true), SteeringWheel: new(true), Floor: new(true), FittedAt: new(domain.At(at.Add(-8 * time.Minute))), FittedBy: nameOf(s.taker),
		},
		Damages: s.marks(), Belongings: s.things,
	}
	if s.stage == halfway {
		codes = codes[:len(codes)/3]
	} else {
		in.Engine = s.engine()
	}
	for _, v := range s.views {
		in.PhotoIDs = append(in.PhotoIDs, s.photo(string(v)))
	}
	for _, code := range codes {
		item := visit.Item{Code: code, Result: visit.OK}
		if note, ok := s.urgent[code]; ok {
			item.Result, item.Note = visit.Attention, note
		}
		in.Items = append(in.Items, item)
	}
	return in
}

func (s stay) marks() []visit.Damage {
	var list []visit.Damage
	for _, d := range s.damages {
		m := visit.Damage{
			ID: d.id, View: d.view, X: &d.x, Y: &d.y, Kind: d.kind, Severity: d.severity, Note: d.note, Change: d.change,
			PhotoIDs: []string{s.photo(d.id)},
		}
		if d.mm > 0 {
			m.LengthMM = &d.mm
		}
		if d.known != "" {
			name, id := d.first()
			m.KnownID = visitID(name) + "." + id
		}
		list = append(list, m)
	}
	return list
}

func (s stay) engine() *visit.Engine {
	e := &visit.Engine{Checked: new(true), AbnormalNoise: &s.sound}
	if s.sound {
		e.RecordingIDs = []string{s.recording()}
		e.Note = "怠速時偶有輕微異響，已錄音。"
	}
	return e
}

func nameOf(username string) string {
	for _, a := range Accounts() {
		if a.Username == username {
			return a.Name
		}
	}
	return ""
}
