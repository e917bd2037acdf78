package domain_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/domain"
)

func at(seconds int) domain.Time {
	return domain.At(time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second))
}

// refused gives code and fields of a refusal, "" for nil.
func refused(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	refusal, ok := errors.AsType[*domain.Error](err)
	if !ok {
		t.Fatalf("not a refusal: %v", err)
	}
	said := []string{string(refusal.Code)}
	for _, f := range refusal.Fields {
		said = append(said, f.Pointer+"="+string(f.Code))
	}
	return strings.Join(said, " ")
}

func TestOutboxRunsOldestFirstAndOwesOnce(t *testing.T) {
	var o domain.Outbox
	o.Add("seal", "a", at(0))
	o.Add("sizes", "a", at(1))
	o.Add("seal", "a", at(2))
	if len(o) != 2 {
		t.Fatalf("owed twice: %+v", o)
	}
	if next, _ := o.Next(); next.Type != "seal" || next.DueAt != at(0) {
		t.Errorf("next is %+v", next)
	}
	before := o
	o.Done(domain.Task{Type: "seal", Ref: "a", Generation: 1})
	if next, _ := o.Next(); next.Type != "sizes" {
		t.Errorf("next is %+v", next)
	}
	if before[0].Type != "seal" {
		t.Error("Done changed what another copy holds")
	}
	o.Done(domain.Task{Type: "nothing", Ref: "a"})
	o.Done(domain.Task{Type: "sizes", Ref: "a"})
	if _, ok := o.Next(); ok || o.PendingKey() != nil {
		t.Errorf("still owed: %+v", o)
	}
}

func TestWhatIsOwedAnewIsNotLost(t *testing.T) {
	var o domain.Outbox
	o.Add("seal", "a", at(0))
	running, _ := o.Next()
	before := o
	o.Add("seal", "a", at(1))
	if before[0].Generation != 0 {
		t.Error("Add changed what another copy holds")
	}
	o.Done(running)
	again, ok := o.Next()
	if !ok || again.DueAt != at(0) {
		t.Fatalf("owed anew while it ran, and forgotten: %+v", o)
	}
	for range domain.MaxAttempts {
		o.Fail("seal", "a", "no paper", at(2))
	}
	if _, ok := o.Next(); ok {
		t.Fatalf("not set aside: %+v", o)
	}
	o.Add("seal", "a", at(3))
	revived, ok := o.Next()
	if !ok || revived.Attempts != 0 || revived.DueAt != at(3) || len(o) != 1 || o.FailedKey() != nil {
		t.Fatalf("set aside, owed anew, and still aside: %+v", o)
	}
	o.Done(revived)
	if len(o) != 0 {
		t.Errorf("still owed: %+v", o)
	}
}

func TestOutboxBacksOffUntilItSetsAside(t *testing.T) {
	var o domain.Outbox
	o.Add("seal", "a", at(0))
	o.Add("seal", "b", at(0))
	now := at(0)
	for attempt, wait := range []int{
		1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048,
	} {
		if o[0].FailedAt != nil {
			t.Fatalf("set aside after %d attempts", attempt)
		}
		o.Fail("seal", "a", "no paper", now)
		if want := domain.At(now.Add(time.Duration(wait) * time.Second)); o[0].DueAt != want || o[0].LastError != "no paper" {
			t.Fatalf("attempt %d: %+v, want due at %s", attempt, o[0], want)
		}
		if attempt < domain.MaxAttempts-1 && (len(o.PendingKey()) != 1 || o.PendingKey()[0] != o[0].DueAt.String()) {
			t.Fatalf("pending %v", o.PendingKey())
		}
		now = o[0].DueAt
	}
	if o[0].FailedAt == nil || o[0].Attempts != domain.MaxAttempts {
		t.Fatalf("not set aside: %+v", o[0])
	}
	if next, _ := o.Next(); next.Ref != "b" {
		t.Errorf("what was set aside holds up the rest: %+v", next)
	}
	if failed := o.FailedKey(); len(failed) != 1 || failed[0] != o[0].FailedAt.String() {
		t.Errorf("failed key %v", failed)
	}
	o.Fail("nothing", "a", "", now)
}

func TestOutboxNeverWaitsOverAnHour(t *testing.T) {
	o := domain.Outbox{{Type: "seal", Ref: "a", Attempts: 40}}
	o.Fail("seal", "a", "", at(0))
	if wait := o[0].DueAt.Sub(at(0).Time); wait != time.Hour {
		t.Errorf("waits %s", wait)
	}
}

