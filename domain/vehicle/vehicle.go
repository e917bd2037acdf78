// Package vehicle is a car as the store knows it over the years: its plates, its VIN, its odometer, and the damage that
// was seen on it.
// Start with New for a car that was never here, NormalizePlate and NormalizeVIN to find one that was, and Ledger
// (ledger.go) for its damage. The package may import domain only; it knows visits and customers by their ids.
package vehicle

import (
	"reflect"
	"slices"
	"strings"

	"example.com/walkaround/domain"
)

// Vehicle is one car. A known VIN finds it; else its plate does.
type Vehicle struct {
	ID                string         `bson:"id" json:"id" format:"uuid"`
	StoreID           string         `bson:"store_id" json:"store_id"`
	Plate             string         `bson:"plate" json:"plate" example:"粵A·12345"`        // as typed last; empty after another car took it
	PlateKey          string         `bson:"plate_key" json:"plate_key" example:"粤A12345"` // normalised
	Plates            []PlateSpan    `bson:"plates" json:"plates"`                         // oldest first
	VIN               string         `bson:"vin,omitempty" json:"vin,omitempty"`           // normalised
	Make              string         `bson:"make,omitempty" json:"make,omitempty"`         // who made it
	Model             string         `bson:"model,omitempty" json:"model,omitempty"`
	Year              *int64         `bson:"year,omitempty" json:"year,omitempty"` // of the model
	Colour            string         `bson:"colour,omitempty" json:"colour,omitempty"`
	Note              string         `bson:"note,omitempty" json:"note,omitempty"`
	OdometerKM        *int64         `bson:"odometer_km,omitempty" json:"odometer_km,omitempty"` // as read last
	OdometerAt        *domain.Time   `bson:"odometer_at,omitempty" json:"odometer_at,omitempty"`
	OdometerVisitID   string         `bson:"odometer_visit_id,omitempty" json:"-"`
	CustomerID        string         `bson:"customer_id,omitempty" json:"customer_id,omitempty" format:"uuid"` // who brought it last
	CustomerIDs       []string       `bson:"customer_ids" json:"customer_ids" format:"uuid"`                   // who ever did, oldest first
	FirstSeenAt       domain.Time    `bson:"first_seen_at" json:"first_seen_at"`
	LastVisitAt       domain.Time    `bson:"last_visit_at" json:"last_visit_at"`
	LastVisitID       string         `bson:"last_visit_id,omitempty" json:"last_visit_id,omitempty" format:"uuid"`
	SignedWalkarounds int64          `bson:"signed_walkarounds" json:"signed_walkarounds"`
	Revision          int64          `bson:"revision" json:"revision"`
	Answers           domain.Answers `bson:"answers" json:"-"`
}

// PlateSpan is a plate that the car bore for a time.
type PlateSpan struct {
	Plate string       `bson:"plate" json:"plate"` // as typed
	Key   string       `bson:"key" json:"key"`     // normalised
	From  domain.Time  `bson:"from" json:"from"`
	To    *domain.Time `bson:"to,omitempty" json:"to,omitempty"` // absent while it bears it
}

// CodeVINDiffers refuses a second VIN: another VIN is another car.
const CodeVINDiffers domain.Code = "vin_differs"

const (
	maxPlates    = 50
	maxCustomers = 200
)

// New gives a car that was never here before. Plate and VIN are taken as typed; either may be empty.
func New(id, storeID, plate, vin string, now domain.Time) Vehicle {
	v := Vehicle{
		ID: id, StoreID: storeID, VIN: NormalizeVIN(vin), Plates: []PlateSpan{}, CustomerIDs: []string{},
		FirstSeenAt: now, LastVisitAt: now, Revision: 1,
	}
	v.bear(plate, now)
	return v
}

// Check lists everything that is wrong with the values.
func (v *Vehicle) Check() error {
	var f domain.Faults
	f.ID("/id", v.ID)
	f.Text("/plate", v.Plate, MaxPlate)
	f.Text("/vin", v.VIN, MaxVIN)
	f.Text("/make", v.Make, 60)
	f.Text("/model", v.Model, 120)
	f.Range("/year", v.Year, 1885, 2999)
	f.Text("/colour", v.Colour, 60)
	f.Text("/note", v.Note, 2_000)
	if v.PlateKey == "" && v.VIN == "" && len(v.Plates) == 0 {
		f.Add("/plate", domain.CodeRequired, "a car needs a plate or a VIN")
	}
	return f.Err()
}

// AttachVIN notes the VIN of a car that was known by its plate alone. An empty one changes nothing. CodeVINDiffers when
// the car has another.
func (v *Vehicle) AttachVIN(vin string) error {
	vin = NormalizeVIN(vin)
	if vin == "" || vin == v.VIN {
		return nil
	}
	if v.VIN != "" {
		return domain.Refuse(CodeVINDiffers, "the car has another VIN")
	}
	v.VIN = vin
	v.Revision++
	return nil
}

// MovePlate gives the car another plate; the one before stays in its history. The same plate typed in another way only
// changes how it is shown, and an unreadable one changes nothing. The car that bore it before is told by LosePlate.
func (v *Vehicle) MovePlate(plate string, now domain.Time) {
	key := NormalizePlate(plate)
	switch {
	case key == "" || plate == v.Plate:
		return
	case key == v.PlateKey:
		v.Plate = plate
	default:
		v.endPlate(now)
		v.bear(plate, now)
	}
	v.Revision++
}

// LosePlate notes that another car bears this car's plate now. A plate that it does not bear changes nothing.
func (v *Vehicle) LosePlate(plate string, now domain.Time) {
	if v.PlateKey == "" || NormalizePlate(plate) != v.PlateKey {
		return
	}
	v.endPlate(now)
	v.Revision++
}

