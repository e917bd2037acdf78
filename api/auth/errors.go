package auth

import (
	"time"

	"example.com/walkaround/domain"
)

// The refusals of this package.
const (
	CodeCredentialsWrong domain.Code = "credentials_wrong" // store, user name and password don't fit: which of them isn't told
	CodeAccountDisabled  domain.Code = "account_disabled"  // told only to who knows the password
	CodeThrottled        domain.Code = "throttled"         // too many attempts; RetryError says when the next one is taken
	CodeBusy             domain.Code = "busy"              // too many passwords wait to be checked; a RetryError too
	CodeTokenExpired     domain.Code = "token_expired"     // the access token has served its time, or the roles changed: refresh
	CodeTokenInvalid     domain.Code = "token_invalid"     // not a token of ours
	CodeSessionRevoked   domain.Code = "session_revoked"   // signed out, disabled, or a refresh token was used twice: sign in
	CodeSessionExpired   domain.Code = "session_expired"   // not used for 30 days, or 90 days old: sign in
)

// RetryError is a refusal that ends by itself. errors.As finds the *domain.Error in it.
type RetryError struct {
	Refusal *domain.Error
	After   time.Duration // how long to wait; never less than a second
}

// Error says code and detail.
func (e *RetryError) Error() string { return e.Refusal.Error() }

// Unwrap gives the refusal.
func (e *RetryError) Unwrap() error { return e.Refusal }

func retry(code domain.Code, after time.Duration, detail string) error {
	return &RetryError{Refusal: &domain.Error{Code: code, Detail: detail}, After: max(after, time.Second)}
}
