package api

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/domain/store"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

func (s *Server) sectionRoutes() []route {
	return []route{
		{http.MethodGet, "/v1/visits/:id/intake", staff.AreaReadVisits, "", s.getIntake},
		{http.MethodPut, "/v1/visits/:id/intake", staff.AreaCapture, "", s.putIntake},
		{http.MethodGet, "/v1/visits/:id/inspection", staff.AreaReadVisits, "", s.getInspection},
		{http.MethodPut, "/v1/visits/:id/inspection", staff.AreaCapture, "", s.putInspection},
		{http.MethodPost, "/v1/visits/:id/inspection/revisions", staff.AreaCapture, "", s.reviseInspection},
	}
}

// IntakeSection is the intake with how it stands.
type IntakeSection struct {
	visit.Intake
	visit.Section
}

// InspectionSection is the walk-around with how it stands.
type InspectionSection struct {
	visit.Inspection
	visit.Section
}

// getIntake reads the intake.
//
//	@Summary		Read the intake
//	@Description	What the customer asks for, in his own words. `missing` names what still stands between it and the signature. Revision 0 was never saved.
//	@ID				getIntake
//	@Tags			visits
//	@Security		bearer
//	@Produce		json
//	@Param			id				path		string	true	"id of the visit"	format(uuid)
//	@Param			If-None-Match	header		string	false	"ETag that the client has"
//	@Success		200				{object}	IntakeSection
//	@Header			200				{string}	ETag	"revision and start of the digest"
//	@Success		304				"the client has it"
//	@Router			/v1/visits/{id}/intake [get]
func (s *Server) getIntake(c *gin.Context) error { return s.getSection(c, "intake") }

// getInspection reads the walk-around.
//
//	@Summary		Read the walk-around
//	@Description	The condition of the car at reception. `digest` names the sheet that the customer signs: intake and inspection together. `missing` names what still stands between it and the signature. Revision 0 was never saved.
//	@ID				getInspection
//	@Tags			visits
//	@Security		bearer
//	@Produce		json
//	@Param			id				path		string	true	"id of the visit"	format(uuid)
//	@Param			If-None-Match	header		string	false	"ETag that the client has"
//	@Success		200				{object}	InspectionSection
//	@Header			200				{string}	ETag	"revision and start of the digest"
//	@Success		304				"the client has it"
//	@Router			/v1/visits/{id}/inspection [get]
func (s *Server) getInspection(c *gin.Context) error { return s.getSection(c, "inspection") }

func (s *Server) getSection(c *gin.Context, name string) error {
	doc, err := s.rawVisit(c)
	if err != nil {
		return err
	}
	if notModified(c, sectionTag(standing(doc, name))) {
		return nil
	}
	sendSection(c, doc, name)
	return nil
}

// sendSection streams content and standing of a section from the stored document.
func sendSection(c *gin.Context, doc storage.Document, name string) {
	section, _ := doc.Sub("sections", name)
	content, saved := doc.Sub(name)
	send(c, http.StatusOK, func(dst []byte) []byte {
		dst = append(dst, '{')
		if saved {
			before := len(dst)
			if dst = content.AppendFields(dst); len(dst) > before {
				dst = append(dst, ',')
			}
		}
		return append(section.AppendFields(dst), '}')
	})
}

// putIntake saves the intake.
//
//	@Summary		Save the intake
//	@Description	Replaces the whole section, complete or not: null or absent means not yet (R3). A PUT that says what the last one said is answered 200 whatever its precondition.
//	@ID				putIntake
//	@Tags			visits
//	@Security		bearer
//	@Accept			json
//	@Produce		json
//	@Param			id					path		string			true	"id of the visit"	format(uuid)
//	@Param			If-Match			header		string			false	"ETag of the section that was seen"
//	@Param			If-None-Match		header		string			false	"* for the first PUT"
//	@Param			Walkaround-Device	header		string			false	"device"
//	@Param			body				body		visit.Intake	true	"the section"
//	@Success		200					{object}	IntakeSection
//	@Header			200					{string}	ETag	"revision and start of the digest"
//	@Failure		409					{object}	Problem	"section_frozen, wrong_state"
//	@Router			/v1/visits/{id}/intake [put]
func (s *Server) putIntake(c *gin.Context) error {
	b, err := decode[visit.Intake](c, maxSection)
	if err != nil {
		return err
	}
	if err := b.value.Check(); err != nil {
		return err
	}
	return s.putSection(c, "intake", b.sum, func(v *visit.Visit, now domain.Time) error {
		return v.SaveIntake(b.value, b.sum, saver(c), now)
	})
}

