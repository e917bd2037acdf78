package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/vehicle"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

// ledgerTries is how often a visit is read anew that moved on while its ledger was read.
const ledgerTries = 8

// contribution rebuilds what a signature says of a car from the bytes that were signed; false when they are not there, which is
// reported where the signature is.
func (k *checker) contribution(ctx context.Context, v *visit.Visit, sig *visit.Signature) (c vehicle.Contribution, ok bool, err error) {
	sheet, ok, err := k.signedSheet(ctx, v.StoreID, sig)
	return vehicle.Contribution{
		VisitID: v.ID, SignatureID: sig.ID, SignedAt: countedAt(sig), ArrivedAt: v.ArrivedAt, Marks: sightings(sheet.Inspection),
	}, ok, err
}

// signedSheet reads back what was signed, if it is there as it was signed.
func (k *checker) signedSheet(ctx context.Context, storeID string, sig *visit.Signature) (visit.Sheet, bool, error) {
	form, err := k.small(ctx, storeID, strings.TrimPrefix(sig.Seal.Statement.Digest, "sha256:"), maxSignature)
	if err != nil || form == nil {
		return visit.Sheet{}, false, err
	}
	sheet, err := visit.ParseSheet(form)
	return sheet, err == nil, nil
}

// speaking is the signature of a visit that a ledger should hold now, of which vehicle. owed says that the relay has still to
// tell it, so that nothing can be said.
func speaking(v *visit.Visit) (sig *visit.Signature, vehicleID string, owed bool) {
	owed = slices.ContainsFunc(v.Outbox, func(t domain.Task) bool { return t.Type == visit.TaskSeal || t.Type == visit.TaskWithdraw })
	story := visit.Retell(v.Events)
	if told := story.Current(); told != nil {
		if sig = v.Signature(told.ID); sig != nil {
			vehicleID = cmp.Or(told.VehicleID(), sig.VehicleID, v.VehicleID)
		}
	}
	return sig, vehicleID, owed
}

// ledger holds what the ledger of its car tells of a visit against what was signed. A ledger follows the signature: so a visit
// that moved on meanwhile is looked at anew.
func (k *checker) ledger(ctx context.Context, where string, v visit.Visit) error {
	for range ledgerTries {
		sig, vehicleID, owed := speaking(&v)
		if sig == nil || owed {
			return nil
		}
		faults, err := k.toldBy(ctx, &v, sig, vehicleID)
		if err != nil || len(faults) == 0 {
			return err
		}
		again, there, _, err := look(ctx, k.visits, v.StoreID+"/"+v.ID)
		if err != nil || !there {
			return err
		}
		if evidence.HeadOf(again.Events) == evidence.HeadOf(v.Events) {
			for _, fault := range faults {
				k.find("mark", "damage_ledgers/"+v.StoreID+"/"+vehicleID, "%s; signature %s of %s tells", fault, sig.ID, where)
			}
			return nil
		}
		v = again
	}
	return nil
}

// toldBy lists what the ledger of a car tells otherwise than a signature.
func (k *checker) toldBy(ctx context.Context, v *visit.Visit, sig *visit.Signature, vehicleID string) ([]string, error) {
	want, ok, err := k.contribution(ctx, v, sig)
	if err != nil || !ok {
		return nil, err
	}
	l, _, unknown, err := look(ctx, k.ledgers, v.StoreID+"/"+vehicleID)
	if err != nil || unknown {
		return nil, err
	}
	at := slices.IndexFunc(l.Visits, func(c vehicle.Contribution) bool { return c.VisitID == v.ID })
	switch {
	case at < 0 && l.FoldedTo != nil && !v.ArrivedAt.After(l.FoldedTo.Time): // looked at with the ledger's row
		return nil, nil
	case at < 0:
		return differences(want, vehicle.Contribution{VisitID: v.ID}), nil
	case l.Visits[at].SignatureID == sig.ID:
		return differences(want, l.Visits[at]), nil
	}
	return k.outdated(ctx, v, want, l.Visits[at])
}

