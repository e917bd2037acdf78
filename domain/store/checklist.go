package store

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/google/uuid"

	"example.com/walkaround/domain"
)

// Checklist is a template of what is looked at during the walk-around (R5). The head document is the current version;
// each earlier one is kept as a document of its own that never changes, so that a signed sheet keeps the template it was
// made with.
type Checklist struct {
	ID        string                     `bson:"id" json:"id" format:"uuid"`
	StoreID   string                     `bson:"store_id" json:"store_id"`
	Name      string                     `bson:"name" json:"name" example:"環車檢查"`
	Names     map[domain.Language]string `bson:"names,omitempty" json:"names,omitempty"`
	Kind      ChecklistKind              `bson:"kind" json:"kind"`
	Version   int64                      `bson:"version" json:"version" example:"3"`
	Items     []ChecklistItem            `bson:"items" json:"items"` // in walking order: outside first
	Revision  int64                      `bson:"revision" json:"revision"`
	CreatedAt domain.Time                `bson:"created_at" json:"created_at"`
	UpdatedAt domain.Time                `bson:"updated_at" json:"updated_at"`
	Answers   domain.Answers             `bson:"answers" json:"-"`
}

// ChecklistKind is the sheet that a checklist belongs to.
type ChecklistKind string

// KindInspection is the walk-around.
const KindInspection ChecklistKind = "inspection"

// ChecklistItem is one thing to look at. Section and label are in the language of the one who wrote them; the maps hold
// translations.
type ChecklistItem struct {
	Code          string                     `bson:"code" json:"code" example:"glass.windshield" validate:"required" pattern:"^[a-z0-9_]+(\\.[a-z0-9_]+)*$" maxLength:"80"`
	Section       string                     `bson:"section" json:"section" example:"玻璃與後視鏡" maxLength:"120"`
	SectionLabels map[domain.Language]string `bson:"section_labels,omitempty" json:"section_labels,omitempty"`
	Label         string                     `bson:"label" json:"label" example:"前擋風玻璃" validate:"required" minLength:"1" maxLength:"120"`
	Labels        map[domain.Language]string `bson:"labels,omitempty" json:"labels,omitempty"`
	Required      bool                       `bson:"required" json:"required"` // must be answered before the customer signs
}

// Limits of a checklist.
const (
	MaxChecklistItems = 300
	maxLabel          = 120
	maxCode           = 80
)

var codeForm = regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)*$`)

// VersionID is the id of the insert-only document that holds one version of a checklist.
func VersionID(storeID, checklistID string, version int64) string {
	return fmt.Sprintf("%s/%s/%d", storeID, checklistID, version)
}

// DefaultChecklistID is the id of the checklist that every store begins with: the same at each start.
func DefaultChecklistID(storeID string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("walkaround/checklist/inspection/"+storeID)).String()
}

// Draft is what a store writes into a checklist.
type Draft struct {
	Name  string                     `json:"name" validate:"required" minLength:"1" maxLength:"120" example:"環車檢查"`
	Names map[domain.Language]string `json:"names,omitempty"`
	Items []ChecklistItem            `json:"items" validate:"required" minItems:"1" maxItems:"300"`
} //@name ChecklistDraft

// Check lists everything that is wrong with the values.
func (d Draft) Check() error {
	var f domain.Faults
	f.Required("/name", d.Name, maxLabel)
	checkLabels(&f, "/names", d.Names, maxLabel)
	f.Count("/items", len(d.Items), MaxChecklistItems)
	if len(d.Items) == 0 {
		f.Add("/items", domain.CodeRequired, "a checklist needs at least one item")
	}
	domain.Unique(&f, "/items", d.Items, func(i ChecklistItem) string { return i.Code })
	for i, item := range d.Items {
		item.check(&f, fmt.Sprintf("/items/%d", i))
	}
	return f.Err()
}

func (i ChecklistItem) check(f *domain.Faults, at string) {
	f.Text(at+"/code", i.Code, maxCode)
	if !codeForm.MatchString(i.Code) {
		f.Add(at+"/code", domain.CodeMalformed, "words of a–z, 0–9 and _ joined by dots")
	}
	f.Text(at+"/section", i.Section, maxLabel)
	checkLabels(f, at+"/section_labels", i.SectionLabels, maxLabel)
	f.Required(at+"/label", i.Label, maxLabel)
	checkLabels(f, at+"/labels", i.Labels, maxLabel)
}

// NewChecklist gives the first version of a checklist. domain.CodeInvalid.
func NewChecklist(id, storeID string, d Draft, now domain.Time) (Checklist, error) {
	if err := d.Check(); err != nil {
		return Checklist{}, err
	}
	return Checklist{
		ID: id, StoreID: storeID, Name: d.Name, Names: d.Names, Kind: KindInspection, Version: 1, Items: d.Items,
		Revision: 1, CreatedAt: now, UpdatedAt: now,
	}, nil
}

// Check lists everything that is wrong with the values.
func (c *Checklist) Check() error {
	return Draft{Name: c.Name, Names: c.Names, Items: c.Items}.Check()
}

// Edit writes the draft as a later version. The document of the version that stands is inserted before the head is replaced:
// so no draft that was refused ever becomes a version. domain.CodeInvalid; then nothing changed.
func (c *Checklist) Edit(d Draft, version int64, now domain.Time) error {
	if err := d.Check(); err != nil {
		return err
	}
	if version <= c.Version {
		return domain.Invalid([]domain.Field{{Pointer: "/version", Code: domain.CodeOutOfRange, Message: "must be later than the current version"}})
	}
	c.Name, c.Names, c.Items = d.Name, d.Names, d.Items
	c.Version = version
	c.Revision++
	c.UpdatedAt = now
	return nil
}

// Frozen gives what the document of this version will hold: the template, without what only the head remembers.
func (c *Checklist) Frozen() Checklist {
	frozen := *c
	frozen.Items = slices.Clone(c.Items)
	frozen.Answers = nil
	return frozen
}

// Required lists the codes that must be answered before the customer signs.
func (c *Checklist) Required() []string {
	codes := []string{}
	for _, item := range c.Items {
		if item.Required {
			codes = append(codes, item.Code)
		}
	}
	return codes
}

// Localized gives the checklist as it is shown in a language: name, sections and labels translated where they are
// known, as written where not, and no translations beside them.
func (c *Checklist) Localized(l domain.Language) Checklist {
	local := c.Frozen()
	local.Name, local.Names = in(l, c.Names, c.Name), nil
	for i, item := range local.Items {
		local.Items[i] = ChecklistItem{
			Code: item.Code, Required: item.Required,
			Section: in(l, item.SectionLabels, item.Section), Label: in(l, item.Labels, item.Label),
		}
	}
	return local
}

func in(l domain.Language, labels map[domain.Language]string, written string) string {
	if label := labels[l]; label != "" {
		return label
	}
	return written
}

// Says tells whether the checklist already says what the draft says.
func (c *Checklist) Says(d Draft) bool {
	return c.Name == d.Name && maps.Equal(c.Names, d.Names) && slices.EqualFunc(c.Items, d.Items, func(a, b ChecklistItem) bool {
		return a.Code == b.Code && a.Section == b.Section && a.Label == b.Label && a.Required == b.Required &&
			maps.Equal(a.SectionLabels, b.SectionLabels) && maps.Equal(a.Labels, b.Labels)
	})
}
