package api

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/vehicle"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

// VisitSummary is a visit in a list.
type VisitSummary struct {
	ID             string          `bson:"id" json:"id" format:"uuid"`
	Number         string          `bson:"number" json:"number"`
	State          visit.State     `bson:"state" json:"state"`
	Plate          string          `bson:"plate" json:"plate"`
	Model          string          `bson:"model" json:"model"`
	Customer       *visit.Customer `bson:"customer,omitempty" json:"customer,omitempty"`
	VehicleID      string          `bson:"vehicle_id" json:"vehicle_id" format:"uuid"`
	CustomerID     string          `bson:"customer_id" json:"customer_id"`
	ArrivedAt      domain.Time     `bson:"arrived_at" json:"arrived_at"`
	AnnouncedBy    *visit.Person   `bson:"announced_by,omitempty" json:"announced_by,omitempty"`
	GreetedBy      *visit.Person   `bson:"greeted_by,omitempty" json:"greeted_by,omitempty"`
	Advisor        *visit.Person   `bson:"advisor,omitempty" json:"advisor,omitempty"`
	TakenAt        *domain.Time    `bson:"taken_at,omitempty" json:"taken_at,omitempty"`
	Waiting        bool            `bson:"waiting" json:"waiting"` // nobody took it yet
	WaitingSeconds int64           `bson:"-" json:"waiting_seconds"`
	OverLimit      bool            `bson:"-" json:"over_limit"` // waits longer than the store's limit
	MissingCount   int             `bson:"missing_count" json:"missing_count"`
	HasWarnings    bool            `bson:"has_warnings" json:"has_warnings"`
}

// VisitList is a page of visits.
type VisitList struct {
	Items      []VisitSummary `json:"items"`
	NextCursor *string        `json:"next_cursor"`
}

func summarize(v *visit.Visit) VisitSummary {
	sum := VisitSummary{
		ID: v.ID, Number: v.Number, State: v.State, Plate: v.Plate, Model: v.Known.Model, Customer: v.Customer,
		VehicleID: v.VehicleID, CustomerID: v.CustomerID, ArrivedAt: v.ArrivedAt, AnnouncedBy: v.AnnouncedBy,
		GreetedBy: v.GreetedBy, Advisor: v.Advisor, TakenAt: v.TakenAt, Waiting: v.Waiting(),
		MissingCount: len(v.Sections.Inspection.Missing), HasWarnings: len(v.Warnings) > 0,
	}
	if sum.Customer == nil {
		sum.Customer = v.Known.Customer
	}
	return sum
}

// listVisits lists visits, newest first; the waiting queue longest first.
//
//	@Summary		List visits
//	@Description	Newest first; at most one filter. `waiting=true` is the queue of customers whom nobody took yet, longest waiting first (R1).
//	@Description	`plate` and `number` match from their start, in order of the plate or number.
//	@ID				listVisits
//	@Tags			visits
//	@Security		bearer
//	@Produce		json
//	@Param			limit		query		int		false	"entries a page, 1 to 200"	minimum(1)	maximum(200)	default(50)
//	@Param			cursor		query		string	false	"next_cursor of the page before"
//	@Param			state		query		string	false	"visits in this state"	Enums(arrived, inspected, approved, in_workshop, work_done, settled, paid, delivered, cancelled)
//	@Param			waiting		query		bool	false	"the waiting queue"
//	@Param			plate		query		string	false	"start of a plate, as typed"
//	@Param			number		query		string	false	"start of a visit number"
//	@Param			vehicle_id	query		string	false	"visits of this vehicle"
//	@Param			customer_id	query		string	false	"visits of this customer"
//	@Param			advisor_id	query		string	false	"visits that this member of staff received"
//	@Success		200			{object}	VisitList
//	@Header			200			{string}	Link	"the next page, rel=next"
//	@Router			/v1/visits [get]
func (s *Server) listVisits(c *gin.Context) error {
	q, err := visitQuery(c)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	page, err := s.visits.Find(ctx, q)
	if err != nil {
		return err
	}
	st, err := s.store(ctx, storeID(c))
	if err != nil {
		return err
	}
	now := s.Now()
	s.sendList(c, page, func(dst []byte, d storage.Document) []byte {
		dst = d.AppendFields(append(dst, '{'))
		waited := int64(0)
		if at, ok := d.Time("arrived_at"); ok && d.Bool("waiting") {
			waited = max(0, int64(now.Sub(at)/time.Second))
		}
		dst = strconv.AppendInt(append(dst, `,"waiting_seconds":`...), waited, 10)
		dst = strconv.AppendBool(append(dst, `,"over_limit":`...), waited > st.WaitingLimitMinutes*60)
		return append(dst, '}')
	})
	return nil
}

func visitQuery(c *gin.Context) (storage.Query, error) {
	q, err := listQuery(c, "arrived", storeID(c)+"/")
	if err != nil {
		return q, err
	}
	q.Desc = true
	given := c.Request.URL.Query()
	given.Del("limit")
	given.Del("cursor")
	for name := range given {
		if len(given) > 1 {
			return q, badParameter(name, "at most one filter is taken")
		}
		err = filterVisits(c, &q, name, given.Get(name))
	}
	return q, err
}

func filterVisits(c *gin.Context, q *storage.Query, name, value string) error {
	prefix := storeID(c) + "/"
	switch name {
	case "waiting":
		if value != "true" {
			return badParameter(name, "only true is taken")
		}
		q.Key, q.Desc = "waiting", false
	case "state":
		if !slices.Contains(visit.States(), visit.State(value)) {
			return badParameter(name, "not a state")
		}
		q.Key, q.Prefix = "state", prefix+value+"/"
	case "plate", "number":
		return narrow(c, q, filter{"plate", vehicle.NormalizePlate}, filter{"number", strings.TrimSpace})
	default: // vehicle_id, customer_id, advisor_id
		if !domain.ValidID(value) {
			return badParameter(name, "not an id")
		}
		q.Key, q.Prefix = strings.TrimSuffix(name, "_id"), prefix+value+"/"
	}
	return nil
}
