package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"example.com/walkaround/api/background"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/customer"
	"example.com/walkaround/domain/vehicle"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

// serveQueues tells the relay what documents owe.
func (s *Server) serveQueues() {
	background.Serve(s.relay, s.visitQueue())
	background.Serve(s.relay, background.Queue[visit.Photo]{
		Name: "photos", Collection: s.photos, Workers: 1,
		ID:        func(p *visit.Photo) string { return p.StoreID + "/" + p.ID },
		Outbox:    func(p *visit.Photo) *domain.Outbox { return &p.Outbox },
		Consumers: map[string]background.Consumer[visit.Photo]{visit.TaskSizes: s.consumeSizes},
	})
	s.relay.Every("checkpoints", checkpointEvery, s.Checkpoint)
	s.relay.Every("keys", 6*time.Hour, s.auth.Rotate)
	s.relay.Every("prune", 24*time.Hour, s.prune)
	s.relay.Every("sweep", background.SweepEvery, s.sweep)
}

func (s *Server) visitQueue() background.Queue[visit.Visit] {
	return background.Queue[visit.Visit]{
		Name: "visits", Collection: s.visits, Workers: 2,
		ID:     func(v *visit.Visit) string { return v.StoreID + "/" + v.ID },
		Outbox: func(v *visit.Visit) *domain.Outbox { return &v.Outbox },
		Consumers: map[string]background.Consumer[visit.Visit]{
			visit.TaskSeal: s.consumeSeal, visit.TaskWithdraw: s.consumeFollowed, visit.TaskPlate: s.consumeFollowed,
		},
	}
}

// follow does at once what others must be able to read as soon as a signature is answered: its proof, and the damage
// on the vehicle; and after a correction, what is not true of a vehicle any more. The relay does the same again, so that a
// fault here costs nothing but time.
func (s *Server) follow(ctx context.Context, v *visit.Visit) {
	for _, task := range v.Outbox {
		if err := s.followTask(ctx, v, task); err != nil {
			s.Log.WarnContext(ctx, "left to the relay", slog.String("visit_id", v.ID), slog.Any("error", err))
		}
	}
	if len(v.Outbox) > 0 {
		s.relay.Wake("visits")
	}
}

func (s *Server) followTask(ctx context.Context, v *visit.Visit, task domain.Task) error {
	switch task.Type {
	case visit.TaskSeal:
		return s.fileSignature(ctx, v, v.Signature(task.Ref))
	case visit.TaskWithdraw:
		return s.withdraw(ctx, v, task.Ref)
	case visit.TaskPlate:
		return s.release(ctx, v, task.Ref, domain.At(s.Now()))
	default:
		return nil
	}
}

// consumeFollowed does again what follow may have left undone.
func (s *Server) consumeFollowed(ctx context.Context, v visit.Visit, task domain.Task) (func(*visit.Visit), error) {
	return nil, s.followTask(ctx, &v, task)
}

// fileSignature files the proof and tells vehicle, ledger and customer. It may run any number of times.
func (s *Server) fileSignature(ctx context.Context, v *visit.Visit, sig *visit.Signature) error {
	if sig == nil {
		return nil
	}
	if err := s.fileProof(ctx, proof{
		Digest: sig.Digest, StoreID: v.StoreID, VisitID: v.ID, SignatureID: sig.ID, SealedAt: sig.SealedAt, Leaf: sig.Seal.Leaf(),
	}); err != nil {
		return fmt.Errorf("file proof: %w", err)
	}
	if current := v.Current(); current == nil || current.ID != sig.ID {
		return nil
	}
	told, err := s.asSigned(ctx, v, sig)
	if err != nil {
		return err
	}
	if err := s.tellVehicle(ctx, told, sig); err != nil {
		return fmt.Errorf("tell vehicle: %w", err)
	}
	return s.tellCustomer(ctx, told)
}

// fileProof files a proof by its digest. One that is filed already must be of the same signature: two visits of one id in two
// stores may say the same, and the proof of the one proves nothing of the other.
func (s *Server) fileProof(ctx context.Context, p proof) error {
	_, err := s.proofs.Insert(ctx, p)
	if !errors.Is(err, storage.ErrExists) {
		return err
	}
	filed, err := s.proofs.Get(ctx, p.Digest)
	if err != nil {
		return err
	}
	if f := filed.Value; f.StoreID != p.StoreID || f.VisitID != p.VisitID || f.SignatureID != p.SignatureID {
		return fmt.Errorf("digest %s stands for signature %s of store %s already", p.Digest, f.SignatureID, f.StoreID)
	}
	return nil
}

