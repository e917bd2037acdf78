package storage

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/domain"
)

type Stamp struct {
	By string      `bson:"by" json:"by"`
	At domain.Time `bson:"at" json:"at"`
}

type part struct {
	Stamp     `bson:",inline"`
	Name      string   `bson:"name" json:"name"`
	Secret    string   `bson:"secret" json:"-"`
	Amounts   []int64  `bson:"amounts" json:"amounts"`
	Parts     []part   `bson:"parts,omitempty" json:"parts,omitempty"`
	Next      *part    `bson:"next" json:"next"`
	Tolerance *float64 `bson:"tolerance" json:"tolerance"`
}

type rich struct {
	ID         string            `bson:"_id" json:"id"`
	Small      int               `bson:"small" json:"small"`
	Big        int64             `bson:"big" json:"big"`
	Byte       uint8             `bson:"byte" json:"byte"`
	Yes        bool              `bson:"yes" json:"yes"`
	Ratio      float64           `bson:"ratio" json:"ratio"`
	Ratios     []float64         `bson:"ratios" json:"ratios"`
	Text       string            `bson:"text" json:"text"`
	Empty      string            `bson:"empty,omitempty" json:"empty,omitempty"`
	Created    domain.Time       `bson:"created" json:"created"`
	Gone       *domain.Time      `bson:"gone" json:"gone"`
	Attributes json.RawMessage   `bson:"attributes,omitempty" json:"attributes,omitempty"`
	Absent     json.RawMessage   `bson:"absent" json:"absent"`
	Hash       []byte            `bson:"hash" json:"hash"`
	Names      []string          `bson:"names" json:"names"`
	Labels     map[string]string `bson:"labels" json:"labels"`
	ByCode     map[string]part   `bson:"by_code" json:"by_code"`
	Part       part              `bson:"part" json:"part"`
	Parts      []*part           `bson:"parts" json:"parts"`
	Grid       [][]int           `bson:"grid" json:"grid"`
	Code       domain.Code       `bson:"code" json:"code"`
	Hidden     part              `bson:"hidden" json:"-"`
}

func sample() rich {
	at := domain.At(time.Date(2026, 3, 1, 8, 5, 9, 7_999_999, time.UTC))
	half := 0.5
	p := part{
		Stamp: Stamp{By: "mei", At: at}, Name: "左\u2028<b>&\"\\\b\f\n\r\t\x01\x7f🚗", Secret: "s3cret", Amounts: []int64{-1, 0, math.MaxInt64},
		Parts: []part{{Name: "inner", Secret: "s3cret", Amounts: []int64{}}}, Tolerance: &half,
	}
	p.Next = &part{Name: "next", Secret: "s3cret", Amounts: []int64{}}
	return rich{
		ID: "main/1", Small: -7, Big: 1 << 53, Byte: 255, Yes: true, Ratio: 0.1,
		Ratios: []float64{0, -0.5, 1e-6, 1e-7, 123456789, 1e20, 1e21, 1.5e-9, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Copysign(0, -1)},
		Text:   "a\xffb", Created: at, Gone: &at, Attributes: json.RawMessage(`{ "b":1,  "a":[1.0]}`), Absent: json.RawMessage(`null`),
		Hash: []byte{0, 255, 1}, Names: []string{"", "b"}, Labels: map[string]string{"a\"b": "1"}, ByCode: map[string]part{"x": p},
		Part: p, Parts: []*part{&p, nil}, Grid: [][]int{{1}, {}}, Code: domain.CodeInvalid, Hidden: p,
	}
}