func (v *Vehicle) bear(plate string, now domain.Time) {
	v.PlateKey = NormalizePlate(plate)
	if v.PlateKey == "" {
		return
	}
	v.Plate = plate
	v.Plates = append(v.Plates, PlateSpan{Plate: plate, Key: v.PlateKey, From: now})
	v.Plates = v.Plates[max(0, len(v.Plates)-maxPlates):]
}

func (v *Vehicle) endPlate(now domain.Time) {
	if last := len(v.Plates) - 1; last >= 0 && v.Plates[last].To == nil {
		v.Plates[last].To = &now
	}
	v.Plate, v.PlateKey = "", ""
}

// SeenAt notes a visit that began at the given time: who brought the car and what its odometer read (nil: not read). It
// may be told of one visit again, and of visits out of order: what a later visit said stays. It says whether anything
// changed.
func (v *Vehicle) SeenAt(odometerKM *int64, customerID, visitID string, at domain.Time) bool {
	changed := v.readOdometer(odometerKM, visitID, at)
	if customerID != "" && !slices.Contains(v.CustomerIDs, customerID) {
		v.CustomerIDs = append(v.CustomerIDs, customerID)
		v.CustomerIDs = v.CustomerIDs[max(0, len(v.CustomerIDs)-maxCustomers):]
		changed = true
	}
	if at.Before(v.FirstSeenAt.Time) {
		v.FirstSeenAt, changed = at, true
	}
	if !at.Before(v.LastVisitAt.Time) {
		changed = v.lastVisit(customerID, visitID, at) || changed
	}
	if changed {
		v.Revision++
	}
	return changed
}

// readOdometer takes a reading that is no older than the one it has: also a lower one, for odometers are replaced.
func (v *Vehicle) readOdometer(km *int64, visitID string, at domain.Time) bool {
	if km == nil || v.OdometerAt != nil && at.Before(v.OdometerAt.Time) {
		return false
	}
	if v.OdometerKM != nil && *v.OdometerKM == *km && v.OdometerAt.Equal(at.Time) {
		return false
	}
	reading := *km
	v.OdometerKM, v.OdometerAt, v.OdometerVisitID = &reading, &at, visitID
	return true
}

func (v *Vehicle) lastVisit(customerID, visitID string, at domain.Time) bool {
	if customerID == "" {
		customerID = v.CustomerID
	}
	if v.LastVisitID == visitID && v.CustomerID == customerID && v.LastVisitAt.Equal(at.Time) {
		return false
	}
	v.LastVisitID, v.CustomerID, v.LastVisitAt = visitID, customerID, at
	return true
}

// LastOdometer is what the odometer had read when a visit arrived at the given time; nil when nothing is known of it, or
// only what that visit or a later one read.
func (v *Vehicle) LastOdometer(visitID string, at domain.Time) *int64 {
	if v.OdometerAt == nil || v.OdometerVisitID == visitID || at.Before(v.OdometerAt.Time) {
		return nil
	}
	return v.OdometerKM
}

// Signed notes how many walk-arounds of the car were signed, as its ledger counts them (Ledger.Signed). It says whether
// anything changed: a count that comes late never lowers it.
func (v *Vehicle) Signed(walkarounds int64) bool {
	if walkarounds <= v.SignedWalkarounds {
		return false
	}
	v.SignedWalkarounds = walkarounds
	v.Revision++
	return true
}

// Withdraw forgets what a visit with this customer said of the car: it was another one. signed is what its ledger counts
// without that visit. Tell it of the visits before by SeenAt. It says whether there was anything to forget.
func (v *Vehicle) Withdraw(visitID, customerID string, signed int64) bool {
	if v.OdometerVisitID != visitID && v.LastVisitID != visitID && v.SignedWalkarounds == signed {
		return false
	}
	if v.OdometerVisitID == visitID {
		v.OdometerKM, v.OdometerAt, v.OdometerVisitID = nil, nil, ""
	}
	if v.LastVisitID == visitID {
		v.LastVisitID, v.CustomerID, v.LastVisitAt = "", "", v.FirstSeenAt
	}
	v.CustomerIDs = slices.DeleteFunc(slices.Clone(v.CustomerIDs), func(id string) bool { return id == customerID })
	v.SignedWalkarounds = signed
	v.Revision++
	return true
}

// PlateKeys gives what the car is looked up by: the keys of the plate it bears. See PlateKeys.
func (v *Vehicle) PlateKeys() []string { return PlateKeys(v.PlateKey) }

// Patch changes what an advisor knows of a car. A member left out stays as it is.
type Patch struct {
	Make   *string `json:"make,omitempty" example:"Honda" maxLength:"60"`
	Model  *string `json:"model,omitempty" example:"Accord" maxLength:"120"`
	Year   *int64  `json:"year,omitempty" example:"2003" minimum:"1885" maximum:"2999"`
	Colour *string `json:"colour,omitempty" example:"珍珠白" maxLength:"60"`
	Note   *string `json:"note,omitempty" maxLength:"2000"`
} //@name VehiclePatch

// Apply changes the car. domain.CodeInvalid when it would not pass Check; then nothing changed.
func (v *Vehicle) Apply(p Patch) error {
	next := *v
	trimmed(&next.Make, p.Make)
	trimmed(&next.Model, p.Model)
	trimmed(&next.Colour, p.Colour)
	trimmed(&next.Note, p.Note)
	if p.Year != nil {
		next.Year = p.Year
	}
	if err := next.Check(); err != nil {
		return err
	}
	if !reflect.DeepEqual(next, *v) {
		next.Revision++
	}
	*v = next
	return nil
}

func trimmed(to, from *string) {
	if from != nil {
		*to = strings.TrimSpace(*from)
	}
}