func (s *Server) tellVehicle(ctx context.Context, v *visit.Visit, sig *visit.Signature) error {
	id := v.StoreID + "/" + v.VehicleID
	contribution := vehicle.Contribution{
		VisitID: v.ID, SignatureID: sig.ID, SignedAt: countedAt(sig), ArrivedAt: v.ArrivedAt, Marks: sightings(v.Inspection),
	}
	ledger, err := s.applyToLedger(ctx, id, v, contribution)
	if err != nil {
		return err
	}
	_, err = s.vehicles.Update(ctx, id, func(car *vehicle.Vehicle) error {
		seen := car.SeenAt(v.OdometerKM, v.CustomerID, v.ID, v.ArrivedAt)
		if counted := car.Signed(ledger.Signed()); !seen && !counted {
			return storage.ErrUnchanged
		}
		return nil
	})
	return err
}

func (s *Server) applyToLedger(ctx context.Context, id string, v *visit.Visit, c vehicle.Contribution) (vehicle.Ledger, error) {
	saved, err := s.ledgers.Update(ctx, id, func(l *vehicle.Ledger) error {
		if !l.Apply(c) {
			return storage.ErrUnchanged
		}
		return nil
	})
	if !errors.Is(err, storage.ErrNotFound) {
		return saved.Value, err
	}
	fresh := vehicle.NewLedger(v.StoreID, v.VehicleID)
	fresh.Apply(c)
	_, err = s.ledgers.Insert(ctx, fresh)
	if errors.Is(err, storage.ErrExists) {
		return s.applyToLedger(ctx, id, v, c)
	}
	return fresh, err
}

func sightings(in *visit.Inspection) []vehicle.Sighting {
	if in == nil {
		return []vehicle.Sighting{}
	}
	list := make([]vehicle.Sighting, len(in.Damages))
	for i, d := range in.Damages {
		list[i] = vehicle.Sighting{
			DamageID: d.ID, View: string(d.View), X: d.X, Y: d.Y, Kind: string(d.Kind), Severity: string(d.Severity), LengthMM: d.LengthMM,
			PhotoIDs: slices.Clone(d.PhotoIDs), Note: d.Note, KnownID: d.KnownID, Change: vehicle.Change(d.Change),
		}
	}
	return list
}

func (s *Server) tellCustomer(ctx context.Context, v *visit.Visit) error {
	if v.CustomerID == "" {
		return nil
	}
	_, err := s.customers.Update(ctx, v.StoreID+"/"+v.CustomerID, func(c *customer.Customer) error {
		if !c.SeenAt(v.VehicleID, v.ArrivedAt) {
			return storage.ErrUnchanged
		}
		return nil
	})
	return err
}

// consumeSeal finishes a signature: proof, ledger, the sealed PDF, retention of all that it stands on.
func (s *Server) consumeSeal(ctx context.Context, v visit.Visit, task domain.Task) (func(*visit.Visit), error) {
	sig := v.Signature(task.Ref)
	if sig == nil {
		return nil, nil //nolint:nilnil // nothing to do, nothing to change
	}
	if err := s.fileSignature(ctx, &v, sig); err != nil {
		return nil, err
	}
	pdf, err := s.pdfOf(ctx, v, *sig)
	if err != nil {
		return nil, err
	}
	return nil, s.retain(ctx, &v, sig, pdf)
}

// retain forbids deletion of everything that the seal stands on, for as long as evidence is kept.
func (s *Server) retain(ctx context.Context, v *visit.Visit, sig *visit.Signature, pdf string) error {
	until := sig.SealedAt.AddDate(s.RetentionYears, 0, 0)
	files := []string{pdf, sig.Files.Canonical, sig.Files.Image, sig.Files.Strokes}
	sheet, err := s.signedSheet(ctx, v, sig)
	if err != nil {
		return err
	}
	for _, named := range []map[string]*string{sheet.Photos, sheet.Recordings} {
		for _, sum := range named {
			if sum != nil {
				files = append(files, *sum)
			}
		}
	}
	for _, sum := range files {
		if sum == "" {
			continue
		}
		if err := s.Blobs.Retain(ctx, v.StoreID+"/"+sum, until); err != nil {
			return fmt.Errorf("retain: %w", err)
		}
	}
	return nil
}

// signedSheet reads back what was signed.
func (s *Server) signedSheet(ctx context.Context, v *visit.Visit, sig *visit.Signature) (visit.Sheet, error) {
	canonical, err := s.readBlob(ctx, v.StoreID, sig.Files.Canonical, maxSignature)
	if err != nil {
		return visit.Sheet{}, fmt.Errorf("canonical form: %w", err)
	}
	return visit.ParseSheet(canonical)
}
