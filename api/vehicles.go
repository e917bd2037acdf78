package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/customer"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/domain/vehicle"
	"example.com/walkaround/storage"
)

const codePlateUnconfirmed domain.Code = "plate_unconfirmed"

func (s *Server) vehicleRoutes() []route {
	return []route{
		{http.MethodGet, "/v1/vehicles", staff.AreaReadVisits, "limit cursor plate vin", s.listVehicles},
		{http.MethodGet, "/v1/vehicles/:id", staff.AreaReadVisits, "", s.getVehicle},
		{http.MethodPatch, "/v1/vehicles/:id", staff.AreaCapture, "", s.patchVehicle},
		{http.MethodPost, "/v1/vehicles/:id/plates", staff.AreaCapture, "", s.movePlate},
		{http.MethodGet, "/v1/vehicles/:id/damage", staff.AreaReadVisits, "", s.listDamage},
	}
}

func vehiclesOf(e storage.Engine) *storage.Collection[vehicle.Vehicle] {
	return storage.NewCollection(e, storage.Shape[vehicle.Vehicle]{
		Name: "vehicles",
		ID:   func(v *vehicle.Vehicle) string { return v.StoreID + "/" + v.ID },
		Keys: []storage.Key[vehicle.Vehicle]{
			{Name: "plate", Values: func(v *vehicle.Vehicle) []string { return prefixed(v.StoreID, v.PlateKeys()) }},
			{Name: "vin", Values: func(v *vehicle.Vehicle) []string {
				if v.VIN == "" {
					return nil
				}
				return []string{v.StoreID + "/" + v.VIN}
			}},
			{Name: "seen", Values: func(v *vehicle.Vehicle) []string { return []string{v.StoreID + "/" + v.LastVisitAt.String()} }},
		},
	})
}

func ledgersOf(e storage.Engine) *storage.Collection[vehicle.Ledger] {
	return storage.NewCollection(e, storage.Shape[vehicle.Ledger]{
		Name: "damage_ledgers", ID: func(l *vehicle.Ledger) string { return l.StoreID + "/" + l.VehicleID },
	})
}

func prefixed(storeID string, values []string) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = storeID + "/" + v
	}
	return list
}

// VehicleList is a page of vehicles.
type VehicleList struct {
	Items      []vehicle.Vehicle `json:"items"`
	NextCursor *string           `json:"next_cursor"`
}

// listVehicles looks vehicles up.
//
//	@Summary		List vehicles
//	@Description	Those seen last first, or by the start or the last digits of a plate, or by the start of a VIN.
//	@ID				listVehicles
//	@Tags			vehicles
//	@Security		bearer
//	@Produce		json
//	@Param			limit	query		int		false	"entries a page, 1 to 200"	minimum(1)	maximum(200)	default(50)
//	@Param			cursor	query		string	false	"next_cursor of the page before"
//	@Param			plate	query		string	false	"start of a plate, or its last digits"
//	@Param			vin		query		string	false	"start of a VIN"
//	@Success		200		{object}	VehicleList
//	@Header			200		{string}	Link	"the next page, rel=next"
//	@Router			/v1/vehicles [get]
func (s *Server) listVehicles(c *gin.Context) error {
	q, err := listQuery(c, "seen", storeID(c)+"/")
	if err != nil {
		return err
	}
	q.Desc = true
	plate, vin := vehicle.NormalizePlate(c.Query("plate")), vehicle.NormalizeVIN(c.Query("vin"))
	switch {
	case plate != "" && vin != "":
		return badParameter("vin", "at most one filter is taken")
	case plate != "":
		q.Key, q.Prefix, q.Desc = "plate", storeID(c)+"/"+plate, false
	case vin != "":
		q.Key, q.Prefix, q.Desc = "vin", storeID(c)+"/"+vin, false
	}
	page, err := s.vehicles.Find(c.Request.Context(), q)
	if err != nil {
		return err
	}
	sendList(c, page, nil)
	return nil
}

