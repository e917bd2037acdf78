package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/store"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

// templateDigest names what a version of a checklist asks, and in which words: what is printed beside the answers. The
// signature's event holds it, since the canonical form names the version alone.
func templateDigest(c store.Checklist) (string, error) {
	raw, err := json.Marshal(store.Checklist{
		ID: c.ID, StoreID: c.StoreID, Name: c.Name, Names: c.Names, Kind: c.Kind, Version: c.Version, Items: c.Items,
	})
	if err != nil {
		return "", fmt.Errorf("template: %w", err)
	}
	form, err := evidence.Canonical(raw)
	if err != nil {
		return "", fmt.Errorf("template: %w", err)
	}
	return evidence.Digest(form), nil
}

// templateOf is the digest of the version that a sheet names; empty when it names none.
func (s *Server) templateOf(ctx context.Context, storeID string, ref *visit.ChecklistRef) (string, error) {
	if ref == nil {
		return "", nil
	}
	list, err := s.checklistVersion(ctx, storeID, *ref)
	if err != nil {
		return "", err
	}
	return templateDigest(list)
}

// sheetTemplate is one version of a checklist as the files have it.
type sheetTemplate struct {
	there    bool
	where    string   // its row
	digests  []string // of its row and of the row of the head, where that says this version too
	required []string
}

// templateRows walks the checklists. The version that stands may have a row of its own too: they are alike.
func (k *checker) templateRows(ctx context.Context) error {
	if err := values(ctx, k, k.versions, nil); err != nil {
		return err
	}
	return values(ctx, k, k.checklists, func(ctx context.Context, head store.Checklist) error {
		t, err := k.template(ctx, head.StoreID, visit.ChecklistRef{ID: head.ID, Version: head.Version})
		if err == nil && len(slices.Compact(slices.Clone(t.digests))) > 1 {
			k.find("row", "checklists/"+head.StoreID+"/"+head.ID, "it is not what its version %d says", head.Version)
		}
		return err
	})
}

// template reads a version of a checklist, each once.
func (k *checker) template(ctx context.Context, storeID string, ref visit.ChecklistRef) (sheetTemplate, error) {
	id := store.VersionID(storeID, ref.ID, ref.Version)
	if known, ok := k.templates[id]; ok {
		return known, nil
	}
	t := sheetTemplate{where: "checklist_versions/" + id}
	head, there, unknown, err := look(ctx, k.checklists, storeID+"/"+ref.ID)
	if err != nil {
		return t, err
	}
	own, kept, damaged, err := look(ctx, k.versions, id)
	if err != nil {
		return t, err
	}
	for _, list := range []struct {
		there bool
		store.Checklist
	}{{kept, own}, {there && head.Version == ref.Version, head}} {
		if !list.there {
			continue
		}
		digest, err := templateDigest(list.Checklist)
		if err != nil {
			return t, errors.Join(storage.ErrCorrupt, err)
		}
		t.there, t.digests, t.required = true, append(t.digests, digest), list.Required()
	}
	if !t.there && (unknown || damaged) { // reported with its row
		t.where = ""
	}
	k.templates[id] = t
	return t, nil
}

// asked holds what a visit demands of its walk-around against the version of the checklist that it names.
func (k *checker) asked(ctx context.Context, where string, v *visit.Visit) error {
	if v.Inspection == nil || v.Inspection.Checklist == nil {
		if len(v.Required) > 0 {
			k.find("section", where, "the items that it demands are those of no checklist")
		}
		return nil
	}
	t, err := k.template(ctx, v.StoreID, *v.Inspection.Checklist)
	switch {
	case err != nil || t.where == "":
		return err
	case !t.there:
		k.lose("checklist_versions", store.VersionID(v.StoreID, v.Inspection.Checklist.ID, v.Inspection.Checklist.Version), "it is gone; %s answers it", where)
	case !slices.Equal(v.Required, t.required):
		k.find("section", where, "the items that it demands are not those of its checklist")
	}
	return nil
}

// answered holds the template that a signed sheet names against the one that its event tells.
func (k *checker) answered(ctx context.Context, where string, v *visit.Visit, sig *visit.Signature, told *visit.Told) error {
	if told == nil || told.Template == "" {
		return nil
	}
	sheet, ok, err := k.signedSheet(ctx, v.StoreID, sig)
	if err != nil || !ok || sheet.Checklist == nil {
		return err
	}
	t, err := k.template(ctx, v.StoreID, *sheet.Checklist)
	switch {
	case err != nil || t.where == "":
		return err
	case !t.there:
		k.lose("checklist_versions", store.VersionID(v.StoreID, sheet.Checklist.ID, sheet.Checklist.Version), "it is gone; %s answers it", where)
	case slices.ContainsFunc(t.digests, func(d string) bool { return d != told.Template }) && !k.told[t.where]:
		k.told[t.where] = true
		k.find("row", t.where, "it is not the template that signature %s of %s answered", sig.ID, where)
	}
	return nil
}
