package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"example.com/walkaround/api/image"
	"example.com/walkaround/api/paper"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/store"
	"example.com/walkaround/domain/vehicle"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

// maxInk is the most of a drawn signature that is read back.
const maxInk = 1 << 20

// printed turns what was signed into what is printed: from the canonical form alone, save names that only say where.
func (s *Server) printed(ctx context.Context, st store.Store, v visit.Visit, sig visit.Signature, sheet visit.Sheet) (paper.Sheet, error) {
	p := paper.Sheet{
		Language: string(sheetLanguage(st, sheet)), Zone: st.Zone(), Number: v.Number, Revision: sig.Revision, Advisor: sig.Witness.Name,
		Plate: sheet.Plate, VIN: sheet.VIN, Model: v.Known.Model, OdometerKM: number(sheet.OdometerKM), Reason: sheet.Reason, ArrivedAt: v.ArrivedAt.Time,
		Signer: paper.Signer{Name: sig.Signer.Name, Relation: sig.Signer.Relation}, SignedAt: sig.SignedAt.Time, SealedAt: sig.SealedAt.Time,
		Digest: sig.Digest, ChainHead: sig.Seal.Statement.Chain.Head, VerifyURL: sig.VerifyURL, Conflict: sig.Conflict,
	}
	p.Store = paper.Store{Name: st.NameIn(domain.Language(p.Language)), Address: st.Address, Phone: st.Phone}
	if c := sheet.Customer; c != nil {
		p.Customer = paper.Customer{Name: c.Name, Salutation: c.Salutation, Phone: c.Phone}
	}
	if sheet.Consent != nil {
		p.Consent = sheet.Consent.Text
	}
	printIntake(&p, sheet.Intake)
	if err := s.printInspection(ctx, &p, st, sheet); err != nil {
		return p, err
	}
	if err := s.printSightings(ctx, &p, v, sheet); err != nil {
		return p, err
	}
	s.printPhotos(&p, st.ID, sheet)
	ink, err := s.readBlob(ctx, st.ID, sig.Files.Image, maxInk)
	p.Signature = ink
	return p, err
}

// sheetLanguage is the language that the customer read the sheet in.
func sheetLanguage(st store.Store, sheet visit.Sheet) domain.Language {
	switch {
	case sheet.Intake != nil && sheet.Intake.Language != "":
		return sheet.Intake.Language
	case sheet.Consent != nil && sheet.Consent.Language != "":
		return sheet.Consent.Language
	default:
		return st.Language
	}
}

func printIntake(p *paper.Sheet, in *visit.Intake) {
	if in == nil {
		return
	}
	p.FuelPercent, p.WantedAt = number(in.FuelPercent), moment(in.WantedAt)
	p.Intake = paper.Remarks{Note: in.Note, Recordings: len(in.RecordingIDs), Further: members(in.Attributes)}
	for _, r := range in.Requests {
		p.Requests = append(p.Requests, paper.Request{
			Words: r.Words, Restated: is(r.Restated), RestatedAt: moment(r.RestatedAt), Recordings: len(r.RecordingIDs),
		})
	}
}

func (s *Server) printInspection(ctx context.Context, p *paper.Sheet, st store.Store, sheet visit.Sheet) error {
	in := sheet.Inspection
	if in == nil {
		return nil
	}
	p.Inspection = paper.Remarks{Note: in.Note, Further: members(in.Attributes)}
	p.CustomerPresent, p.ReminderAt = is(in.CustomerPresent), moment(in.ValuablesReminderAt)
	if c := in.Covers; c != nil {
		p.Covers = paper.Covers{Seat: is(c.Seat), SteeringWheel: is(c.SteeringWheel), Floor: is(c.Floor), FittedAt: moment(c.FittedAt), FittedBy: c.FittedBy}
	}
	if e := in.Engine; e != nil {
		p.Engine = paper.Engine{Checked: is(e.Checked), AbnormalNoise: is(e.AbnormalNoise), Note: e.Note, Recordings: len(e.RecordingIDs)}
	}
	order := photoOrder(sheet)
	for i, d := range in.Damages {
		p.Damages = append(p.Damages, paper.Damage{
			Number: i + 1, View: string(d.View), X: unit(d.X), Y: unit(d.Y), Kind: string(d.Kind), Severity: string(d.Severity),
			LengthMM: number(d.LengthMM), Status: status(d), Note: d.Note, Photos: numbersOf(order, d.PhotoIDs),
		})
	}
	for _, b := range in.Belongings {
		quantity := 1
		if b.Quantity != nil {
			quantity = int(*b.Quantity)
		}
		p.Belongings = append(p.Belongings, paper.Belonging{
			Description: b.Description, Quantity: quantity, Valuable: is(b.Valuable), Kept: string(b.Kept), Photos: numbersOf(order, b.PhotoIDs), Note: b.Note,
		})
	}
	return s.printChecklist(ctx, p, st, sheet)
}

