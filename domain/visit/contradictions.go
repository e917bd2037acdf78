package visit

import (
	"fmt"
	"slices"
	"strconv"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
)

// Contradiction is where a visit says something else of itself than its events tell.
type Contradiction struct {
	Part string // PartVisit, PartSection or PartSignature
	What string // one English sentence without personal data
}

// The parts of a visit that its events tell of.
const (
	PartVisit     = "visit"
	PartSection   = "section"
	PartSignature = "signature"
)

// Contradictions holds the visit against the story that its events tell.
func (v *Visit) Contradictions(s Story) []Contradiction {
	c := contradictions{v: v, story: s}
	c.header()
	c.people()
	c.cancellation()
	c.copies()
	c.sections()
	c.files()
	c.signatures()
	return c.found
}

type contradictions struct {
	v     *Visit
	story Story
	found []Contradiction
}

// unless notes what is not so.
func (c *contradictions) unless(ok bool, part, format string, args ...any) {
	if !ok {
		c.found = append(c.found, Contradiction{part, fmt.Sprintf(format, args...)})
	}
}

func (c *contradictions) header() {
	v, s := c.v, c.story
	c.unless(v.State == s.State, PartVisit, "its state is %s, and its events tell %s", v.State, s.State)
	c.unless(v.Number == s.Number, PartVisit, "its number is not the one that its events tell")
	c.unless(v.ArrivedAt.Equal(s.ArrivedAt.Time), PartVisit, "its arrival is not at the time that its events tell")
	if !s.files.known {
		if told := s.files.value.vehicleID; told != "" {
			c.unless(v.VehicleID == told, PartVisit, "its vehicle is not the one that its events tell")
		}
		return
	}
	is, told := v.filing(), s.files.value
	c.unless(is.vehicleID == told.vehicleID, PartVisit, "its vehicle is not the one that its events tell")
	c.unless(is.customerID == told.customerID, PartVisit, "its customer is not the one that its events tell")
	c.unless(is.typed == told.typed, PartVisit, "what was typed at its arrival is not what its events tell")
	c.unless(is.known == told.known, PartVisit, "what the files held of its car is not what its events tell")
}

func (c *contradictions) people() {
	v, s := c.v, c.story
	c.unless(s.advisor.is(v.Advisor) && v.AdvisorID == s.advisor.id(), PartVisit, "its advisor is not the one that its events tell")
	c.unless(s.taken.at(v.TakenAt), PartVisit, "it was not taken at the time that its events tell")
	if s.gateUnknown {
		return
	}
	c.unless(s.announced.is(v.AnnouncedBy), PartVisit, "who announced it is not the one that its events tell")
	c.unless(s.greeted.is(v.GreetedBy), PartVisit, "who greeted is not the one that its events tell")
	c.unless(s.greeted.at(v.GreetedAt), PartVisit, "nobody greeted at the time that its events tell")
}

func (c *contradictions) cancellation() {
	v, did := c.v, c.story.cancelled
	if did == nil || v.Cancelled == nil {
		c.unless(did == nil && v.Cancelled == nil, PartVisit, "it is cancelled or not against its events")
		return
	}
	c.unless(did.is(&v.Cancelled.By) && did.at(&v.Cancelled.At), PartVisit, "who cancelled it, or when, is not what its events tell")
	c.unless(did.says("reason_digest", evidence.Digest([]byte(v.Cancelled.Reason))), PartVisit, "why it was cancelled is not what its events tell")
	c.unless(did.says("covers_fitted", strconv.FormatBool(v.coversFitted())), PartSection, "whether covers were fitted when it was cancelled is not what its events tell")
	c.unless(did.says("sheet_digest", v.Sections.Inspection.Digest), PartSection, "the sheet is not the one that was there when it was cancelled")
}

func (c *contradictions) copies() {
	given := c.story.copies
	for i := range max(len(given), len(c.v.Copies)) {
		ok := i < len(given) && i < len(c.v.Copies) && given[i].gave(c.v.Copies[i])
		c.unless(ok, PartVisit, "copy %d that was given to the customer is not what its events tell", i+1)
	}
}

func (c *contradictions) sections() {
	section, s := c.v.Sections.Inspection, c.story
	c.unless(section.Frozen == s.Frozen && c.v.Sections.Intake.Frozen == s.Frozen, PartSection, "the walk-around is frozen or open against its events")
	c.unless(s.reason.allows(evidence.Digest([]byte(section.Reason))), PartSection, "why its revision was opened is not what its events tell")
	if told := s.Current(); told != nil && s.Frozen {
		sig := c.v.Signature(told.ID)
		c.unless(sig == nil || sig.Revision == section.Revision, PartSection, "its revision is not the one that was signed")
	}
}

func (c *contradictions) files() {
	for _, files := range []struct {
		kind         string
		told, stored map[string]string
	}{{"photo", c.story.photos, c.v.Photos}, {"recording", c.story.recordings, c.v.Recordings}} {
		for _, id := range Differing(files.told, files.stored) {
			c.unless(false, PartSection, "%s %s is not what its event tells", files.kind, id)
		}
	}
}

// Differing names the entries that are not alike in both maps, in order.
func Differing[V comparable](a, b map[string]V) []string {
	var names []string
	for name, value := range a {
		if other, ok := b[name]; !ok || other != value {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (c *contradictions) signatures() {
	for i := range c.story.Signatures {
		told := &c.story.Signatures[i]
		if sig := c.v.Signature(told.ID); sig != nil {
			c.signature(told, sig)
		} else {
			c.unless(false, PartSignature, "signature %s, which its events tell of, is gone", told.ID)
		}
	}
	last := -1
	for _, sig := range c.v.Signatures {
		at := slices.IndexFunc(c.story.Signatures, func(t Told) bool { return t.ID == sig.ID })
		switch {
		case at < 0:
			c.unless(false, PartSignature, "no event tells of signature %s", sig.ID)
		case at <= last:
			c.unless(false, PartSignature, "signature %s stands twice, or not in the order that its events tell", sig.ID)
		default:
			last = at
		}
	}
}

func (c *contradictions) signature(told *Told, sig *Signature) {
	c.unless(sig.Superseded == told.Superseded, PartSignature, "signature %s is %s, and its events tell otherwise", sig.ID, superseded(sig.Superseded))
	c.unless(sig.Conflict == told.Conflict, PartSignature, "signature %s is a conflict or not against its events", sig.ID)
	c.unless(sameTime(sig.AdoptedAt, told.AdoptedAt), PartSignature, "signature %s was not adopted when its events tell", sig.ID)
	c.unless(told.vehicleID.allows(sig.VehicleID), PartSignature, "signature %s does not speak for the vehicle that its events tell", sig.ID)
}

func superseded(is bool) string {
	if is {
		return "superseded"
	}
	return "not superseded"
}

func (d *deed) id() string {
	if d == nil {
		return ""
	}
	return d.by
}

func (d *deed) at(t *domain.Time) bool {
	if d == nil {
		return t == nil
	}
	return sameTime(t, &d.when)
}

// says whether the event records this, or nothing of it.
func (d *deed) says(name, value string) bool { return factOf(d.data, name).allows(value) }

func (d *deed) gave(c Copy) bool {
	return d.is(&c.By) && d.at(&c.At) && d.says("digest", c.Digest) && d.says("kind", string(c.Kind))
}

func sameTime(a, b *domain.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(b.Time)
}
