package visit

import (
	"encoding/json"
	"fmt"

	"example.com/walkaround/domain"
)

// Inspection is the walk-around: the condition of the car at reception (R4–R8). Absent means not yet.
type Inspection struct {
	CustomerPresent     *bool           `bson:"customer_present,omitempty" json:"customer_present,omitempty"`
	ValuablesReminderAt *domain.Time    `bson:"valuables_reminder_at,omitempty" json:"valuables_reminder_at,omitempty"`
	Covers              *Covers         `bson:"covers,omitempty" json:"covers,omitempty"`
	Checklist           *ChecklistRef   `bson:"checklist,omitempty" json:"checklist,omitempty"`
	Consent             *Consent        `bson:"consent,omitempty" json:"consent,omitempty"`
	Items               []Item          `bson:"items" json:"items,omitempty" maxItems:"500"`
	Damages             []Damage        `bson:"damages" json:"damages,omitempty" maxItems:"200"`
	Belongings          []Belonging     `bson:"belongings" json:"belongings,omitempty" maxItems:"200"`
	Engine              *Engine         `bson:"engine,omitempty" json:"engine,omitempty"`
	PhotoIDs            []string        `bson:"photo_ids" json:"photo_ids,omitempty" format:"uuid" maxItems:"100"` // views of the whole car
	Note                string          `bson:"note,omitempty" json:"note,omitempty" maxLength:"4000"`
	Attributes          json.RawMessage `bson:"attributes,omitempty" json:"attributes,omitempty" swaggertype:"object"`
}

// Covers are the three protective covers, fitted before the customer's eyes (R4).
type Covers struct {
	Seat          *bool        `bson:"seat,omitempty" json:"seat,omitempty"`
	SteeringWheel *bool        `bson:"steering_wheel,omitempty" json:"steering_wheel,omitempty"`
	Floor         *bool        `bson:"floor,omitempty" json:"floor,omitempty"`
	FittedAt      *domain.Time `bson:"fitted_at,omitempty" json:"fitted_at,omitempty"`
	FittedBy      string       `bson:"fitted_by,omitempty" json:"fitted_by,omitempty" maxLength:"80"` // name, as the client knows it
}

// ChecklistRef names the version of the template that the items answer. Left out, the server writes the current one in.
type ChecklistRef struct {
	ID      string `bson:"id" json:"id" validate:"required" format:"uuid"`
	Version int64  `bson:"version" json:"version" validate:"required" minimum:"1" maximum:"1000000" example:"3"`
}

// Consent is the sentence under which the customer signs. Left out, the server writes the store's own in.
type Consent struct {
	Language domain.Language `bson:"language" json:"language" validate:"required"`
	Text     string          `bson:"text" json:"text" validate:"required" minLength:"1" maxLength:"2000"`
}

// Item is the result of one entry of the checklist (R5).
type Item struct {
	Code     string   `bson:"code" json:"code" example:"glass.windshield" validate:"required" minLength:"1" maxLength:"80"`
	Result   Result   `bson:"result,omitempty" json:"result,omitempty"`
	Note     string   `bson:"note,omitempty" json:"note,omitempty" maxLength:"1000"`
	PhotoIDs []string `bson:"photo_ids" json:"photo_ids,omitempty" format:"uuid" maxItems:"20"`
}

// Result is what was found at an entry of the checklist.
type Result string

// The results.
const (
	OK            Result = "ok"
	Attention     Result = "attention"
	Urgent        Result = "urgent"
	NotApplicable Result = "not_applicable"
)

// Damage is one mark on the drawing of the car (R5). x and y run from 0 to 1 over that view's drawing.
type Damage struct {
	ID       string   `bson:"id" json:"id" example:"d1" validate:"required" minLength:"1" maxLength:"64"`
	View     View     `bson:"view,omitempty" json:"view,omitempty"`
	X        *float64 `bson:"x,omitempty" json:"x,omitempty" minimum:"0" maximum:"1" example:"0.42"`
	Y        *float64 `bson:"y,omitempty" json:"y,omitempty" minimum:"0" maximum:"1" example:"0.55"`
	Kind     Kind     `bson:"kind,omitempty" json:"kind,omitempty"`
	Severity Severity `bson:"severity,omitempty" json:"severity,omitempty"`
	LengthMM *int64   `bson:"length_mm,omitempty" json:"length_mm,omitempty" minimum:"0" maximum:"20000" example:"80"`
	PhotoIDs []string `bson:"photo_ids" json:"photo_ids,omitempty" format:"uuid" maxItems:"20"`
	Note     string   `bson:"note,omitempty" json:"note,omitempty" maxLength:"1000"`
	KnownID  string   `bson:"known_id,omitempty" json:"known_id,omitempty" maxLength:"160"` // the mark of the vehicle's damage ledger that this is
	Change   Change   `bson:"change,omitempty" json:"change,omitempty"`                     // against that mark
}

