package paper

import (
	"context"
	"io"
	"time"
)

// Sheet is all that is printed: plain values, already chosen by whoever may see them. A zero time, a nil number and an
// empty string are left out of the page; an enumerated value that is not known is printed as it stands.
type Sheet struct {
	Language string         // zh-Hant, zh-Hans or en; anything else prints English
	Zone     *time.Location // in which times are written; nil is UTC

	Store    Store
	Number   string // the visit's number
	Revision int64  // of the signed sheet; 0 is none
	Advisor  string // name

	Plate      string
	VIN        string
	Model      string // as free text
	OdometerKM *int
	Reason     string // why the odometer shows less than before
	Customer   Customer
	ArrivedAt  time.Time

	Requests    []Request
	FuelPercent *int // 0 to 100
	WantedAt    time.Time
	Intake      Remarks // on the requests as a whole

	CustomerPresent bool
	ReminderAt      time.Time // when the reminder about valuables was given
	Covers          Covers
	Engine          Engine
	Inspection      Remarks // on the walk-around as a whole
	Checklist       []Check // in the order of the template; equal sections stand together
	Template        int64   // version of the checklist; 0 is none
	Damages         []Damage
	Belongings      []Belonging
	Photos          []Photo // number 1 is the first; beyond MaxPhotos they are counted, not printed

	Consent   string // the sentence that was signed
	Signer    Signer
	SignedAt  time.Time
	SealedAt  time.Time  // also the date of the file: the only clock that Render knows
	Signature []byte     // PNG
	Strokes   [][]Stroke // drawn when Signature is empty or can't be read

	Digest     string // of the canonical form: "sha256:…"
	ChainHead  string // hash of the visit's last event when it was sealed
	VerifyURL  string // what the QR code says
	Superseded bool   // another revision has been signed since
	Conflict   bool   // the section had changed before this signature arrived
}

// Store is who hands the sheet over.
type Store struct{ Name, Address, Phone string }

// Customer is who brought the car, as typed at reception.
type Customer struct{ Name, Salutation, Phone string }

// Remarks are what a part of the sheet says beside its own fields.
type Remarks struct {
	Note       string
	Recordings int
	Further    int // entries that stand in the attached record alone
}

// Request is one wish of the customer (R3).
type Request struct {
	Words      string // his own words
	Restated   bool
	RestatedAt time.Time
	Note       string
	Recordings int
}

// Covers are the three protective covers (R4).
type Covers struct {
	Seat, SteeringWheel, Floor bool
	FittedAt                   time.Time
	FittedBy                   string // name
}

// Engine is what was heard when it ran (R8).
type Engine struct {
	Checked       bool
	AbnormalNoise bool
	Note          string
	Recordings    int
}

// Check is one item of the checklist (R5).
type Check struct {
	Section, Label string
	Result         string // ok, attention, urgent, not_applicable; empty: not answered
	Note           string
	Photos         []int // numbers of Sheet.Photos, from 1
}

// Damage is one mark on the drawing (R5).
type Damage struct {
	Number   int     // printed in the mark and in the table
	View     string  // front, rear, left, right, top, interior
	X, Y     float64 // from 0 to 1 of that view's drawing
	Kind     string  // scratch, dent, chip, crack, rust, stain, missing, other
	Severity string  // minor, moderate, severe
	LengthMM *int
	Status   string // new, same, worse, repaired
	Note     string
	Photos   []int // numbers of Sheet.Photos, from 1

	FirstSeenAt time.Time // of a mark that the car had before
}

// Belonging is one line of what lies in the car (R6).
type Belonging struct {
	Description string
	Quantity    int
	Valuable    bool
	Kept        string // left_in_car, taken_by_customer, held_by_us
	Photos      []int  // numbers of Sheet.Photos, from 1
	Note        string
}

// Signer is who signed (R9).
type Signer struct {
	Name     string
	Relation string // owner, family, driver, employee; another is printed as it stands
}

// Stroke is one point of a stroke of the signature, in pixels of its canvas.
type Stroke struct{ X, Y float64 }

// Photo is one picture. Open gives a JPEG or PNG that is upright already (the 1,280-pixel size): Render makes it smaller
// still. A picture that can't be opened or read is printed as an empty frame with its id, and is no error.
type Photo struct {
	ID            string
	Caption       string
	Width, Height int // of what Open gives; 0 is unknown
	Open          func(ctx context.Context) (io.ReadCloser, error)
}

// Attachment is a file that travels inside the PDF.
type Attachment struct {
	Name        string // a plain file name such as inspection.json
	ContentType string // such as application/json; empty: application/octet-stream
	Description string
	Bytes       []byte
}

// MaxPhotos is how many photos a sheet prints.
const MaxPhotos = 200
