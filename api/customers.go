package api

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/customer"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

func (s *Server) customerRoutes() []route {
	return []route{
		{http.MethodGet, "/v1/customers", staff.AreaOwnCustomers, "limit cursor name phone", s.listCustomers},
		{http.MethodGet, "/v1/customers/:id", staff.AreaOwnCustomers, "", s.getCustomer},
		{http.MethodPatch, "/v1/customers/:id", staff.AreaOwnCustomers, "", s.patchCustomer},
	}
}

func customersOf(e storage.Engine) *storage.Collection[customer.Customer] {
	return storage.NewCollection(e, storage.Shape[customer.Customer]{
		Name: "customers",
		ID:   func(c *customer.Customer) string { return c.StoreID + "/" + c.ID },
		Keys: []storage.Key[customer.Customer]{
			{Name: "name", Values: func(c *customer.Customer) []string { return prefixed(c.StoreID, c.NameKeys()) }},
			{Name: "phone", Values: func(c *customer.Customer) []string { return prefixed(c.StoreID, c.PhoneKeys()) }},
			{Name: "seen", Values: func(c *customer.Customer) []string { return []string{c.StoreID + "/" + c.LastVisitAt.String()} }},
		},
	})
}

// CustomerEntry is a customer in a list. Where not every customer's file is open to the caller, it holds what a known
// customer is found again by, and nothing to reach him.
type CustomerEntry struct {
	ID          string      `json:"id" format:"uuid"`
	StoreID     string      `json:"store_id"`
	Name        string      `json:"name" example:"陳大文"`
	Salutation  string      `json:"salutation,omitempty" example:"先生"`
	LastVisitAt domain.Time `json:"last_visit_at"`

	PhoneEnding string `json:"phone_ending,omitempty" example:"8000"` // of a look-up for an arrival: the last four digits of his phone number
	Plate       string `json:"plate,omitempty" example:"粵A·12345"`    // of a look-up for an arrival: the plate of his last visit, as typed

	Phone       string       `json:"phone,omitempty" example:"138 0013 8000"`       // as typed; this and what follows only where every customer's file is open to the caller
	PhoneE164   string       `json:"phone_e164,omitempty" example:"+8613800138000"` // absent: not readable as a number
	Language    string       `json:"language,omitempty" enums:"zh-Hant,zh-Hans,en"` // that he is spoken to in
	VehicleIDs  []string     `json:"vehicle_ids,omitempty" format:"uuid"`           // in order of the first visit
	FirstSeenAt *domain.Time `json:"first_seen_at,omitempty"`
	Revision    int64        `json:"revision,omitempty"`
}

// CustomerList is a page of customers.
type CustomerList struct {
	Items      []CustomerEntry `json:"items"`
	NextCursor *string         `json:"next_cursor"`
}

// listCustomers looks customers up.
//
//	@Summary		List customers
//	@Description	Those seen last first, or by the start of a name, or by a phone number or its last digits. For follow-up agents and supervisors, whole.
//	@Description	An advisor looks a customer up for an arrival: `name` or `phone` must be given, and the first 20 matches come in one page, with `phone_ending` and `plate` (of his last visit) instead of what he is reached by. Ask the customer for the rest: a visit opened with his name and number finds his file.
//	@ID				listCustomers
//	@Tags			customers
//	@Security		bearer
//	@Produce		json
//	@Param			limit	query		int		false	"entries a page, 1 to 200"	minimum(1)	maximum(200)	default(50)
//	@Param			cursor	query		string	false	"next_cursor of the page before"
//	@Param			name	query		string	false	"start of a name"
//	@Param			phone	query		string	false	"a phone number, or its last four digits"
//	@Success		200		{object}	CustomerList
//	@Header			200		{string}	Link	"the next page, rel=next"
//	@Router			/v1/customers [get]
func (s *Server) listCustomers(c *gin.Context) error {
	q, err := listQuery(c, "seen", storeID(c)+"/")
	if err != nil {
		return err
	}
	q.Desc = true
	st, err := s.store(c.Request.Context(), storeID(c))
	if err != nil {
		return err
	}
	phone := func(typed string) string { return phoneForm(typed, st.Market) }
	if err := narrow(c, &q, filter{"name", customer.FoldName}, filter{"phone", phone}); err != nil {
		return err
	}
	if !allFiles(c) {
		return s.lookUpCustomers(c, q)
	}
	page, err := s.customers.Find(c.Request.Context(), q)
	if err != nil {
		return err
	}
	s.sendList(c, page, nil)
	return nil
}

