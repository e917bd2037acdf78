package api

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/api/auth"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/storage"
)

func (s *Server) authRoutes() []route {
	return []route{
		{http.MethodPost, "/v1/auth/login", "", "", s.login},
		{http.MethodPost, "/v1/auth/refresh", "", "", s.refresh},
		{http.MethodPost, "/v1/auth/logout", staff.AreaAccount, "", s.logout},
		{http.MethodGet, "/v1/me", staff.AreaAccount, "", s.me},
		{http.MethodPut, "/v1/me/password", staff.AreaAccount, "", s.changePassword},
		{http.MethodGet, "/.well-known/jwks.json", "", "", s.jwks},
	}
}

func (s *Server) staffRoutes() []route {
	return []route{
		{http.MethodGet, "/v1/staff", staff.AreaManageStaff, "limit cursor", s.listStaff},
		{http.MethodPost, "/v1/staff", staff.AreaManageStaff, "", s.createStaff},
		{http.MethodGet, "/v1/staff/:id", staff.AreaManageStaff, "", s.getStaff},
		{http.MethodPatch, "/v1/staff/:id", staff.AreaManageStaff, "", s.patchStaff},
	}
}

// LoginRequest signs a member of staff in.
type LoginRequest struct {
	Username string `json:"username" example:"mei" validate:"required" minLength:"1" maxLength:"100"`
	Password string `json:"password" format:"password" validate:"required" maxLength:"1024"`
	Store    string `json:"store" example:"main" validate:"required" minLength:"1" maxLength:"32"`
	ClientID string `json:"client_id,omitempty" maxLength:"100" example:"0190f3a4-7c5e-7b1a-9d63-2f1a0c4e8b77"` // a random id that a device made for itself and keeps
	Device   string `json:"device,omitempty" example:"tablet 3" maxLength:"100"`
}

// TokenGrant is what a sign-in or a refresh gives.
type TokenGrant struct {
	AccessToken  string      `json:"access_token"`
	TokenType    string      `json:"token_type" example:"Bearer"`
	ExpiresIn    int64       `json:"expires_in" example:"900"` // seconds
	RefreshToken string      `json:"refresh_token"`
	Staff        StaffMember `json:"staff"`
}

// StaffMember is who signed in.
type StaffMember struct {
	ID        string       `json:"id" format:"uuid"`
	Name      string       `json:"name" example:"林美"`
	Roles     []staff.Role `json:"roles"`
	StoreID   string       `json:"store_id" example:"main"`
	ChainWide bool         `json:"chain_wide"`
}

// login signs in.
//
//	@Summary		Sign in
//	@Description	Gives an access token (15 minutes) and a refresh token. Whatever is wrong, the answer is the same. Too many tries are answered 429 `throttled` with Retry-After; the owner, on a device that signed in before, is never locked out.
//	@Description	`client_id` is how such a device is known again: a random text that it makes once and keeps. It is no OAuth client.
//	@ID				login
//	@Tags			auth
//	@Accept			json
//	@Produce		json
//	@Param			body	body		LoginRequest	true	"who signs in"
//	@Success		200		{object}	TokenGrant
//	@Failure		401		{object}	Problem	"credentials_wrong"
//	@Failure		403		{object}	Problem	"account_disabled"
//	@Failure		429		{object}	Problem	"throttled"
//	@Failure		503		{object}	Problem	"busy"
//	@Router			/v1/auth/login [post]
func (s *Server) login(c *gin.Context) error {
	b, err := decode[LoginRequest](c, maxBody)
	if err != nil {
		return err
	}
	r := b.value
	var f domain.Faults
	f.Required("/username", r.Username, 100)
	f.Required("/store", r.Store, 32)
	f.Text("/client_id", r.ClientID, 100)
	f.Text("/device", r.Device, 100)
	if len(r.Password) > 1_024 {
		f.Add("/password", domain.CodeTooLong, "over 1,024 bytes")
	}
	if f.Err() != nil {
		return f.Err()
	}
	g, err := s.auth.Login(c.Request.Context(), auth.LoginRequest{
		Store: r.Store, Username: r.Username, Password: r.Password, ClientID: r.ClientID, Address: c.ClientIP(), Device: r.Device,
	})
	if err != nil {
		return err
	}
	return sendGrant(c, g)
}

