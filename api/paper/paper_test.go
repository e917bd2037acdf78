package paper

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func sampleAttachments() []Attachment {
	return []Attachment{
		{"inspection.json", "application/json", "所簽內容", []byte(`{"plate":"粵A·12345"}`)},
		{"seal.json", "application/json", "seal (1)", []byte("{\"digest\":\"sha256:00\"}\nendstream\n")},
	}
}

func withPhotos(tb testing.TB, s Sheet, n int) Sheet {
	tb.Helper()
	for i := range n {
		s.Photos = append(s.Photos, photoOf(fmt.Sprintf("photo-%d", i+1), "左前", drawnPhoto(tb, i, 700, 500)))
	}
	return s
}

func TestTheSheetSaysWhatItHolds(t *testing.T) {
	for language, wanted := range map[string][]string{
		"zh-Hant": {"環車檢查單", "顧客要求", "刮痕", "本店保管", "車主", "第 3 頁，共 3 頁"},
		"zh-Hans": {"环车检查单", "顾客要求", "划痕", "本店保管", "车主", "第 3 页，共 3 页"},
		"en":      {"Walk-around sheet", "What you asked for", "Scratch", "Held by us", "Owner", "Page 3 of 3"},
		"":        {"Walk-around sheet"},
	} {
		s := sample(t)
		s.Language = language
		all := pages(t, render(t, s))
		wanted = append(wanted, "粵A·12345", "陳大文", "LHGCM82633A004352", "45,210", "2026-07-23 09:12", "林美", "煞車有異響", "5f1d9c0a7be34286")
		for _, text := range wanted {
			if !printsOn(t, all, text) {
				t.Errorf("%q: %q is not printed", language, text)
			}
		}
		for _, text := range []string{words["draft"][column(language)], words["superseded"][column(language)], words["conflict"][column(language)]} {
			if printsOn(t, all, text) {
				t.Errorf("%q: %q is printed", language, text)
			}
		}
	}
}

func TestStatesThatNobodyMayMiss(t *testing.T) {
	s := sample(t)
	s.Language, s.Superseded, s.Conflict, s.SignedAt = "zh-Hant", true, true, time.Time{}
	s.CustomerPresent, s.ReminderAt, s.Covers, s.Engine = false, time.Time{}, Covers{Seat: true}, Engine{Checked: true, AbnormalNoise: true}
	pdf := render(t, s)
	for _, key := range []string{"draft", "superseded", "conflict", "not_present", "no_reminder", "no_covers", "engine.noise"} {
		if text := words[key][hant]; !prints(t, pdf, text) {
			t.Errorf("%q is not printed", text)
		}
	}
}

func TestAnEmptySheetPrints(t *testing.T) {
	pdf := render(t, Sheet{})
	if !prints(t, pdf, "Draft: not signed yet") || !prints(t, pdf, "No signature image") {
		t.Error("an empty sheet does not say what it lacks")
	}
}

func TestTheSameSheetGivesTheSameBytes(t *testing.T) {
	s := withPhotos(t, sample(t), 3)
	first := render(t, s, sampleAttachments()...)
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			if again := render(t, s, sampleAttachments()...); !bytes.Equal(first, again) {
				t.Error("the same sheet gave other bytes")
			}
		})
	}
	wait.Wait()
	s.SealedAt = s.SealedAt.Add(time.Second)
	if bytes.Equal(first, render(t, s, sampleAttachments()...)) {
		t.Error("the date of sealing is not in the file")
	}
}

// The test runs itself once more, as maps and hashes are seeded anew in each process.
func TestAnotherProcessGivesTheSameBytes(t *testing.T) {
	mine := fmt.Sprintf("sheet %x", sha256.Sum256(render(t, withPhotos(t, sample(t), 2), sampleAttachments()...)))
	if os.Getenv("PAPER_CHILD") != "" {
		fmt.Println(mine)
		return
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAnotherProcessGivesTheSameBytes$")
	child.Env = append(os.Environ(), "PAPER_CHILD=1")
	out, err := child.Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), mine) {
		t.Errorf("here %s, there %s", mine, out)
	}
}