// standard is what encoding/json says, without HTML escaping.
func standard(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// document stores v and returns it as a collection does.
func document[T any](t *testing.T, v T) Document {
	t.Helper()
	c := NewCollection(nil, Shape[T]{Name: "x", ID: func(*T) string { return "main/1" }})
	r, err := c.record(&v)
	if err != nil {
		t.Fatal(err)
	}
	return Document{raw: r.Doc, form: c.form}
}

func TestJSONEqualsTheStandardEncoder(t *testing.T) {
	in := sample()
	in.Absent = nil // encoding/json writes it as null, too
	if got, want := string(document(t, in).AppendJSON(nil)), standard(t, in); !sameJSON(t, got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// sameJSON compares bytes: json.RawMessage is compacted by the standard encoder and verbatim by ours.
func sameJSON(t *testing.T, got, want string) bool {
	t.Helper()
	got = strings.Replace(got, `{ "b":1,  "a":[1.0]}`, `{"b":1,"a":[1.0]}`, 1)
	return got == want
}

func TestHiddenMembersNeverShow(t *testing.T) {
	if got := document(t, sample()).AppendJSON(nil); bytes.Contains(got, []byte("s3cret")) || bytes.Contains(got, []byte("hidden")) {
		t.Errorf("a member with json:\"-\" shows: %s", got)
	}
}

func TestRawJSONIsVerbatim(t *testing.T) {
	if got := document(t, sample()).AppendJSON(nil); !bytes.Contains(got, []byte(`"attributes":{ "b":1,  "a":[1.0]}`)) {
		t.Errorf("attributes are not as they were sent: %s", got)
	}
}

func TestNilListsAndMapsAreEmpty(t *testing.T) {
	got := string(document(t, rich{}).AppendJSON(nil))
	for _, want := range []string{`"ratios":[]`, `"names":[]`, `"labels":{}`, `"by_code":{}`, `"grid":[]`, `"amounts":[]`, `"hash":null`, `"absent":null`, `"gone":null`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in %s", want, got)
		}
	}
	if !json.Valid([]byte(got)) {
		t.Errorf("not JSON: %s", got)
	}
}

func TestUnknownMembersAreNotShown(t *testing.T) {
	raw, err := bson.Marshal(bson.D{{Key: "by", Value: "mei"}, {Key: "new_secret", Value: "x"}, {Key: "at", Value: time.Unix(0, 0)}})
	if err != nil {
		t.Fatal(err)
	}
	d := document(t, Stamp{})
	d.raw = raw
	if got, want := string(d.AppendJSON(nil)), `{"by":"mei","at":"1970-01-01T00:00:00.000Z"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNumbersThatJSONCannotSayAreNull(t *testing.T) {
	in := rich{Ratios: []float64{math.NaN(), math.Inf(1), math.Inf(-1)}}
	if got := document(t, in).AppendJSON(nil); !bytes.Contains(got, []byte(`"ratios":[null,null,null]`)) {
		t.Errorf("got %s", got)
	}
}

func TestTimesAreWrittenByLayout(t *testing.T) {
	for _, ms := range []int64{0, -1, 1, 1772352309007, -62135596800000, -62167219200000, 253402300799999, math.MaxInt32 * 1000} {
		want := `"` + domain.At(time.UnixMilli(ms)).String() + `"`
		if got := string(appendTime(nil, ms)); got != want {
			t.Errorf("%d: got %s, want %s", ms, got, want)
		}
	}
}

func TestSub(t *testing.T) {
	d := document(t, sample())
	for _, c := range []struct {
		path []string
		want string
	}{
		{[]string{"labels"}, `{"a\"b":"1"}`},
		{[]string{"part", "amounts"}, `[-1,0,9223372036854775807]`},
		{[]string{"grid", "0"}, `[1]`},
		{[]string{"part", "parts", "0"}, standard(t, sample().Part.Parts[0])},
		{[]string{"by_code", "x", "next"}, standard(t, sample().Part.Next)},
	} {
		sub, ok := d.Sub(c.path...)
		if got := string(sub.AppendJSON(nil)); !ok || got != c.want {
			t.Errorf("%v: got %s, want %s", c.path, got, c.want)
		}
	}
	for _, path := range [][]string{{"none"}, {"text"}, {"part", "none"}, {"parts", "1"}} {
		if _, ok := d.Sub(path...); ok {
			t.Errorf("%v is no document, but is found", path)
		}
	}
}

func TestAppendFieldsLeavesTheBracesOut(t *testing.T) {
	d := document(t, Stamp{By: "mei"})
	if got, want := "{"+string(d.AppendFields(nil))+"}", string(d.AppendJSON(nil)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := string(Document{}.AppendJSON(nil)) + string(Document{}.AppendFields(nil)); got != "null" {
		t.Errorf("the zero document is %s", got)
	}
}

func TestDamagedBytesNeverPanic(t *testing.T) {
	whole := document(t, sample())
	for i := range whole.raw {
		for _, b := range []byte{0, 1, 0x7f, 0x80, 0xff} {
			raw := bytes.Clone(whole.raw)
			raw[i] = b
			d := Document{raw: raw, form: whole.form}
			_ = d.AppendJSON(nil)
			_, _ = d.Sub("part", "parts", "0")
			_ = keepUnknown(whole.raw, raw, whole.form)
		}
		_ = Document{raw: whole.raw[:i], form: whole.form}.AppendJSON(nil)
	}
}

func TestJSONAllocatesNothing(t *testing.T) {
	d := document(t, sample())
	dst := d.AppendJSON(nil)
	if n := testing.AllocsPerRun(100, func() { dst = d.AppendJSON(dst[:0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzStrings(f *testing.F) {
	for _, s := range []string{"", "煞車", "\x00\x1f\x7f", "\xff\xed\xa0\x80", "\u2028\u2029\ufffd", "\"\\/<>&", "🚗\xf0\x9f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := string(appendString(nil, []byte(s))), standard(t, s); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func FuzzNumbers(f *testing.F) {
	for _, v := range []float64{0, 1, -1.5, 1e21, 1e-7, 123e-9} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v float64) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Skip("JSON cannot say it")
		}
		if got, want := string(appendDouble(nil, v)), standard(t, v); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add(Cursor("粤A", "main/1"))
	f.Add("AA")
	f.Fuzz(func(t *testing.T, s string) {
		at, id, err := ParseCursor(s)
		if err == nil && Cursor(at, id) != s {
			t.Errorf("%q is taken for the cursor of %q, %q", s, at, id)
		}
	})
}

func BenchmarkDocumentJSON(b *testing.B) {
	in := sample()
	c := NewCollection(nil, Shape[rich]{Name: "x", ID: func(*rich) string { return "main/1" }})
	r, err := c.record(&in)
	if err != nil {
		b.Fatal(err)
	}
	d := Document{raw: r.Doc, form: c.form}
	dst := d.AppendJSON(nil)
	b.Run("streamed", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(dst)))
		for b.Loop() {
			dst = d.AppendJSON(dst[:0])
		}
	})
	b.Run("through the struct", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(dst)))
		for b.Loop() {
			var v rich
			if err := unmarshal(d.raw, &v); err != nil {
				b.Fatal(err)
			}
			if _, err := json.Marshal(v); err != nil {
				b.Fatal(err)
			}
		}
	})
}