// allFiles says whether every customer's file is open to the caller, not only those of the customers he works for.
func allFiles(c *gin.Context) bool { return staff.Allows(principal(c).Roles, staff.AreaCustomers) }

// maxLookUp is how many customers a look-up for an arrival shows. It has no second page: whom one knows is found by typing
// more, and nobody carries the list of customers away.
const maxLookUp = 20

// lookUpCustomers shows what a known customer is found again by at an arrival.
func (s *Server) lookUpCustomers(c *gin.Context, q storage.Query) error {
	switch {
	case q.Key == "seen":
		return badParameter("name", "look a customer up by name or phone; the list of all is not open to your roles")
	case q.After != "":
		return badParameter("cursor", "a look-up has one page; type more of the name or number")
	}
	q.Limit = min(q.Limit, maxLookUp)
	page, err := s.customers.FindValues(c.Request.Context(), q)
	if err != nil {
		return err
	}
	s.logDamaged(c, page.Damaged)
	items := make([][]byte, len(page.Items))
	for i, saved := range page.Items {
		known := saved.Value
		entry := CustomerEntry{
			ID: known.ID, StoreID: known.StoreID, Name: known.Name, Salutation: known.Salutation, LastVisitAt: known.LastVisitAt,
			PhoneEnding: known.PhoneEnding(),
		}
		if entry.Plate, err = s.lastPlate(c, known.ID); err != nil {
			return err
		}
		if items[i], err = encode(entry); err != nil {
			return err
		}
	}
	sendItems(c, "", len(items), func(dst []byte, i int) []byte { return append(dst, items[i]...) })
	return nil
}

// visitsOfCustomer walks a customer's visits, the last one first.
func visitsOfCustomer(c *gin.Context, id string, limit int) storage.Query {
	return storage.Query{Key: "customer", Prefix: key(c, id) + "/", Desc: true, Limit: limit, SkipDamaged: true}
}

func (s *Server) lastPlate(c *gin.Context, customerID string) (plate string, err error) {
	page, err := s.visits.Find(c.Request.Context(), visitsOfCustomer(c, customerID, 1))
	if err == nil && len(page.Items) > 0 {
		plate, _ = page.Items[0].String("plate")
	}
	return plate, err
}

// phoneForm is the form under which a number is filed, however it was typed: whole, or its last digits alone.
func phoneForm(typed, market string) string {
	digits := strings.Map(func(r rune) rune {
		switch {
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		case r >= '0' && r <= '9':
			return r
		default:
			return -1
		}
	}, typed)
	if len(digits) <= lastDigits {
		return digits
	}
	for _, whole := range []string{typed, "+" + digits} { // a plus in a URL may have become a space
		if e164, ok := customer.E164(whole, market); ok {
			return e164
		}
	}
	return digits
}

// lastDigits is how many of a number's last digits it is filed under.
const lastDigits = 4

// getCustomer reads a customer.
//
//	@Summary		Read a customer
//	@Description	The customer as the store's files know him. An advisor opens the file of a customer whose visit he received, and of one who is here: with a visit of today, or a car in the workshop. Others are 403 `forbidden`.
//	@ID				getCustomer
//	@Tags			customers
//	@Security		bearer
//	@Produce		json
//	@Param			id				path		string	true	"id of the customer"	format(uuid)
//	@Param			If-None-Match	header		string	false	"ETag that the client has"
//	@Success		200				{object}	customer.Customer
//	@Header			200				{string}	ETag	"revision"
//	@Success		304				"the client has it"
//	@Router			/v1/customers/{id} [get]
func (s *Server) getCustomer(c *gin.Context) error {
	if err := s.mayOpenFile(c); err != nil {
		return err
	}
	return sendOne(c, s.customers)
}

