package domain

// The refusals that every room shares. A room's own codes stand beside its rules.
const (
	CodeInvalid  Code = "invalid"   // well-formed, but values are wrong; Fields lists them
	CodeNotFound Code = "not_found" // absent, or another store's
	CodeIDTaken  Code = "id_taken"  // another body was sent under this id before

	CodeRequired   Code = "required"     // (field) must be there
	CodeTooLong    Code = "too_long"     // (field) longer than its limit
	CodeTooMany    Code = "too_many"     // (field) more entries than its limit
	CodeOutOfRange Code = "out_of_range" // (field) a number or time outside its range
	CodeUnknown    Code = "unknown"      // (field) not one of the values of its enumeration
	CodeMalformed  Code = "malformed"    // (field) not of its format
	CodeDuplicate  Code = "duplicate"    // (field) the same id or code twice in one list
)
