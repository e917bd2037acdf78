package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/errgroup"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/domain/store"
	"example.com/walkaround/domain/vehicle"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

func (s *Server) visitRoutes() []route {
	return []route{
		{http.MethodPost, "/v1/visits", staff.AreaAnnounce, "", s.arrive},
		{http.MethodGet, "/v1/visits", staff.AreaReadVisits, "limit cursor state waiting plate number vehicle_id customer_id advisor_id", s.listVisits},
		{http.MethodGet, "/v1/visits/:id", staff.AreaReadVisits, "", s.getVisit},
		{http.MethodPatch, "/v1/visits/:id", staff.AreaCapture, "", s.correctVisit},
		{http.MethodPost, "/v1/visits/:id/take", staff.AreaCapture, "", s.takeVisit},
		{http.MethodPost, "/v1/visits/:id/cancel", staff.AreaCapture, "", s.cancelVisit},
		{http.MethodPost, "/v1/visits/:id/copies", staff.AreaCapture, "", s.giveCopy},
		{http.MethodGet, "/v1/visits/:id/events", staff.AreaReadVisits, "", s.listEvents},
	}
}

func visitsOf(e storage.Engine) *storage.Collection[visit.Visit] {
	one := func(s string) []string { return []string{s} }
	by := func(v *visit.Visit, part string) []string {
		if part == "" {
			return nil
		}
		return one(v.StoreID + "/" + part + "/" + v.ArrivedAt.String())
	}
	return storage.NewCollection(e, storage.Shape[visit.Visit]{
		Name: "visits",
		ID:   func(v *visit.Visit) string { return v.StoreID + "/" + v.ID },
		Keys: []storage.Key[visit.Visit]{
			{Name: "arrived", Values: func(v *visit.Visit) []string { return one(v.StoreID + "/" + v.ArrivedAt.String()) }},
			{Name: "state", Values: func(v *visit.Visit) []string { return by(v, string(v.State)) }},
			{Name: "waiting", Values: func(v *visit.Visit) []string {
				if !v.Waiting() {
					return nil
				}
				return one(v.StoreID + "/" + v.ArrivedAt.String())
			}},
			{Name: "plate", Values: func(v *visit.Visit) []string { return by(v, vehicle.NormalizePlate(v.Plate)) }},
			{Name: "number", Values: func(v *visit.Visit) []string { return one(v.StoreID + "/" + v.Number) }},
			{Name: "vehicle", Values: func(v *visit.Visit) []string { return by(v, v.VehicleID) }},
			{Name: "customer", Values: func(v *visit.Visit) []string { return by(v, v.CustomerID) }},
			{Name: "advisor", Values: func(v *visit.Visit) []string { return by(v, v.AdvisorID) }},
			{Name: "pending", Values: func(v *visit.Visit) []string { return v.Outbox.PendingKey() }},
			{Name: "failed", Values: func(v *visit.Visit) []string { return v.Outbox.FailedKey() }},
		},
		Summary: func(v *visit.Visit) any { return summarize(v) },
	})
}

// arrive opens a visit: a plate or a VIN is enough.
//
//	@Summary		Open a visit
//	@Description	A plate or a VIN is enough (R1, R2). The vehicle and the customer are found in the store's files, or made; `known` fills in the rest, `warnings` names what an advisor should look at: `vin_check_digit`, `odometer_lower`, `phone_unreadable`, `plate_of_other_vehicle`.
//	@Description	Make `id` yourself (UUIDv7), so that a repeat after a lost answer is the same creation; without it the server makes one. The visit begins in state `arrived`; an open visit of the same car refuses nothing.
//	@ID				openVisit
//	@Tags			visits
//	@Security		bearer
//	@Accept			json
//	@Produce		json
//	@Param			body	body		visit.Arrival	true	"who has come"
//	@Success		201		{object}	visit.Visit
//	@Header			201		{string}	Location	"path of the visit"
//	@Header			201		{string}	ETag		"revision and start of the digest"
//	@Failure		409		{object}	Problem		"id_taken, request_running, vin_differs"
//	@Router			/v1/visits [post]
func (s *Server) arrive(c *gin.Context) error {
	b, err := decode[visit.Arrival](c, maxBody)
	if err != nil {
		return err
	}
	if err := checkArrival(b.value); err != nil {
		return err
	}
	a, err := s.begin(c, b.sum, b.value.ID)
	if err != nil {
		return err
	}
	if a.seen || a.key == "" && b.value.ID != "" {
		if done, err := s.recallVisit(c, a); done || err != nil {
			return err
		}
	}
	if err := s.open(c, a, b.value); err != nil {
		s.lapse(c, a)
		return err
	}
	return nil
}

