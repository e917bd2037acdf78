// Package store is a dealer's shop: its settings, the checklists that its advisors walk the car by, and the phrases of
// courtesy that they say at each step.
//
// Start with New for a store, DefaultChecklist (checklist.go) for its first template and NewPhrases (phrases.go) for its
// sentences. The package may import domain only.
package store

import (
	"regexp"
	"slices"
	"time"

	"example.com/walkaround/domain"
)

// Store is one shop of a dealer. Everything else belongs to exactly one.
type Store struct {
	ID                  string                     `bson:"id" json:"id" example:"main" pattern:"^[a-z0-9][a-z0-9-]{0,31}$"`
	Name                string                     `bson:"name" json:"name" example:"得佳店"`
	Names               map[domain.Language]string `bson:"names,omitempty" json:"names,omitempty"` // where it has another name in a language
	Address             string                     `bson:"address,omitempty" json:"address,omitempty"`
	Phone               string                     `bson:"phone,omitempty" json:"phone,omitempty"`
	Market              string                     `bson:"market" json:"market" example:"CN"` // ISO 3166-1 alpha-2: the region in which a phone number without +… is read
	TimeZone            string                     `bson:"time_zone" json:"time_zone" example:"Asia/Shanghai"`
	Languages           []domain.Language          `bson:"languages" json:"languages"` // in which sheets and phrases are offered
	Language            domain.Language            `bson:"language" json:"language" example:"zh-Hant"`
	Currency            string                     `bson:"currency" json:"currency" example:"CNY"`                          // ISO 4217
	WaitingLimitMinutes int64                      `bson:"waiting_limit_minutes" json:"waiting_limit_minutes" example:"10"` // R1: a customer who waits longer is shown as late
	VINCheckDigit       bool                       `bson:"vin_check_digit" json:"vin_check_digit"`                          // expect a check digit in every VIN, whoever made the car
	Revision            int64                      `bson:"revision" json:"revision"`
	CreatedAt           domain.Time                `bson:"created_at" json:"created_at"`
	UpdatedAt           domain.Time                `bson:"updated_at" json:"updated_at"`
	Answers             domain.Answers             `bson:"answers" json:"-"`

	loaded *time.Location // see LoadZone
}

// New gives a store with the settings of the market that the service standard was written for: mainland China, its time
// and money. The language is zh-Hant, that of the standard's own text; all three are offered.
func New(id, name string, now domain.Time) Store {
	return Store{
		ID: id, Name: name, Market: "CN", TimeZone: "Asia/Shanghai", Currency: "CNY",
		Languages: domain.Languages(), Language: domain.ZhHant, WaitingLimitMinutes: 10, VINCheckDigit: true,
		Revision: 1, CreatedAt: now, UpdatedAt: now,
	}
}

