// Package domain is the ground of the sample house.
package domain

import "time"

// Time is a moment in UTC.
type Time struct{ time.Time }