// View is a side of the car from which it is drawn.
type View string

// The views, in walking order.
const (
	Front    View = "front"
	Right    View = "right"
	Rear     View = "rear"
	Left     View = "left"
	Top      View = "top"
	Interior View = "interior"
)

// Kind is what sort of damage a mark is.
type Kind string

// The kinds of damage.
const (
	Scratch     Kind = "scratch"
	Dent        Kind = "dent"
	Chip        Kind = "chip"
	Crack       Kind = "crack"
	Rust        Kind = "rust"
	Stain       Kind = "stain"
	MissingPart Kind = "missing"
	OtherDamage Kind = "other"
)

// Severity is how bad a damage is.
type Severity string

// The severities.
const (
	Minor    Severity = "minor"
	Moderate Severity = "moderate"
	Severe   Severity = "severe"
)

// Change is how a known mark looks today.
type Change string

// The changes of a known mark.
const (
	Same     Change = "same"
	Worse    Change = "worse"
	Repaired Change = "repaired"
)

// Belonging is something the customer leaves in the car or takes out of it (R6).
type Belonging struct {
	Description string   `bson:"description,omitempty" json:"description,omitempty" example:"太陽眼鏡" validate:"required" minLength:"1" maxLength:"200"`
	Quantity    *int64   `bson:"quantity,omitempty" json:"quantity,omitempty" minimum:"0" maximum:"9999" example:"1"`
	Valuable    *bool    `bson:"valuable,omitempty" json:"valuable,omitempty"`
	Kept        Kept     `bson:"kept,omitempty" json:"kept,omitempty"`
	PhotoIDs    []string `bson:"photo_ids" json:"photo_ids,omitempty" format:"uuid" maxItems:"20"`
	Note        string   `bson:"note,omitempty" json:"note,omitempty" maxLength:"1000"`
}

// Kept is where a belonging stays during the visit.
type Kept string

// The places of a belonging.
const (
	LeftInCar       Kept = "left_in_car"
	TakenByCustomer Kept = "taken_by_customer"
	HeldByUs        Kept = "held_by_us"
)

// Engine is what was heard when the engine was started (R8).
type Engine struct {
	Checked       *bool    `bson:"checked,omitempty" json:"checked,omitempty"`
	AbnormalNoise *bool    `bson:"abnormal_noise,omitempty" json:"abnormal_noise,omitempty"`
	Note          string   `bson:"note,omitempty" json:"note,omitempty" maxLength:"2000"`
	RecordingIDs  []string `bson:"recording_ids" json:"recording_ids,omitempty" format:"uuid" maxItems:"10"`
}

// Check lists everything that is wrong with the values; what is missing is no fault before the signature.
func (in *Inspection) Check() error {
	var f domain.Faults
	if in.Checklist != nil {
		f.ID("/checklist/id", in.Checklist.ID)
		f.Range("/checklist/version", &in.Checklist.Version, 1, 1_000_000)
	}
	if in.Consent != nil {
		f.Required("/consent/text", in.Consent.Text, 2_000)
		f.Required("/consent/language", string(in.Consent.Language), 10)
		domain.OneOf(&f, "/consent/language", in.Consent.Language, domain.Languages()...)
	}
	if in.Covers != nil {
		f.Text("/covers/fitted_by", in.Covers.FittedBy, 80)
	}
	in.checkItems(&f)
	in.checkDamages(&f)
	in.checkBelongings(&f)
	if in.Engine != nil {
		f.Text("/engine/note", in.Engine.Note, 2_000)
		f.IDs("/engine/recording_ids", in.Engine.RecordingIDs, 10)
	}
	f.IDs("/photo_ids", in.PhotoIDs, 100)
	f.Text("/note", in.Note, 4_000)
	checkAttributes(&f, in.Attributes)
	return f.Err()
}

func (in *Inspection) checkItems(f *domain.Faults) {
	f.Count("/items", len(in.Items), 500)
	domain.Unique(f, "/items", in.Items, func(i Item) string { return i.Code })
	for i, item := range in.Items {
		at := fmt.Sprintf("/items/%d", i)
		f.Required(at+"/code", item.Code, 80)
		domain.OneOf(f, at+"/result", item.Result, OK, Attention, Urgent, NotApplicable)
		f.Text(at+"/note", item.Note, 1_000)
		f.IDs(at+"/photo_ids", item.PhotoIDs, 20)
	}
}