func sendGrant(c *gin.Context, g auth.Grant) error {
	c.Header("Cache-Control", "no-store")
	a := g.Account
	return sendValue(c, TokenGrant{
		AccessToken: g.AccessToken, TokenType: "Bearer", ExpiresIn: int64(g.ExpiresIn / time.Second), RefreshToken: g.RefreshToken,
		Staff: StaffMember{ID: a.ID, Name: a.Name, Roles: a.Roles, StoreID: a.StoreID, ChainWide: a.ChainWide},
	})
}

// RefreshRequest asks for the next tokens.
type RefreshRequest struct {
	RefreshToken string `json:"refresh_token" validate:"required"`
}

// refresh gives the next tokens.
//
//	@Summary		Refresh the tokens
//	@Description	Refresh tokens rotate. If the answer is lost, send the same token again: it stays valid, and gives the same successor, until the successor is first used. One that is used after that revokes the session.
//	@ID				refresh
//	@Tags			auth
//	@Accept			json
//	@Produce		json
//	@Param			body	body		RefreshRequest	true	"the refresh token"
//	@Success		200		{object}	TokenGrant
//	@Failure		401		{object}	Problem	"token_invalid, session_revoked, session_expired"
//	@Router			/v1/auth/refresh [post]
func (s *Server) refresh(c *gin.Context) error {
	b, err := decode[RefreshRequest](c, maxBody)
	if err != nil {
		return err
	}
	g, err := s.auth.Refresh(c.Request.Context(), b.value.RefreshToken)
	if err != nil {
		return err
	}
	return sendGrant(c, g)
}

// logout ends the session.
//
//	@Summary		Sign out
//	@Description	Ends the session: its refresh token and its access tokens, at once here and within 5 seconds on other replicas.
//	@ID				logout
//	@Tags			auth
//	@Security		bearer
//	@Success		204	"signed out"
//	@Router			/v1/auth/logout [post]
func (s *Server) logout(c *gin.Context) error {
	if err := noBody(c); err != nil {
		return err
	}
	if err := s.auth.Logout(c.Request.Context(), principal(c)); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
	return nil
}

// me reads one's own account.
//
//	@Summary		Read one's own account
//	@Description	Who the access token belongs to.
//	@ID				getMe
//	@Tags			auth
//	@Security		bearer
//	@Produce		json
//	@Success		200	{object}	staff.Account
//	@Router			/v1/me [get]
func (s *Server) me(c *gin.Context) error {
	p := principal(c)
	saved, err := s.auth.Account(c.Request.Context(), p, p.StoreID, p.AccountID)
	if err != nil {
		return err
	}
	send(c, http.StatusOK, saved.Doc.AppendJSON)
	return nil
}

// PasswordChange changes one's own password.
type PasswordChange struct {
	Current string `json:"current" format:"password" validate:"required"`
	New     string `json:"new" format:"password" minLength:"10" maxLength:"128" validate:"required"`
}

// changePassword changes one's own password.
//
//	@Summary		Change one's own password
//	@Description	Signs out every other session of the account.
//	@ID				changePassword
//	@Tags			auth
//	@Security		bearer
//	@Accept			json
//	@Param			body	body	PasswordChange	true	"the current and the new one"
//	@Success		204		"changed"
//	@Failure		401		{object}	Problem	"credentials_wrong"
//	@Failure		422		{object}	Problem	"password_weak"
//	@Failure		429		{object}	Problem	"throttled"
//	@Failure		503		{object}	Problem	"busy"
//	@Router			/v1/me/password [put]
func (s *Server) changePassword(c *gin.Context) error {
	b, err := decode[PasswordChange](c, maxBody)
	if err != nil {
		return err
	}
	if err := s.auth.ChangePassword(c.Request.Context(), principal(c), b.value.Current, b.value.New); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
	return nil
}

