package api

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/customer"
	"example.com/walkaround/domain/store"
	"example.com/walkaround/domain/vehicle"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

// finder looks one arrival up in the files of a store.
type finder struct {
	*Server
	in      store.Store
	visit   *visit.Visit // as it stands; of a new one id and time alone
	arrival visit.Arrival
	plate   string // normalised, as is vin
	vin     string
	now     domain.Time
	found   visit.Found
	making  func(context.Context) error // asked before anything is made; its error ends the look-up
}

// checkArrival lists everything that is wrong with an arrival.
func checkArrival(a visit.Arrival) error {
	return a.Check(vehicle.NormalizePlate(a.Plate), vehicle.NormalizeVIN(a.VIN))
}

// find looks an arrival up in the store's files, and makes what is new (R2). Every step may be repeated: what must be
// unique is a reservation, so a loser, or the one who comes after a crash, finds the winner's id and goes on. Call it only
// when nothing refuses the request any more but what making says: what is made stays.
func (s *Server) find(
	ctx context.Context, in store.Store, v *visit.Visit, a visit.Arrival, now domain.Time, making func(context.Context) error,
) (visit.Found, error) {
	f := finder{
		Server: s, in: in, visit: v, arrival: a, now: now, making: making,
		plate: vehicle.NormalizePlate(a.Plate), vin: vehicle.NormalizeVIN(a.VIN),
	}
	car, err := f.findVehicle(ctx)
	if err != nil {
		return f.found, fmt.Errorf("find vehicle: %w", err)
	}
	f.knows(car)
	if err := f.findCustomer(ctx, car); err != nil {
		return f.found, fmt.Errorf("find customer: %w", err)
	}
	return f.found, nil
}

// findAgain is find for a visit whose arrival reads another way now.
func (s *Server) findAgain(ctx context.Context, v *visit.Visit, a visit.Arrival, now domain.Time) (visit.Found, error) {
	in, err := s.store(ctx, v.StoreID)
	if err != nil {
		return visit.Found{}, err
	}
	return s.find(ctx, in, v, a, now, func(context.Context) error { return nil })
}

// knows notes what the files held of the car when it arrived: what this visit itself told them since is nothing known.
func (f *finder) knows(car vehicle.Vehicle) {
	f.found.VehicleID = car.ID
	known := visit.Known{
		VIN: car.VIN, Model: car.Model, OdometerKM: car.LastOdometer(f.visit.ID, f.visit.ArrivedAt), Visits: int(car.SignedWalkarounds),
	}
	if f.visit.VehicleID == car.ID {
		known.OdometerKM, known.Visits = f.visit.Known.OdometerKM, f.visit.Known.Visits
	}
	f.found.Known = known
	if last := known.OdometerKM; visit.OdometerLower(f.arrival.OdometerKM, last) {
		f.warn(visit.WarnOdometerLower, "/odometer_km",
			fmt.Sprintf("lower than the %d km of last time; a reason is needed before the signature", *last))
	}
}

func (f *finder) warn(code domain.Code, pointer, message string) {
	f.found.Warnings = append(f.found.Warnings, visit.Warning{Code: code, Pointer: pointer, Message: message})
}

// findVehicle finds or makes the car: a known VIN wins; else it is found or made by its plate.
func (f *finder) findVehicle(ctx context.Context) (vehicle.Vehicle, error) {
	if code := vehicle.CheckVIN(f.vin, f.in.VINCheckDigit); f.vin != "" && code != "" {
		f.warn(code, "/vin", "the VIN does not check; compare it with the car")
	}
	byVIN, err := f.owner(ctx, "vin", f.vin)
	if err != nil {
		return vehicle.Vehicle{}, err
	}
	byPlate, err := f.owner(ctx, "plate", f.plate)
	if err != nil {
		return vehicle.Vehicle{}, err
	}
	if byVIN != "" {
		return f.settle(ctx, byVIN, byPlate)
	}
	if byPlate != "" {
		car, err := f.read(ctx, byPlate, f.arrival.Plate)
		if err != nil || f.vin == "" || car.VIN == f.vin {
			return car, err
		}
		if car.VIN == "" {
			return f.attachVIN(ctx, car)
		}
	}
	id, err := f.fresh(ctx)
	if err != nil {
		return vehicle.Vehicle{}, err
	}
	return f.settle(ctx, id, byPlate)
}

// fresh is the id of the car that the visit makes: the same for the same car, however often it is tried, and never that
// of a car which bears another plate or VIN by now.
func (f *finder) fresh(ctx context.Context) (string, error) {
	name := "vehicle/plate/" + f.plate
	if f.vin != "" {
		name = "vehicle/vin/" + f.vin
	}
	for n := 0; ; n++ {
		id := domain.DerivedID(f.visit.ID, name+strings.Repeat("/again", n))
		saved, err := f.vehicles.Get(ctx, f.in.ID+"/"+id)
		switch car := saved.Value; {
		case errors.Is(err, storage.ErrNotFound):
			return id, nil
		case err != nil || car.VIN == f.vin && (car.VIN != "" || car.PlateKey == f.plate):
			return id, err
		}
	}
}