// putInspection saves the walk-around.
//
//	@Summary		Save the walk-around
//	@Description	Replaces the whole section, complete or not: null or absent means not yet (R4–R8). Left out, `checklist` and `consent` become the current ones of the store and are in the answer; a checklist version that the store does not have is 422. A PUT that says what the last one said is answered 200 whatever its precondition.
//	@ID				putInspection
//	@Tags			visits
//	@Security		bearer
//	@Accept			json
//	@Produce		json
//	@Param			id					path		string				true	"id of the visit"	format(uuid)
//	@Param			If-Match			header		string				false	"ETag of the section that was seen"
//	@Param			If-None-Match		header		string				false	"* for the first PUT"
//	@Param			Walkaround-Device	header		string				false	"device"
//	@Param			body				body		visit.Inspection	true	"the section"
//	@Success		200					{object}	InspectionSection
//	@Header			200					{string}	ETag	"revision and start of the digest"
//	@Failure		409					{object}	Problem	"section_frozen, wrong_state"
//	@Router			/v1/visits/{id}/inspection [put]
func (s *Server) putInspection(c *gin.Context) error {
	b, err := decode[visit.Inspection](c, maxSection)
	if err != nil {
		return err
	}
	if err := b.value.Check(); err != nil {
		return err
	}
	current, err := s.defaults(c.Request.Context(), storeID(c), b.value.Checklist)
	if err != nil {
		return err
	}
	return s.putSection(c, "inspection", b.sum, func(v *visit.Visit, now domain.Time) error {
		return v.SaveInspection(b.value, current.of(v), b.sum, saver(c), now)
	})
}

func saver(c *gin.Context) visit.Saver { return visit.Saver{Person: person(c), Device: device(c)} }

// putSection replaces a section if it still is what the client saw. What the last PUT said already succeeded: its
// answer was lost (RFC 9110 section 13.1.1).
func (s *Server) putSection(c *gin.Context, name, sum string, save func(*visit.Visit, domain.Time) error) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	saved, err := s.visits.Update(c.Request.Context(), key(c, id), func(v *visit.Visit) error {
		section := &v.Sections.Intake
		if name == visit.DocumentInspection {
			section = &v.Sections.Inspection
		}
		if section.Sent == sum {
			return storage.ErrUnchanged
		}
		if err := precondition(c, section.Revision, sectionTag(*section)); err != nil {
			return err
		}
		return save(v, domain.At(s.Now()))
	})
	if err != nil {
		return err
	}
	c.Header("ETag", sectionTag(standing(saved.Doc, name)))
	sendSection(c, saved.Doc, name)
	return nil
}

// RevisionRequest opens a new revision, or adopts a sheet that was signed in conflict. Exactly one of the two.
type RevisionRequest struct {
	Reason string `json:"reason,omitempty" maxLength:"500" example:"the customer remembered another bag"`
	Adopt  string `json:"adopt,omitempty" format:"uuid"`
}

// reviseInspection opens a new revision of the signed sheet.
//
//	@Summary		Open a new revision
//	@Description	A signed sheet is frozen. `reason` opens a new revision, which needs a new signature; the old seal is current until then and stays. `adopt`, with the id of a signature that is marked `conflict`, makes its sheet the current one. Exactly one of the two is sent. The answer is the visit.
//	@ID				reviseInspection
//	@Tags			signatures
//	@Security		bearer
//	@Accept			json
//	@Produce		json
//	@Param			id		path		string			true	"id of the visit"	format(uuid)
//	@Param			body	body		RevisionRequest	true	"why, or which"
//	@Success		201		{object}	visit.Visit
//	@Header			201		{string}	ETag	"revision and start of the digest"
//	@Failure		409		{object}	Problem	"not_signed, reason_missing, wrong_state"
//	@Router			/v1/visits/{id}/inspection/revisions [post]
func (s *Server) reviseInspection(c *gin.Context) error {
	b, err := decode[RevisionRequest](c, maxBody)
	if err != nil {
		return err
	}
	var f domain.Faults
	f.Text("/reason", b.value.Reason, 500)
	if b.value.Adopt != "" {
		f.ID("/adopt", b.value.Adopt)
		if b.value.Reason != "" {
			f.Add("/reason", domain.CodeInvalid, "either reason or adopt")
		}
	}
	if f.Err() != nil {
		return f.Err()
	}
	if b.value.Adopt != "" {
		return gathered(func() error { return s.adopt(c, b.sum, b.value.Adopt) })
	}
	return s.changeVisit(c, b.sum, func(v *visit.Visit, now domain.Time) (effect, error) {
		return effect{status: http.StatusCreated, body: stored(v)}, v.Reopen(b.value.Reason, person(c), now)
	})
}

