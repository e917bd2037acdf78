package visit

import (
	"slices"
	"strconv"
	"strings"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
)

// Arrival is what opens a visit: a plate or a VIN is enough (R1, R2).
type Arrival struct {
	ID             string    `json:"id,omitempty" format:"uuid"` // made by the client when it was offline
	Plate          string    `json:"plate,omitempty" example:"粵A·12345" maxLength:"20"`
	VIN            string    `json:"vin,omitempty" example:"LHGCM82633A004352" maxLength:"32"`
	OdometerKM     *int64    `json:"odometer_km,omitempty" example:"45210" minimum:"0" maximum:"9999999"`
	OdometerReason string    `json:"odometer_reason,omitempty" maxLength:"500"`
	Customer       *Customer `json:"customer,omitempty"`
}

// MaxOdometerKM is more than any car has gone.
const MaxOdometerKM = 9_999_999

// Check lists everything that is wrong with the values. plate and vin are what was typed comes to when it is filed:
// separators alone come to nothing, and name no car.
func (a Arrival) Check(plate, vin string) error {
	var f domain.Faults
	if a.ID != "" {
		f.ID("/id", a.ID)
	}
	if plate == "" && vin == "" {
		f.Add("/plate", domain.CodeRequired, "a plate or a VIN opens a visit")
	}
	checkTyped(&f, a.Plate, a.VIN, a.OdometerReason, a.OdometerKM, a.Customer)
	return f.Err()
}

func checkTyped(f *domain.Faults, plate, vin, reason string, odometer *int64, c *Customer) {
	f.Line("/plate", plate, 20)
	f.Line("/vin", vin, 32)
	f.Text("/odometer_reason", reason, 500)
	f.Range("/odometer_km", odometer, 0, MaxOdometerKM)
	if c != nil {
		f.Line("/customer/name", c.Name, 80)
		f.Line("/customer/salutation", c.Salutation, 20)
		f.Line("/customer/phone", c.Phone, 40)
	}
}

// What a visit owes when it told the files what turned out to be wrong.
const (
	TaskPlate    = "plate"    // Ref is the plate that was typed before: what this visit claimed with it is given back
	TaskWithdraw = "withdraw" // Ref is the id of a vehicle: what a signature of this visit said of it is taken back
)

// Found is what the store's files say of an arrival.
type Found struct {
	VehicleID  string
	CustomerID string
	Known      Known
	Warnings   []Warning
}

// Opening is as what a visit is opened, by whom and when.
type Opening struct {
	ID      string
	StoreID string
	Number  string
	By      Person
	Gate    bool // By is at the gate, which only announces
	At      domain.Time
}

// Arrive opens the visit (R1). The gate only announces; anyone else who may capture has greeted the customer.
func Arrive(o Opening, a Arrival, found Found) Visit {
	v := Visit{
		ID: o.ID, StoreID: o.StoreID, Number: o.Number, State: Arrived, ArrivedAt: o.At, Revision: 1,
		Photos: map[string]string{}, Recordings: map[string]string{}, Saved: map[string]SavedMark{},
	}
	v.says(a, found, o.At)
	if o.Gate {
		v.AnnouncedBy = &o.By
	} else {
		v.GreetedBy, v.GreetedAt = &o.By, &o.At
	}
	v.record("arrived", o.By.ID, v.filed(map[string]string{"number": v.Number, "name": o.By.Name, "gate": strconv.FormatBool(o.Gate)}), o.At)
	v.recompute()
	return v
}

// Announced is the visit as the gate is told of it: what it typed itself, and nothing that the files say.
func (v *Visit) Announced() Visit {
	told := *v
	told.Known, told.CustomerID = Known{}, ""
	told.Warnings = slices.DeleteFunc(slices.Clone(v.Warnings), func(w Warning) bool {
		return w.Code == WarnOdometerLower || w.Code == WarnPlateElsewhere
	})
	told.recomputeSheet()
	return told
}

// OdometerLower says whether a reading is lower than that of last time, which asks for a reason before the signature.
func OdometerLower(read, last *int64) bool { return read != nil && last != nil && *read < *last }

// says takes over what was typed at the arrival and what the files say of it.
func (v *Visit) says(a Arrival, found Found, now domain.Time) {
	if v.Plate != "" && v.Plate != a.Plate {
		v.Outbox.Add(TaskPlate, v.Plate, now)
	}
	v.Plate, v.VIN, v.OdometerKM, v.OdometerReason, v.Customer = a.Plate, a.VIN, a.OdometerKM, a.OdometerReason, a.Customer
	v.VehicleID, v.CustomerID, v.Known, v.Warnings = found.VehicleID, found.CustomerID, found.Known, found.Warnings
}