// printChecklist prints the items in the order and words of the template that they answer.
func (s *Server) printChecklist(ctx context.Context, p *paper.Sheet, st store.Store, sheet visit.Sheet) error {
	results, order := map[string]visit.Item{}, photoOrder(sheet)
	add := func(section, label string, item visit.Item) {
		p.Checklist = append(p.Checklist, paper.Check{
			Section: section, Label: label, Result: string(item.Result), Note: item.Note, Photos: numbersOf(order, item.PhotoIDs),
		})
	}
	for _, item := range sheet.Inspection.Items {
		results[item.Code] = item
	}
	if sheet.Checklist != nil {
		p.Template = sheet.Checklist.Version
		list, err := s.checklistVersion(ctx, st.ID, *sheet.Checklist)
		if err != nil {
			return err
		}
		for _, entry := range list.Localized(domain.Language(p.Language)).Items {
			if item, ok := results[entry.Code]; ok {
				add(entry.Section, entry.Label, item)
				delete(results, entry.Code)
			}
		}
	}
	for _, item := range sheet.Inspection.Items {
		if _, left := results[item.Code]; left { // not of the template: printed under its code
			add("", item.Code, item)
		}
	}
	return nil
}

// printSightings dates the damages that the car had before, from its ledger. What the ledger does not hold has no date.
func (s *Server) printSightings(ctx context.Context, p *paper.Sheet, v visit.Visit, sheet visit.Sheet) error {
	if sheet.Inspection == nil || !slices.ContainsFunc(sheet.Inspection.Damages, func(d visit.Damage) bool { return d.KnownID != "" }) {
		return nil
	}
	saved, err := s.ledgers.Get(ctx, v.StoreID+"/"+v.VehicleID)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("damage ledger: %w", err)
	}
	marks := saved.Value.Marks()
	for i, d := range sheet.Inspection.Damages {
		known := slices.IndexFunc(marks, func(m vehicle.Mark) bool { return d.KnownID != "" && m.ID == d.KnownID })
		if known >= 0 {
			p.Damages[i].FirstSeenAt = marks[known].FirstSeenAt.Time
		}
	}
	return nil
}

func (s *Server) printPhotos(p *paper.Sheet, storeID string, sheet visit.Sheet) {
	for _, id := range photoOrder(sheet) {
		p.Photos = append(p.Photos, paper.Photo{ID: id, Open: func(ctx context.Context) (io.ReadCloser, error) {
			picture, err := s.printedPhoto(ctx, storeID, id)
			if err != nil && !unprintable(err) {
				err = fmt.Errorf("%w: %w", paper.ErrLater, err)
			}
			return io.NopCloser(bytes.NewReader(picture)), err
		}})
	}
}

// maxScreen is the most bytes of a photo's screen size: its 1,280 pixels never come near.
const maxScreen = 16 << 20

// printedPhoto reads the size of a photo that is printed, whole, so that storage can't fail half-way.
func (s *Server) printedPhoto(ctx context.Context, storeID, id string) ([]byte, error) {
	saved, err := s.photos.Get(ctx, storeID+"/"+id)
	if err != nil {
		return nil, fmt.Errorf("photo %s: %w", id, err)
	}
	sum := saved.Value.Derived.Screen
	if sum == "" {
		made, err := s.makeSizes(ctx, saved.Value)
		if err != nil {
			return nil, err
		}
		sum = made.Screen
	}
	return s.readBlob(ctx, storeID, sum, maxScreen)
}

// unprintable says that a photo can never be printed. Any other fault may pass: a gap must not be sealed for it.
func unprintable(err error) bool {
	for _, lasting := range []error{
		storage.ErrNotFound, storage.ErrCorrupt, image.ErrMalformed, image.ErrTruncated, image.ErrUnsupported, image.ErrTooManyPixels,
	} {
		if errors.Is(err, lasting) {
			return true
		}
	}
	return false
}

// photoOrder lists the photos of a sheet as they are numbered: damages first, since their marks name them.
func photoOrder(sheet visit.Sheet) []string {
	var ids []string
	add := func(list []string) {
		for _, id := range list {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	in := sheet.Inspection
	if in == nil {
		return nil
	}
	for _, d := range in.Damages {
		add(d.PhotoIDs)
	}
	for _, b := range in.Belongings {
		add(b.PhotoIDs)
	}
	for _, i := range in.Items {
		add(i.PhotoIDs)
	}
	add(in.PhotoIDs)
	return ids
}

func numbersOf(order, ids []string) []int {
	var list []int
	for _, id := range ids {
		list = append(list, slices.Index(order, id)+1)
	}
	return list
}

func status(d visit.Damage) string {
	if d.KnownID == "" && d.Change != visit.Repaired {
		return "new"
	}
	return string(cmp.Or(d.Change, visit.Same)) // as the ledger takes it
}

// members counts the members of an object.
func members(object json.RawMessage) int {
	var m map[string]json.RawMessage
	_ = json.Unmarshal(object, &m) // the section's check took nothing but an object
	return len(m)
}

func number(n *int64) *int {
	if n == nil {
		return nil
	}
	i := int(*n)
	return &i
}

func moment(t *domain.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

func unit(f *float64) float64 {
	if f == nil {
		return 0
	}
	return *f
}

func is(b *bool) bool { return b != nil && *b }