// maxOwnPages bounds how far back one's own visits are looked for: a fleet may have come ten thousand times.
const maxOwnPages = 5

// mayOpenFile holds the file of the customer of the path to those who work for him.
func (s *Server) mayOpenFile(c *gin.Context) error {
	if allFiles(c) {
		return nil
	}
	ctx := c.Request.Context()
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	if _, _, err := s.customers.Raw(ctx, key(c, id)); err != nil {
		return err
	}
	st, err := s.store(ctx, storeID(c))
	if err != nil {
		return err
	}
	today := st.LocalDay(s.Now())
	serves := func(v storage.Document) bool {
		state, _ := v.String("state")
		at, _ := v.Time("arrived_at")
		return received(c, v) || isHere(visit.State(state), st.LocalDay(at) == today)
	}
	q := visitsOfCustomer(c, id, storage.MaxFind)
	for range maxOwnPages {
		page, err := s.visits.Find(ctx, q)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(page.Items, serves) {
			return nil
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	return domain.Refuse(codeForbidden, "your roles open the files of customers whose visit you received, or who are here")
}

// received says whether the caller is the one who took a visit, which comes as its summary.
func received(c *gin.Context, v storage.Document) bool {
	advisor, _ := v.Sub("advisor")
	id, _ := advisor.String("id")
	return id != "" && id == principal(c).AccountID
}

// isHere says whether a visit's customer is served in these hours: it began today, or the car is with the workshop.
func isHere(state visit.State, today bool) bool {
	switch state {
	case visit.Arrived, visit.Inspected:
		return today
	case visit.Approved, visit.InWorkshop, visit.WorkDone, visit.Settled, visit.Paid:
		return true
	case visit.Delivered, visit.Cancelled:
	}
	return false
}

// patchCustomer changes what is known of a customer.
//
//	@Summary		Change a customer
//	@Description	Name, salutation, phone, language; what is left out stays. Open to whom the file is open.
//	@ID				patchCustomer
//	@Tags			customers
//	@Security		bearer
//	@Accept			json
//	@Produce		json
//	@Param			id			path		string			true	"id of the customer"	format(uuid)
//	@Param			If-Match	header		string			true	"ETag of the customer that was seen"
//	@Param			body		body		customer.Patch	true	"what is to be changed"
//	@Success		200			{object}	customer.Customer
//	@Header			200			{string}	ETag	"revision"
//	@Router			/v1/customers/{id} [patch]
func (s *Server) patchCustomer(c *gin.Context) error {
	if err := s.mayOpenFile(c); err != nil {
		return err
	}
	b, err := decode[customer.Patch](c, maxBody)
	if err != nil {
		return err
	}
	st, err := s.store(c.Request.Context(), storeID(c))
	if err != nil {
		return err
	}
	var match string
	revision := func(v *customer.Customer) int64 { return v.Revision }
	err = updateOne(c, s.customers, revision, func(v *customer.Customer) error {
		err := v.Apply(b.value, st.Market)
		match = v.MatchKey()
		return err
	})
	if err == nil {
		s.claimMatch(c, match)
	}
	return err
}

// claimMatch lets the customer of the path be known again by what he is called now, unless another is known so already. It
// is a help and no promise: what fails is logged.
func (s *Server) claimMatch(c *gin.Context, match string) {
	if match == "" {
		return
	}
	ctx := c.Request.Context()
	claimed := reservation{ID: reservationID(storeID(c), "customer", match), Owner: c.Param("id"), At: domain.At(s.Now())}
	if _, _, err := s.claim(ctx, claimed); err != nil {
		s.Log.WarnContext(ctx, "customer not filed by name and phone", slog.String("customer_id", claimed.Owner), slog.Any("error", err))
	}
}

// prefixed puts the store before each value of a key.
func prefixed(storeID string, values []string) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = storeID + "/" + v
	}
	return list
}
