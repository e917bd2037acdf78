package evidence_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/signintech/gopdf"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
)

const (
	storeA  = "main"
	storeB  = "harbour"
	visitID = "01900000-0000-7000-8000-000000000001"
)

var noon = domain.At(time.Date(2026, 2, 1, 4, 0, 0, 0, time.UTC))

// keyOf makes the same key for the same number.
func keyOf(store string, n byte) evidence.SigningKey {
	return evidence.NewSigningKey(store, [32]byte{n})
}

func pinned(keys ...evidence.SigningKey) evidence.PublicKeys {
	out := evidence.PublicKeys{}
	for _, k := range keys {
		out[k.ID] = k.Public(noon)
	}
	return out
}

// jpeg is what counts as a photo, by its first bytes.
func jpeg(p string) string { return "\xff\xd8\xff" + p }

// formOf is a canonical form that names photos by their bytes.
func formOf(tb testing.TB, photos ...string) []byte {
	tb.Helper()
	var names []string
	for i, p := range photos {
		names = append(names, fmt.Sprintf(`"p%d":%q`, i, strings.TrimPrefix(evidence.Digest([]byte(jpeg(p))), "sha256:")))
	}
	form, err := evidence.Canonical([]byte(`{"visit_id":"` + visitID + `","plate":"粵A·12345","photos":{` + strings.Join(names, ",") + `}}`))
	if err != nil {
		tb.Fatal(err)
	}
	return form
}

func statementOf(form []byte) evidence.Statement {
	return evidence.Statement{
		StoreID: storeA, VisitID: visitID, Number: "20260201-001", Document: "inspection", Revision: 3, Digest: evidence.Digest(form),
		SignatureID: "01900000-0000-7000-8000-000000000009", Signer: evidence.Signer{Name: "陳大文", Relation: "owner"},
		Witness:  evidence.Witness{StaffID: "01900000-0000-7000-8000-000000000005", Name: "林美"},
		Device:   evidence.Device{ID: "tablet-1", AppVersion: "1.0.0", ClockOffsetMS: -120, OfflineSeconds: 35},
		SignedAt: noon, SealedAt: domain.At(noon.Add(40 * time.Second)), ImageSHA256: evidence.Digest([]byte("image")),
		StrokesSHA256: evidence.Digest([]byte("strokes")), Chain: evidence.ChainHead{Seq: 7, Head: evidence.Digest([]byte("head"))},
	}
}

func sealOf(tb testing.TB, key evidence.SigningKey, s evidence.Statement) evidence.Seal {
	tb.Helper()
	seal, err := evidence.Sign(key, s)
	if err != nil {
		tb.Fatal(err)
	}
	return seal
}

// file is one attachment of a PDF made for a test.
type file struct {
	name     string
	data     []byte
	deflated bool
}

func sealFile(tb testing.TB, seal evidence.Seal) []byte {
	tb.Helper()
	data, err := seal.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// sheetOf is a PDF by gopdf with form and seal attached, unsigned.
func sheetOf(tb testing.TB, form []byte, seal evidence.Seal) []byte {
	tb.Helper()
	return attach(tb, blankPDF(tb), file{name: "inspection.json", data: form}, file{name: "seal.json", data: sealFile(tb, seal), deflated: true})
}

// blankPDF is what gopdf makes: a page, the catalogue as object 1, the pages as object 2.
func blankPDF(tb testing.TB) []byte {
	tb.Helper()
	var pdf gopdf.GoPdf
	pdf.Start(gopdf.Config{PageSize: *gopdf.PageSizeA4})
	pdf.AddPage()
	pdf.Line(10, 10, 200, 200)
	out, err := pdf.GetBytesPdfReturnErr()
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// attach appends an incremental update (ISO 32000-1, 7.5.6) with the files.
func attach(tb testing.TB, pdf []byte, files ...file) []byte {
	tb.Helper()
	var previous, size int
	tail := string(pdf[bytes.LastIndex(pdf, []byte("trailer")):])
	_, errSize := fmt.Sscanf(tail[strings.Index(tail, "/Size "):], "/Size %d", &size)
	_, errStart := fmt.Sscanf(tail[strings.Index(tail, "startxref"):], "startxref\n%d", &previous)
	if errSize != nil || errStart != nil {
		tb.Fatal(errSize, errStart)
	}
	out := bytes.NewBuffer(bytes.Clone(pdf))
	offsets := map[int]int{}
	put := func(n int, body string) {
		offsets[n] = out.Len()
		fmt.Fprintf(out, "%d 0 obj\n%s\nendobj\n", n, body)
	}
	var names strings.Builder
	for i, f := range files {
		data, filter := f.data, ""
		if f.deflated {
			data, filter = deflate(tb, f.data), "/Filter /FlateDecode "
		}
		put(size+2*i, fmt.Sprintf("<< /Type /EmbeddedFile /Subtype /application#2Fjson %s/Params << /Size %d >> /Length %d >>\nstream\n%s\nendstream", filter, len(f.data), len(data), data))
		put(size+2*i+1, fmt.Sprintf("<< /Type /Filespec /F (%s) /UF <FEFF%s> /AFRelationship /Data /EF << /F %d 0 R >> >>", f.name, utf16Hex(f.name), size+2*i))
		fmt.Fprintf(&names, "(%s) %d 0 R ", f.name, size+2*i+1)
	}
	put(1, "<< /Type /Catalog /Pages 2 0 R /ViewerPreferences << /DisplayDocTitle true >> /Names << /EmbeddedFiles << /Names [ "+names.String()+"] >> >> >>")
	start := out.Len()
	fmt.Fprintf(out, "xref\n1 1\n%010d 00000 n \n%d %d\n", offsets[1], size, 2*len(files))
	for i := range 2 * len(files) {
		fmt.Fprintf(out, "%010d 00000 n \n", offsets[size+i])
	}
	fmt.Fprintf(out, "trailer\n<< /Size %d /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n", size+2*len(files), previous, start)
	return out.Bytes()
}

func utf16Hex(ascii string) string {
	var b strings.Builder
	for _, c := range ascii {
		fmt.Fprintf(&b, "%04X", c)
	}
	return b.String()
}

func deflate(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func opens(data string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(data)), nil }
}