// outdated judges what a ledger tells by an earlier signature: it stays where the clock stepped back in between.
func (k *checker) outdated(ctx context.Context, v *visit.Visit, want, got vehicle.Contribution) ([]string, error) {
	story := visit.Retell(v.Events)
	told, sig := story.Signature(got.SignatureID), v.Signature(got.SignatureID)
	if told == nil || sig == nil || !told.Counts() || !got.SignedAt.After(want.SignedAt.Time) {
		return differences(want, got), nil
	}
	before, ok, err := k.contribution(ctx, v, sig)
	if err != nil || !ok {
		return nil, err
	}
	faults := differences(before, got)
	if len(faults) == 0 {
		k.note("mark", "damage_ledgers/"+v.StoreID, "the clock stepped back: visit %s is told as signature %s saw it", v.ID, sig.ID)
	}
	return faults, nil
}

// countedAt is when a signature began to count.
func countedAt(sig *visit.Signature) domain.Time {
	if sig.AdoptedAt != nil && sig.AdoptedAt.After(sig.SealedAt.Time) {
		return *sig.AdoptedAt
	}
	return sig.SealedAt
}

// differences names the marks that are not told as they were signed, and what is not told of the walk-around.
func differences(want, got vehicle.Contribution) []string {
	var faults []string
	for _, m := range want.Marks {
		at := slices.IndexFunc(got.Marks, func(s vehicle.Sighting) bool { return s.DamageID == m.DamageID })
		switch {
		case at < 0:
			faults = append(faults, fmt.Sprintf("mark %s.%s is missing", want.VisitID, m.DamageID))
		case !sameSighting(m, got.Marks[at]):
			faults = append(faults, fmt.Sprintf("mark %s.%s was changed", want.VisitID, m.DamageID))
		}
	}
	for i, m := range got.Marks {
		of := func(s vehicle.Sighting) bool { return s.DamageID == m.DamageID }
		if !slices.ContainsFunc(want.Marks, of) || slices.ContainsFunc(got.Marks[:i], of) {
			faults = append(faults, fmt.Sprintf("mark %s.%s was added", want.VisitID, m.DamageID))
		}
	}
	switch {
	case len(faults) > 0:
	case got.SignatureID == "":
		faults = append(faults, fmt.Sprintf("the walk-around of visit %s is missing", want.VisitID))
	case got.SignatureID != want.SignatureID || !got.ArrivedAt.Equal(want.ArrivedAt.Time):
		faults = append(faults, fmt.Sprintf("the walk-around of visit %s was changed", want.VisitID))
	}
	return faults
}

func sameSighting(a, b vehicle.Sighting) bool {
	same := samePointed(a.X, b.X) && samePointed(a.Y, b.Y) && samePointed(a.LengthMM, b.LengthMM) && slices.Equal(a.PhotoIDs, b.PhotoIDs)
	return same && a.DamageID == b.DamageID && a.View == b.View && a.Kind == b.Kind && a.Severity == b.Severity && a.Note == b.Note &&
		a.KnownID == b.KnownID && a.Change == b.Change
}

