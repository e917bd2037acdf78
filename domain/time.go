package domain

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

// Layout is how a moment is written everywhere: RFC 3339 in UTC with exactly three digits of milliseconds.
const Layout = "2006-01-02T15:04:05.000Z"

// Time is a moment in UTC to the millisecond: what BSON, JSON and the canonical form can all hold without loss.
//
//nolint:recvcheck // as time.Time itself: a value, which only its decoders change
type Time struct{ time.Time }

// At cuts t to the millisecond.
func At(t time.Time) Time { return Time{t.UTC().Truncate(time.Millisecond)} }

// String writes the moment by Layout.
func (t Time) String() string { return t.UTC().Format(Layout) }

// MarshalJSON writes the moment by Layout.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(`"` + t.String() + `"`), nil
}

// UnmarshalJSON takes RFC 3339 in any zone and precision, of the years 0 to 9999, and cuts it to the millisecond.
func (t *Time) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("not an RFC 3339 time: %w", err)
	}
	parsed, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return fmt.Errorf("not an RFC 3339 time: %w", err)
	}
	*t = At(parsed)
	if y := t.Year(); y < 0 || y > 9999 {
		return fmt.Errorf("year %d is out of range", y)
	}
	return nil
}

const bsonDateTime = 0x09

// MarshalBSONValue writes a BSON UTC datetime (the driver's ValueMarshaler, met without importing the driver).
func (t Time) MarshalBSONValue() (byte, []byte, error) {
	return bsonDateTime, binary.LittleEndian.AppendUint64(nil, uint64(t.UnixMilli())), nil
}

// UnmarshalBSONValue reads a BSON UTC datetime.
func (t *Time) UnmarshalBSONValue(typ byte, data []byte) error {
	if typ != bsonDateTime || len(data) < 8 {
		return fmt.Errorf("BSON type 0x%02x is not a datetime", typ)
	}
	*t = At(time.UnixMilli(int64(binary.LittleEndian.Uint64(data)))) //nolint:gosec // two's complement is the format
	return nil
}
