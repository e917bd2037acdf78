package store

import (
	"slices"

	"example.com/walkaround/domain"
)

// Step is a moment of the visit at which a phrase is said (R10).
type Step string

// The steps, in the order of a visit.
const (
	StepGreeting       Step = "greeting"
	StepTelephone      Step = "telephone"
	StepRestate        Step = "restate"
	StepCustomer       Step = "customer_present"
	StepValuables      Step = "valuables_reminder"
	StepCovers         Step = "covers"
	StepConsent        Step = "consent"
	StepWaiting        Step = "waiting"
	StepThanksWaiting  Step = "thank_you_for_waiting"
	StepKeepOut        Step = "workshop_keep_out"
	StepAskAtReception Step = "workshop_ask_reception"
	StepCashier        Step = "cashier_thanks"
	StepFarewell       Step = "farewell"
)

// Steps lists every step, in the order of a visit.
func Steps() []Step {
	return []Step{
		StepGreeting, StepTelephone, StepRestate, StepCustomer, StepValuables, StepCovers, StepConsent, StepWaiting,
		StepThanksWaiting, StepKeepOut, StepAskAtReception, StepCashier, StepFarewell,
	}
}

// Phrase is one sentence, said at one step in one language. It may name {advisor}, {customer}, {salutation} and {store}.
type Phrase struct {
	Step      Step            `bson:"step" json:"step"`
	Language  domain.Language `bson:"language" json:"language"`
	Text      string          `bson:"text" json:"text" example:"您好，我是{advisor}，很高興為您服務！"`
	UpdatedAt *domain.Time    `bson:"updated_at,omitempty" json:"updated_at,omitempty"` // absent: the standard's own sentence
}

// Phrases are a store's sentences: the standard's own, save those that the store wrote itself.
type Phrases struct {
	StoreID   string         `bson:"store_id" json:"store_id"`
	Overrides []Phrase       `bson:"overrides" json:"-"`
	Revision  int64          `bson:"revision" json:"revision"`
	Answers   domain.Answers `bson:"answers" json:"-"`
}

// MaxPhrase is the most characters of a phrase, as many as a sheet's consent may have.
const MaxPhrase = 2_000

// NewPhrases gives a store's phrases: all of them the standard's own.
func NewPhrases(storeID string) Phrases {
	return Phrases{StoreID: storeID, Overrides: []Phrase{}, Revision: 1}
}

// Set writes the store's own sentence for a step and a language. domain.CodeInvalid for an unknown step, language or
// placeholder, an empty text or one beyond MaxPhrase; then nothing changed.
func (p *Phrases) Set(step Step, l domain.Language, text string, now domain.Time) error {
	if err := (Phrase{Step: step, Language: l, Text: text}).Check(); err != nil {
		return err
	}
	own := Phrase{Step: step, Language: l, Text: text, UpdatedAt: &now}
	if i := p.index(step, l); i >= 0 {
		p.Overrides[i] = own
	} else {
		p.Overrides = append(p.Overrides, own)
	}
	p.Revision++
	return nil
}

// Check lists everything that is wrong with the values.
func (p Phrase) Check() error {
	var f domain.Faults
	if !slices.Contains(Steps(), p.Step) {
		f.Add("/step", domain.CodeUnknown, "%q is not one of %v", string(p.Step), Steps())
	}
	if !p.Language.Known() {
		f.Add("/language", domain.CodeUnknown, "%q is not one of %v", string(p.Language), domain.Languages())
	}
	f.Required("/text", p.Text, MaxPhrase)
	checkPlaceholders(&f, "/text", p.Text)
	return f.Err()
}

// Reset goes back to the standard's own sentence.
func (p *Phrases) Reset(step Step, l domain.Language) {
	if i := p.index(step, l); i >= 0 {
		p.Overrides = slices.Delete(slices.Clone(p.Overrides), i, i+1)
		p.Revision++
	}
}

// All lists the phrase of every step in every language, in the order of Steps and Languages.
func (p *Phrases) All() []Phrase {
	all := make([]Phrase, 0, len(Steps())*len(domain.Languages()))
	for _, step := range Steps() {
		for _, l := range domain.Languages() {
			all = append(all, p.phrase(step, l))
		}
	}
	return all
}

// Text gives the phrase of a step in a language, its placeholders unfilled; empty for an unknown step or language.
func (p *Phrases) Text(step Step, l domain.Language) string { return p.phrase(step, l).Text }

func (p *Phrases) phrase(step Step, l domain.Language) Phrase {
	if i := p.index(step, l); i >= 0 {
		return p.Overrides[i]
	}
	return Phrase{Step: step, Language: l, Text: standard(step, l)}
}

func (p *Phrases) index(step Step, l domain.Language) int {
	return slices.IndexFunc(p.Overrides, func(o Phrase) bool { return o.Step == step && o.Language == l })
}