var (
	slugForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)
	marketForm   = regexp.MustCompile(`^[A-Z]{2}$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
)

// ValidID says whether id has the form of a store's id: 1 to 32 of a–z, 0–9 and the hyphen, which it does not begin with.
func ValidID(id string) bool { return slugForm.MatchString(id) }

// Check lists everything that is wrong with the values.
func (s *Store) Check() error {
	var f domain.Faults
	form(&f, "/id", s.ID, slugForm)
	f.RequiredLine("/name", s.Name, 80)
	checkLabels(&f, "/names", s.Names, 80)
	f.Text("/address", s.Address, 300)
	f.Text("/phone", s.Phone, 40)
	form(&f, "/market", s.Market, marketForm)
	form(&f, "/currency", s.Currency, currencyForm)
	if _, err := s.zone(); err != nil {
		f.Add("/time_zone", domain.CodeUnknown, "not the name of a time zone such as Asia/Shanghai")
	}
	f.Range("/waiting_limit_minutes", &s.WaitingLimitMinutes, 1, 24*60)
	s.checkLanguages(&f)
	return f.Err()
}

func (s *Store) checkLanguages(f *domain.Faults) {
	if len(s.Languages) == 0 {
		f.Add("/languages", domain.CodeRequired, "at least one language is needed")
	}
	domain.Unique(f, "/languages", s.Languages, func(l domain.Language) string { return string(l) })
	for _, l := range s.Languages {
		if !l.Known() {
			f.Add("/languages", domain.CodeUnknown, "%q is not one of %v", string(l), domain.Languages())
		}
	}
	if !slices.Contains(s.Languages, s.Language) {
		f.Add("/language", domain.CodeUnknown, "must be one of the store's languages")
	}
}

// LocalDay gives the day at the store when it is t, as 20261123: visits are numbered by it. A zone that Check refuses
// counts as UTC.
func (s *Store) LocalDay(t time.Time) string {
	return t.In(s.Zone()).Format("20060102")
}

// LoadZone reads the store's time zone ahead, for a store that is kept and asked for its day by many goroutines: reading
// it anew takes 25 µs.
func (s *Store) LoadZone() { s.loaded = s.Zone() }

// Zone gives the store's time zone. One that Check refuses counts as UTC.
func (s *Store) Zone() *time.Location {
	if s.loaded != nil && s.loaded.String() == s.TimeZone {
		return s.loaded
	}
	zone, err := s.zone()
	if err != nil {
		return time.UTC
	}
	return zone
}

// zone refuses "" and "Local", which time would take and which mean another zone on another machine.
func (s *Store) zone() (*time.Location, error) {
	if s.TimeZone == "" || s.TimeZone == "Local" {
		return nil, domain.Refuse(domain.CodeUnknown, "no time zone")
	}
	return time.LoadLocation(s.TimeZone)
}

// NameIn gives the store's name in a language.
func (s *Store) NameIn(l domain.Language) string {
	if name := s.Names[l]; name != "" {
		return name
	}
	return s.Name
}

// Patch changes a store's settings. A member left out stays as it is.
type Patch struct {
	Name                *string                    `json:"name,omitempty" minLength:"1" maxLength:"80" example:"得佳店"`
	Names               map[domain.Language]string `json:"names,omitempty"` // replaces all names; {} takes them away
	Address             *string                    `json:"address,omitempty" maxLength:"300"`
	Phone               *string                    `json:"phone,omitempty" maxLength:"40"`
	Market              *string                    `json:"market,omitempty" pattern:"^[A-Z]{2}$" example:"CN"`
	TimeZone            *string                    `json:"time_zone,omitempty" example:"Asia/Shanghai"`
	Languages           []domain.Language          `json:"languages,omitempty" minItems:"1"`
	Language            *domain.Language           `json:"language,omitempty"`
	Currency            *string                    `json:"currency,omitempty" pattern:"^[A-Z]{3}$" example:"CNY"`
	WaitingLimitMinutes *int64                     `json:"waiting_limit_minutes,omitempty" minimum:"1" maximum:"1440" example:"10"`
	VINCheckDigit       *bool                      `json:"vin_check_digit,omitempty"`
} //@name StorePatch

// Apply changes the settings. domain.CodeInvalid when the store would not pass Check; then nothing changed.
func (s *Store) Apply(p Patch, now domain.Time) error {
	next := *s
	set(&next.Name, p.Name)
	set(&next.Address, p.Address)
	set(&next.Phone, p.Phone)
	set(&next.Market, p.Market)
	set(&next.TimeZone, p.TimeZone)
	set(&next.Language, p.Language)
	set(&next.Currency, p.Currency)
	set(&next.WaitingLimitMinutes, p.WaitingLimitMinutes)
	set(&next.VINCheckDigit, p.VINCheckDigit)
	if p.Names != nil {
		next.Names = p.Names
	}
	if p.Languages != nil {
		next.Languages = p.Languages
	}
	if err := next.Check(); err != nil {
		return err
	}
	next.Revision++
	next.UpdatedAt = now
	*s = next
	return nil
}

func form(f *domain.Faults, pointer, value string, pattern *regexp.Regexp) {
	if !pattern.MatchString(value) {
		f.Add(pointer, domain.CodeMalformed, "%q does not match %s", value, pattern)
	}
}

func checkLabels(f *domain.Faults, pointer string, labels map[domain.Language]string, limit int) {
	for _, l := range domain.Languages() {
		f.Text(pointer+"/"+string(l), labels[l], limit)
	}
	for l := range labels {
		if !l.Known() {
			f.Add(pointer, domain.CodeUnknown, "%q is not one of %v", string(l), domain.Languages())
		}
	}
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}
