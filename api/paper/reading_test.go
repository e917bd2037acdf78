package paper

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The reading of a sheet's own PDF in tests: no PDF library, just what gopdf writes.

// printed is one piece of text on a page, in points from the top left corner.
type printed struct {
	x, y, width, size float64
	glyphs            string // hexadecimal, four digits a glyph
}

var (
	streams   = regexp.MustCompile(`(?s)<<[^>]*?/Length (\d+)[^>]*?>>\s*stream\n`)
	texts     = regexp.MustCompile(`([\d.-]+) ([\d.-]+) TD\n/F\d+ ([\d.]+) Tf [\d.-]+ Tc\n[^\n]*\n\[<([0-9A-F]*)>\] TJ`)
	embedded  = regexp.MustCompile(`(?s)(\d+) 0 obj\n<< /Type /EmbeddedFile .*?/Length (\d+) >>\nstream\n`)
	fileSpecs = regexp.MustCompile(`/Type /Filespec /F \(([^)]*)\) .*?/EF << /F (\d+) 0 R`)
)

// pages are the texts of each page of a PDF in the order of printing.
func pages(tb testing.TB, pdf []byte) [][]printed {
	tb.Helper()
	f, err := typeface()
	if err != nil {
		tb.Fatal(err)
	}
	var out [][]printed
	for _, m := range streams.FindAllSubmatchIndex(pdf, -1) {
		length, _ := strconv.Atoi(string(pdf[m[2]:m[3]]))
		z, err := zlib.NewReader(bytes.NewReader(pdf[m[1] : m[1]+length]))
		if err != nil {
			continue
		}
		content, err := io.ReadAll(z)
		if err != nil || !bytes.Contains(content, []byte("BT\n")) {
			continue
		}
		var page []printed
		for _, t := range texts.FindAllStringSubmatch(string(content), -1) {
			piece := printed{x: float(t[1]), y: pageHeight - float(t[2]), size: float(t[3]), glyphs: t[4]}
			raw, _ := hex.DecodeString(t[4])
			for i := 0; i+1 < len(raw); i += 2 {
				piece.width += float64(f.metrics.GlyphIndexToPdfWidth(uint(raw[i])<<8|uint(raw[i+1]))) / 1000 * piece.size
			}
			page = append(page, piece)
		}
		out = append(out, page)
	}
	return out
}

func float(s string) float64 {
	v, _ := strconv.ParseFloat(s, 64)
	return v
}

// glyphs is text as it stands in a page: false if the font lacks a rune.
func glyphs(tb testing.TB, text string) string {
	tb.Helper()
	f, err := typeface()
	if err != nil {
		tb.Fatal(err)
	}
	var b strings.Builder
	for _, r := range text {
		g, err := f.metrics.CharCodeToGlyphIndex(r)
		if err != nil {
			tb.Fatalf("no glyph for %q", r)
		}
		fmt.Fprintf(&b, "%04X", g)
	}
	return b.String()
}

// prints says whether text stands on one line of the PDF.
func prints(tb testing.TB, pdf []byte, text string) bool {
	tb.Helper()
	return printsOn(tb, pages(tb, pdf), text)
}

func printsOn(tb testing.TB, all [][]printed, text string) bool {
	tb.Helper()
	wanted := glyphs(tb, text)
	for _, page := range all {
		for _, piece := range page {
			if strings.Contains(piece.glyphs, wanted) {
				return true
			}
		}
	}
	return false
}

// embeddedFiles are the attachments of a PDF by name.
func embeddedFiles(tb testing.TB, pdf []byte) map[string]string {
	tb.Helper()
	bodies := make(map[string]string)
	for _, m := range embedded.FindAllSubmatchIndex(pdf, -1) {
		length, _ := strconv.Atoi(string(pdf[m[4]:m[5]]))
		bodies[string(pdf[m[2]:m[3]])] = string(pdf[m[1] : m[1]+length])
	}
	out := make(map[string]string)
	for _, m := range fileSpecs.FindAllStringSubmatch(string(pdf), -1) {
		out[m[1]] = bodies[m[2]]
	}
	return out
}

func render(tb testing.TB, s Sheet, attachments ...Attachment) []byte {
	tb.Helper()
	var out bytes.Buffer
	if err := Render(tb.Context(), &out, s, attachments); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}