// recallVisit answers a creation whose visit is there, before anything is made for it.
func (s *Server) recallVisit(c *gin.Context, a attempt) (bool, error) {
	saved, err := s.visits.Get(c.Request.Context(), key(c, a.id))
	switch {
	case err == nil:
		return true, s.sameVisit(c, a, saved.Value)
	case !errors.Is(err, storage.ErrNotFound):
		return false, err
	case a.seen:
		return false, s.running(c, a)
	default:
		return false, nil
	}
}

// sameVisit answers a creation whose id is there: the same body is the same creation, another is refused.
func (s *Server) sameVisit(c *gin.Context, a attempt, v visit.Visit) error {
	if v.Opened.Body != a.body || v.Opened.Key != principal(c).AccountID {
		return domain.Refuse(domain.CodeIDTaken, "another visit has this id")
	}
	replay(c, v.Opened, true)
	return nil
}

// openedError ends the look-up of an arrival whose visit is there already.
type openedError struct{ visit.Visit }

func (openedError) Error() string { return "the visit is there" }

// unlessOpened refuses to make anything for a visit that is there. One whose key is new most often is not, and a known car
// and customer need nothing made: then the insert of the visit itself decides, and nobody has to ask before.
func (s *Server) unlessOpened(id string) func(context.Context) error {
	return func(ctx context.Context) error {
		saved, err := s.visits.Get(ctx, id)
		switch {
		case err == nil:
			return openedError{saved.Value}
		case errors.Is(err, storage.ErrNotFound):
			return nil
		default:
			return err
		}
	}
}

// open finds car and customer, gives the number and stores the visit.
func (s *Server) open(c *gin.Context, a attempt, arrival visit.Arrival) error {
	ctx, now := c.Request.Context(), domain.At(s.Now())
	st, err := s.store(ctx, storeID(c))
	if err != nil {
		return err
	}
	number, found, err := s.lookUp(ctx, st, a.id, arrival, now)
	if before, ok := errors.AsType[openedError](err); ok {
		return s.sameVisit(c, a, before.Visit)
	} else if err != nil {
		return err
	}
	gate := !staff.Allows(principal(c).Roles, staff.AreaCapture)
	v := visit.Arrive(visit.Opening{ID: a.id, StoreID: st.ID, Number: number, By: person(c), Gate: gate, At: now}, arrival, found)
	if v.Opened, err = openedAnswer(c, a, v, gate); err != nil {
		return err
	}
	_, err = s.visits.Insert(ctx, v)
	if errors.Is(err, storage.ErrExists) {
		saved, err := s.visits.Get(ctx, key(c, v.ID))
		if err != nil {
			return err
		}
		return s.sameVisit(c, a, saved.Value)
	} else if err != nil {
		return err
	}
	replay(c, v.Opened, false)
	return nil
}

// lookUp finds car and customer and gives the number, side by side. The number of an arrival that is refused is a gap.
func (s *Server) lookUp(
	ctx context.Context, st store.Store, id string, arrival visit.Arrival, now domain.Time,
) (number string, found visit.Found, err error) {
	var g errgroup.Group
	g.Go(func() (err error) {
		number, err = s.number(ctx, st, id, now.Time)
		return err
	})
	found, err = s.find(ctx, st, &visit.Visit{ID: id, ArrivedAt: now}, arrival, now, s.unlessOpened(st.ID+"/"+id))
	err = cmp.Or(err, g.Wait())
	return number, found, err
}

// openedAnswer is what the arrival is answered, the first time and again.
func openedAnswer(c *gin.Context, a attempt, v visit.Visit, gate bool) (domain.Answer, error) {
	shown := v
	if gate {
		shown = v.Announced()
	}
	encoded, err := storage.JSON(shown)
	return domain.Answer{
		Key: principal(c).AccountID, Body: a.body, Status: http.StatusCreated, ETag: visitTag(&v), Location: "/v1/visits/" + v.ID,
		Response: encoded, At: v.ArrivedAt,
	}, err
}

// getVisit reads a visit.
//
//	@Summary		Read a visit
//	@Description	The visit with its state, and for each section revision, digest and what is still missing. The sections themselves are resources of their own.
//	@ID				getVisit
//	@Tags			visits
//	@Security		bearer
//	@Produce		json
//	@Param			id				path		string	true	"id of the visit"	format(uuid)
//	@Param			If-None-Match	header		string	false	"ETag that the client has"
//	@Success		200				{object}	visit.Visit
//	@Header			200				{string}	ETag	"revision and start of the digest"
//	@Success		304				"the client has it"
//	@Router			/v1/visits/{id} [get]
func (s *Server) getVisit(c *gin.Context) error {
	doc, err := s.rawVisit(c)
	if err != nil {
		return err
	}
	if notModified(c, storedTag(doc)) {
		return nil
	}
	send(c, http.StatusOK, doc.AppendJSON)
	return nil
}

