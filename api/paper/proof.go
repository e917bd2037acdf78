package paper

import (
	"bytes"
	"fmt"
	"image/png"
	"math"
	"strings"

	"github.com/signintech/gopdf"
	"rsc.io/qr"
)

// signature prints what was agreed to, by whom and when, beside the signature itself.
func (p *press) signature(s Sheet) {
	st := style{sizeBody + 0.3, ink}
	consent := p.set.wrap(s.Consent, st.size, inner)
	facts := p.signerFacts(s)
	h := float64(signatureHeight)
	if low := facts[len(facts)-1]; low.y+low.h > h {
		h = low.y + low.h
	}
	p.openSignature(float64(len(consent))*st.leading()+6+h, p.proofHeight(s))
	early := max(0, len(consent)-consentKept)
	for i, l := range consent {
		if p.ensure(st.leading()); i == early {
			p.ensure(float64(len(consent)-early)*st.leading() + 6 + h)
		}
		p.text(margin, p.y, st, l)
		p.y += st.leading()
	}
	if p.y += 6; len(consent) == 0 {
		p.ensure(h)
	}
	p.autograph(frame{margin, p.y, half, signatureHeight - 6}, s)
	p.signer(margin+half+gutter, facts)
	p.y += h
}

const (
	signatureHeight = 96
	consentKept     = 6 // lines of a consent longer than a page that stay with the signature
)

// openSignature begins the section where its h points stand together, and with them the proof if one page holds both: it
// would stand alone on the next one.
func (p *press) openSignature(h, proof float64) {
	switch {
	case h+proof <= whole:
		p.heading("signature", h+proof)
	case h <= whole:
		p.heading("signature", h)
	default:
		p.heading("signature", signatureHeight)
	}
}

// signerFact is a line beside the signature, y points below its top.
type signerFact struct {
	label string
	value []line
	y, h  float64
}

func (p *press) signerFacts(s Sheet) []signerFact {
	var out []signerFact
	y, st := 0.0, style{sizeBody, ink}
	for _, f := range []fact{
		{label: "signer", value: s.Signer.Name},
		{label: "relation", value: p.name("relation", s.Signer.Relation)},
		{label: "signed_at", value: p.moment(s.SignedAt)},
		{label: "witness", value: s.Advisor},
	} {
		value := p.clip(f.value, st.size, half-96, 8)
		h := max(1.6+float64(len(value))*st.leading(), 14.6) + 7.4
		out = append(out, signerFact{f.label, value, y, h})
		y += h
	}
	return out
}

func (p *press) signer(x float64, facts []signerFact) {
	for _, f := range facts {
		p.short(x, p.y+f.y+3, 92, style{sizeSmall, muted}, p.say(f.label))
		p.lines(x+96, p.y+f.y+1.6, style{sizeBody, ink}, f.value)
		p.rule(x, p.y+f.y+f.h-3, half, hair)
	}
}

// autograph prints the signature's image; without one its strokes; without both it says so.
func (p *press) autograph(f frame, s Sheet) {
	p.outline(rounded(f.x+0.5, f.y+0.5, f.w-1, f.h-1, 5), 0.8, hair)
	inside := frame{f.x + 10, f.y + 8, f.w - 20, f.h - 16}
	if p.ink(inside, s.Signature) || p.strokes(inside, s.Strokes) {
		return
	}
	st := style{sizeBody, muted}
	p.center(f.x+f.w/2, f.y+f.h/2-st.leading()/2, st, p.say("no_signature"))
}

// ink prints the image of a signature, if it is one.
func (p *press) ink(f frame, raw []byte) bool {
	img, err := decode(raw)
	if err != nil {
		return false
	}
	small := scaled(img, signatureWidth, signatureWidth)
	var out bytes.Buffer
	if err := png.Encode(&out, small); err != nil {
		return false
	}
	size := small.Bounds().Size()
	p.image(out.Bytes(), contain(f, float64(size.X), float64(size.Y)))
	return true
}

// contain is the largest frame of the given proportions in the middle of f.
func contain(f frame, w, h float64) frame {
	scale := min(f.w/w, f.h/h)
	return frame{f.x + (f.w-w*scale)/2, f.y + (f.h-h*scale)/2, w * scale, h * scale}
}

