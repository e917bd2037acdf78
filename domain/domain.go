// Package domain is the ground floor of the house: the refusals, the moments and the ids that every room of the business
// speaks in. It is pure Go. It knows no HTTP, no storage and no clock: the time is an argument.
//
// Start with the rooms: visit holds one stay of a vehicle, evidence what makes a signed sheet provable.
package domain

import (
	"fmt"

	"github.com/google/uuid"
)

// Code names a refusal. Codes are stable: third parties branch on them, so none is renamed or reused.
type Code string

// Error is a refusal of the business: what was asked is understood and not done, and nothing was changed.
// Match it with errors.As.
type Error struct {
	Code   Code
	Detail string  // one English sentence for the developer who reads the answer; never personal data
	Fields []Field // every value that is wrong, when values are
}

// Field is one value that is wrong, by its JSON pointer (RFC 6901) in what was sent.
type Field struct {
	Pointer string `bson:"pointer" json:"pointer"`
	Code    Code   `bson:"code" json:"code"`
	Message string `bson:"message,omitempty" json:"message,omitempty"`
}

// Error says code and detail.
func (e *Error) Error() string {
	if e.Detail == "" {
		return string(e.Code)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Detail)
}

// Refuse makes a refusal.
func Refuse(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Invalid is the refusal of a body whose values are wrong: all of them at once. It returns nil for no fields.
func Invalid(fields []Field) error {
	if len(fields) == 0 {
		return nil
	}
	return &Error{Code: CodeInvalid, Detail: "one or more values are wrong; errors lists them all", Fields: fields}
}

// ValidID says whether id is a UUID in its canonical lower-case form, the only form in which an id is taken.
func ValidID(id string) bool {
	u, err := uuid.Parse(id)
	return err == nil && u.String() == id
}

// NewID makes a UUIDv7: time-ordered, so that neighbours in time are neighbours on disk.
func NewID() string {
	return uuid.Must(uuid.NewV7()).String()
}

// DerivedID makes the id of something that a visit or another thing brings about, the same however often it is tried.
func DerivedID(id, what string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(id+"/"+what)).String()
}