func (in *Inspection) checkDamages(f *domain.Faults) {
	f.Count("/damages", len(in.Damages), 200)
	domain.Unique(f, "/damages", in.Damages, func(d Damage) string { return d.ID })
	for i, d := range in.Damages {
		at := fmt.Sprintf("/damages/%d", i)
		f.Required(at+"/id", d.ID, 64)
		domain.OneOf(f, at+"/view", d.View, Front, Right, Rear, Left, Top, Interior)
		checkUnit(f, at+"/x", d.X)
		checkUnit(f, at+"/y", d.Y)
		domain.OneOf(f, at+"/kind", d.Kind, Scratch, Dent, Chip, Crack, Rust, Stain, MissingPart, OtherDamage)
		domain.OneOf(f, at+"/severity", d.Severity, Minor, Moderate, Severe)
		f.Range(at+"/length_mm", d.LengthMM, 0, 20_000)
		f.IDs(at+"/photo_ids", d.PhotoIDs, 20)
		f.Text(at+"/note", d.Note, 1_000)
		f.Text(at+"/known_id", d.KnownID, 160)
		domain.OneOf(f, at+"/change", d.Change, Same, Worse, Repaired)
	}
}

func (in *Inspection) checkBelongings(f *domain.Faults) {
	f.Count("/belongings", len(in.Belongings), 200)
	for i, b := range in.Belongings {
		at := fmt.Sprintf("/belongings/%d", i)
		f.Required(at+"/description", b.Description, 200)
		f.Range(at+"/quantity", b.Quantity, 0, 9_999)
		domain.OneOf(f, at+"/kept", b.Kept, LeftInCar, TakenByCustomer, HeldByUs)
		f.IDs(at+"/photo_ids", b.PhotoIDs, 20)
		f.Text(at+"/note", b.Note, 1_000)
	}
}

func checkUnit(f *domain.Faults, at string, n *float64) {
	if n != nil && !(*n >= 0 && *n <= 1) {
		f.Add(at, domain.CodeOutOfRange, "%v is not from 0 to 1", *n)
	}
}

// missing is what stands between the walk-around and the signature, photos apart.
func (in *Inspection) missing(required []string) []Missing {
	if in == nil {
		in = &Inspection{}
	}
	m := in.missingBefore()
	if !yes(in.CustomerPresent) {
		m = append(m, Missing{CodeCustomerAbsent, "/customer_present"})
	}
	m = append(m, in.missingItems(required)...)
	for i, d := range in.Damages {
		if len(d.PhotoIDs) == 0 {
			m = append(m, Missing{CodeDamageNoPhoto, fmt.Sprintf("/damages/%d", i)})
		}
	}
	return m
}

// missingBefore holds to the order of R6 and R4: the reminder is given before anyone enters the car, and fitting the
// covers is entering it.
func (in *Inspection) missingBefore() []Missing {
	var m []Missing
	reminder := in.ValuablesReminderAt
	if reminder == nil {
		m = append(m, Missing{CodeReminderMissing, "/valuables_reminder_at"})
	}
	if !in.Covers.allFitted() {
		return append(m, Missing{CodeCoversNotFitted, "/covers"})
	}
	if reminder != nil && reminder.After(in.Covers.FittedAt.Time) {
		m = append(m, Missing{CodeReminderLate, "/valuables_reminder_at"})
	}
	return m
}

func (in *Inspection) missingItems(required []string) []Missing {
	answered := make(map[string]bool, len(in.Items))
	for _, item := range in.Items {
		answered[item.Code] = item.Result != ""
	}
	var m []Missing
	for _, code := range required {
		if !answered[code] {
			m = append(m, Missing{CodeChecklist, "/items/" + code})
		}
	}
	return m
}

func (c *Covers) allFitted() bool {
	return c != nil && c.FittedAt != nil && yes(c.Seat) && yes(c.SteeringWheel) && yes(c.Floor)
}

func (c *Covers) anyFitted() bool {
	return c != nil && (yes(c.Seat) || yes(c.SteeringWheel) || yes(c.Floor))
}

func yes(b *bool) bool { return b != nil && *b }

// Defaults are what the server writes into an inspection that left them out.
type Defaults struct {
	Checklist ChecklistRef
	Required  []string // codes that the section's version of the checklist demands
	Consent   Consent
}

// SaveInspection replaces the walk-around, complete or not (R4–R8). sent is the SHA-256 of the body as it came.
func (v *Visit) SaveInspection(in Inspection, defaults Defaults, sent string, by Saver, now domain.Time) error {
	if err := v.mayChange(); err != nil {
		return err
	}
	if in.Checklist == nil {
		in.Checklist = &defaults.Checklist
	}
	if in.Consent == nil {
		in.Consent = &defaults.Consent
	}
	in.Attributes = present(in.Attributes)
	v.Inspection, v.Required = &in, defaults.Required
	v.saved("inspection", &v.Sections.Inspection, sent, by, now)
	v.recomputeSheet()
	return nil
}
