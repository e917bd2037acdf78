package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/domain/store"
	"example.com/walkaround/storage"
)

const codeIDTakenStore domain.Code = "store_id_taken"

func (s *Server) storeRoutes() []route {
	return []route{
		{http.MethodGet, "/v1/stores", staff.AreaAccount, "limit cursor", s.listStores},
		{http.MethodPost, "/v1/stores", staff.AreaAdministration, "", s.createStore},
		{http.MethodGet, "/v1/stores/:id", staff.AreaAccount, "", s.getStore},
		{http.MethodPatch, "/v1/stores/:id", staff.AreaManageStore, "", s.patchStore},
	}
}

func storesOf(e storage.Engine) *storage.Collection[store.Store] {
	return storage.NewCollection(e, storage.Shape[store.Store]{
		Name: "stores", ID: func(st *store.Store) string { return st.ID },
		Keys: []storage.Key[store.Store]{{Name: "id", Values: func(st *store.Store) []string { return []string{st.ID} }}},
	})
}

// StoreList is a page of stores.
type StoreList struct {
	Items      []store.Store `json:"items"`
	NextCursor *string       `json:"next_cursor"`
}

// listStores lists the stores within reach.
//
//	@Summary		List stores
//	@Description	One's own store; for a chain-wide account, all. A chain-wide account names the store that a request is about in the header Walkaround-Store.
//	@ID				listStores
//	@Tags			stores
//	@Security		bearer
//	@Produce		json
//	@Param			limit	query		int		false	"entries a page, 1 to 200"	minimum(1)	maximum(200)	default(50)
//	@Param			cursor	query		string	false	"next_cursor of the page before"
//	@Success		200		{object}	StoreList
//	@Header			200		{string}	Link	"the next page, rel=next"
//	@Router			/v1/stores [get]
func (s *Server) listStores(c *gin.Context) error {
	q, err := listQuery(c, "id", "")
	if err != nil {
		return err
	}
	if !principal(c).ChainWide {
		q.Equal = storeID(c)
	}
	page, err := s.stores.Find(c.Request.Context(), q)
	if err != nil {
		return err
	}
	s.sendList(c, page, nil)
	return nil
}

// NewStore opens a store.
type NewStore struct {
	ID   string `json:"id" example:"north" pattern:"^[a-z0-9][a-z0-9-]{0,31}$" validate:"required"`
	Name string `json:"name" example:"北區店" validate:"required" minLength:"1" maxLength:"80"`
}

// createStore opens a store.
//
//	@Summary		Open a store
//	@Description	For chain-wide admins. It begins with the default checklist and the standard's phrases; change its settings afterwards.
//	@ID				createStore
//	@Tags			stores
//	@Security		bearer
//	@Accept			json
//	@Produce		json
//	@Param			body	body		NewStore	true	"id and name"
//	@Success		201		{object}	store.Store
//	@Header			201		{string}	Location	"path of the store"
//	@Header			201		{string}	ETag		"revision"
//	@Failure		409		{object}	Problem		"store_id_taken"
//	@Router			/v1/stores [post]
func (s *Server) createStore(c *gin.Context) error {
	if !principal(c).ChainWide {
		return domain.Refuse(codeForbidden, "only a chain-wide admin opens a store")
	}
	b, err := decode[NewStore](c, maxBody)
	if err != nil {
		return err
	}
	fresh := store.New(b.value.ID, b.value.Name, domain.At(s.Now()))
	if err := fresh.Check(); err != nil {
		return err
	}
	a, err := attemptOf(c, b.sum)
	if err != nil {
		return err
	}
	location := "/v1/stores/" + fresh.ID
	answer, err := a.remember(&fresh.Answers, effect{status: http.StatusCreated, location: location, etag: etag(fresh.Revision, ""), body: stored(&fresh)}, fresh.CreatedAt)
	if err != nil {
		return err
	}
	made, again, err := s.openStore(c.Request.Context(), fresh, a)
	if err != nil {
		return err
	}
	if again {
		answer = made
	}
	replay(c, answer, again)
	return nil
}

