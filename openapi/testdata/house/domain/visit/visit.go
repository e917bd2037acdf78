// Package visit holds the documents of the sample house.
package visit

import (
	"encoding/json"

	"example.com/walkaround/openapi/testdata/house/domain"
)

// State is where a visit stands.
type State string

// The states, in the order in which a visit goes through them.
const (
	Arrived   State = "arrived"   // the car stands in the yard
	Inspected State = "inspected" // the walk-around is signed
	Delivered State = "delivered" // the car has left
)

// Meta is what every document has.
type Meta struct {
	ID        string      `json:"id" format:"uuid" example:"01900000-0000-7000-8000-000000000001"`
	Revision  int64       `json:"revision"`
	CreatedAt domain.Time `json:"created_at"`
}

// Customer is who brought the car.
type Customer struct {
	Name  string `json:"name" validate:"required" maxLength:"200" example:"陳大文"`
	Phone string `json:"phone,omitempty"` // as it was typed
}

// Inspection is the condition of the car at reception.
type Inspection struct {
	CustomerPresent bool              `json:"customer_present"`
	ReminderAt      *domain.Time      `json:"reminder_at"`
	FittedAt        domain.Time       `json:"fitted_at,omitzero"`
	Damages         []Damage          `json:"damages"`
	Photos          map[string]string `json:"photos"` // SHA-256 by photo id
	Odometer        *int              `json:"odometer_km,omitempty"`
	Owner           *Customer         `json:"owner,omitempty"`
	Attributes      json.RawMessage   `json:"attributes,omitempty"`
	secret          string            //nolint:unused // shows that it stays out.
}

// Damage is one mark.
type Damage struct {
	X        float64       `json:"x" minimum:"0" maximum:"1"`
	Kind     string        `json:"kind" enums:"scratch,dent"`
	PhotoIDs []string      `json:"photo_ids" format:"uuid" maxItems:"20"`
	Strokes  [][][]float64 `json:"strokes,omitempty"`
	Image    []byte        `json:"image,omitempty"`
	SeenAt   []domain.Time `json:"seen_at,omitempty"`
}

// Visit is one stay of a car.
type Visit struct {
	Meta
	// State decides what may follow.
	State      State       `json:"state"`
	Customer   Customer    `json:"customer"`
	Inspection *Inspection `json:"inspection"`
	Parent     *Visit      `json:"parent,omitempty"`
	Hidden     string      `json:"-"`
	Raw        any         `json:"raw,omitempty"`
}

// Summary is a visit in a list.
type Summary struct {
	Meta
	State State `json:"state"`
}
