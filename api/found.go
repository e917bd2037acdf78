package api

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/customer"
	"example.com/walkaround/domain/store"
	"example.com/walkaround/domain/vehicle"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

// find looks an arrival up in the store's files, and makes what is new (R2). Every step may be repeated: what must be
// unique is a reservation, so a loser, or the one who comes after a crash, finds the winner's id and goes on.
func (s *Server) find(ctx context.Context, st store.Store, visitID string, a visit.Arrival, now domain.Time) (visit.Found, error) {
	var f visit.Found
	car, err := s.findVehicle(ctx, st, visitID, a, &f, now)
	if err != nil {
		return f, err
	}
	f.VehicleID = car.ID
	f.Known = visit.Known{VIN: car.VIN, Model: car.Model, OdometerKM: car.OdometerKM, Visits: int(car.SignedWalkarounds)}
	if a.OdometerKM != nil && car.OdometerKM != nil && *a.OdometerKM < *car.OdometerKM {
		f.Warnings = append(f.Warnings, visit.Warning{
			Code: visit.WarnOdometerLower, Pointer: "/odometer_km",
			Message: fmt.Sprintf("lower than the %d km of last time; a reason is needed before the signature", *car.OdometerKM),
		})
	}
	return f, s.findCustomer(ctx, st, visitID, a.Customer, car, &f, now)
}

// findVehicle finds or makes the car: a known VIN wins; else it is found or made by its plate.
func (s *Server) findVehicle(ctx context.Context, st store.Store, visitID string, a visit.Arrival, f *visit.Found, now domain.Time) (vehicle.Vehicle, error) { //nolint:revive // one step of finding
	storeID := st.ID
	plate, vin := vehicle.NormalizePlate(a.Plate), vehicle.NormalizeVIN(a.VIN)
	if code := vehicle.CheckVIN(vin, st.VINCheckDigit); vin != "" && code != "" {
		f.Warnings = append(f.Warnings, visit.Warning{Code: code, Pointer: "/vin", Message: "the VIN does not check; compare it with the car"})
	}
	id := domain.DerivedID(visitID, "vehicle")
	byVIN, err := s.owner(ctx, storeID, "vin", vin)
	if err != nil {
		return vehicle.Vehicle{}, err
	}
	byPlate, err := s.owner(ctx, storeID, "plate", plate)
	if err != nil {
		return vehicle.Vehicle{}, err
	}
	if byVIN == "" && byPlate != "" {
		car, err := s.vehicle(ctx, storeID, byPlate, a, now)
		if err != nil || vin == "" || car.VIN == vin {
			return car, err
		}
		if car.VIN == "" {
			return s.attachVIN(ctx, car, vin, now)
		}
	}
	if byVIN != "" {
		id = byVIN
	}
	return s.settleVehicle(ctx, storeID, id, plate, byPlate, a, f, now)
}

// settleVehicle goes on with the car that the VIN names, or with a new one. Its plate moves to it only when the advisor confirms.
func (s *Server) settleVehicle(ctx context.Context, storeID, id, plate, byPlate string, a visit.Arrival, f *visit.Found, now domain.Time) (vehicle.Vehicle, error) { //nolint:revive // one step of finding
	vin := vehicle.NormalizeVIN(a.VIN)
	id, err := s.reserve(ctx, storeID, "vin", vin, id, now)
	if err != nil {
		return vehicle.Vehicle{}, err
	}
	if plate != "" && byPlate == "" {
		if byPlate, err = s.reserve(ctx, storeID, "plate", plate, id, now); err != nil {
			return vehicle.Vehicle{}, err
		}
		if vin == "" {
			id = byPlate
		}
	}
	if plate != "" && byPlate != id {
		f.Warnings = append(f.Warnings, visit.Warning{
			Code: visit.WarnPlateElsewhere, Pointer: "/plate", Message: "the files know this plate on another vehicle; confirm it to move the plate here",
		})
	}
	return s.vehicle(ctx, storeID, id, a, now)
}

// owner reads a reservation; empty when nobody holds it.
func (s *Server) owner(ctx context.Context, storeID, kind, what string) (string, error) {
	if what == "" {
		return "", nil
	}
	saved, err := s.reservations.Get(ctx, storeID+"/"+kind+"/"+what)
	if errors.Is(err, storage.ErrNotFound) {
		return "", nil
	}
	return saved.Value.Owner, err
}

// reserve claims what must be unique for id and says whose it is.
func (s *Server) reserve(ctx context.Context, storeID, kind, what, id string, now domain.Time) (string, error) { //nolint:revive // one claim
	if what == "" {
		return id, nil
	}
	standing, _, err := s.claim(ctx, reservation{ID: storeID + "/" + kind + "/" + what, Owner: id, At: now})
	return standing.Owner, err
}

// vehicle reads the car, or makes it where its reservation stands alone.
func (s *Server) vehicle(ctx context.Context, storeID, id string, a visit.Arrival, now domain.Time) (vehicle.Vehicle, error) {
	saved, err := s.vehicles.Get(ctx, storeID+"/"+id)
	if !errors.Is(err, storage.ErrNotFound) {
		return saved.Value, err
	}
	saved, err = s.vehicles.Insert(ctx, vehicle.New(id, storeID, a.Plate, a.VIN, now))
	if errors.Is(err, storage.ErrExists) {
		saved, err = s.vehicles.Get(ctx, storeID+"/"+id)
	}
	return saved.Value, err
}

