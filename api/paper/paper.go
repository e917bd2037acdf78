// Package paper prints the sheet that a customer takes along after the walk-around: an A4 PDF in Traditional Chinese,
// Simplified Chinese or English, with the drawing of the car and its marks, photos, checklist, belongings, signature and the
// way to verify it.
//
// Call Render first; it takes a Sheet of plain values, so that the same Sheet always gives the same bytes. Views and
// DrawingSVG give the drawing of the car on which damage is marked, for pages that show it elsewhere.
//
// It knows no storage, no HTTP and no clock. It may import the standard library, gopdf, qr, x/image and x/text.
package paper

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
)

// Render writes the PDF of a sheet with its attachments to w. Nothing is written unless the whole sheet could be printed.
// Pictures are opened one after the other, and ctx is asked before each: its error is returned as it is. Photos that fail
// are framed gaps and no error, as a sealed sheet must always be printable. Beyond that only w and an attachment whose name
// is no plain file name can fail.
func Render(ctx context.Context, w io.Writer, s Sheet, attachments []Attachment) error {
	if err := checkAttachments(attachments); err != nil {
		return err
	}
	p, err := newPress(s)
	if err != nil {
		return err
	}
	if err := p.sheet(ctx, s); err != nil {
		return err
	}
	var out bytes.Buffer
	if _, err := p.gp.WriteTo(&out); err != nil {
		return fmt.Errorf("compile the sheet: %w", err)
	}
	attach(&out, p.info(s), attachments)
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write the sheet: %w", err)
	}
	return nil
}

// sheet prints section after section, then the footers, which need the number of pages.
func (p *press) sheet(ctx context.Context, s Sheet) error {
	p.head = join("  ·  ", p.say("title"), s.Plate, s.Number, p.number("revision", s.Revision), s.Store.Name)
	p.masthead(s)
	p.facts(s)
	p.requests(s)
	p.condition(s)
	p.belongings(s)
	if err := p.photos(ctx, s); err != nil {
		return err
	}
	p.signature(s)
	p.proof(s)
	p.footers(s)
	return p.err
}

// condition prints drawing, damages, reception and checklist. A drawing that does not fit on the page any more goes behind
// what can be parted, so that no page stays empty for it.
func (p *press) condition(s Sheet) {
	sections := []func(Sheet){p.figure, p.damages, p.reception, p.checklist}
	if p.room() < headingRoom+figureHeight {
		sections = []func(Sheet){p.reception, p.checklist, p.figure, p.damages}
	}
	for _, section := range sections {
		section(s)
	}
}

// join puts the parts that say something together.
func join(sep string, parts ...string) string {
	var out []string
	for _, part := range parts {
		if part != "" {
			out = append(out, part)
		}
	}
	return strings.Join(out, sep)
}
