package api

import (
	"net/http"

	"example.com/walkaround/openapi/testdata/house/domain/visit"
)

type arrival struct {
	ID       string         `json:"id,omitempty" format:"uuid"`
	Plate    string         `json:"plate" validate:"required" example:"粵A·12345"`
	Customer visit.Customer `json:"customer"`
	At       *visit.Meta    `json:"at,omitempty"`
}

// list is a page of a list.
type list[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

// createVisit opens a visit.
//
//	@Summary		Announce a car
//	@Description	One call with a plate is enough.
//	@Description	A second line.
//	@ID				createVisit
//	@Tags			visits
//	@Param			body	body		arrival	true	"What is known of the car"
//	@Success		201		{object}	visit.Visit	"The visit"
//	@Header			201		{string}	Location	"Path of the visit"
//	@Header			201		{string}	ETag		"Its revision"
//	@Failure		409		"codes: id_taken, wrong_state"
//	@Security		bearer
//	@Security		oauth2[visits:write]
//	@Router			/v1/visits [post]
func createVisit(http.ResponseWriter, *http.Request) {}

// listVisits lists visits.
//
//	@Summary		List visits
//	@Description	Newest first.
//	@ID				listVisits
//	@Tags			visits
//	@Param			limit	query		int			false	"How many"	minimum(1)	maximum(200)	default(50)
//	@Param			state	query		visit.State	false	"Only those in this state"
//	@Param			cursor	query		string		false	"Where the last page ended"
//	@Success		200		{object}	list[visit.Summary]	"A page"
//	@Security		bearer
//	@Security		oauth2[visits:read]
//	@Router			/v1/visits [get]
func listVisits(http.ResponseWriter, *http.Request) {}

// putInspection saves the walk-around.
//
//	@Summary		Save the walk-around
//	@Description	Incomplete is fine.
//	@ID				putInspection
//	@Tags			visits
//	@Param			id			path		string				true	"Visit"	format(uuid)
//	@Param			If-Match	header		string				false	"ETag of the revision that is changed"
//	@Param			body		body		visit.Inspection	true	"The walk-around"
//	@Success		200			{object}	visit.Inspection	"As saved"
//	@Header			200			{string}	ETag				"Its revision"
//	@Security		bearer
//	@Router			/v1/visits/{id}/inspection [put]
func putInspection(http.ResponseWriter, *http.Request) {}

// putPhoto stores a photo.
//
//	@Summary		Store a photo
//	@Description	The body is the image itself.
//	@ID				putPhoto
//	@Tags			visits
//	@Accept			image/jpeg,image/png,image/webp,image/heic
//	@Param			id				path		string		true	"Visit"	format(uuid)
//	@Param			photo_id		path		string		true	"Photo"	format(uuid)
//	@Param			Content-Digest	header		string		false	"sha-256 of the body"
//	@Param			body			body		string		true	"The image"
//	@Success		200,201			{object}	visit.Meta	"Stored"
//	@Security		bearer
//	@Router			/v1/visits/{id}/photos/{photo_id} [put]
func putPhoto(http.ResponseWriter, *http.Request) {}

// getPhoto reads a photo.
//
//	@Summary		Read a photo
//	@Description	As stored, or smaller.
//	@ID				getPhoto
//	@Tags			visits
//	@Produce		image/jpeg,image/png
//	@Param			id				path		string		true	"Visit"	format(uuid)
//	@Param			photo_id		path		string		true	"Photo"	format(uuid)
//	@Param			size			query		string		false	"Which"	enums(original,screen,thumb)	default(original)
//	@Param			If-None-Match	header		string		false	"ETag of what is known"
//	@Success		200				{file}		file		"The image"
//	@Success		304				"Not changed"
//	@Header			200				{string}	ETag		"Its digest"
//	@Security		bearer
//	@Router			/v1/visits/{id}/photos/{photo_id} [get]
func getPhoto(http.ResponseWriter, *http.Request) {}

// getSheet reads the sealed sheet.
//
//	@Summary		Read the sheet
//	@Description	The signed PDF.
//	@ID				getSheet
//	@Tags			visits
//	@Produce		application/pdf
//	@Param			id	path	string	true	"Visit"	format(uuid)
//	@Success		200	{file}	file	"The sheet"
//	@Security		bearer
//	@Router			/v1/visits/{id}/documents/inspection.pdf [get]
func getSheet(http.ResponseWriter, *http.Request) {}

// deleteVisit removes a visit.
//
//	@Summary		Remove a visit
//	@Description	Only an empty one.
//	@ID				deleteVisit
//	@Tags			visits
//	@Param			id			path	string	true	"Visit"	format(uuid)
//	@Param			If-Match	header	string	false	"ETag"
//	@Success		204			"Gone"
//	@Security		bearer
//	@Router			/v1/visits/{id} [delete]
func deleteVisit(http.ResponseWriter, *http.Request) {}