// getVehicle reads a vehicle.
//
//	@Summary		Read a vehicle
//	@Description	The car as the store's files know it.
//	@ID				getVehicle
//	@Tags			vehicles
//	@Security		bearer
//	@Produce		json
//	@Param			id				path		string	true	"id of the vehicle"	format(uuid)
//	@Param			If-None-Match	header		string	false	"ETag that the client has"
//	@Success		200				{object}	vehicle.Vehicle
//	@Header			200				{string}	ETag	"revision"
//	@Success		304				"the client has it"
//	@Router			/v1/vehicles/{id} [get]
func (s *Server) getVehicle(c *gin.Context) error { return sendOne(c, s.vehicles) }

// sendOne streams a document that has a revision.
func sendOne[T any](c *gin.Context, from *storage.Collection[T]) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	doc, _, err := from.Raw(c.Request.Context(), key(c, id))
	if err != nil {
		return err
	}
	revision, _ := doc.Int("revision")
	if !notModified(c, etag(revision, "")) {
		send(c, http.StatusOK, doc.AppendJSON)
	}
	return nil
}

// patchVehicle changes what is known of a car.
//
//	@Summary		Change a vehicle
//	@Description	Make, model, year, colour, note; what is left out stays.
//	@ID				patchVehicle
//	@Tags			vehicles
//	@Security		bearer
//	@Accept			json
//	@Produce		json
//	@Param			id			path		string			true	"id of the vehicle"	format(uuid)
//	@Param			If-Match	header		string			true	"ETag of the vehicle that was seen"
//	@Param			body		body		vehicle.Patch	true	"what is to be changed"
//	@Success		200			{object}	vehicle.Vehicle
//	@Header			200			{string}	ETag	"revision"
//	@Router			/v1/vehicles/{id} [patch]
func (s *Server) patchVehicle(c *gin.Context) error {
	b, err := decode[vehicle.Patch](c, maxBody)
	if err != nil {
		return err
	}
	return updateOne(c, s.vehicles, func(v *vehicle.Vehicle) error {
		if err := precondition(c, v.Revision, etag(v.Revision, "")); err != nil {
			return err
		}
		return v.Apply(b.value)
	})
}

// updateOne changes a document that has a revision, and sends it.
func updateOne[T any](c *gin.Context, in *storage.Collection[T], change func(*T) error) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	saved, err := in.Update(c.Request.Context(), key(c, id), change)
	if err != nil {
		return err
	}
	revision, _ := saved.Doc.Int("revision")
	c.Header("ETag", etag(revision, ""))
	send(c, http.StatusOK, saved.Doc.AppendJSON)
	return nil
}

// PlateRequest gives a vehicle a plate.
type PlateRequest struct {
	Plate     string `json:"plate" example:"粵A·12345" validate:"required" minLength:"1" maxLength:"20"`
	Confirmed bool   `json:"confirmed,omitempty"` // the advisor saw this plate on this car
}

// movePlate gives a vehicle another plate.
//
//	@Summary		Give a vehicle a plate
//	@Description	A plate that the files know on another vehicle moves here only when the advisor confirms that he saw it on this one. Both keep their histories.
//	@ID				movePlate
//	@Tags			vehicles
//	@Security		bearer
//	@Accept			json
//	@Produce		json
//	@Param			id		path		string			true	"id of the vehicle"	format(uuid)
//	@Param			body	body		PlateRequest	true	"the plate"
//	@Success		200		{object}	vehicle.Vehicle
//	@Header			200		{string}	ETag	"revision"
//	@Failure		409		{object}	Problem	"plate_unconfirmed"
//	@Router			/v1/vehicles/{id}/plates [post]
func (s *Server) movePlate(c *gin.Context) error {
	b, err := decode[PlateRequest](c, maxBody)
	if err != nil {
		return err
	}
	plate := vehicle.NormalizePlate(b.value.Plate)
	var f domain.Faults
	f.Required("/plate", plate, 20)
	if f.Err() != nil {
		return f.Err()
	}
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	ctx, now := c.Request.Context(), domain.At(s.Now())
	if _, _, err := s.vehicles.Raw(ctx, key(c, id)); err != nil {
		return err
	}
	before, err := s.takePlate(ctx, storeID(c), plate, id, b.value.Confirmed, now)
	if err != nil {
		return err
	}
	if before != "" && before != id {
		if _, err := s.vehicles.Update(ctx, key(c, before), func(v *vehicle.Vehicle) error {
			v.LosePlate(b.value.Plate, now)
			return nil
		}); err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
	}
	return updateOne(c, s.vehicles, func(v *vehicle.Vehicle) error {
		v.MovePlate(b.value.Plate, now)
		return nil
	})
}

