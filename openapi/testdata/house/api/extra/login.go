// Package extra shows handlers of a second package.
package extra

import "net/http"

type loginRequest struct {
	Username string `json:"username" validate:"required"`
	Password string `json:"password" validate:"required" format:"password"`
}

type tokens struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in" example:"900"`
}

// login signs in.
//
//	@Summary		Sign in
//	@Description	Gives an access token.
//	@ID				login
//	@Tags			auth
//	@Param			body	body		loginRequest	true	"Name and password"
//	@Success		200		{object}	tokens			"Signed in"
//	@Router			/v1/auth/login [post]
func login(http.ResponseWriter, *http.Request) {}
