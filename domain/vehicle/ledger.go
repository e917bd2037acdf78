package vehicle

import (
	"cmp"
	"slices"

	"example.com/walkaround/domain"
)

// Ledger is the damage seen on one car: what each signed walk-around said of it. The next one starts from its Marks, so
// that "that scratch is new" is answered by dates and photos.
//
// A ledger of more than 500 walk-arounds or about 1 MiB folds the oldest into Base: their marks stay, with their first
// dates, but a later signature of those visits is not taken any more.
type Ledger struct {
	StoreID   string         `bson:"store_id" json:"store_id"`
	VehicleID string         `bson:"vehicle_id" json:"vehicle_id"`
	Visits    []Contribution `bson:"visits" json:"visits"` // in order of arrival
	Base      []Mark         `bson:"base" json:"-"`        // what was folded
	Folded    int64          `bson:"folded" json:"-"`      // how many walk-arounds were
	FoldedTo  *domain.Time   `bson:"folded_to,omitempty" json:"-"`
}

// Contribution is what one signed walk-around said of the car.
type Contribution struct {
	VisitID     string      `bson:"visit_id" json:"visit_id"`
	SignatureID string      `bson:"signature_id" json:"signature_id"`
	SignedAt    domain.Time `bson:"signed_at" json:"signed_at"`
	ArrivedAt   domain.Time `bson:"arrived_at" json:"arrived_at"`
	Marks       []Sighting  `bson:"marks" json:"marks"`
}

// Sighting is one damage of a signed walk-around. KnownID names the mark that it is, if the car had it before.
type Sighting struct {
	DamageID string   `bson:"damage_id" json:"damage_id"`
	View     string   `bson:"view,omitempty" json:"view,omitempty"`
	X        *float64 `bson:"x,omitempty" json:"x,omitempty"`
	Y        *float64 `bson:"y,omitempty" json:"y,omitempty"`
	Kind     string   `bson:"kind,omitempty" json:"kind,omitempty"`
	Severity string   `bson:"severity,omitempty" json:"severity,omitempty"`
	LengthMM *int64   `bson:"length_mm,omitempty" json:"length_mm,omitempty"`
	PhotoIDs []string `bson:"photo_ids" json:"photo_ids"`
	Note     string   `bson:"note,omitempty" json:"note,omitempty"`
	KnownID  string   `bson:"known_id,omitempty" json:"known_id,omitempty"`
	Change   Change   `bson:"change,omitempty" json:"change,omitempty"`
}

// Change is how a mark looked against the sighting before.
type Change string //@name MarkChangeKind

// The changes of a mark. ChangeNew is its first sighting.
const (
	ChangeNew      Change = "new"
	ChangeSame     Change = "same"
	ChangeWorse    Change = "worse"
	ChangeRepaired Change = "repaired"
)

const (
	maxContributions = 500
	maxLedgerBytes   = 1 << 20
)

// NewLedger gives the empty ledger of a car.
func NewLedger(storeID, vehicleID string) Ledger {
	return Ledger{StoreID: storeID, VehicleID: vehicleID, Visits: []Contribution{}, Base: []Mark{}}
}

// Apply notes a signed walk-around. It may be told of one again, and of several out of order: a later signature of a
// visit replaces what that visit said, an earlier one changes nothing. It says whether anything changed.
func (l *Ledger) Apply(c Contribution) bool {
	if l.FoldedTo != nil && !c.ArrivedAt.After(l.FoldedTo.Time) {
		return false
	}
	visits := slices.Clone(l.Visits)
	if i := slices.IndexFunc(visits, func(old Contribution) bool { return old.VisitID == c.VisitID }); i >= 0 {
		if old := visits[i]; old.SignatureID == c.SignatureID || c.SignedAt.Before(old.SignedAt.Time) {
			return false
		}
		visits = slices.Delete(visits, i, i+1)
	}
	at, _ := slices.BinarySearchFunc(visits, c, byArrival)
	l.Visits = slices.Insert(visits, at, c)
	l.limit()
	return true
}

// Withdraw takes back what a visit said: it was another car. It says whether anything changed; what was folded stays.
func (l *Ledger) Withdraw(visitID string) bool {
	kept := slices.DeleteFunc(slices.Clone(l.Visits), func(c Contribution) bool { return c.VisitID == visitID })
	changed := len(kept) < len(l.Visits)
	l.Visits = kept
	return changed
}

// Signed says how many walk-arounds of the car were signed.
func (l *Ledger) Signed() int64 { return l.Folded + int64(len(l.Visits)) }

// limit folds the oldest walk-arounds into Base until the ledger is small enough; the newest always stays.
func (l *Ledger) limit() {
	for len(l.Visits) > 1 && (len(l.Visits) > maxContributions || l.bytes() > maxLedgerBytes) {
		oldest := l.Visits[0]
		l.Base = shortened(foldIn(l.Base, oldest))
		l.Visits = slices.Clone(l.Visits[1:])
		l.Folded++
		l.FoldedTo = &oldest.ArrivedAt
	}
}

func byArrival(a, b Contribution) int {
	return cmp.Or(a.ArrivedAt.Compare(b.ArrivedAt.Time), cmp.Compare(a.VisitID, b.VisitID))
}

// bytes is about how much the walk-arounds take; Base is held down by shortened.
func (l *Ledger) bytes() int {
	sum := 0
	for _, c := range l.Visits {
		sum += 200
		for _, s := range c.Marks {
			sum += 300 + len(s.DamageID) + len(s.KnownID) + len(s.Note) + photoBytes*len(s.PhotoIDs)
		}
	}
	return sum
}

const photoBytes = 48 // an id in an array of BSON
