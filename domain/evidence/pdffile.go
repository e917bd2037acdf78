package evidence

import (
	"bytes"
	"fmt"
	"regexp"
)

const (
	pdfMaxSections = 8
	pdfMaxObjects  = 20_000
	pdfTailBytes   = 64      // in which startxref stands
	pdfDictBytes   = 8 << 10 // how long a dictionary of ours may be
	pdfEntryBytes  = 20      // of a cross-reference table, by the standard
)

var (
	pdfTail  = regexp.MustCompile(`startxref\s+(\d{1,10})\s+%%EOF\s*$`)
	pdfEntry = regexp.MustCompile(`^(\d{10}) (\d{5}) ([nf])[ \r][\r\n]$`)
)

// pdfFile is a PDF as far as the way to its attachments goes.
type pdfFile struct {
	b       []byte
	places  map[pdfRef]int // of objects, by the newest section
	catalog pdfDict
}

// openPDF follows the cross-reference tables from the last to the first.
func openPDF(b []byte) (*pdfFile, error) {
	m := pdfTail.FindSubmatch(b[max(0, len(b)-pdfTailBytes):])
	if m == nil {
		return nil, forged("the PDF does not end as one does")
	}
	f := &pdfFile{b: b, places: map[pdfRef]int{}}
	next, _ := (&pdfReader{b: m[1]}).integer()
	var root any
	for range pdfMaxSections {
		trailer, err := f.section(next)
		if err != nil {
			return nil, err
		}
		if root == nil {
			root = trailer["Root"]
		}
		previous, more := trailer["Prev"]
		if !more {
			return f, f.open(root)
		}
		if next, more = previous.(int); !more {
			break
		}
	}
	return nil, forged("the tables of the PDF are not as ours are")
}

// open reads the catalogue.
func (f *pdfFile) open(root any) (err error) {
	ref, ok := root.(pdfRef)
	if !ok {
		return forged("the PDF has no catalogue")
	}
	f.catalog, _, err = f.object(ref)
	return err
}

// section reads one table and gives its trailer. Objects that a newer section placed stay where that says.
func (f *pdfFile) section(at int) (pdfDict, error) {
	refused := forged("a table of the PDF is not as ours are")
	r := f.reader(at)
	if r == nil || !r.take("xref") {
		return nil, refused
	}
	for !r.take("trailer") {
		first, ok := r.integer()
		count, okCount := r.integer()
		if !ok || !okCount || len(f.places)+count > pdfMaxObjects || !f.entries(r, pdfRef(first), count) {
			return nil, refused
		}
	}
	trailer, ok := r.dict()
	if _, streamed := trailer["XRefStm"]; !ok || streamed {
		return nil, refused
	}
	return trailer, nil
}

// entries reads the lines of one subsection.
func (f *pdfFile) entries(r *pdfReader, first pdfRef, count int) bool {
	r.space()
	for i := range pdfRef(count) {
		if len(r.b)-r.at < pdfEntryBytes {
			return false
		}
		m := pdfEntry.FindSubmatch(r.b[r.at : r.at+pdfEntryBytes])
		if m == nil {
			return false
		}
		r.at += pdfEntryBytes
		if _, newer := f.places[first+i]; newer {
			continue
		}
		f.places[first+i], _ = (&pdfReader{b: m[1]}).integer()
		if m[3][0] == 'f' {
			f.places[first+i] = 0 // free: no object stands at the start of a file
		}
	}
	return true
}

// object reads the dictionary of an object and gives what of the file follows it.
func (f *pdfFile) object(ref pdfRef) (pdfDict, []byte, error) {
	refused := forged("object %d of the PDF is not as ours are", ref)
	r := f.reader(f.places[ref])
	if r == nil || !r.take(fmt.Sprintf("%d 0 obj", ref)) {
		return nil, nil, refused
	}
	inner := pdfReader{b: r.b[r.at:min(len(r.b), r.at+pdfDictBytes)]}
	dict, ok := inner.dict()
	if !ok {
		return nil, nil, refused
	}
	return dict, r.b[r.at+inner.at:], nil
}

// reader stands at a place inside the file, or is nil.
func (f *pdfFile) reader(at int) *pdfReader {
	if at <= 0 || at >= len(f.b) || !bytes.HasPrefix(f.b, []byte("%PDF-")) {
		return nil
	}
	return &pdfReader{b: f.b, at: at}
}
