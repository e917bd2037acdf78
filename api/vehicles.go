package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/domain"
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
	if err := narrow(c, &q, filter{"plate", vehicle.NormalizePlate}, filter{"vin", vehicle.NormalizeVIN}); err != nil {
		return err
	}
	page, err := s.vehicles.Find(c.Request.Context(), q)
	if err != nil {
		return err
	}
	s.sendList(c, page, nil)
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
	revision := func(v *vehicle.Vehicle) int64 { return v.Revision }
	return updateOne(c, s.vehicles, revision, func(v *vehicle.Vehicle) error { return v.Apply(b.value) })
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
	var f domain.Faults
	f.Required("/plate", vehicle.NormalizePlate(b.value.Plate), vehicle.MaxPlate)
	if f.Text("/plate", b.value.Plate, vehicle.MaxPlate); f.Err() != nil {
		return f.Err()
	}
	kept := keeper[vehicle.Vehicle]{s.vehicles, func(v *vehicle.Vehicle) *domain.Answers { return &v.Answers }, vehicleTag}
	if done, err := answered(c, kept, b.sum); done || err != nil {
		return err
	}
	if err := s.takePlate(c, b.value); err != nil {
		return err
	}
	out, err := once(s, c, kept, b.sum, func(v *vehicle.Vehicle, now domain.Time) (effect, error) {
		v.MovePlate(b.value.Plate, now)
		return effect{status: http.StatusOK, body: stored(v)}, nil
	})
	if err != nil {
		return err
	}
	replay(c, out.answer, out.again)
	return nil
}

func vehicleTag(v *vehicle.Vehicle) string { return etag(v.Revision, "") }

// takePlate moves the claim of a plate to the vehicle of the path by compare-and-set. Who held it is told first: after a
// crash in between, the repeat still knows whom to tell.
func (s *Server) takePlate(c *gin.Context, r PlateRequest) error {
	ctx, now, id := c.Request.Context(), domain.At(s.Now()), c.Param("id")
	claimed := reservation{ID: reservationID(storeID(c), "plate", vehicle.NormalizePlate(r.Plate)), Owner: id, At: now}
	standing, won, err := s.claim(ctx, claimed)
	if err != nil || won || standing.Owner == id {
		return err
	}
	if !r.Confirmed {
		return domain.Refuse(codePlateUnconfirmed, "another vehicle has this plate; confirm that it is on this one")
	}
	_, err = s.vehicles.Update(ctx, key(c, standing.Owner), func(v *vehicle.Vehicle) error {
		v.LosePlate(r.Plate, now)
		return nil
	})
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("take plate: %w", err)
	}
	_, err = s.reservations.Update(ctx, claimed.ID, func(held *reservation) error {
		if held.Owner != standing.Owner && held.Owner != id {
			return domain.Refuse(codePlateUnconfirmed, "the plate went to a third vehicle meanwhile; look again")
		}
		held.Owner, held.Visit, held.At = id, "", now
		return nil
	})
	return err
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
	return sendValue(c, DamageList{Items: saved.Value.Marks()})
}