// attachVIN tells a car that was known by its plate alone who it is.
func (s *Server) attachVIN(ctx context.Context, car vehicle.Vehicle, vin string, now domain.Time) (vehicle.Vehicle, error) {
	if _, err := s.reserve(ctx, car.StoreID, "vin", vin, car.ID, now); err != nil {
		return car, err
	}
	saved, err := s.vehicles.Update(ctx, car.StoreID+"/"+car.ID, func(v *vehicle.Vehicle) error { return v.AttachVIN(vin) })
	return saved.Value, err
}

// findCustomer finds or makes the customer: by phone and name; with the plate alone, the one who came with the car last.
func (s *Server) findCustomer(ctx context.Context, st store.Store, visitID string, typed *visit.Customer, car vehicle.Vehicle, f *visit.Found, now domain.Time) error { //nolint:revive // one step of finding
	if typed == nil || strings.TrimSpace(typed.Name+typed.Phone) == "" {
		return s.lastCustomer(ctx, car, f)
	}
	e164, readable := customer.E164(typed.Phone, st.Market)
	if typed.Phone != "" && !readable {
		f.Warnings = append(f.Warnings, visit.Warning{Code: visit.WarnPhoneUnread, Pointer: "/customer/phone", Message: "not a phone number of the store's market; it is kept as typed"})
	}
	id, err := s.reserve(ctx, st.ID, "customer", customer.MatchKey(typed.Name, e164), domain.DerivedID(visitID, "customer"), now)
	if err != nil {
		return err
	}
	f.CustomerID = id
	if _, err := s.customers.Get(ctx, st.ID+"/"+id); !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	fresh := customer.New(id, st.ID, customer.Typed{Name: typed.Name, Salutation: typed.Salutation, Phone: typed.Phone}, st.Market, now)
	if _, err := s.customers.Insert(ctx, fresh); err != nil && !errors.Is(err, storage.ErrExists) {
		return err
	}
	return nil
}

func (s *Server) lastCustomer(ctx context.Context, car vehicle.Vehicle, f *visit.Found) error {
	if car.CustomerID == "" {
		return nil
	}
	saved, err := s.customers.Get(ctx, car.StoreID+"/"+car.CustomerID)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	c := saved.Value
	f.CustomerID = c.ID
	f.Known.Customer = &visit.Customer{Name: c.Name, Salutation: c.Salutation, Phone: c.Phone}
	return nil
}

// numbers gives visit numbers: an insert-only (store, local day, last + 1), so that gaps are allowed and repeats never.
// The last one is remembered here only to save looking it up; the insert decides.
type numbers struct {
	mu   sync.Mutex
	last map[string]int
}

const maxNumber = 9_999

func (s *Server) number(ctx context.Context, st store.Store, visitID string, now time.Time) (string, error) {
	day := st.LocalDay(now)
	for range 100 {
		n, err := s.nextNumber(ctx, st.ID, day)
		if err != nil {
			return "", err
		}
		number := fmt.Sprintf("%s-%04d", day, n)
		standing, won, err := s.claim(ctx, reservation{ID: st.ID + "/number/" + number, Owner: visitID, At: domain.At(now)})
		if err != nil {
			return "", err
		}
		if won || standing.Owner == visitID {
			return number, nil
		}
	}
	return "", fmt.Errorf("visit number of %s: %w", day, storage.ErrUnavailable)
}

func (s *Server) nextNumber(ctx context.Context, storeID, day string) (int, error) {
	s.numbers.mu.Lock()
	defer s.numbers.mu.Unlock()
	name := storeID + "/" + day
	last, known := s.numbers.last[name]
	if !known {
		page, err := s.reservations.Find(ctx, storage.Query{Key: "number", Prefix: storeID + "/number/" + day + "-", Desc: true, Limit: 1})
		if err != nil {
			return 0, err
		}
		if last, err = lastNumber(page); err != nil {
			return 0, err
		}
		if len(s.numbers.last) > 1_000 {
			clear(s.numbers.last)
		}
	}
	s.numbers.last[name] = last + 1
	if last >= maxNumber {
		return 0, fmt.Errorf("over %d visits on %s", maxNumber, day)
	}
	return last + 1, nil
}

// lastNumber reads the last number given out, from the id of its reservation.
func lastNumber(page storage.Page) (int, error) {
	if len(page.Items) == 0 {
		return 0, nil
	}
	id, _ := page.Items[0].String("id")
	n, err := strconv.Atoi(id[strings.LastIndexByte(id, '-')+1:])
	if err != nil {
		return 0, fmt.Errorf("visit number %q: %w", id, storage.ErrCorrupt)
	}
	return n, nil
}

func reservationsOf(e storage.Engine) *storage.Collection[reservation] {
	return storage.NewCollection(e, storage.Shape[reservation]{
		Name: "reservations", ID: func(r *reservation) string { return r.ID },
		Keys: []storage.Key[reservation]{{Name: "number", Values: func(r *reservation) []string {
			if !strings.Contains(r.ID, "/number/") {
				return nil
			}
			return []string{r.ID}
		}}},
	})
}