// jwks publishes the keys of access tokens.
//
//	@Summary		Read the keys of access tokens
//	@Description	RFC 7517, Ed25519 (RFC 8037): the next key stands here a day before it is used.
//	@ID				getJWKS
//	@Tags			auth
//	@Produce		json
//	@Success		200	{object}	auth.JWKSet
//	@Router			/.well-known/jwks.json [get]
func (s *Server) jwks(c *gin.Context) error {
	c.Header("Cache-Control", "public, max-age=300")
	return sendValue(c, s.auth.JWKS(c.Request.Context()))
}

// StaffList is a page of accounts.
type StaffList struct {
	Items      []staff.Account `json:"items"`
	NextCursor *string         `json:"next_cursor"`
}

// listStaff lists the accounts of the store.
//
//	@Summary		List staff
//	@Description	The accounts of the store by user name.
//	@ID				listStaff
//	@Tags			staff
//	@Security		bearer
//	@Produce		json
//	@Param			limit	query		int		false	"entries a page, 1 to 200"	minimum(1)	maximum(200)	default(50)
//	@Param			cursor	query		string	false	"next_cursor of the page before"
//	@Success		200		{object}	StaffList
//	@Header			200		{string}	Link	"the next page, rel=next"
//	@Router			/v1/staff [get]
func (s *Server) listStaff(c *gin.Context) error {
	q, err := listQuery(c, "", "")
	if err != nil {
		return err
	}
	page, err := s.auth.Accounts(c.Request.Context(), principal(c), storeID(c), q.Limit, q.After)
	if err != nil {
		return err
	}
	s.sendList(c, page, nil)
	return nil
}

// StaffRequest makes an account.
type StaffRequest struct {
	ID        string       `json:"id,omitempty" format:"uuid"`
	Username  string       `json:"username" example:"mei" maxLength:"64" validate:"required" minLength:"1"`
	Password  string       `json:"password" format:"password" minLength:"10" maxLength:"128" validate:"required"`
	Name      string       `json:"name" example:"林美" maxLength:"80" validate:"required" minLength:"1"`
	Roles     []staff.Role `json:"roles" validate:"required" minItems:"1"`
	ChainWide bool         `json:"chain_wide,omitempty"`
	Phone     string       `json:"phone,omitempty" maxLength:"32"`
	Language  string       `json:"language,omitempty" enums:"zh-Hant,zh-Hans,en"`
}

// createStaff makes an account.
//
//	@Summary		Make an account
//	@Description	Nobody grants above his own roles. The user name is unique in the store.
//	@ID				createStaff
//	@Tags			staff
//	@Security		bearer
//	@Accept			json
//	@Produce		json
//	@Param			body	body		StaffRequest	true	"who"
//	@Success		201		{object}	staff.Account	"made"
//	@Header			201		{string}	Location		"path of the account"
//	@Header			201		{string}	ETag			"revision"
//	@Failure		409		{object}	Problem			"username_taken, id_taken"
//	@Failure		403		{object}	Problem			"role_not_grantable"
//	@Failure		422		{object}	Problem			"password_weak"
//	@Failure		503		{object}	Problem			"busy"
//	@Router			/v1/staff [post]
func (s *Server) createStaff(c *gin.Context) error {
	b, err := decode[StaffRequest](c, maxBody)
	if err != nil {
		return err
	}
	r := b.value
	if r.ID != "" && !domain.ValidID(r.ID) {
		return domain.Invalid([]domain.Field{{Pointer: "/id", Code: domain.CodeMalformed, Message: "not a UUID in lower case"}})
	}
	a, err := s.begin(c, b.sum, r.ID)
	if err != nil {
		return err
	}
	saved, created, err := s.auth.CreateAccount(c.Request.Context(), principal(c), auth.NewAccount{
		ID: a.id, StoreID: storeID(c), Username: r.Username, Password: r.Password, Name: r.Name, Roles: r.Roles,
		ChainWide: r.ChainWide, Phone: r.Phone, Language: r.Language,
	})
	if err != nil {
		return err
	}
	if !created { // no answer is kept of a creation that carried a password: its repeat is told the account as it stands
		c.Header("Idempotency-Replayed", "true")
	}
	c.Header("Location", "/v1/staff/"+saved.Value.ID)
	c.Header("ETag", etag(saved.Value.Revision, ""))
	send(c, http.StatusCreated, saved.Doc.AppendJSON)
	return nil
}