func (s *Server) rawVisit(c *gin.Context) (storage.Document, error) {
	id, err := pathID(c, "id")
	if err != nil {
		return storage.Document{}, err
	}
	doc, _, err := s.visits.Raw(c.Request.Context(), key(c, id))
	return doc, err
}

// correctVisit corrects what was typed at the arrival.
//
//	@Summary		Correct the arrival
//	@Description	Replaces plate, VIN, odometer or customer as typed; what is left out stays. Vehicle and customer are looked up again. They stand on the sheet: once it is signed, open a new revision first.
//	@ID				correctVisit
//	@Tags			visits
//	@Security		bearer
//	@Accept			json
//	@Produce		json
//	@Param			id			path		string				true	"id of the visit"	format(uuid)
//	@Param			If-Match	header		string				true	"ETag of the visit that was seen"
//	@Param			body		body		visit.Correction	true	"what is to be replaced"
//	@Success		200			{object}	visit.Visit
//	@Header			200			{string}	ETag	"revision and start of the digest"
//	@Failure		409			{object}	Problem	"section_frozen, wrong_state, vin_differs"
//	@Router			/v1/visits/{id} [patch]
func (s *Server) correctVisit(c *gin.Context) error {
	b, err := decode[visit.Correction](c, maxBody)
	if err != nil {
		return err
	}
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	ctx, now := c.Request.Context(), domain.At(s.Now())
	before, err := s.visits.Get(ctx, key(c, id))
	if err != nil {
		return err
	}
	arrival := b.value.Apply(before.Value)
	if err := mayCorrect(c, &before.Value, arrival); err != nil {
		return err
	}
	found, err := s.findAgain(ctx, &before.Value, arrival, now)
	if err != nil {
		return err
	}
	saved, err := s.visits.Update(ctx, key(c, id), func(v *visit.Visit) error {
		if v.Revision != before.Value.Revision { // whatever If-Match says: another arrival was looked up
			c.Header("ETag", visitTag(v))
			return domain.Refuse(codePreconditionFailed, "the visit was changed at the same moment; its current ETag is %s", visitTag(v))
		}
		return v.Correct(arrival, found, person(c), now)
	})
	if err != nil {
		return err
	}
	s.follow(ctx, &saved.Value)
	c.Header("ETag", visitTag(&saved.Value))
	send(c, http.StatusOK, saved.Doc.AppendJSON)
	return nil
}

// mayCorrect judges a correction before anything is looked up or made for it.
func mayCorrect(c *gin.Context, v *visit.Visit, a visit.Arrival) error {
	if err := checkArrival(a); err != nil {
		return err
	}
	if err := precondition(c, v.Revision, visitTag(v)); err != nil {
		return err
	}
	return v.MayCorrect()
}

// takeVisit gives the visit to the caller.
//
//	@Summary		Receive the car
//	@Description	The caller takes the visit: he is its advisor from now on. Any role that captures may, and another may take it over.
//	@ID				takeVisit
//	@Tags			visits
//	@Security		bearer
//	@Produce		json
//	@Param			id	path		string	true	"id of the visit"	format(uuid)
//	@Success		200	{object}	visit.Visit
//	@Header			200	{string}	ETag	"revision and start of the digest"
//	@Failure		409	{object}	Problem	"wrong_state"
//	@Router			/v1/visits/{id}/take [post]
func (s *Server) takeVisit(c *gin.Context) error {
	if err := noBody(c); err != nil {
		return err
	}
	return s.changeVisit(c, "", func(v *visit.Visit, now domain.Time) (effect, error) {
		return wholeVisit(v), v.Take(person(c), now)
	})
}

// changeVisit lets a POST change a visit one time, and does what must be readable as soon as it is answered: also when the
// answer is told again, for the first time it may have been left to the relay.
func (s *Server) changeVisit(c *gin.Context, bodySum string, change func(*visit.Visit, domain.Time) (effect, error)) error {
	out, err := once(s, c, s.visitsKept(), bodySum, change)
	if err != nil {
		return err
	}
	s.follow(c.Request.Context(), &out.doc)
	replay(c, out.answer, out.again)
	return nil
}

// visitsKept says that visits remember what their POSTs were answered.
func (s *Server) visitsKept() keeper[visit.Visit] {
	return keeper[visit.Visit]{s.visits, func(v *visit.Visit) *domain.Answers { return &v.Answers }, visitTag}
}

// wholeVisit answers with the visit as it stands after the change.
func wholeVisit(v *visit.Visit) effect {
	return effect{status: http.StatusOK, body: stored(v)}
}

