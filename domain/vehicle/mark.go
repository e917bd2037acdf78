package vehicle

import (
	"cmp"
	"slices"

	"example.com/walkaround/domain"
)

// Mark is one damage of a car over all its walk-arounds. View, place, kind, severity and length are as they were told
// last.
type Mark struct {
	ID          string       `bson:"id" json:"id"` // <visit>.<damage> of the first sighting
	View        string       `bson:"view,omitempty" json:"view,omitempty" enums:"front,right,rear,left,top,interior"`
	X           *float64     `bson:"x,omitempty" json:"x,omitempty" minimum:"0" maximum:"1"`
	Y           *float64     `bson:"y,omitempty" json:"y,omitempty" minimum:"0" maximum:"1"`
	Kind        string       `bson:"kind,omitempty" json:"kind,omitempty" enums:"scratch,dent,chip,crack,rust,stain,missing,other"`
	Severity    string       `bson:"severity,omitempty" json:"severity,omitempty" enums:"minor,moderate,severe"`
	LengthMM    *int64       `bson:"length_mm,omitempty" json:"length_mm,omitempty"`
	Note        string       `bson:"note,omitempty" json:"note,omitempty"`
	Status      Status       `bson:"status" json:"status"`
	Change      Change       `bson:"change" json:"change"` // at the last sighting
	FirstSeenAt domain.Time  `bson:"first_seen_at" json:"first_seen_at"`
	LastSeenAt  domain.Time  `bson:"last_seen_at" json:"last_seen_at"`
	VisitID     string       `bson:"visit_id" json:"visit_id" format:"uuid"` // of the first sighting
	LastVisitID string       `bson:"last_visit_id" json:"last_visit_id" format:"uuid"`
	PhotoIDs    []string     `bson:"photo_ids" json:"photo_ids" format:"uuid"` // of all sightings, newest first, at most 50
	History     []MarkChange `bson:"history" json:"history"`                   // oldest first: the first sighting and the last 49
}

// Status says whether a mark is still on the car.
type Status string

// The statuses.
const (
	StatusPresent  Status = "present"
	StatusRepaired Status = "repaired"
)

// MarkChange is one sighting of a mark.
type MarkChange struct {
	VisitID  string      `bson:"visit_id" json:"visit_id" format:"uuid"`
	At       domain.Time `bson:"at" json:"at"` // when that visit arrived
	Change   Change      `bson:"change" json:"change"`
	Severity string      `bson:"severity,omitempty" json:"severity,omitempty" enums:"minor,moderate,severe"`
	PhotoIDs []string    `bson:"photo_ids" json:"photo_ids" format:"uuid"`
}

const (
	maxMarkPhotos  = 50
	maxMarkHistory = 50
)

// Marks gives the damage of the car as its walk-arounds told it, in order of the first sighting.
func (l *Ledger) Marks() []Mark {
	marks := slices.Clone(l.Base)
	if marks == nil {
		marks = []Mark{}
	}
	for _, c := range l.Visits {
		marks = foldIn(marks, c)
	}
	return marks
}

// foldIn gives the marks after one more walk-around. A sighting whose known mark isn't there, because the visit that told
// of it was signed anew without it, begins a mark of its own: nothing that was seen is lost. marks is not changed.
func foldIn(marks []Mark, c Contribution) []Mark {
	next := slices.Clone(marks)
	for _, s := range c.Marks {
		i := slices.IndexFunc(next, func(m Mark) bool { return s.KnownID != "" && m.ID == s.KnownID })
		if i < 0 {
			next = append(next, Mark{
				ID: c.VisitID + "." + s.DamageID, FirstSeenAt: c.ArrivedAt, VisitID: c.VisitID,
				PhotoIDs: []string{}, History: []MarkChange{},
			})
			i = len(next) - 1
		}
		next[i] = next[i].seen(s, c)
	}
	return next
}

// seen gives the mark after one more sighting.
func (m Mark) seen(s Sighting, c Contribution) Mark {
	m.Change = s.change(len(m.History) == 0)
	m.Status = StatusPresent
	if m.Change == ChangeRepaired {
		m.Status = StatusRepaired
	}
	m.LastSeenAt, m.LastVisitID = c.ArrivedAt, c.VisitID
	m.View, m.Kind = cmp.Or(s.View, m.View), cmp.Or(s.Kind, m.Kind)
	m.Severity, m.Note = cmp.Or(s.Severity, m.Severity), cmp.Or(s.Note, m.Note)
	m.LengthMM = cmp.Or(s.LengthMM, m.LengthMM)
	if s.X != nil && s.Y != nil {
		m.X, m.Y = s.X, s.Y
	}
	m.PhotoIDs = newestFirst(s.PhotoIDs, m.PhotoIDs)
	m.History = remembered(append(slices.Clone(m.History), MarkChange{
		VisitID: c.VisitID, At: c.ArrivedAt, Change: m.Change, Severity: m.Severity, PhotoIDs: append([]string{}, s.PhotoIDs...),
	}), maxMarkHistory)
	return m
}

// change is what a sighting says of its mark: a known mark of which nothing is said looks the same.
func (s Sighting) change(first bool) Change {
	switch {
	case s.Change == ChangeRepaired:
		return ChangeRepaired
	case first:
		return ChangeNew
	default:
		return cmp.Or(s.Change, ChangeSame)
	}
}

// newestFirst puts the newer photos before the older, each once.
func newestFirst(newer, older []string) []string {
	ids := make([]string, 0, len(newer)+len(older))
	for _, id := range slices.Concat(newer, older) {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids[:min(len(ids), maxMarkPhotos)]
}

// remembered keeps the first sighting and the newest others.
func remembered(history []MarkChange, limit int) []MarkChange {
	if over := len(history) - limit; over > 0 {
		return slices.Delete(history, 1, 1+over)
	}
	return history
}

// What a folded mark keeps.
const (
	maxFoldedMarks   = 500
	maxFoldedPhotos  = 10
	maxFoldedHistory = 10
	maxFoldedNote    = 200
)

// shortened holds folded marks to a size that fits beside the walk-arounds that are kept whole: of each the newest photos,
// the first sighting and the newest others; of more marks than 500 first the repaired and then those go that were not
// seen for longest. marks is not changed.
func shortened(marks []Mark) []Mark {
	short := slices.Clone(marks)
	for i := range short {
		m := &short[i]
		m.PhotoIDs = m.PhotoIDs[:min(len(m.PhotoIDs), maxFoldedPhotos)]
		note := []rune(m.Note)
		m.Note = string(note[:min(len(note), maxFoldedNote)])
		m.History = remembered(slices.Clone(m.History), maxFoldedHistory)
		for j := range m.History {
			h := &m.History[j]
			h.PhotoIDs = h.PhotoIDs[:min(len(h.PhotoIDs), maxFoldedPhotos/2)]
		}
	}
	for len(short) > maxFoldedMarks {
		short = slices.Delete(short, leastMissed(short), leastMissed(short)+1)
	}
	return short
}

func leastMissed(marks []Mark) int {
	least := 0
	for i, m := range marks {
		if m.lessMissed(marks[least]) {
			least = i
		}
	}
	return least
}

func (m Mark) lessMissed(other Mark) bool {
	if m.Status != other.Status {
		return m.Status == StatusRepaired
	}
	return m.LastSeenAt.Before(other.LastSeenAt.Time)
}
