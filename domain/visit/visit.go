// Package visit is ONE service visit: one stay of a vehicle with us, from arrival to delivery. A visit is one document;
// each step has a file here, and each rule is a method that takes plain values and the time.
//
// Start with Arrive (arrival.go); intake.go and inspection.go hold the two sections of the sheet that the customer
// signs, sheet.go its canonical form, signing.go the signature. The package may import domain and domain/evidence.
package visit

import (
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
)

// Visit is one stay of a vehicle, arrival to delivery (REQUIREMENTS R1–R9). Plate, VIN, odometer and customer stand as
// they were typed; what was found in the files stands in Known.
type Visit struct {
	ID             string    `bson:"id" json:"id" format:"uuid"`
	StoreID        string    `bson:"store_id" json:"store_id"`
	Number         string    `bson:"number" json:"number" example:"20261123-0007"`
	State          State     `bson:"state" json:"state"`
	Plate          string    `bson:"plate" json:"plate" example:"粵A·12345"`
	VIN            string    `bson:"vin,omitempty" json:"vin,omitempty" example:"LHGCM82633A004352"`
	OdometerKM     *int64    `bson:"odometer_km,omitempty" json:"odometer_km,omitempty" example:"45210"`
	OdometerReason string    `bson:"odometer_reason,omitempty" json:"odometer_reason,omitempty"`
	Customer       *Customer `bson:"customer,omitempty" json:"customer,omitempty"`
	Known          Known     `bson:"known" json:"known"`
	VehicleID      string    `bson:"vehicle_id" json:"vehicle_id" format:"uuid"`
	CustomerID     string    `bson:"customer_id,omitempty" json:"customer_id,omitempty" format:"uuid"`
	Warnings       []Warning `bson:"warnings" json:"warnings"`

	ArrivedAt   domain.Time   `bson:"arrived_at" json:"arrived_at"`
	AnnouncedBy *Person       `bson:"announced_by,omitempty" json:"announced_by,omitempty"` // the gate
	GreetedBy   *Person       `bson:"greeted_by,omitempty" json:"greeted_by,omitempty"`     // R1: who greeted
	GreetedAt   *domain.Time  `bson:"greeted_at,omitempty" json:"greeted_at,omitempty"`
	AdvisorID   string        `bson:"advisor_id,omitempty" json:"advisor_id,omitempty" format:"uuid"` // who took it
	Advisor     *Person       `bson:"advisor,omitempty" json:"advisor,omitempty"`
	TakenAt     *domain.Time  `bson:"taken_at,omitempty" json:"taken_at,omitempty"`
	Cancelled   *Cancellation `bson:"cancelled,omitempty" json:"cancelled,omitempty"`

	Revision   int64       `bson:"revision" json:"revision"` // of this header; each section has its own
	Sections   Sections    `bson:"sections" json:"sections"`
	Signatures []Signature `bson:"signatures" json:"signatures"`
	Copies     []Copy      `bson:"copies" json:"copies"`

	Intake     *Intake              `bson:"intake,omitempty" json:"-"`
	Inspection *Inspection          `bson:"inspection,omitempty" json:"-"`
	Required   []string             `bson:"required" json:"-"`   // codes that the checklist's version demands
	Photos     map[string]string    `bson:"photos" json:"-"`     // photo id → SHA-256 in hex
	Recordings map[string]string    `bson:"recordings" json:"-"` // recording id → SHA-256 in hex
	Events     []evidence.Event     `bson:"events" json:"-"`
	Outbox     domain.Outbox        `bson:"outbox" json:"-"`
	Answers    domain.Answers       `bson:"answers" json:"-"`
	Opened     domain.Answer        `bson:"opened" json:"-"` // what the arrival was answered; its key is the account's id
	Saved      map[string]SavedMark `bson:"saved" json:"-"`  // section and device → its last `saved` event
}

// State is how far a visit has come.
type State string

// The states of a visit (DESIGN section 3).
const (
	Arrived    State = "arrived"
	Inspected  State = "inspected"
	Approved   State = "approved"
	InWorkshop State = "in_workshop"
	WorkDone   State = "work_done"
	Settled    State = "settled"
	Paid       State = "paid"
	Delivered  State = "delivered"
	Cancelled  State = "cancelled"
)

// States lists every state.
func States() []State {
	return []State{Arrived, Inspected, Approved, InWorkshop, WorkDone, Settled, Paid, Delivered, Cancelled}
}

// Customer is who brought the car, as typed at the arrival (R2).
type Customer struct {
	Name       string `bson:"name,omitempty" json:"name,omitempty" example:"陳大文" maxLength:"80"`
	Salutation string `bson:"salutation,omitempty" json:"salutation,omitempty" example:"先生" maxLength:"20"`
	Phone      string `bson:"phone,omitempty" json:"phone,omitempty" example:"+8613800138000" maxLength:"40"`
} //@name CustomerAsTyped

// Known is what the files held of this car when it arrived: a known plate fills in the rest (R2).
type Known struct {
	VIN        string    `bson:"vin,omitempty" json:"vin,omitempty"`
	Model      string    `bson:"model,omitempty" json:"model,omitempty"`
	OdometerKM *int64    `bson:"odometer_km,omitempty" json:"odometer_km,omitempty"`
	Customer   *Customer `bson:"customer,omitempty" json:"customer,omitempty"`
	Visits     int       `bson:"visits" json:"visits"` // signed walk-arounds of this car before
}