// CancelRequest ends a visit.
type CancelRequest struct {
	Reason        string `json:"reason" maxLength:"500" validate:"required" minLength:"1"`
	CoversRemoved bool   `json:"covers_removed,omitempty"` // needed once covers are fitted
}

// cancelVisit ends a visit before the workshop took the car.
//
//	@Summary		Cancel a visit
//	@Description	Before the workshop took the car, with a reason; covers that were fitted must be off the car again.
//	@ID				cancelVisit
//	@Tags			visits
//	@Security		bearer
//	@Accept			json
//	@Produce		json
//	@Param			id		path		string			true	"id of the visit"	format(uuid)
//	@Param			body	body		CancelRequest	true	"why"
//	@Success		200		{object}	visit.Visit
//	@Header			200		{string}	ETag	"revision and start of the digest"
//	@Failure		409		{object}	Problem	"wrong_state, reason_missing, covers_not_removed"
//	@Router			/v1/visits/{id}/cancel [post]
func (s *Server) cancelVisit(c *gin.Context) error {
	b, err := decode[CancelRequest](c, maxBody)
	if err != nil {
		return err
	}
	var f domain.Faults
	if f.Text("/reason", b.value.Reason, 500); f.Err() != nil {
		return f.Err()
	}
	return s.changeVisit(c, b.sum, func(v *visit.Visit, now domain.Time) (effect, error) {
		return wholeVisit(v), v.Cancel(b.value.Reason, b.value.CoversRemoved, person(c), now)
	})
}

// CopyRequest records that the customer was given his copy.
type CopyRequest struct {
	Digest string         `json:"digest" validate:"required" pattern:"^sha256:[0-9a-f]{64}$"`
	Kind   visit.CopyKind `json:"kind" validate:"required"`
}

// giveCopy records that the customer was given his copy of a sealed document.
//
//	@Summary		Record the customer's copy
//	@Description	The customer gets his copy of the sealed sheet at once, on paper or as a link; this records that he did. `digest` is that of a signed sheet of this visit.
//	@ID				giveCopy
//	@Tags			visits
//	@Security		bearer
//	@Accept			json
//	@Produce		json
//	@Param			id		path		string		true	"id of the visit"	format(uuid)
//	@Param			body	body		CopyRequest	true	"which document, and how"
//	@Success		200		{object}	visit.Visit
//	@Header			200		{string}	ETag	"revision and start of the digest"
//	@Failure		409		{object}	Problem	"not_signed"
//	@Router			/v1/visits/{id}/copies [post]
func (s *Server) giveCopy(c *gin.Context) error {
	b, err := decode[CopyRequest](c, maxBody)
	if err != nil {
		return err
	}
	var f domain.Faults
	f.Required("/kind", string(b.value.Kind), 20)
	domain.OneOf(&f, "/kind", b.value.Kind, visit.CopyPaper, visit.CopyLink)
	if !evidence.ValidDigest(b.value.Digest) {
		f.Add("/digest", domain.CodeMalformed, "not a digest")
	}
	if f.Err() != nil {
		return f.Err()
	}
	return s.changeVisit(c, b.sum, func(v *visit.Visit, now domain.Time) (effect, error) {
		return wholeVisit(v), v.GiveCopy(b.value.Digest, b.value.Kind, person(c), now)
	})
}

// EventList is the chain of a visit's events.
type EventList struct {
	Items      []evidence.Event `json:"items"`
	NextCursor *string          `json:"next_cursor"`
}

// listEvents reads the chain of events.
//
//	@Summary		Read a visit's events
//	@Description	What happened, oldest first, all of it in one answer: `arrived`, `taken`, `corrected`, `saved` (one a section, device and five minutes), `photo_stored`, `recording_stored`, `signed`, `reopened`, `adopted`, `copy_given`, `cancelled`.
//	@Description	Each event holds the hash of the one before: SHA-256 over the canonical JSON (RFC 8785) of subject (the id of the visit), seq, type, at, by, data and prev.
//	@ID				listEvents
//	@Tags			visits
//	@Security		bearer
//	@Produce		json
//	@Param			id	path		string	true	"id of the visit"	format(uuid)
//	@Success		200	{object}	EventList
//	@Router			/v1/visits/{id}/events [get]
func (s *Server) listEvents(c *gin.Context) error {
	doc, err := s.rawVisit(c)
	if err != nil {
		return err
	}
	sendZipped(c, func(dst []byte) []byte {
		dst = append(dst, `{"items":`...)
		if events, ok := doc.Sub("events"); ok {
			dst = events.AppendJSON(dst)
		} else {
			dst = append(dst, "[]"...)
		}
		return append(dst, `,"next_cursor":null}`...)
	})
	return nil
}
