package api

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/walkaround/api/paper"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/vehicle"
	"example.com/walkaround/domain/visit"
)

// unprinted are the texts of a sheet that are no words for the customer: names by which machines find things, and the
// languages, which choose the words. A result is a mark; checklist and consent stand beside the inspection.
var unprinted = regexp.MustCompile(`^Sheet\.Inspection\.(Checklist|Consent)\.|(ID|IDs|\.Result|\.Photos|\.Recordings|\.Language|\.X|\.Y)$`)

// filler fills a value whole, every text with a marker of its own.
type filler struct {
	next    int64
	markers map[string]string // path of the field → what must be on paper
}

func (f *filler) fill(path string, v reflect.Value) {
	switch v.Interface().(type) {
	case domain.Time:
		f.next++
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(f.next) * 61 * time.Minute)
		v.Set(reflect.ValueOf(domain.At(at)))
		f.markers[path] = at.In(time.FixedZone("", 8*3600)).Format("2006-01-02 15:04")
		return
	case json.RawMessage:
		f.next++
		v.SetBytes([]byte("{" + f.members() + "}"))
		return
	}
	f.kinds(path, v)
}

// members are as many as no other attributes have.
func (f *filler) members() string {
	list := make([]string, 100+f.next)
	for i := range list {
		list[i] = fmt.Sprintf(`"k%d":1`, i)
	}
	f.markers[fmt.Sprint("attributes ", len(list))] = fmt.Sprintf("Further data: %d entries", len(list))
	return strings.Join(list, ",")
}

func (f *filler) kinds(path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(path, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		f.fill(path, v.Index(0))
	case reflect.String:
		f.next++
		v.SetString(fmt.Sprintf("Q%03dQ", f.next))
		f.markers[path] = v.String()
	case reflect.Int64:
		f.next++
		v.SetInt(f.next + 500)
		f.markers[path] = strconv.FormatInt(v.Int(), 10)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Map: // of files: their ids stand in the fields that name them
	default:
		panic("a sheet holds what this test can't fill: " + path)
	}
}

// A sheet filled in every field by reflection is printed in every word, so that a new field can't be forgotten.
func TestEveryWordThatIsSignedIsOnPaper(t *testing.T) {
	f := &filler{markers: map[string]string{}}
	var sheet visit.Sheet
	f.fill("Sheet", reflect.ValueOf(&sheet).Elem())
	text := printSheet(t, sheet)
	for path, marker := range f.markers {
		if !unprinted.MatchString(path) && !strings.Contains(text, marker) {
			t.Errorf("%s: %q is not printed", path, marker)
		}
	}
	for _, words := range []string{"Recordings: 1", "Revision 7", "first seen on", "2025-05-06", "Photo 3"} {
		if !strings.Contains(text, words) {
			t.Errorf("%q is not printed", words)
		}
	}
	if got := strings.Count(text, "Recordings: 1"); got != 3 {
		t.Errorf("recordings are told %d times, not of intake, request and engine", got)
	}
}

// printSheet gives the text of the PDF of a sheet.
func printSheet(t *testing.T, sheet visit.Sheet) string {
	t.Helper()
	s := housed(t)
	if _, _, err := s.EnsureFirst(t.Context(), "a blue bucket stands in the yard"); err != nil {
		t.Fatal(err)
	}
	st, err := s.store(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.currentChecklist(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	list.ID, list.Version = sheet.Checklist.ID, sheet.Checklist.Version
	if _, err := s.checklists.Insert(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	ink, err := s.putBlob(t.Context(), "main", picture(t))
	if err != nil {
		t.Fatal(err)
	}
	known := sheet.Inspection.Damages[0].KnownID
	ledger := vehicle.NewLedger("main", "car")
	ledger.Base = []vehicle.Mark{{ID: known, FirstSeenAt: domain.At(time.Date(2025, 5, 6, 0, 0, 0, 0, time.UTC))}}
	if _, err := s.ledgers.Insert(t.Context(), ledger); err != nil {
		t.Fatal(err)
	}
	sheet.Intake.Language = domain.English
	v := visit.Visit{ID: visitID, StoreID: "main", VehicleID: "car"}
	p, err := s.printed(t.Context(), st, v, visit.Signature{Revision: 7, Files: visit.Files{Image: ink}}, sheet)
	if err != nil {
		t.Fatal(err)
	}
	p.Zone = time.FixedZone("", 8*3600)
	var out bytes.Buffer
	if err := paper.Render(t.Context(), &out, p, nil); err != nil {
		t.Fatal(err)
	}
	return textOf(t, out.Bytes())
}

var (
	pdfStream = regexp.MustCompile(`(?s)/Length (\d+)[^>]*>>\s*stream\n`)
	pdfGlyph  = regexp.MustCompile(`(?m)^<([0-9A-F]{4})><[0-9A-F]{4}><([0-9A-F]{4})>$`)
	pdfText   = regexp.MustCompile(`\[<([0-9A-F]*)>\] TJ`)
)

// textOf reads the text of a PDF, piece after piece, by the table of glyphs that is in it.
func textOf(t *testing.T, pdf []byte) string {
	t.Helper()
	letters := map[string]string{}
	for _, m := range pdfGlyph.FindAllSubmatch(pdf, -1) {
		code, _ := strconv.ParseInt(string(m[2]), 16, 32)
		letters[string(m[1])] = string(rune(code))
	}
	var text strings.Builder
	for _, m := range pdfStream.FindAllSubmatchIndex(pdf, -1) {
		length, _ := strconv.Atoi(string(pdf[m[2]:m[3]]))
		z, err := zlib.NewReader(bytes.NewReader(pdf[m[1] : m[1]+length]))
		if err != nil {
			continue
		}
		content, _ := io.ReadAll(z)
		for _, piece := range pdfText.FindAllSubmatch(content, -1) {
			for i := 0; i+4 <= len(piece[1]); i += 4 {
				text.WriteString(letters[string(piece[1][i:i+4])])
			}
			text.WriteByte('\n')
		}
	}
	return text.String()
}