func samePointed[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// ledgerRows walks the damage ledgers: what they hold was signed, and for this car.
func (k *checker) ledgerRows(ctx context.Context) error {
	return values(ctx, k, k.ledgers, func(ctx context.Context, l vehicle.Ledger) error {
		where := "damage_ledgers/" + l.StoreID + "/" + l.VehicleID
		for _, c := range l.Visits {
			if err := k.signedFor(ctx, where, l, c); err != nil {
				return err
			}
		}
		if l.Folded == 0 && len(l.Base) == 0 && l.FoldedTo == nil {
			return nil
		}
		return k.folded(ctx, where, l)
	})
}

// signedFor sees that a walk-around in a ledger is of a visit that was signed for this car. What it tells is seen with the visit.
func (k *checker) signedFor(ctx context.Context, where string, l vehicle.Ledger, c vehicle.Contribution) error {
	for range ledgerTries {
		v, there, unknown, err := look(ctx, k.visits, l.StoreID+"/"+c.VisitID)
		if err != nil || unknown || k.told["visits/"+l.StoreID+"/"+c.VisitID] || there && contradicted(&v) {
			return err
		}
		sig, vehicleID, owed := speaking(&v)
		if there && (owed || sig != nil && vehicleID == l.VehicleID) {
			return nil
		}
		again, _, _, err := look(ctx, k.ledgers, l.StoreID+"/"+l.VehicleID)
		if err != nil || !slices.ContainsFunc(again.Visits, func(a vehicle.Contribution) bool { return a.VisitID == c.VisitID }) {
			return err // it was withdrawn meanwhile
		}
		later, _, _, err := look(ctx, k.visits, l.StoreID+"/"+c.VisitID)
		if err != nil || evidence.HeadOf(later.Events) == evidence.HeadOf(v.Events) {
			k.unsigned(where, c)
			return err
		}
	}
	return nil
}

// contradicted says whether a visit is reported itself, so that nothing can be told by it.
func contradicted(v *visit.Visit) bool {
	return evidence.VerifyChain(v.ID, v.Events) != nil || len(v.Contradictions(visit.Retell(v.Events))) > 0
}

// unsigned reports the marks of a walk-around that nobody signed for this car.
func (k *checker) unsigned(where string, c vehicle.Contribution) {
	for _, m := range c.Marks {
		k.find("mark", where, "mark %s.%s was added; visit %s was not signed for this vehicle", c.VisitID, m.DamageID, c.VisitID)
	}
	if len(c.Marks) == 0 {
		k.find("mark", where, "the walk-around of visit %s was added; it was not signed for this vehicle", c.VisitID)
	}
}

// folded rebuilds a ledger that is too long to keep each walk-around whole. What was signed anew or taken back after it was
// folded stays in the ledger, and can't be told from the visits: then a difference is a note.
func (k *checker) folded(ctx context.Context, where string, l vehicle.Ledger) error {
	rebuilt, certain := vehicle.NewLedger(l.StoreID, l.VehicleID), true
	q := storage.Query{Key: "vehicle", Prefix: l.StoreID + "/" + l.VehicleID + "/", Limit: storage.MaxFind, SkipDamaged: true}
	for {
		page, err := k.visits.FindValues(ctx, q)
		if err != nil {
			return err
		}
		certain = certain && len(page.Damaged) == 0
		for _, saved := range page.Items {
			v := saved.Value
			sig, vehicleID, owed := speaking(&v)
			certain = certain && !owed && len(v.Signatures) < 2
			if sig == nil || vehicleID != l.VehicleID {
				continue
			}
			c, ok, err := k.contribution(ctx, &v, sig)
			if err != nil {
				return err
			}
			certain = certain && ok
			rebuilt.Apply(c)
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	k.refolded(where, l, rebuilt, certain)
	return nil
}

// refolded compares what was folded, mark for mark.
func (k *checker) refolded(where string, l, rebuilt vehicle.Ledger, certain bool) {
	tell := k.note
	if certain {
		tell = k.find
	}
	is, want := markTexts(l.Base), markTexts(rebuilt.Base)
	for _, id := range visit.Differing(is, want) {
		switch {
		case is[id] == "":
			tell("mark", where, "mark %s is missing from what was folded", id)
		case want[id] == "":
			tell("mark", where, "mark %s was added to what was folded", id)
		default:
			tell("mark", where, "mark %s was changed in what was folded", id)
		}
	}
	if l.Folded != rebuilt.Folded || !samePointed(millis(l.FoldedTo), millis(rebuilt.FoldedTo)) {
		tell("mark", where, "%d walk-arounds are folded, and %d should be", l.Folded, rebuilt.Folded)
	}
}

// markTexts writes each mark, so that they can be compared.
func markTexts(marks []vehicle.Mark) map[string]string {
	texts := make(map[string]string, len(marks))
	for _, m := range marks {
		raw, err := json.Marshal(m)
		if err != nil {
			raw = []byte("unreadable")
		}
		texts[m.ID] += string(raw)
	}
	return texts
}

func millis(t *domain.Time) *int64 {
	if t == nil {
		return nil
	}
	return new(t.UnixMilli())
}
