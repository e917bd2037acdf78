package visit_test

import (
	"math"
	"testing"
	"time"

	"example.com/walkaround/domain"
)

func TestATimeOfSigningThatNoClockExplainsIsRefused(t *testing.T) {
	const day = 24 * time.Hour
	now := at(8)
	year := func(y int) time.Time { return time.Date(y, 3, 1, 0, 0, 0, 0, time.UTC) }
	offset := func(d time.Duration) int64 { return d.Milliseconds() }
	for name, c := range map[string]struct {
		at     time.Time
		offset int64
		taken  bool
	}{
		"just now":                               {now.Time, 0, true},
		"by the clock of another zone":           {now.Add(14 * time.Hour), 0, true},
		"a day ahead":                            {now.Add(day), 0, true},
		"more than a day ahead":                  {now.Add(day + time.Millisecond), 0, false},
		"days offline":                           {now.Add(-9 * day), 0, true},
		"a year offline":                         {now.Add(-366 * day), 0, true},
		"400 days ago":                           {now.Add(-400 * day), 0, true},
		"longer ago":                             {now.Add(-400*day - time.Millisecond), 0, false},
		"years ahead":                            {year(2031), 0, false},
		"years ahead, by a clock known for it":   {year(2031), offset(year(2031).Sub(now.Time)), true},
		"a clock that was never set":             {year(1970), offset(year(1970).Sub(now.Time)), true},
		"known, and offline for days":            {year(2031).Add(-9 * day), offset(year(2031).Sub(now.Time)), true},
		"an offset of the other sign":            {year(2031), offset(now.Sub(year(2031))), false},
		"mended already, and told how wrong":     {now.Time, offset(5000 * day), true},
		"year 1":                                 {year(1), 0, false},
		"year 9999":                              {year(9999), 0, false},
		"year 9999, with the offset for it":      {year(9999), year(9999).UnixMilli() - now.UnixMilli(), false},
		"year 1, with the offset for it":         {year(1), year(1).UnixMilli() - now.UnixMilli(), false},
		"the least offset that can be written":   {year(1), math.MinInt64, false},
		"the largest offset that can be written": {year(9999), math.MaxInt64, false},
	} {
		t.Run(name, func(t *testing.T) {
			v := complete(t, nil)
			s := signing("s1", &v)
			s.SignedAt, s.Device.ClockOffsetMS = domain.At(c.at), c.offset
			_, err := v.Sign(s, storing, now)
			refused := "invalid /signed_at=out_of_range"
			if c.taken {
				refused = ""
			}
			want(t, err, refused)
		})
	}
}
