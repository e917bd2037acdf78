package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/vehicle"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

// retoldVisits is of how many visits a vehicle is told again after one of them was another car's.
const retoldVisits = 50

// asSigned is the visit as a signature tells of it: while a new revision is open, that is not how the visit stands.
func (s *Server) asSigned(ctx context.Context, v *visit.Visit, sig *visit.Signature) (*visit.Visit, error) {
	if v.Sections.Inspection.Frozen {
		return v, nil
	}
	sheet, err := s.signedSheet(ctx, v, sig)
	if err != nil {
		return nil, err
	}
	told := *v
	told.VehicleID, told.OdometerKM, told.Inspection = cmp.Or(sig.VehicleID, v.VehicleID), sheet.OdometerKM, sheet.Inspection
	return &told, nil
}

// withdraw takes back what a visit said of a vehicle at a signature: it was another car. It may run any number of times.
func (s *Server) withdraw(ctx context.Context, v *visit.Visit, vehicleID string) error {
	if sig := v.Current(); sig != nil && sig.VehicleID == vehicleID {
		return nil // it came back meanwhile
	}
	id := v.StoreID + "/" + vehicleID
	ledger, err := s.ledgers.Update(ctx, id, func(l *vehicle.Ledger) error {
		if !l.Withdraw(v.ID) {
			return storage.ErrUnchanged
		}
		return nil
	})
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	} else if err != nil {
		return fmt.Errorf("damage ledger: %w", err)
	}
	others, err := s.signedOn(ctx, v, vehicleID)
	if err != nil {
		return err
	}
	_, err = s.vehicles.Update(ctx, id, func(car *vehicle.Vehicle) error {
		if !car.Withdraw(v.ID, v.CustomerID, ledger.Value.Signed()) {
			return storage.ErrUnchanged
		}
		for _, o := range others {
			car.SeenAt(o.OdometerKM, o.CustomerID, o.ID, o.ArrivedAt)
		}
		return nil
	})
	return err
}

// signedOn gives the newest other visits of a vehicle that were signed.
func (s *Server) signedOn(ctx context.Context, v *visit.Visit, vehicleID string) ([]visit.Visit, error) {
	page, err := s.visits.FindValues(ctx, storage.Query{
		Key: "vehicle", Prefix: v.StoreID + "/" + vehicleID + "/", Desc: true, Limit: retoldVisits, SkipDamaged: true,
	})
	if err != nil {
		return nil, fmt.Errorf("other visits: %w", err)
	}
	var signed []visit.Visit
	for _, other := range page.Items {
		if other.Value.ID != v.ID && other.Value.Current() != nil {
			signed = append(signed, other.Value)
		}
	}
	return signed, nil
}

// release gives back the claim that a visit made to a plate which it does not bear any more, unless another visit came with
// that plate meanwhile or an advisor confirmed it. It may run any number of times.
func (s *Server) release(ctx context.Context, v *visit.Visit, plate string, now domain.Time) error {
	filed := vehicle.NormalizePlate(plate)
	if filed == "" || filed == vehicle.NormalizePlate(v.Plate) {
		return nil
	}
	held, err := s.reservations.Get(ctx, reservationID(v.StoreID, "plate", filed))
	if errors.Is(err, storage.ErrNotFound) || err == nil && held.Value.Visit != v.ID {
		return nil
	} else if err != nil {
		return err
	}
	others, err := s.visits.Find(ctx, storage.Query{Key: "plate", Prefix: v.StoreID + "/" + filed + "/", Limit: 1})
	if err != nil || len(others.Items) > 0 {
		return err
	}
	if err := s.unplate(ctx, v, held.Value.Owner, filed, now); err != nil {
		return err
	}
	err = s.reservations.Delete(ctx, held.Value.ID, held.Version)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

// unplate takes a plate that was a slip from the vehicle that got it; the one that is the visit's car gets the right one.
func (s *Server) unplate(ctx context.Context, v *visit.Visit, vehicleID, filed string, now domain.Time) error {
	right, err := s.reservations.Get(ctx, reservationID(v.StoreID, "plate", vehicle.NormalizePlate(v.Plate)))
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	_, err = s.vehicles.Update(ctx, v.StoreID+"/"+vehicleID, func(car *vehicle.Vehicle) error {
		switch {
		case car.PlateKey != filed:
			return storage.ErrUnchanged
		case right.Value.Owner == vehicleID:
			car.MovePlate(v.Plate, now)
		default:
			car.LosePlate(filed, now)
		}
		return nil
	})
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}
