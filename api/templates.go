package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/domain/store"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

func (s *Server) templateRoutes() []route {
	return []route{
		{http.MethodGet, "/v1/checklists", staff.AreaReadVisits, "", s.listChecklists},
		{http.MethodGet, "/v1/checklists/:id", staff.AreaReadVisits, "version", s.getChecklist},
		{http.MethodPut, "/v1/checklists/:id", staff.AreaTemplates, "", s.putChecklist},
		{http.MethodGet, "/v1/phrases", staff.AreaReadVisits, "visit_id language step", s.listPhrases},
		{http.MethodPut, "/v1/phrases/:step/:language", staff.AreaTemplates, "", s.putPhrase},
		{http.MethodDelete, "/v1/phrases/:step/:language", staff.AreaTemplates, "", s.deletePhrase},
	}
}

// templates remembers stores, checklists and phrases for a moment: they are read by every request and change rarely.
type templates struct {
	mu       sync.Mutex
	changed  int // how often something was forgotten
	stores   map[string]remembered[store.Store]
	heads    map[string]remembered[store.Checklist]
	phrases  map[string]remembered[store.Phrases]
	versions map[string]store.Checklist // a version never changes
}

type remembered[T any] struct {
	value T
	until time.Time
}

// rememberFor is as long as another replica's change may stay unseen.
const rememberFor = 5 * time.Second

const maxRemembered = 2_000