// crowded is a sheet with more of everything than a page can hold.
func crowded(tb testing.TB) Sheet {
	tb.Helper()
	s := sample(tb)
	s.Store = Store{strings.Repeat("永和汽車服務廠", 20), strings.Repeat("廣州市天河區 76 號 ", 30), "1"}
	s.Plate, s.VIN = strings.Repeat("粵A·", 20), strings.Repeat("X", 120)
	s.Customer.Name = strings.Repeat("非常長的名字", 30)
	s.Signer.Name, s.Advisor = strings.Repeat("長", 100), strings.Repeat("long name ", 30)
	s.Consent = strings.Repeat(s.Consent, 30)
	s.Superseded, s.Conflict = true, true
	s.Requests = append(s.Requests, Request{Words: strings.Repeat("一段非常長的話，with English words，", 150), Note: strings.Repeat("Supercalifragilistic", 80)})
	s.Damages, s.Belongings, s.Checklist = nil, nil, nil
	views := []string{"front", "rear", "left", "right", "top", "interior"}
	for i := range 80 {
		s.Damages = append(s.Damages, Damage{
			Number: i + 1, View: views[i%6], X: float64(i*37%100) / 100, Y: float64(i*61%100) / 100, Kind: "missing", Severity: "moderate",
			LengthMM: new(1000 + i), Status: "repaired", Note: strings.Repeat("很長的說明", i%40), Photos: []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}[:i%12],
		})
	}
	s.Damages[40].Note = strings.Repeat("一萬字。", 2500)
	for i := range 120 {
		s.Checklist = append(s.Checklist, Check{fmt.Sprintf("Section %d", i/9), strings.Repeat("檢查 item ", 1+i%9), "urgent", strings.Repeat("備註 ", i%30), nil})
	}
	s.Checklist[5].Note = strings.Repeat("long note ", 1000)
	for i := range 60 {
		s.Belongings = append(s.Belongings, Belonging{strings.Repeat("雨傘 umbrella ", 1+i%12), i, i%3 == 0, "taken_by_customer", []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, ""})
	}
	for i := range 7 {
		s.Photos = append(s.Photos, Photo{ID: strings.Repeat("id", 50), Caption: strings.Repeat("說明", i*20)})
	}
	return s
}

func TestNothingOverlapsHoweverLong(t *testing.T) {
	for language := range 3 {
		s := crowded(t)
		s.Language = []string{"zh-Hant", "zh-Hans", "en"}[language]
		pdf := render(t, s)
		all := pages(t, pdf)
		if len(all) < 15 {
			t.Fatalf("only %d pages", len(all))
		}
		for char, want := range map[string]int{"萬": 2501, "段": 150, "雨": 390} {
			if got := count(t, all, char); got != want {
				t.Errorf("%s is printed %d times, not %d", char, got, want)
			}
		}
		for n, page := range all {
			checkPage(t, n+1, page)
			if footer := glyphs(t, fmt.Sprintf(words["page"][language], n+1, len(all))); !strings.Contains(page[len(page)-1].glyphs, footer) {
				t.Errorf("page %d has no footer", n+1)
			}
		}
	}
}

// count tells how often a character is printed.
func count(t *testing.T, all [][]printed, char string) int {
	t.Helper()
	n, wanted := 0, glyphs(t, char)
	for _, page := range all {
		for _, piece := range page {
			for i := 0; i+4 <= len(piece.glyphs); i += 4 {
				if piece.glyphs[i:i+4] == wanted {
					n++
				}
			}
		}
	}
	return n
}

// Wherever the consent ends on its page, the signature's frame has room or goes to the next one.
func TestTheSignatureStaysInOnePiece(t *testing.T) {
	for lines := 0; lines < 60; lines += 5 {
		s := Sheet{Consent: strings.Repeat("字\n", lines), Signer: Signer{Name: strings.Repeat("長", 60)}, Advisor: "林美"}
		for n, page := range pages(t, render(t, s)) {
			checkPage(t, n+1, page)
		}
	}
}

// checkPage looks for text outside of the margins and for text upon text. The numbers in marks are left out: they may stand
// close upon the drawing.
func checkPage(t *testing.T, number int, page []printed) {
	t.Helper()
	var seen []printed
	for _, a := range page {
		if a.x < margin-0.1 || a.x+a.width > pageWidth-margin+0.5 || a.y < margin || a.y > pageHeight-margin+1 {
			t.Errorf("page %d: text leaves the margins at %.1f to %.1f, %.1f", number, a.x, a.x+a.width, a.y)
		}
		if a.size == 7.4 || a.size == 5.4 {
			continue
		}
		for _, b := range seen {
			beside := a.x+a.width <= b.x+0.1 || b.x+b.width <= a.x+0.1
			above := a.y-0.75*a.size >= b.y+0.1*b.size || b.y-0.75*b.size >= a.y+0.1*a.size
			if !beside && !above {
				t.Errorf("page %d: text upon text at %.1f, %.1f and %.1f, %.1f", number, a.x, a.y, b.x, b.y)
			}
		}
		seen = append(seen, a)
	}
}

func TestTablesRepeatTheirHeadings(t *testing.T) {
	s := sample(t)
	s.Language = "zh-Hant"
	for i := range 80 {
		s.Belongings = append(s.Belongings, Belonging{Description: fmt.Sprint("雨傘", i), Quantity: 1})
	}
	wanted, found := glyphs(t, words["kept"][hant]), 0
	for _, page := range pages(t, render(t, s)) {
		if slices.ContainsFunc(page, func(p printed) bool { return p.glyphs == wanted }) {
			found++
		}
	}
	if found < 3 {
		t.Errorf("84 belongings have %d headings", found)
	}
}