// settle goes on with the car that the VIN names, or with a new one; byPlate is the one that the plate names, if any. The
// plate moves to the car only when the advisor confirms.
func (f *finder) settle(ctx context.Context, id, byPlate string) (vehicle.Vehicle, error) {
	id, err := f.reserve(ctx, "vin", f.vin, id)
	if err != nil {
		return vehicle.Vehicle{}, err
	}
	if byPlate == "" {
		if byPlate, err = f.reserve(ctx, "plate", f.plate, id); err != nil {
			return vehicle.Vehicle{}, err
		}
		if f.vin == "" {
			id = byPlate
		}
	}
	if byPlate != id {
		f.warn(visit.WarnPlateElsewhere, "/plate", "the files know this plate on another vehicle; confirm it to move the plate here")
		return f.read(ctx, id, "")
	}
	return f.read(ctx, id, f.arrival.Plate)
}

// owner reads who holds a reservation; empty when nobody does.
func (f *finder) owner(ctx context.Context, kind, what string) (string, error) {
	if what == "" {
		return "", nil
	}
	saved, err := f.reservations.Get(ctx, reservationID(f.in.ID, kind, what))
	if errors.Is(err, storage.ErrNotFound) {
		return "", nil
	}
	return saved.Value.Owner, err
}

// reserve claims what must be unique for id and says whose it is. What is empty needs no claim.
func (f *finder) reserve(ctx context.Context, kind, what, id string) (string, error) {
	if what == "" {
		return id, nil
	}
	if err := f.making(ctx); err != nil {
		return "", err
	}
	standing, _, err := f.claim(ctx, reservation{ID: reservationID(f.in.ID, kind, what), Owner: id, Visit: f.visit.ID, At: f.now})
	return standing.Owner, err
}

// ownerOr says whose it is, and reserves it for id only where it is nobody's: most often there is nothing to write.
func (f *finder) ownerOr(ctx context.Context, kind, what, id string) (string, error) {
	if owner, err := f.owner(ctx, kind, what); err != nil || owner != "" {
		return owner, err
	}
	return f.reserve(ctx, kind, what, id)
}

// read reads the car, or makes it with the plate where its reservation stands alone.
func (f *finder) read(ctx context.Context, id, plate string) (vehicle.Vehicle, error) {
	saved, err := f.vehicles.Get(ctx, f.in.ID+"/"+id)
	if !errors.Is(err, storage.ErrNotFound) {
		return saved.Value, err
	}
	saved, err = f.vehicles.Insert(ctx, vehicle.New(id, f.in.ID, plate, f.arrival.VIN, f.now))
	if errors.Is(err, storage.ErrExists) {
		saved, err = f.vehicles.Get(ctx, f.in.ID+"/"+id)
	}
	return saved.Value, err
}

// attachVIN tells a car that was known by its plate alone who it is, unless another car was given the VIN meanwhile.
func (f *finder) attachVIN(ctx context.Context, car vehicle.Vehicle) (vehicle.Vehicle, error) {
	owner, err := f.reserve(ctx, "vin", f.vin, car.ID)
	if err != nil {
		return car, err
	}
	if owner != car.ID {
		return f.settle(ctx, owner, car.ID)
	}
	saved, err := f.vehicles.Update(ctx, car.StoreID+"/"+car.ID, func(v *vehicle.Vehicle) error { return v.AttachVIN(f.vin) })
	return saved.Value, err
}

// findCustomer finds or makes the customer: by phone and name; with the plate alone, the one who came with the car last.
func (f *finder) findCustomer(ctx context.Context, car vehicle.Vehicle) error {
	typed := f.arrival.Customer
	if typed == nil || strings.TrimSpace(typed.Name+typed.Phone) == "" {
		return f.lastCustomer(ctx, car)
	}
	e164, readable := customer.E164(typed.Phone, f.in.Market)
	if typed.Phone != "" && !readable {
		f.warn(visit.WarnPhoneUnread, "/customer/phone", "not a phone number of the store's market; it is kept as typed")
	}
	fresh := domain.DerivedID(f.visit.ID, "customer/"+typed.Phone+"\n"+typed.Name)
	id, err := f.ownerOr(ctx, "customer", customer.MatchKey(typed.Name, e164), fresh)
	if err != nil {
		return err
	}
	f.found.CustomerID = id
	if _, _, err := f.customers.Raw(ctx, f.in.ID+"/"+id); !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	made := customer.New(id, f.in.ID, customer.Typed{Name: typed.Name, Salutation: typed.Salutation, Phone: typed.Phone}, f.in.Market, f.now)
	if _, err := f.customers.Insert(ctx, made); err != nil && !errors.Is(err, storage.ErrExists) {
		return err
	}
	return nil
}

func (f *finder) lastCustomer(ctx context.Context, car vehicle.Vehicle) error {
	if car.CustomerID == "" {
		return nil
	}
	saved, err := f.customers.Get(ctx, car.StoreID+"/"+car.CustomerID)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	c := saved.Value
	f.found.CustomerID = c.ID
	f.found.Known.Customer = &visit.Customer{Name: c.Name, Salutation: c.Salutation, Phone: c.Phone}
	return nil
}