func TestAnswersRecall(t *testing.T) {
	var a domain.Answers
	a.Keep(domain.Answer{Key: "k", Body: "b", Status: 201, At: at(0)})
	a.Keep(domain.Answer{Body: "without a key", At: at(0)})
	if len(a) != 1 {
		t.Fatalf("%+v", a)
	}
	if got, known, err := a.Recall("k", "b"); err != nil || !known || got.Status != 201 {
		t.Errorf("%+v %v %v", got, known, err)
	}
	if _, known, err := a.Recall("k", "other"); known || refused(t, err) != "idempotency_key_reused" {
		t.Errorf("%v %v", known, err)
	}
	for _, key := range []string{"", "unknown"} {
		if _, known, err := a.Recall(key, "b"); known || err != nil {
			t.Errorf("%q: %v %v", key, known, err)
		}
	}
}

func TestAnswersForget(t *testing.T) {
	var a domain.Answers
	a.Keep(domain.Answer{Key: "old", At: at(0)})
	a.Keep(domain.Answer{Key: "young", At: at(1)})
	a.Keep(domain.Answer{Key: "new", At: domain.At(at(0).Add(domain.AnswersKept))})
	if len(a) != 2 || a[0].Key != "young" || a[1].Key != "new" {
		t.Errorf("after 30 days: %+v", a)
	}
	a = nil
	for i := range 250 {
		a.Keep(domain.Answer{Key: string(rune('a' + i)), At: at(i)})
	}
	if len(a) != 200 || a[0].At != at(50) || a[199].At != at(249) {
		t.Errorf("%d answers from %s to %s", len(a), a[0].At, a[len(a)-1].At)
	}
	a = nil
	for i := range 10 {
		a.Keep(domain.Answer{Key: string(rune('a' + i)), At: at(i), Response: make([]byte, 100<<10)})
	}
	if len(a) != 5 || a[4].At != at(9) {
		t.Errorf("%d answers of 100 KiB are kept", len(a))
	}
	a = nil
	a.Keep(domain.Answer{Key: "huge", Response: make([]byte, 1<<20)})
	if len(a) != 1 {
		t.Error("the last answer must be kept whatever its size")
	}
}

func TestTimeJSON(t *testing.T) {
	for text, want := range map[string]string{
		`"2026-11-23T09:00:00+08:00"`:         "2026-11-23T01:00:00.000Z",
		`"2026-11-23T01:00:00.123999999Z"`:    "2026-11-23T01:00:00.123Z",
		`"0000-01-01T00:00:00Z"`:              "0000-01-01T00:00:00.000Z",
		`"9999-12-31T23:59:59.999Z"`:          "9999-12-31T23:59:59.999Z",
		`"1969-12-31T23:59:59.9999Z"`:         "1969-12-31T23:59:59.999Z",
		`"0000-01-01T00:00:00+01:00"`:         "refused",
		`"9999-12-31T23:59:59-01:00"`:         "refused",
		`"2026-11-23 01:00:00"`:               "refused",
		`"2026-02-30T00:00:00Z"`:              "refused",
		`"2026-11-23T01:00:00"`:               "refused",
		`1790000000`:                          "refused",
		`null`:                                "refused",
		`""`:                                  "refused",
		`"2026-11-23T01:00:00Z and more"`:     "refused",
		`"2026-11-23T01:00:00.1234567890Z"`:   "2026-11-23T01:00:00.123Z",
		`"2026-11-23t01:00:00z"`:              "refused",
		`{"time":"2026-11-23T01:00:00.123Z"}`: "refused",
	} {
		var moment domain.Time
		err := moment.UnmarshalJSON([]byte(text))
		if want == "refused" {
			if err == nil {
				t.Errorf("%s was read as %s", text, moment)
			}
			continue
		}
		if err != nil || moment.String() != want {
			t.Errorf("%s was read as %s, %v", text, moment, err)
		}
		again, err := json.Marshal(moment)
		if err != nil || string(again) != `"`+want+`"` {
			t.Errorf("%s was written as %s, %v", text, again, err)
		}
	}
}

func TestTimeBSON(t *testing.T) {
	type holder struct {
		At   domain.Time  `bson:"at"`
		Then *domain.Time `bson:"then"`
	}
	for _, moment := range []time.Time{
		{}, time.UnixMilli(0), time.UnixMilli(-1), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC), time.Date(2026, 11, 23, 9, 0, 0, 5e6, time.FixedZone("", 3600)),
	} {
		want := domain.At(moment)
		raw, err := bson.Marshal(holder{At: want, Then: &want})
		if err != nil {
			t.Fatal(err)
		}
		var got holder
		if err := bson.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		if got.At != want || *got.Then != want {
			t.Errorf("%s came back as %s and %s", want, got.At, got.Then)
		}
	}
	raw, err := bson.Marshal(bson.M{"at": "yesterday"})
	if err != nil {
		t.Fatal(err)
	}
	var got holder
	if err := bson.Unmarshal(raw, &got); err == nil {
		t.Errorf("a string was read as %s", got.At)
	}
	if err := new(domain.Time).UnmarshalBSONValue(0x09, []byte{1, 2}); err == nil {
		t.Error("two bytes were read as a time")
	}
}