// Warning is something an advisor should look at; it refuses nothing.
type Warning struct {
	Code    domain.Code `bson:"code" json:"code"`
	Pointer string      `bson:"pointer" json:"pointer"`
	Message string      `bson:"message" json:"message"`
}

// Person is a member of staff at a moment: the name stays as it was then.
type Person struct {
	ID   string `bson:"id" json:"id" format:"uuid"`
	Name string `bson:"name" json:"name" example:"林美"`
}

// Cancellation ends a visit before the workshop took the car.
type Cancellation struct {
	At     domain.Time `bson:"at" json:"at"`
	By     Person      `bson:"by" json:"by"`
	Reason string      `bson:"reason" json:"reason"`
}

// Sections are the parts of a visit that have a revision of their own.
type Sections struct {
	Intake     Section `bson:"intake" json:"intake"`
	Inspection Section `bson:"inspection" json:"inspection"`
}

// Section says how a section stands. Revision 0 is a section that was never saved.
type Section struct {
	Revision int64        `bson:"revision" json:"revision"`
	Digest   string       `bson:"digest" json:"digest" example:"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" pattern:"^sha256:[0-9a-f]{64}$"`
	Frozen   bool         `bson:"frozen" json:"frozen"` // signed; a new revision must be opened before it can change
	SavedAt  *domain.Time `bson:"saved_at,omitempty" json:"saved_at,omitempty"`
	Reason   string       `bson:"reason,omitempty" json:"reason,omitempty"` // why this revision was opened
	Missing  []Missing    `bson:"missing" json:"missing"`
	Sent     string       `bson:"sent,omitempty" json:"-"` // SHA-256 of the body as sent last
	Last     int64        `bson:"last" json:"-"`           // the highest revision given out; a conflict takes one of its own
}

// Missing is what still stands between a section and its signature.
type Missing struct {
	Code    domain.Code `bson:"code" json:"code" example:"request_not_restated"`
	Pointer string      `bson:"pointer" json:"pointer" example:"/requests/0"`
}

// SavedMark is when a device's last `saved` event of a section was written: autosaves within five minutes are one.
type SavedMark struct {
	At domain.Time `bson:"at"`
}

// Copy records that the customer was given his copy of a sealed document.
type Copy struct {
	At     domain.Time `bson:"at" json:"at"`
	By     Person      `bson:"by" json:"by"`
	Digest string      `bson:"digest" json:"digest" pattern:"^sha256:[0-9a-f]{64}$"`
	Kind   CopyKind    `bson:"kind" json:"kind"`
}

// CopyKind is how a copy was given.
type CopyKind string

// The ways of giving a copy.
const (
	CopyPaper CopyKind = "paper"
	CopyLink  CopyKind = "link"
)

// Refusals of a visit (DESIGN section 3). Guards speak at the signature or at a change of state.
const (
	CodeIntakeEmpty       domain.Code = "intake_empty"
	CodeNotRestated       domain.Code = "request_not_restated"
	CodeCoversNotFitted   domain.Code = "covers_not_fitted"
	CodeReminderMissing   domain.Code = "valuables_reminder_missing"
	CodeReminderLate      domain.Code = "valuables_reminder_late"
	CodeCustomerAbsent    domain.Code = "customer_absent"
	CodeChecklist         domain.Code = "checklist_incomplete"
	CodeDamageNoPhoto     domain.Code = "damage_without_photo"
	CodePhotoMissing      domain.Code = "photo_missing"
	CodeRecordingMissing  domain.Code = "recording_missing"
	CodeSignerMissing     domain.Code = "signer_missing"
	CodeDocumentChanged   domain.Code = "document_changed"
	CodeSectionFrozen     domain.Code = "section_frozen"
	CodeNotSigned         domain.Code = "not_signed"
	CodeWrongState        domain.Code = "wrong_state"
	CodeReasonMissing     domain.Code = "reason_missing"
	CodeCoversNotRemoved  domain.Code = "covers_not_removed"
	CodeTooManyPhotos     domain.Code = "too_many_photos"
	CodeTooManyRecordings domain.Code = "too_many_recordings"
	CodeTooManySignatures domain.Code = "too_many_signatures"
)

// Warnings of an arrival.
const (
	WarnVINCheckDigit  domain.Code = "vin_check_digit"
	WarnOdometerLower  domain.Code = "odometer_lower"
	WarnPhoneUnread    domain.Code = "phone_unreadable"
	WarnPlateElsewhere domain.Code = "plate_of_other_vehicle"
)

// record appends an event to the visit's chain.
func (v *Visit) record(kind, by string, data map[string]string, now domain.Time) {
	v.Events = evidence.Append(v.ID, v.Events, evidence.Event{Type: kind, At: now, By: by, Data: data})
}

// closed refuses what can't be done in the visit's state.
func (v *Visit) closed() error {
	if v.State == Cancelled || v.State == Delivered {
		return domain.Refuse(CodeWrongState, "the visit is %s", v.State)
	}
	return nil
}