// takePlate moves the reservation of a plate by compare-and-set and says who held it.
func (s *Server) takePlate(ctx context.Context, storeID, plate, id string, confirmed bool, now domain.Time) (before string, err error) { //nolint:revive // one claim
	standing, won, err := s.claim(ctx, reservation{ID: storeID + "/plate/" + plate, Owner: id, At: now})
	if err != nil || won {
		return "", err
	}
	if standing.Owner != id && !confirmed {
		return "", domain.Refuse(codePlateUnconfirmed, "another vehicle has this plate; confirm that it is on this one")
	}
	_, err = s.reservations.Update(ctx, standing.ID, func(r *reservation) error {
		before, r.Owner, r.At = r.Owner, id, now
		return nil
	})
	return before, err
}

// DamageList is what is known of a vehicle's damage.
type DamageList struct {
	Items      []vehicle.Mark `json:"items"`
	NextCursor *string        `json:"next_cursor"`
}

// listDamage reads the damage ledger.
//
//	@Summary		Read a vehicle's damage ledger
//	@Description	Damage seen at signed walk-arounds stays with the vehicle: where, what, since when, with the photos of each sighting. The next walk-around refers to a mark by its `id` in `known_id`, with `change` same, worse or repaired.
//	@ID				listDamage
//	@Tags			vehicles
//	@Security		bearer
//	@Produce		json
//	@Param			id	path		string	true	"id of the vehicle"	format(uuid)
//	@Success		200	{object}	DamageList
//	@Router			/v1/vehicles/{id}/damage [get]
func (s *Server) listDamage(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	if _, _, err := s.vehicles.Raw(ctx, key(c, id)); err != nil {
		return err
	}
	saved, err := s.ledgers.Get(ctx, key(c, id))
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	return sendValue(c, http.StatusOK, DamageList{Items: saved.Value.Marks()})
}

func (s *Server) customerRoutes() []route {
	return []route{
		{http.MethodGet, "/v1/customers", staff.AreaReadVisits, "limit cursor name phone", s.listCustomers},
		{http.MethodGet, "/v1/customers/:id", staff.AreaReadVisits, "", s.getCustomer},
		{http.MethodPatch, "/v1/customers/:id", staff.AreaCapture, "", s.patchCustomer},
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
	name, phone := customer.FoldName(c.Query("name")), c.Query("phone")
	switch {
	case name != "" && phone != "":
		return badParameter("phone", "at most one filter is taken")
	case name != "":
		q.Key, q.Prefix, q.Desc = "name", storeID(c)+"/"+name, false
	case phone != "":
		st, err := s.store(c.Request.Context(), storeID(c))
		if err != nil {
			return err
		}
		if e164, ok := customer.E164(phone, st.Market); ok {
			phone = e164
		}
		q.Key, q.Prefix, q.Desc = "phone", storeID(c)+"/"+phone, false
	}
	page, err := s.customers.Find(c.Request.Context(), q)
	if err != nil {
		return err
	}
	sendList(c, page, nil)
	return nil
}

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
	return updateOne(c, s.customers, func(v *customer.Customer) error {
		if err := precondition(c, v.Revision, etag(v.Revision, "")); err != nil {
			return err
		}
		return v.Apply(b.value, st.Market)
	})
}