func TestFaultsListEverything(t *testing.T) {
	low, high := int64(-1), int64(11)
	id := "01900000-0000-7000-8000-000000000001"
	for name, c := range map[string]struct {
		check func(*domain.Faults)
		want  string
	}{
		"none":              {func(*domain.Faults) {}, ""},
		"text fits":         {func(f *domain.Faults) { f.Text("/a", "煞車\t\r\n", 5) }, ""},
		"text too long":     {func(f *domain.Faults) { f.Text("/a", "煞車煞", 2) }, "invalid /a=too_long"},
		"control character": {func(f *domain.Faults) { f.Text("/a", "a\x00", 9) }, "invalid /a=malformed"},
		"delete character":  {func(f *domain.Faults) { f.Text("/a", "a\x7f", 9) }, "invalid /a=malformed"},
		"required":          {func(f *domain.Faults) { f.Required("/a", " \t", 9) }, "invalid /a=required"},
		"too many":          {func(f *domain.Faults) { f.Count("/a", 3, 2) }, "invalid /a=too_many"},
		"as many":           {func(f *domain.Faults) { f.Count("/a", 2, 2) }, ""},
		"no number":         {func(f *domain.Faults) { f.Range("/a", nil, 0, 10) }, ""},
		"below":             {func(f *domain.Faults) { f.Range("/a", &low, 0, 10) }, "invalid /a=out_of_range"},
		"above":             {func(f *domain.Faults) { f.Range("/a", &high, 0, 10) }, "invalid /a=out_of_range"},
		"at the end":        {func(f *domain.Faults) { f.Range("/a", &high, 0, 11) }, ""},
		"id":                {func(f *domain.Faults) { f.ID("/a", id) }, ""},
		"upper-case id":     {func(f *domain.Faults) { f.ID("/a", "01900000-0000-7000-8000-00000000000A") }, "invalid /a=malformed"},
		"braced id":         {func(f *domain.Faults) { f.ID("/a", "{"+id+"}") }, "invalid /a=malformed"},
		"ids": {
			func(f *domain.Faults) { f.IDs("/a", []string{id, "x", id}, 2) },
			"invalid /a=too_many /a/1=malformed /a/2=duplicate",
		},
		"not yet chosen": {func(f *domain.Faults) { domain.OneOf(f, "/a", domain.Language(""), domain.Languages()...) }, ""},
		"known":          {func(f *domain.Faults) { domain.OneOf(f, "/a", domain.ZhHans, domain.Languages()...) }, ""},
		"unknown":        {func(f *domain.Faults) { domain.OneOf(f, "/a", "fr", "en", "de") }, "invalid /a=unknown"},
		"twice": {
			func(f *domain.Faults) {
				domain.Unique(f, "/a", []string{"x", "", "", "x", "y", "x"}, func(s string) string { return s })
			},
			"invalid /a/3=duplicate /a/5=duplicate",
		},
		"all of them": {
			func(f *domain.Faults) { f.Required("/a", "", 1); f.Text("/b", "xx\x01", 2) },
			"invalid /a=required /b=too_long /b=malformed",
		},
	} {
		var f domain.Faults
		c.check(&f)
		if got := refused(t, f.Err()); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestFaultsAreBounded(t *testing.T) {
	var f domain.Faults
	for range 1_000 {
		f.Add("/a", domain.CodeUnknown, "")
	}
	refusal, _ := errors.AsType[*domain.Error](f.Err())
	if len(refusal.Fields) != 100 {
		t.Errorf("%d are listed", len(refusal.Fields))
	}
}

func TestIDs(t *testing.T) {
	a, b := domain.NewID(), domain.NewID()
	if !domain.ValidID(a) || a == b || a[:8] > b[:8] {
		t.Errorf("%s, %s", a, b)
	}
	one, again, other := domain.DerivedID(a, "vehicle"), domain.DerivedID(a, "vehicle"), domain.DerivedID(a, "customer")
	if one != again || one == other || one == domain.DerivedID(b, "vehicle") || !domain.ValidID(one) {
		t.Errorf("%s, %s, %s", one, again, other)
	}
}

func TestErrorSaysCodeAndDetail(t *testing.T) {
	if got := domain.Refuse("wrong_state", "it is %s", "closed").Error(); got != "wrong_state: it is closed" {
		t.Error(got)
	}
	if got := (&domain.Error{Code: "wrong_state"}).Error(); got != "wrong_state" {
		t.Error(got)
	}
	if domain.Invalid(nil) != nil {
		t.Error("no fields are a refusal")
	}
}