// recall reads a value from memory or through load. What was loaded while something changed here is not remembered: it may
// be the value of before.
func recall[T any](t *templates, m *map[string]remembered[T], key string, now time.Time, load func() (T, error)) (T, error) {
	t.mu.Lock()
	known, ok := (*m)[key]
	changed := t.changed
	t.mu.Unlock()
	if ok && now.Before(known.until) && known.until.Sub(now) <= rememberFor {
		return known.value, nil
	}
	value, err := load()
	if err != nil {
		return value, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.changed != changed {
		return value, nil
	}
	if *m == nil || len(*m) > maxRemembered {
		*m = map[string]remembered[T]{}
	}
	(*m)[key] = remembered[T]{value, now.Add(rememberFor)}
	return value, nil
}

// forget drops what was remembered of a store after a change here.
func (t *templates) forget(storeID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed++
	delete(t.stores, storeID)
	delete(t.heads, storeID)
	delete(t.phrases, storeID)
}

// store reads the settings of a store.
func (s *Server) store(ctx context.Context, id string) (store.Store, error) {
	return recall(&s.templates, &s.templates.stores, id, s.Now(), func() (store.Store, error) {
		saved, err := s.stores.Get(ctx, id)
		return saved.Value, err
	})
}

func checklistsOf(e storage.Engine) *storage.Collection[store.Checklist] {
	return storage.NewCollection(e, storage.Shape[store.Checklist]{
		Name: "checklists",
		ID:   func(c *store.Checklist) string { return c.StoreID + "/" + c.ID },
		Keys: []storage.Key[store.Checklist]{{Name: "store", Values: func(c *store.Checklist) []string { return []string{c.StoreID + "/" + c.ID} }}},
	})
}

func checklistVersionsOf(e storage.Engine) *storage.Collection[store.Checklist] {
	return storage.NewCollection(e, storage.Shape[store.Checklist]{
		Name: "checklist_versions", ID: func(c *store.Checklist) string { return store.VersionID(c.StoreID, c.ID, c.Version) },
	})
}

func phrasesOf(e storage.Engine) *storage.Collection[store.Phrases] {
	return storage.NewCollection(e, storage.Shape[store.Phrases]{Name: "phrases", ID: func(p *store.Phrases) string { return p.StoreID }})
}

// currentChecklist is the store's checklist for the walk-around.
func (s *Server) currentChecklist(ctx context.Context, storeID string) (store.Checklist, error) {
	return recall(&s.templates, &s.templates.heads, storeID, s.Now(), func() (store.Checklist, error) {
		saved, err := s.checklists.Get(ctx, storeID+"/"+store.DefaultChecklistID(storeID))
		return saved.Value, err
	})
}

// checklistVersion reads the version that a sheet names, which never changes. domain.CodeInvalid when the store has none such.
func (s *Server) checklistVersion(ctx context.Context, storeID string, ref visit.ChecklistRef) (store.Checklist, error) {
	id := store.VersionID(storeID, ref.ID, ref.Version)
	s.templates.mu.Lock()
	known, ok := s.templates.versions[id]
	s.templates.mu.Unlock()
	if ok {
		return known, nil
	}
	list, err := s.readVersion(ctx, storeID, ref)
	if errors.Is(err, storage.ErrNotFound) {
		return known, domain.Invalid([]domain.Field{{Pointer: "/checklist", Code: domain.CodeUnknown, Message: "the store has no such version of a checklist"}})
	} else if err != nil {
		return known, err
	}
	s.templates.mu.Lock()
	defer s.templates.mu.Unlock()
	if s.templates.versions == nil || len(s.templates.versions) > maxRemembered {
		s.templates.versions = map[string]store.Checklist{}
	}
	s.templates.versions[id] = list
	return list, nil
}

// readVersion reads a version: the current one stands in the head, those before it in documents of their own.
func (s *Server) readVersion(ctx context.Context, storeID string, ref visit.ChecklistRef) (store.Checklist, error) {
	head, err := s.checklists.Get(ctx, storeID+"/"+ref.ID)
	if err != nil {
		return store.Checklist{}, err
	}
	switch current := head.Value.Version; {
	case ref.Version == current:
		return head.Value.Frozen(), nil
	case ref.Version > current:
		return store.Checklist{}, fmt.Errorf("version %d of a checklist: %w", ref.Version, storage.ErrNotFound)
	}
	saved, err := s.versions.Get(ctx, store.VersionID(storeID, ref.ID, ref.Version))
	return saved.Value, err
}

// phrasesIn reads a store's phrases.
func (s *Server) phrasesIn(ctx context.Context, storeID string) (store.Phrases, error) {
	return recall(&s.templates, &s.templates.phrases, storeID, s.Now(), func() (store.Phrases, error) {
		saved, err := s.phrases.Get(ctx, storeID)
		if errors.Is(err, storage.ErrNotFound) {
			return store.NewPhrases(storeID), nil
		}
		return saved.Value, err
	})
}

// consent is the sentence under which the customer signs, in the language of his sheet.
func consent(st store.Store, said store.Phrases, v *visit.Visit) visit.Consent {
	lang := st.Language
	if v.Intake != nil && v.Intake.Language != "" {
		lang = v.Intake.Language
	}
	return visit.Consent{Language: lang, Text: store.Fill(said.Text(store.StepConsent, lang), names(st, v, lang))}
}

// names fill a phrase (R10).
func names(st store.Store, v *visit.Visit, lang domain.Language) store.Names {
	n := store.Names{Store: st.NameIn(lang)}
	if v == nil {
		return n
	}
	if v.Advisor != nil {
		n.Advisor = v.Advisor.Name
	}
	c := v.Customer
	if c == nil {
		c = v.Known.Customer
	}
	if c != nil {
		n.Customer, n.Salutation = c.Name, c.Salutation
	}
	return n
}

// ChecklistList is the checklists of a store.
type ChecklistList struct {
	Items      []store.Checklist `json:"items"`
	NextCursor *string           `json:"next_cursor"`
}

// listChecklists lists the checklists.
//
//	@Summary		List checklists
//	@Description	The templates of the walk-around (R5) in their current versions. `label` and `section` follow Accept-Language.
//	@ID				listChecklists
//	@Tags			templates
//	@Security		bearer
//	@Produce		json
//	@Param			Accept-Language	header		string	false	"zh-Hant, zh-Hans or en"
//	@Success		200				{object}	ChecklistList
//	@Router			/v1/checklists [get]
func (s *Server) listChecklists(c *gin.Context) error {
	q := storage.Query{Key: "store", Prefix: storeID(c) + "/", Limit: storage.MaxFind, Whole: true}
	page, err := s.checklists.FindValues(c.Request.Context(), q)
	if err != nil {
		return err
	}
	list := ChecklistList{Items: []store.Checklist{}}
	for _, saved := range page.Items {
		list.Items = append(list.Items, localized(c, saved.Value))
	}
	c.Header("Vary", "Accept-Language")
	return sendValue(c, list)
}

func localized(c *gin.Context, list store.Checklist) store.Checklist {
	if c.GetHeader("Accept-Language") == "" {
		return list
	}
	return list.Localized(domain.Language(acceptedLanguage(c.Request)))
}

// getChecklist reads a checklist.
//
//	@Summary		Read a checklist
//	@Description	In its current version, or in the one that a signed sheet names.
//	@ID				getChecklist
//	@Tags			templates
//	@Security		bearer
//	@Produce		json
//	@Param			id				path		string	true	"id of the checklist"	format(uuid)
//	@Param			version			query		int		false	"an earlier version"	minimum(1)
//	@Param			Accept-Language	header		string	false	"zh-Hant, zh-Hans or en"
//	@Success		200				{object}	store.Checklist
//	@Header			200				{string}	ETag	"revision"
//	@Router			/v1/checklists/{id} [get]
func (s *Server) getChecklist(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	saved, err := s.checklists.Get(c.Request.Context(), key(c, id))
	if err != nil {
		return err
	}
	list := saved.Value
	if text := c.Query("version"); text != "" {
		var version int64
		if _, err := fmt.Sscanf(text, "%d", &version); err != nil || version < 1 {
			return badParameter("version", "a number from 1")
		}
		if list, err = s.readVersion(c.Request.Context(), storeID(c), visit.ChecklistRef{ID: id, Version: version}); err != nil {
			return err
		}
	}
	c.Header("ETag", etag(list.Revision, ""))
	c.Header("Vary", "Accept-Language")
	return sendValue(c, localized(c, list))
}

// putChecklist writes a new version of a checklist.
//
//	@Summary		Edit a checklist
//	@Description	Writes the next version. A signed sheet keeps the version that it was made with.
//	@ID				putChecklist
//	@Tags			templates
//	@Security		bearer
//	@Accept			json
//	@Produce		json
//	@Param			id			path		string		true	"id of the checklist"	format(uuid)
//	@Param			If-Match	header		string		true	"ETag of the checklist that was seen"
//	@Param			body		body		store.Draft	true	"name and items"
//	@Success		200			{object}	store.Checklist
//	@Header			200			{string}	ETag	"revision"
//	@Router			/v1/checklists/{id} [put]
func (s *Server) putChecklist(c *gin.Context) error {
	b, err := decode[store.Draft](c, maxSection)
	if err != nil {
		return err
	}
	if err := b.value.Check(); err != nil {
		return err
	}
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	var saved storage.Saved[store.Checklist]
	err = gathered(func() (err error) {
		saved, err = s.editChecklist(c, key(c, id), b.value)
		return err
	})
	if err != nil {
		return err
	}
	s.templates.forget(storeID(c))
	c.Header("ETag", etag(saved.Value.Revision, ""))
	send(c, http.StatusOK, saved.Doc.AppendJSON)
	return nil
}

// editChecklist files the version that stands and replaces it in the head. In this order no draft that was refused, and
// nothing of an edit that broke off, is ever a version. errMoved.
func (s *Server) editChecklist(c *gin.Context, id string, d store.Draft) (storage.Saved[store.Checklist], error) {
	ctx := c.Request.Context()
	seen, err := s.checklists.Get(ctx, id)
	if err != nil {
		return seen, err
	}
	if _, err := s.versions.Insert(ctx, seen.Value.Frozen()); err != nil && !errors.Is(err, storage.ErrExists) {
		return seen, fmt.Errorf("file version %d: %w", seen.Value.Version, err)
	}
	return s.checklists.Update(ctx, id, func(list *store.Checklist) error {
		if list.Says(d) {
			return storage.ErrUnchanged
		}
		if err := precondition(c, list.Revision, etag(list.Revision, "")); err != nil {
			return err
		}
		if list.Version != seen.Value.Version {
			return errMoved
		}
		return list.Edit(d, list.Version+1, domain.At(s.Now()))
	})
}

// PhraseList is the phrases of a store.
type PhraseList struct {
	Items      []FilledPhrase `json:"items"`
	NextCursor *string        `json:"next_cursor"`
}

// FilledPhrase is a phrase with its names filled in.
type FilledPhrase struct {
	store.Phrase
	Filled string `json:"filled" example:"您好,我是林美,很高興為您服務!"`
}

// listPhrases lists the phrases.
//
//	@Summary		List phrases of courtesy
//	@Description	What is said at each step, in each language (R10). With `visit_id`, `filled` carries the names of advisor, customer and store; without, those that are known.
//	@ID				listPhrases
//	@Tags			templates
//	@Security		bearer
//	@Produce		json
//	@Param			visit_id	query		string	false	"whose names are filled in"	format(uuid)
//	@Param			language	query		string	false	"one language"				Enums(zh-Hant, zh-Hans, en)
//	@Param			step		query		string	false	"one step"
//	@Success		200			{object}	PhraseList
//	@Header			200			{string}	ETag	"revision"
//	@Router			/v1/phrases [get]
func (s *Server) listPhrases(c *gin.Context) error {
	ctx := c.Request.Context()
	said, err := s.phrasesIn(ctx, storeID(c))
	if err != nil {
		return err
	}
	st, err := s.store(ctx, storeID(c))
	if err != nil {
		return err
	}
	v, err := s.namedVisit(c)
	if err != nil {
		return err
	}
	if step := store.Step(c.Query("step")); step != "" && !slices.Contains(store.Steps(), step) {
		return badParameter("step", "not a step")
	}
	if lang := domain.Language(c.Query("language")); lang != "" && !lang.Known() {
		return badParameter("language", "not a language")
	}
	list := PhraseList{Items: []FilledPhrase{}}
	for _, p := range said.All() {
		if lang, step := c.Query("language"), c.Query("step"); (lang == "" || lang == string(p.Language)) && (step == "" || step == string(p.Step)) {
			n := names(st, v, p.Language)
			if n.Advisor == "" {
				n.Advisor = principal(c).Name
			}
			list.Items = append(list.Items, FilledPhrase{Phrase: p, Filled: store.Fill(p.Text, n)})
		}
	}
	c.Header("ETag", etag(said.Revision, ""))
	return sendValue(c, list)
}

func (s *Server) namedVisit(c *gin.Context) (*visit.Visit, error) {
	id := c.Query("visit_id")
	if id == "" {
		return nil, nil //nolint:nilnil // no visit was named
	}
	if !domain.ValidID(id) {
		return nil, badParameter("visit_id", "not an id")
	}
	saved, err := s.visits.Get(c.Request.Context(), key(c, id))
	return &saved.Value, err
}

// PhraseRequest is a store's own sentence.
type PhraseRequest struct {
	Text string `json:"text" example:"您好,我是{advisor},很高興為您服務!" validate:"required" minLength:"1" maxLength:"2000"`
}

// putPhrase writes the store's own sentence.
//
//	@Summary		Edit a phrase
//	@Description	The store's own sentence for a step in a language. It may name {advisor}, {customer}, {salutation} and {store}.
//	@ID				putPhrase
//	@Tags			templates
//	@Security		bearer
//	@Accept			json
//	@Produce		json
//	@Param			step		path		string			true	"the step"
//	@Param			language	path		string			true	"the language"	Enums(zh-Hant, zh-Hans, en)
//	@Param			If-Match	header		string			true	"ETag of the phrases that were seen"
//	@Param			body		body		PhraseRequest	true	"the sentence"
//	@Success		200			{object}	PhraseList
//	@Header			200			{string}	ETag	"revision"
//	@Router			/v1/phrases/{step}/{language} [put]
func (s *Server) putPhrase(c *gin.Context) error {
	b, err := decode[PhraseRequest](c, maxBody)
	if err != nil {
		return err
	}
	step, lang := store.Step(c.Param("step")), domain.Language(c.Param("language"))
	if err := (store.Phrase{Step: step, Language: lang, Text: b.value.Text}).Check(); err != nil {
		return err
	}
	return s.changePhrases(c, func(p *store.Phrases) error {
		if p.Text(step, lang) == b.value.Text {
			return storage.ErrUnchanged
		}
		if err := precondition(c, p.Revision, etag(p.Revision, "")); err != nil {
			return err
		}
		return p.Set(step, lang, b.value.Text, domain.At(s.Now()))
	})
}

// deletePhrase goes back to the standard's own sentence.
//
//	@Summary		Reset a phrase
//	@Description	Goes back to the standard's own sentence.
//	@ID				deletePhrase
//	@Tags			templates
//	@Security		bearer
//	@Produce		json
//	@Param			step		path		string	true	"the step"
//	@Param			language	path		string	true	"the language"	Enums(zh-Hant, zh-Hans, en)
//	@Param			If-Match	header		string	true	"ETag of the phrases that were seen"
//	@Success		200			{object}	PhraseList
//	@Header			200			{string}	ETag	"revision"
//	@Router			/v1/phrases/{step}/{language} [delete]
func (s *Server) deletePhrase(c *gin.Context) error {
	return s.changePhrases(c, func(p *store.Phrases) error {
		if err := precondition(c, p.Revision, etag(p.Revision, "")); err != nil {
			return err
		}
		p.Reset(store.Step(c.Param("step")), domain.Language(c.Param("language")))
		return nil
	})
}

func (s *Server) changePhrases(c *gin.Context, change func(*store.Phrases) error) error {
	ctx := c.Request.Context()
	_, err := s.phrases.Update(ctx, storeID(c), change)
	if errors.Is(err, storage.ErrNotFound) {
		if _, err = s.phrases.Insert(ctx, store.NewPhrases(storeID(c))); err == nil || errors.Is(err, storage.ErrExists) {
			_, err = s.phrases.Update(ctx, storeID(c), change)
		}
	}
	if err != nil {
		return err
	}
	s.templates.forget(storeID(c))
	return s.listPhrases(c)
}