func TestHostileTextPrints(t *testing.T) {
	for name, text := range map[string]string{
		"ten thousand characters": strings.Repeat("長", 10_000),
		"one endless word":        strings.Repeat("x", 10_000),
		"control characters":      "a\x00b\x07c\x1b[31md\u0085",
		"emoji":                   strings.Repeat("👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿", 20),
		"right to left":           "\u202eשלום\u202c \u2066مرحبا\u2069",
		"no UTF-8":                "\xff\xfe\xc3(",
		"line ends":               strings.Repeat("\n", 10_000) + "a\r\r\n\u2028b",
		"PDF syntax":              `)>] TJ ET endstream endobj (\`,
		"combining":               "Z" + strings.Repeat("\u0300", 2_000),
	} {
		t.Run(name, func(t *testing.T) {
			s := sample(t)
			s.Store, s.Number, s.Advisor, s.Plate, s.VIN, s.Model = Store{text, text, text}, text, text, text, text, text
			s.Customer, s.Consent, s.Signer, s.Engine.Note = Customer{text, text, text}, text, Signer{text, text}, text
			s.Requests = []Request{{text, true, s.ArrivedAt, text, 1}}
			s.Checklist = []Check{{text, text, text, text, []int{-1}}}
			s.Damages = []Damage{{Number: math.MaxInt, View: text, Kind: text, Severity: text, Status: text, Note: text}, {View: "left", X: math.NaN(), Y: 9}}
			s.Belongings = []Belonging{{text, math.MinInt, true, text, []int{-1, 0, 99}, text}}
			s.Digest, s.ChainHead, s.VerifyURL = text, text, text
			s.Reason, s.Covers.FittedBy, s.Intake, s.Inspection = text, text, Remarks{text, 1, 1}, Remarks{text, 1, 1}
			for n, page := range pages(t, render(t, s)) {
				checkPage(t, n+1, page)
			}
		})
	}
}

func TestAttachmentsCanBeTakenOut(t *testing.T) {
	pdf := render(t, sample(t), sampleAttachments()...)
	files := embeddedFiles(t, pdf)
	for _, a := range sampleAttachments() {
		if files[a.Name] != string(a.Bytes) {
			t.Errorf("%s holds %q", a.Name, files[a.Name])
		}
	}
	if len(files) != 2 {
		t.Errorf("%d files", len(files))
	}
	if files := embeddedFiles(t, render(t, sample(t))); len(files) != 0 {
		t.Errorf("%d files in a sheet without", len(files))
	}
}

// Every entry of both cross-reference tables must point at its object, and the second one back at the first.
func TestTheCrossReferencesAreRight(t *testing.T) {
	pdf := render(t, sample(t), sampleAttachments()...)
	entries := 0
	at := lastNumber(t, pdf, `startxref\n(\d+)\n%%EOF\n$`)
	for at != 0 {
		part := pdf[at:]
		end := bytes.Index(part, []byte("trailer"))
		number := 0
		for line := range strings.Lines(string(part[len("xref\n"):end])) {
			fields := strings.Fields(line)
			if len(fields) == 2 {
				number, _ = strconv.Atoi(fields[0])
				continue
			}
			offset, _ := strconv.Atoi(fields[0])
			if want := fmt.Sprintf("%d 0 obj\n", number); fields[2] == "n" && !bytes.HasPrefix(pdf[offset:], []byte(want)) {
				t.Errorf("object %d is not at %d", number, offset)
			}
			number++
			entries++
		}
		trailer := part[end:]
		trailer = trailer[:bytes.Index(trailer, []byte("%%EOF"))]
		at = 0
		if bytes.Contains(trailer, []byte("/Prev")) {
			at = lastNumber(t, trailer, `/Prev (\d+)`)
		}
	}
	if entries < 20 {
		t.Errorf("only %d entries", entries)
	}
}

func lastNumber(t *testing.T, data []byte, pattern string) int {
	t.Helper()
	m := regexp.MustCompile(pattern).FindSubmatch(data)
	if m == nil {
		t.Fatalf("no %s", pattern)
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

func TestNamesOfAttachmentsAreJudged(t *testing.T) {
	for _, name := range []string{"", "a/b", `a\b`, "a b", "名.json", "a\n", strings.Repeat("a", 101)} {
		err := Render(t.Context(), io.Discard, Sheet{}, []Attachment{{Name: name}})
		if !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := Render(t.Context(), io.Discard, Sheet{}, []Attachment{{Name: "a"}, {Name: "a"}}); !errors.Is(err, ErrName) {
		t.Errorf("twice: %v", err)
	}
	strange := Attachment{Name: "a(b).json", ContentType: "text/x (y)#", Description: ")"}
	if pdf := render(t, Sheet{}, strange); !bytes.Contains(pdf, []byte(`/F (a\(b\).json)`)) || !bytes.Contains(pdf, []byte("/Subtype /text#2Fx#20#28y#29#23")) {
		t.Error("names are not escaped")
	}
}

func TestAnAttachmentWithoutATypeIsBytes(t *testing.T) {
	if pdf := render(t, Sheet{}, Attachment{Name: "a"}); !bytes.Contains(pdf, []byte("/Subtype /application#2Foctet-stream ")) {
		t.Error("the type of the attachment is no name")
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestAFailingWriterIsReported(t *testing.T) {
	broken := errors.New("broken")
	if err := Render(context.Background(), failing{broken}, Sheet{}, nil); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