// openStore stores a new store with what it begins with. Its repeat with the same key is told the first answer.
func (s *Server) openStore(ctx context.Context, fresh store.Store, a attempt) (domain.Answer, bool, error) {
	list := store.DefaultChecklist(fresh.ID, fresh.CreatedAt)
	if _, err := s.versions.Insert(ctx, list.Frozen()); err != nil && !errors.Is(err, storage.ErrExists) {
		return domain.Answer{}, false, fmt.Errorf("default checklist: %w", err)
	}
	if _, err := s.checklists.Insert(ctx, list); err != nil && !errors.Is(err, storage.ErrExists) {
		return domain.Answer{}, false, fmt.Errorf("default checklist: %w", err)
	}
	_, err := s.stores.Insert(ctx, fresh)
	if !errors.Is(err, storage.ErrExists) {
		return domain.Answer{}, false, err
	}
	standing, err := s.stores.Get(ctx, fresh.ID)
	if err != nil {
		return domain.Answer{}, false, err
	}
	answer, known, err := standing.Value.Answers.Recall(a.key, a.body)
	if err != nil || known {
		return answer, known, err
	}
	return answer, false, domain.Refuse(codeIDTakenStore, "there is a store with this id")
}

// reachable holds a store's id to what the caller may reach.
func reachable(c *gin.Context) (string, error) {
	id := c.Param("id")
	if !store.ValidID(id) || !principal(c).Reaches(id) {
		return "", domain.Refuse(domain.CodeNotFound, "no such store")
	}
	return id, nil
}

// getStore reads a store.
//
//	@Summary		Read a store
//	@Description	Name, address, market, time zone, languages, currency, limit of waiting.
//	@ID				getStore
//	@Tags			stores
//	@Security		bearer
//	@Produce		json
//	@Param			id				path		string	true	"id of the store"
//	@Param			If-None-Match	header		string	false	"ETag that the client has"
//	@Success		200				{object}	store.Store
//	@Header			200				{string}	ETag	"revision"
//	@Success		304				"the client has it"
//	@Router			/v1/stores/{id} [get]
func (s *Server) getStore(c *gin.Context) error {
	id, err := reachable(c)
	if err != nil {
		return err
	}
	doc, _, err := s.stores.Raw(c.Request.Context(), id)
	if err != nil {
		return err
	}
	revision, _ := doc.Int("revision")
	if !notModified(c, etag(revision, "")) {
		send(c, http.StatusOK, doc.AppendJSON)
	}
	return nil
}

// patchStore changes the settings of a store.
//
//	@Summary		Change a store's settings
//	@Description	What is left out stays.
//	@ID				patchStore
//	@Tags			stores
//	@Security		bearer
//	@Accept			json
//	@Produce		json
//	@Param			id			path		string		true	"id of the store"
//	@Param			If-Match	header		string		true	"ETag of the store that was seen"
//	@Param			body		body		store.Patch	true	"what is to be changed"
//	@Success		200			{object}	store.Store
//	@Header			200			{string}	ETag	"revision"
//	@Router			/v1/stores/{id} [patch]
func (s *Server) patchStore(c *gin.Context) error {
	id, err := reachable(c)
	if err != nil {
		return err
	}
	b, err := decode[store.Patch](c, maxBody)
	if err != nil {
		return err
	}
	saved, err := s.stores.Update(c.Request.Context(), id, func(st *store.Store) error {
		if err := precondition(c, st.Revision, etag(st.Revision, "")); err != nil {
			return err
		}
		return st.Apply(b.value, domain.At(s.Now()))
	})
	if err != nil {
		return err
	}
	s.templates.forget(id)
	c.Header("ETag", etag(saved.Value.Revision, ""))
	send(c, http.StatusOK, saved.Doc.AppendJSON)
	return nil
}
