package paper

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
)

// ErrName is returned by Render for an attachment whose name is empty, too long or no plain file name.
var ErrName = errors.New("the name of an attachment must be a plain file name of printable ASCII")

// anyBytes is the type of an attachment that names none: an empty name is no name of a PDF.
const anyBytes = "application/octet-stream"

func checkAttachments(attachments []Attachment) error {
	seen := make(map[string]bool)
	for _, a := range attachments {
		strange := strings.ContainsFunc(a.Name, func(r rune) bool { return r <= ' ' || r > '~' || r == '/' || r == '\\' })
		if a.Name == "" || len(a.Name) > 100 || strange || seen[a.Name] {
			return fmt.Errorf("%w: %q", ErrName, a.Name)
		}
		seen[a.Name] = true
	}
	return nil
}

// info is what the file says about itself.
type info struct {
	title, author, language string
	date                    time.Time
}

func (p *press) info(s Sheet) info {
	return info{
		title:    join(" ", p.say("title"), s.Number, s.Plate),
		author:   s.Store.Name,
		language: [...]string{hant: "zh-Hant", hans: "zh-Hans", english: "en"}[p.lang],
		date:     s.SealedAt.UTC(),
	}
}

// update is an incremental update of a PDF (ISO 32000-1, 7.5.6): objects appended behind a finished file, which gopdf has no
// other way to take.
type update struct {
	out     *bytes.Buffer
	next    int         // number of the next new object
	offsets map[int]int // of the objects of this update
	order   []int
}

// attach appends the attachments, the document information and a new catalogue to the PDF in out.
// The catalogue that gopdf writes is object 1 and its pages are object 2.
func attach(out *bytes.Buffer, about info, attachments []Attachment) {
	previous, size := trailer(out.Bytes())
	id := sha256.Sum256(out.Bytes())
	u := &update{out: out, next: size, offsets: make(map[int]int)}
	var names, files strings.Builder
	for _, a := range attachments {
		spec := u.file(a, about.date)
		fmt.Fprintf(&names, "%s %d 0 R ", pdfText(a.Name), spec)
		fmt.Fprintf(&files, "%d 0 R ", spec)
	}
	details := u.add(fmt.Sprintf("<< /Title %s /Author %s /Producer (Walkaround) %s>>",
		pdfText(about.title), pdfText(about.author), dated("/CreationDate", about.date)))
	catalog := fmt.Sprintf("<< /Type /Catalog /Pages 2 0 R /Lang (%s) /ViewerPreferences << /DisplayDocTitle true >>", about.language)
	if len(attachments) > 0 {
		catalog += fmt.Sprintf(" /Names << /EmbeddedFiles << /Names [ %s] >> >> /AF [ %s]", names.String(), files.String())
	}
	u.put(1, catalog+" >>")
	u.finish(previous, details, hex.EncodeToString(id[:16]))
}

// file adds an attachment and returns the number of its file specification. The bytes stand uncompressed, so that they can be
// read without a PDF library.
func (u *update) file(a Attachment, date time.Time) int {
	stream := u.add(fmt.Sprintf("<< /Type /EmbeddedFile /Subtype /%s /Params << /Size %d %s>> /Length %d >>\nstream\n%s\nendstream",
		pdfName(cmp.Or(a.ContentType, anyBytes)), len(a.Bytes), dated("/ModDate", date), len(a.Bytes), a.Bytes))
	return u.add(fmt.Sprintf("<< /Type /Filespec /F (%s) /UF (%s) /Desc %s /AFRelationship /Data /EF << /F %d 0 R /UF %d 0 R >> >>",
		escape(a.Name), escape(a.Name), pdfText(a.Description), stream, stream))
}

func (u *update) add(body string) int {
	number := u.next
	u.next++
	u.put(number, body)
	return number
}

func (u *update) put(number int, body string) {
	u.offsets[number] = u.out.Len()
	u.order = append(u.order, number)
	fmt.Fprintf(u.out, "%d 0 obj\n%s\nendobj\n\n", number, body)
}

// finish writes the update's cross-reference table and trailer. Each object has a section of its own: simple, and allowed.
func (u *update) finish(previous, details int, id string) {
	start := u.out.Len()
	u.out.WriteString("xref\n")
	for _, number := range u.order {
		fmt.Fprintf(u.out, "%d 1\n%010d 00000 n \n", number, u.offsets[number])
	}
	fmt.Fprintf(u.out, "trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R /Prev %d /ID [ <%s> <%s> ] >>\nstartxref\n%d\n%%%%EOF\n",
		u.next, details, previous, id, id, start)
}

// trailer finds where the cross-reference table of a PDF by gopdf begins, and how many objects it has.
func trailer(pdf []byte) (xref, size int) {
	tail := pdf[bytes.LastIndex(pdf, []byte("trailer\n")):]
	_, _ = fmt.Sscanf(after(tail, "/Size "), "%d", &size)
	_, _ = fmt.Sscanf(after(tail, "startxref\n"), "%d", &xref)
	return xref, size
}

func after(data []byte, mark string) string {
	_, rest, _ := bytes.Cut(data, []byte(mark))
	return string(rest)
}

// pdfText is a text string of any script: UTF-16 with its mark, in hexadecimal.
func pdfText(s string) string {
	var b strings.Builder
	b.WriteString("<FEFF")
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", unit)
	}
	return b.String() + ">"
}

// pdfName escapes what may not stand in a name as it is.
func pdfName(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c > ' ' && c <= '~' && !strings.ContainsRune("#/()<>[]{}%", rune(c)) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "#%02X", c)
		}
	}
	return b.String()
}

func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(s)
}

func dated(key string, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s (D:%sZ) ", key, t.UTC().Format("20060102150405"))
}
