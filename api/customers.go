package api

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/customer"
	"example.com/walkaround/domain/staff"
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

// CustomerList is a page of customers.
type CustomerList struct {
	Items      []customer.Customer `json:"items"`
	NextCursor *string             `json:"next_cursor"`
}

// listCustomers looks customers up.
//
//	@Summary		List customers
//	@Description	Those seen last first, or by the start of a name, or by a phone number or its last digits.
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
	page, err := s.customers.Find(c.Request.Context(), q)
	if err != nil {
		return err
	}
	s.sendList(c, page, nil)
	return nil
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
//	@Description	The customer as the store's files know him.
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
func (s *Server) getCustomer(c *gin.Context) error { return sendOne(c, s.customers) }

// patchCustomer changes what is known of a customer.
//
//	@Summary		Change a customer
//	@Description	Name, salutation, phone, language; what is left out stays.
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
