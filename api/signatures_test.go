package api

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
)

func drawing(t *testing.T, width, height int) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}

func request(t *testing.T) SignatureRequest {
	t.Helper()
	return SignatureRequest{
		Document: "inspection", Digest: "sha256:" + strings.Repeat("ab", 32), Signer: evidence.Signer{Name: "陳大文"},
		SignedAt: domain.At(time.Unix(1_790_000_000, 0)), Image: drawing(t, 100, 50),
		Strokes: [][][]float64{{{0, 0, 0}, {100, 50, 20, 1}}, {{1, 1, 20, 0}}},
	}
}

func TestSignatureRequest(t *testing.T) {
	many := slices.Repeat([][]float64{{1, 1, 1}}, maxStrokePoints+1)
	for name, c := range map[string]struct {
		change func(*SignatureRequest)
		want   string
	}{
		"whole":             {func(*SignatureRequest) {}, ""},
		"without strokes":   {func(r *SignatureRequest) { r.Strokes = nil }, ""},
		"another document":  {func(r *SignatureRequest) { r.Document = "estimate" }, "/document=unknown"},
		"no digest":         {func(r *SignatureRequest) { r.Digest = "abc" }, "/digest=malformed"},
		"signer":            {func(r *SignatureRequest) { r.Signer.Name = strings.Repeat("x", 81) }, "/signer/name=too_long"},
		"relation":          {func(r *SignatureRequest) { r.Signer.Relation = strings.Repeat("x", 41) }, "/signer/relation=too_long"},
		"device":            {func(r *SignatureRequest) { r.Device.ID = strings.Repeat("x", 101) }, "/device/id=too_long"},
		"app version":       {func(r *SignatureRequest) { r.Device.AppVersion = strings.Repeat("x", 101) }, "/device/app_version=too_long"},
		"offline for years": {func(r *SignatureRequest) { r.Device.OfflineSeconds = 366*24*3600 + 1 }, "/device/offline_seconds=out_of_range"},
		"at no time":        {func(r *SignatureRequest) { r.SignedAt = domain.Time{} }, "/signed_at=required"},
		"not a data URI":    {func(r *SignatureRequest) { r.Image, r.Strokes = "https://x", nil }, "/image=malformed"},
		"not base64":        {func(r *SignatureRequest) { r.Image, r.Strokes = "data:image/png;base64,!!", nil }, "/image=malformed"},
		"not a PNG":         {func(r *SignatureRequest) { r.Image, r.Strokes = "data:image/png;base64,AAAA", nil }, "/image=malformed"},
		"too wide":          {func(r *SignatureRequest) { r.Image, r.Strokes = drawing(t, maxSignatureSide+1, 1), nil }, "/image=malformed"},
		"too many pixels":   {func(r *SignatureRequest) { r.Image, r.Strokes = drawing(t, 4_000, 2_000), nil }, "/image=malformed"},
		"too many bytes": {
			func(r *SignatureRequest) {
				r.Image, r.Strokes = "data:image/png;base64,"+strings.Repeat("A", 700<<10), nil
			}, "/image=malformed",
		},
		"too many strokes": {func(r *SignatureRequest) { r.Strokes = make([][][]float64, maxStrokes+1) }, "/strokes=too_many"},
		"too many points":  {func(r *SignatureRequest) { r.Strokes = [][][]float64{many} }, "/strokes=too_many"},
		"a point of two":   {func(r *SignatureRequest) { r.Strokes[1][0] = []float64{1, 1} }, "/strokes/1/0=out_of_range"},
		"a point of five":  {func(r *SignatureRequest) { r.Strokes[1][0] = []float64{1, 1, 20, 1, 1} }, "/strokes/1/0=out_of_range"},
		"left of it":       {func(r *SignatureRequest) { r.Strokes[1][0][0] = -1 }, "/strokes/1/0=out_of_range"},
		"below it":         {func(r *SignatureRequest) { r.Strokes[1][0][1] = 51 }, "/strokes/1/0=out_of_range"},
		"no number":        {func(r *SignatureRequest) { r.Strokes[1][0][0] = math.NaN() }, "/strokes/1/0=out_of_range"},
		"time backwards":   {func(r *SignatureRequest) { r.Strokes[1][0][2] = 19 }, "/strokes/1/0=out_of_range"},
		"for an hour":      {func(r *SignatureRequest) { r.Strokes[1][0][2] = 3_600_000 }, "/strokes/1/0=out_of_range"},
		"pressed too hard": {func(r *SignatureRequest) { r.Strokes[1][0][3] = 1.1 }, "/strokes/1/0=out_of_range"},
	} {
		t.Run(name, func(t *testing.T) {
			r := request(t)
			c.change(&r)
			drawn, err := r.check()
			want := c.want
			if want != "" {
				want = "invalid " + want
			}
			if got := told(t, err); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			if err == nil && len(drawn.image) == 0 {
				t.Error("nothing was drawn")
			}
		})
	}
}