// Take gives the visit to the one who receives the car (R1: who took it). Another may take it over.
func (v *Visit) Take(by Person, now domain.Time) error {
	if err := v.closed(); err != nil {
		return err
	}
	if v.AdvisorID == by.ID {
		return nil
	}
	if v.GreetedBy == nil {
		v.GreetedBy, v.GreetedAt = &by, &now
	}
	if v.TakenAt == nil {
		v.TakenAt = &now
	}
	v.AdvisorID, v.Advisor = by.ID, &by
	v.Revision++
	v.record("taken", by.ID, map[string]string{"name": by.Name}, now)
	return nil
}

// Correction replaces what was typed at the arrival. A member left out stays as it is.
type Correction struct {
	Plate          *string   `json:"plate,omitempty" maxLength:"20"`
	VIN            *string   `json:"vin,omitempty" maxLength:"32"`
	OdometerKM     *int64    `json:"odometer_km,omitempty" minimum:"0" maximum:"9999999"`
	OdometerReason *string   `json:"odometer_reason,omitempty" maxLength:"500"`
	Customer       *Customer `json:"customer,omitempty"`
}

// Apply gives the arrival as it reads after the correction.
func (c Correction) Apply(v Visit) Arrival {
	a := Arrival{ID: v.ID, Plate: v.Plate, VIN: v.VIN, OdometerKM: v.OdometerKM, OdometerReason: v.OdometerReason, Customer: v.Customer}
	set(&a.Plate, c.Plate)
	set(&a.VIN, c.VIN)
	set(&a.OdometerReason, c.OdometerReason)
	if c.OdometerKM != nil {
		a.OdometerKM = c.OdometerKM
	}
	if c.Customer != nil {
		a.Customer = c.Customer
	}
	return a
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// MayCorrect says whether Correct would take a correction now. CodeSectionFrozen, CodeWrongState.
func (v *Visit) MayCorrect() error { return v.mayChange() }

// Correct replaces what was typed at the arrival; it stands on the sheet, so a signed sheet must be reopened first.
// CodeSectionFrozen, CodeWrongState.
func (v *Visit) Correct(a Arrival, found Found, by Person, now domain.Time) error {
	if err := v.mayChange(); err != nil {
		return err
	}
	v.says(a, found, now)
	v.Revision++
	v.record("corrected", by.ID, v.filed(map[string]string{}), now)
	v.recompute()
	return nil
}

// Cancel ends the visit before the workshop took the car: a reason, and the covers taken off if they were fitted.
// CodeWrongState, CodeReasonMissing, CodeCoversNotRemoved.
func (v *Visit) Cancel(reason string, coversRemoved bool, by Person, now domain.Time) error {
	switch v.State {
	case Arrived, Inspected, Approved:
	default:
		return domain.Refuse(CodeWrongState, "a visit that is %s can't be cancelled", v.State)
	}
	if strings.TrimSpace(reason) == "" {
		return domain.Refuse(CodeReasonMissing, "a cancelled visit needs a reason")
	}
	if v.coversFitted() && !coversRemoved {
		return domain.Refuse(CodeCoversNotRemoved, "the covers are fitted; take them off first")
	}
	v.State = Cancelled
	v.Cancelled = &Cancellation{At: now, By: by, Reason: reason}
	v.Revision++
	v.record("cancelled", by.ID, map[string]string{
		"name": by.Name, "reason_digest": evidence.Digest([]byte(reason)), "sheet_digest": v.Sections.Inspection.Digest,
		"covers_fitted": strconv.FormatBool(v.coversFitted()), "covers_removed": strconv.FormatBool(coversRemoved),
	}, now)
	return nil
}

func (v *Visit) coversFitted() bool { return v.Inspection != nil && v.Inspection.Covers.anyFitted() }

// GiveCopy records that the customer was given his copy of a sealed document. CodeNotSigned.
func (v *Visit) GiveCopy(digest string, kind CopyKind, by Person, now domain.Time) error {
	if v.SignatureOf(digest) == nil {
		return domain.Refuse(CodeNotSigned, "no sealed document of this visit has this digest")
	}
	v.Copies = append(v.Copies, Copy{At: now, By: by, Digest: digest, Kind: kind})
	v.Revision++
	v.record("copy_given", by.ID, map[string]string{"digest": digest, "kind": string(kind), "name": by.Name}, now)
	return nil
}

// Waiting says whether the customer still waits for somebody to take the visit.
func (v *Visit) Waiting() bool { return v.State == Arrived && v.TakenAt == nil }