// adopt gathers what an adopted sheet brings along, and adopts it. errMoved.
func (s *Server) adopt(c *gin.Context, bodySum, signatureID string) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	before, err := s.visits.Get(c.Request.Context(), key(c, id))
	if err != nil {
		return err
	}
	brought, err := s.adopted(c.Request.Context(), &before.Value, signatureID)
	if err != nil {
		return err
	}
	return s.changeVisit(c, bodySum, func(v *visit.Visit, now domain.Time) (effect, error) {
		e := effect{status: http.StatusCreated, body: stored(v)}
		if _, err := v.MayAdopt(signatureID); err != nil {
			return e, err
		}
		if !brought.judged || v.Revision != before.Value.Revision {
			return e, errMoved
		}
		return e, v.Adopt(signatureID, brought.sheet, brought.found, brought.required, person(c), now)
	})
}

// adoption is what a sheet that is adopted brings along.
type adoption struct {
	judged   bool // it may be adopted
	sheet    visit.Sheet
	found    visit.Found
	required []string
}

// adopted reads the sheet back and looks up whom it names; nothing when it may not be adopted: then the change is refused, or
// the repeat of one that was made.
func (s *Server) adopted(ctx context.Context, v *visit.Visit, signatureID string) (a adoption, err error) {
	sig, refused := v.MayAdopt(signatureID)
	if refused != nil {
		return a, nil //nolint:nilerr // the change is judged, and refused, where its repeat is known
	}
	if a.sheet, err = s.signedSheet(ctx, v, sig); err != nil {
		return a, err
	}
	if a.required, err = s.requiredBy(ctx, v.StoreID, a.sheet.Checklist); err != nil {
		return a, err
	}
	a.judged = true
	a.found, err = s.findAgain(ctx, v, a.sheet.Arrival(), domain.At(s.Now()))
	return a, err
}

// requiredBy gives the codes that a version of a checklist demands; nil for none named.
func (s *Server) requiredBy(ctx context.Context, storeID string, ref *visit.ChecklistRef) ([]string, error) {
	if ref == nil {
		return nil, nil
	}
	list, err := s.checklistVersion(ctx, storeID, *ref)
	if err != nil {
		return nil, err
	}
	return list.Required(), nil
}

// defaults are what the server writes into a walk-around that left them out, read before the visit is changed.
type defaults struct {
	checklist store.Checklist // the one that the section names, else the current one
	store     store.Store
	phrases   store.Phrases
}

func (s *Server) defaults(ctx context.Context, storeID string, named *visit.ChecklistRef) (d defaults, err error) {
	if named == nil {
		d.checklist, err = s.currentChecklist(ctx, storeID)
	} else {
		d.checklist, err = s.checklistVersion(ctx, storeID, *named)
	}
	if err != nil {
		return d, err
	}
	if d.store, err = s.store(ctx, storeID); err != nil {
		return d, err
	}
	d.phrases, err = s.phrasesIn(ctx, storeID)
	return d, err
}

// of gives what a visit's walk-around is completed with.
func (d defaults) of(v *visit.Visit) visit.Defaults {
	return visit.Defaults{
		Checklist: visit.ChecklistRef{ID: d.checklist.ID, Version: d.checklist.Version},
		Required:  d.checklist.Required(), Consent: consent(d.store, d.phrases, v),
	}
}