// strokes draws the signature from its points.
func (p *press) strokes(f frame, strokes [][]Stroke) bool {
	low, high := Stroke{math.Inf(1), math.Inf(1)}, Stroke{math.Inf(-1), math.Inf(-1)}
	for _, line := range strokes {
		for _, q := range line {
			low = Stroke{min(low.X, q.X), min(low.Y, q.Y)}
			high = Stroke{max(high.X, q.X), max(high.Y, q.Y)}
		}
	}
	w, h := max(high.X-low.X, 1), max(high.Y-low.Y, 1)
	if low.X > high.X || math.IsInf(w+h, 0) || math.IsNaN(w+h) {
		return false
	}
	g := contain(f, w, h)
	for _, line := range strokes {
		points := make([]gopdf.Point, len(line))
		for i, q := range line {
			points[i] = gopdf.Point{X: g.x + (q.X-low.X)/w*g.w, Y: g.y + (q.Y-low.Y)/h*g.h}
		}
		p.trace(points, 1.2, ink)
	}
	return true
}

// proof tells how the sheet can be verified, by whom it may concern.
func (p *press) proof(s Sheet) {
	if s.Digest == "" {
		return
	}
	const code = codeSide
	follow := p.proofHeight(s) - headingRoom
	if follow > whole {
		follow = code + 20
	}
	p.heading("verify", follow)
	x, width := margin, inner
	top := p.y
	if p.code(margin, p.y, code, s.VerifyURL) {
		x, width = margin+code+16, inner-code-16
	}
	page := p.gp.GetNumberOfPages()
	p.flow(x, width, style{sizeSmall + 0.4, ink}, p.say("verify_how"))
	p.y += 3
	for _, f := range p.proofFacts(s) {
		p.proofFact(x, width, f)
	}
	if p.gp.GetNumberOfPages() == page {
		p.y = max(p.y, top+code)
	}
}

func (p *press) proofFacts(s Sheet) []fact {
	offset := s.SealedAt.In(p.zone).Format("UTC-07:00")
	return []fact{
		{label: "address", value: s.VerifyURL},
		{label: "digest", value: s.Digest},
		{label: "chain", value: s.ChainHead},
		{label: "sealed_at", value: join("  ·  ", p.moment(s.SealedAt), fmt.Sprintf(p.say("zone"), offset))},
	}
}

const (
	codeSide   = 104.0
	proofLabel = 64.0
)

// proofHeight is what proof takes with its heading; 0 without a digest.
func (p *press) proofHeight(s Sheet) float64 {
	if s.Digest == "" {
		return 0
	}
	width := inner - codeSide - 16
	how := style{sizeSmall + 0.4, ink}
	h := float64(len(p.set.wrap(p.say("verify_how"), how.size, width)))*how.leading() + 3
	st := style{sizeSmall, ink}
	for _, f := range p.proofFacts(s) {
		h += float64(len(p.set.wrap(f.value, st.size, width-proofLabel)))*st.leading() + 1
	}
	return headingRoom + max(h, codeSide)
}

func (p *press) proofFact(x, width float64, f fact) {
	const label = proofLabel
	st := style{sizeSmall, ink}
	if f.value == "" {
		return
	}
	p.ensure(st.leading() + 1)
	p.short(x, p.y, label-4, style{sizeSmall, muted}, p.say(f.label))
	p.flow(x+label, width-label, st, f.value)
	p.y++
}

// code draws a QR code of size points; false if there is nothing to draw, or too much.
func (p *press) code(x, y, size float64, text string) bool {
	if text == "" {
		return false
	}
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return false
	}
	const seam = 0.12 // neighbours overlap, or viewers show white between them
	unit := size / float64(code.Size)
	for row := range code.Size {
		for from := 0; from < code.Size; from++ {
			to := from
			for code.Black(to, row) {
				to++
			}
			if to > from {
				p.fill(rectangle(x+float64(from)*unit, y+float64(row)*unit, float64(to-from)*unit+seam, unit+seam), ink)
				from = to
			}
		}
	}
	return true
}

// footers print number, digest and page at the foot of every page.
func (p *press) footers(s Sheet) {
	pages := p.gp.GetNumberOfPages()
	st := style{sizeFine, muted}
	digest := ""
	if s.Digest != "" {
		digest = p.say("digest") + " " + shortDigest(s.Digest)
	}
	y := bottom + 5
	for n := 1; n <= pages; n++ {
		p.keep(p.gp.SetPage(n))
		p.rule(margin, y, inner, hair)
		p.short(margin, y+4, inner-120, st, join("  ·  ", s.Number, p.number("revision", s.Revision), digest))
		p.right(margin+inner, y+4, st, fmt.Sprintf(p.say("page"), n, pages))
	}
}

// shortDigest is the beginning of a digest: enough to compare by eye.
func shortDigest(digest string) string {
	_, hex, found := strings.Cut(digest, ":")
	if !found {
		hex = digest
	}
	return hex[:min(len(hex), 16)]
}

func rotated(x, y, radius float64) []gopdf.Point {
	return []gopdf.Point{{X: x, Y: y - radius}, {X: x + radius, Y: y}, {X: x, Y: y + radius}, {X: x - radius, Y: y}}
}
