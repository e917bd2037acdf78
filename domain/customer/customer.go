// Package customer is who brings a car: how he is called and reached, and which cars he brought.
//
// Start with MatchKey to find a customer that was here, and New for one who was not. The package may import domain only;
// it knows vehicles by their ids.
package customer

import (
	"reflect"
	"slices"
	"strings"

	"example.com/walkaround/domain"
)

// Customer is one person or firm. An arrival never overwrites what is known of him: only Apply does, by hand.
type Customer struct {
	ID          string         `bson:"id" json:"id" format:"uuid"`
	StoreID     string         `bson:"store_id" json:"store_id"`
	Name        string         `bson:"name" json:"name" example:"陳大文"`
	Salutation  string         `bson:"salutation,omitempty" json:"salutation,omitempty" example:"先生"`
	Phone       string         `bson:"phone,omitempty" json:"phone,omitempty" example:"138 0013 8000"`            // as typed
	PhoneE164   string         `bson:"phone_e164,omitempty" json:"phone_e164,omitempty" example:"+8613800138000"` // absent: not readable as a number
	Language    string         `bson:"language,omitempty" json:"language,omitempty" example:"zh-Hant" enums:"zh-Hant,zh-Hans,en"`
	VehicleIDs  []string       `bson:"vehicle_ids" json:"vehicle_ids" format:"uuid"` // in order of the first visit
	FirstSeenAt domain.Time    `bson:"first_seen_at" json:"first_seen_at"`
	LastVisitAt domain.Time    `bson:"last_visit_at" json:"last_visit_at"`
	Revision    int64          `bson:"revision" json:"revision"`
	Answers     domain.Answers `bson:"answers" json:"-"`
}

const maxVehicles = 500

// New gives a customer who was not known before, as typed; region is the market in which his phone number is read.
func New(id, storeID string, typed Typed, region string, now domain.Time) Customer {
	c := Customer{
		ID: id, StoreID: storeID, Name: strings.TrimSpace(typed.Name), Salutation: strings.TrimSpace(typed.Salutation),
		Language: typed.Language, VehicleIDs: []string{}, FirstSeenAt: now, LastVisitAt: now, Revision: 1,
	}
	c.call(typed.Phone, region)
	return c
}

// Typed is what an advisor types of a customer.
type Typed struct {
	Name       string
	Salutation string
	Phone      string
	Language   string
}

// Empty says whether nothing was typed by which a customer could be known: neither name nor phone.
func (t Typed) Empty() bool {
	return strings.TrimSpace(t.Name) == "" && strings.TrimSpace(t.Phone) == ""
}

// Check lists everything that is wrong with the values.
func (c *Customer) Check() error {
	var f domain.Faults
	f.ID("/id", c.ID)
	f.Text("/name", c.Name, 80)
	f.Text("/salutation", c.Salutation, 20)
	f.Text("/phone", c.Phone, 40)
	domain.OneOf(&f, "/language", c.Language, "zh-Hant", "zh-Hans", "en")
	if c.Name == "" && c.Phone == "" {
		f.Add("/name", domain.CodeRequired, "a customer needs a name or a phone number")
	}
	return f.Err()
}

// SeenAt notes a visit that began at the given time, with one of his cars. It may be told of one visit again, and of
// visits out of order. It says whether anything changed.
func (c *Customer) SeenAt(vehicleID string, at domain.Time) bool {
	changed := false
	if vehicleID != "" && !slices.Contains(c.VehicleIDs, vehicleID) {
		c.VehicleIDs = append(c.VehicleIDs, vehicleID)
		c.VehicleIDs = c.VehicleIDs[max(0, len(c.VehicleIDs)-maxVehicles):]
		changed = true
	}
	if at.After(c.LastVisitAt.Time) {
		c.LastVisitAt, changed = at, true
	}
	if at.Before(c.FirstSeenAt.Time) {
		c.FirstSeenAt, changed = at, true
	}
	if changed {
		c.Revision++
	}
	return changed
}

// Patch changes what is known of a customer. A member left out stays as it is.
type Patch struct {
	Name       *string `json:"name,omitempty" example:"陳大文" maxLength:"80"`
	Salutation *string `json:"salutation,omitempty" example:"先生" maxLength:"20"`
	Phone      *string `json:"phone,omitempty" example:"138 0013 8000" maxLength:"40"`
	Language   *string `json:"language,omitempty" example:"zh-Hant" enums:"zh-Hant,zh-Hans,en"`
} //@name CustomerPatch

// Apply changes the customer; region is the market in which his phone number is read. His MatchKey may be another
// afterwards. domain.CodeInvalid when he would not pass Check; then nothing changed.
func (c *Customer) Apply(p Patch, region string) error {
	next := *c
	trimmed(&next.Name, p.Name)
	trimmed(&next.Salutation, p.Salutation)
	trimmed(&next.Language, p.Language)
	if p.Phone != nil {
		next.call(*p.Phone, region)
	}
	if err := next.Check(); err != nil {
		return err
	}
	if !reflect.DeepEqual(next, *c) {
		next.Revision++
	}
	*c = next
	return nil
}

func (c *Customer) call(phone, region string) {
	c.Phone = strings.TrimSpace(phone)
	c.PhoneE164, _ = E164(c.Phone, region)
}

func trimmed(to, from *string) {
	if from != nil {
		*to = strings.TrimSpace(*from)
	}
}