// getStaff reads an account.
//
//	@Summary		Read an account
//	@Description	One member of staff.
//	@ID				getStaff
//	@Tags			staff
//	@Security		bearer
//	@Produce		json
//	@Param			id	path		string	true	"id of the account"	format(uuid)
//	@Success		200	{object}	staff.Account
//	@Header			200	{string}	ETag	"revision"
//	@Router			/v1/staff/{id} [get]
func (s *Server) getStaff(c *gin.Context) error {
	saved, err := s.auth.Account(c.Request.Context(), principal(c), storeID(c), c.Param("id"))
	if err != nil {
		return err
	}
	return sendAccount(c, saved)
}

func sendAccount(c *gin.Context, saved storage.Saved[staff.Account]) error {
	c.Header("ETag", etag(saved.Value.Revision, ""))
	send(c, http.StatusOK, saved.Doc.AppendJSON)
	return nil
}

// StaffPatch changes an account; what is left out stays.
type StaffPatch struct {
	Name      *string      `json:"name,omitempty" minLength:"1" maxLength:"80"`
	Phone     *string      `json:"phone,omitempty" maxLength:"32"`
	Language  *string      `json:"language,omitempty" enums:"zh-Hant,zh-Hans,en"`
	Password  *string      `json:"password,omitempty" format:"password" minLength:"10" maxLength:"128"`
	Roles     []staff.Role `json:"roles,omitempty" minItems:"1"`
	ChainWide *bool        `json:"chain_wide,omitempty"`
	Disabled  *bool        `json:"disabled,omitempty"`
}

// patchStaff changes an account.
//
//	@Summary		Change an account
//	@Description	Who is disabled, or gets another password, is signed out at once. The last admin can't be disabled.
//	@ID				patchStaff
//	@Tags			staff
//	@Security		bearer
//	@Accept			json
//	@Produce		json
//	@Param			id			path		string		true	"id of the account"	format(uuid)
//	@Param			If-Match	header		string		true	"ETag of the account that was seen"
//	@Param			body		body		StaffPatch	true	"what is to be changed"
//	@Success		200			{object}	staff.Account
//	@Header			200			{string}	ETag	"revision"
//	@Failure		409			{object}	Problem	"last_admin"
//	@Failure		403			{object}	Problem	"role_not_grantable"
//	@Failure		422			{object}	Problem	"password_weak"
//	@Failure		503			{object}	Problem	"busy"
//	@Router			/v1/staff/{id} [patch]
func (s *Server) patchStaff(c *gin.Context) error {
	b, err := decode[StaffPatch](c, maxBody)
	if err != nil {
		return err
	}
	r := b.value
	saved, err := s.auth.UpdateAccount(c.Request.Context(), principal(c), storeID(c), c.Param("id"), auth.AccountChange{
		Name: r.Name, Phone: r.Phone, Language: r.Language, Password: r.Password, Roles: r.Roles, ChainWide: r.ChainWide, Disabled: r.Disabled,
		If: func(a staff.Account) error { return precondition(c, a.Revision, etag(a.Revision, "")) },
	})
	if err != nil {
		return err
	}
	return sendAccount(c, saved)
}
