package paper

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// bomb is the head of a PNG that claims to be huge.
func bomb(width, height uint32) []byte {
	head := append([]byte("IHDR"), make([]byte, 13)...)
	binary.BigEndian.PutUint32(head[4:], width)
	binary.BigEndian.PutUint32(head[8:], height)
	head[12], head[13] = 8, 2
	out := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d")
	return binary.BigEndian.AppendUint32(append(out, head...), crc32.ChecksumIEEE(head))
}

// vast is a small file with a whole picture of more pixels than are unpacked.
func vast(tb testing.TB) []byte {
	tb.Helper()
	var out bytes.Buffer
	img := image.NewPaletted(image.Rect(0, 0, 4200, 4000), color.Palette{color.White})
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, img); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// endless gives zeros and counts them.
type endless struct{ given int }

func (e *endless) Read(b []byte) (int, error) {
	if e.given += len(b); e.given > 4*maxPictureBytes {
		return 0, errors.New("still reading")
	}
	return len(b), nil
}

func TestReadingAPhotoIsBounded(t *testing.T) {
	source := new(endless)
	_, _, err := shrink(t.Context(), Photo{Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(source), nil }})
	if !errors.Is(err, errPicture) || source.given > 2*maxPictureBytes {
		t.Errorf("%d bytes were read: %v", source.given, err)
	}
}

type broken struct{ io.Reader }

func (broken) Close() error { return errors.New("lost on the way") }

func TestPhotosThatFailAreFramedWithTheirID(t *testing.T) {
	good := drawnPhoto(t, 1, 320, 240)
	opener := func(r io.ReadCloser, err error) func(context.Context) (io.ReadCloser, error) {
		return func(context.Context) (io.ReadCloser, error) { return r, err }
	}
	for name, photo := range map[string]Photo{
		"no way to open":    {},
		"not found":         {Open: opener(nil, errors.New("not found"))},
		"lost while read":   {Open: opener(broken{bytes.NewReader(good)}, nil)},
		"empty":             photoOf("", "", nil),
		"not a picture":     photoOf("", "", []byte("GIF89a")),
		"cut off":           photoOf("", "", good[:len(good)/2]),
		"claims gigapixels": photoOf("", "", bomb(60_000, 60_000)),
		"too many pixels":   photoOf("", "", vast(t)),
		"claims no width":   photoOf("", "", bomb(0, 10)),
		"too many bytes":    photoOf("", "", append(bytes.Clone(good), make([]byte, maxPictureBytes)...)),
	} {
		t.Run(name, func(t *testing.T) {
			s := sample(t)
			photo.ID = "0190c2d4-7e1a"
			s.Language, s.Photos = "zh-Hant", []Photo{photo, photoOf("fine", "", good)}
			pdf := render(t, s)
			if !prints(t, pdf, words["photo_missing"][hant]) || !prints(t, pdf, "0190c2d4-7e1a") {
				t.Error("the gap is not marked")
			}
			if prints(t, pdf, "fine") {
				t.Error("the photo beside it is missing too")
			}
		})
	}
}

func TestAPhotoThatCanBeReadLaterEndsTheRendering(t *testing.T) {
	s := sample(t)
	s.Photos = []Photo{{ID: "p", Open: func(context.Context) (io.ReadCloser, error) { return nil, errors.Join(ErrLater, errors.New("away")) }}}
	var out bytes.Buffer
	if err := Render(t.Context(), &out, s, nil); !errors.Is(err, ErrLater) {
		t.Errorf("got %v", err)
	}
	if out.Len() != 0 {
		t.Error("something was written")
	}
}

func TestRenderStopsBetweenPhotos(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, opened := sample(t), 0
	data := drawnPhoto(t, 1, 320, 240)
	for range 9 {
		s.Photos = append(s.Photos, Photo{Open: func(context.Context) (io.ReadCloser, error) {
			if opened++; opened == 2 {
				cancel()
			}
			return io.NopCloser(bytes.NewReader(data)), nil
		}})
	}
	if err := Render(ctx, io.Discard, s, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if opened != 2 {
		t.Errorf("%d photos were opened", opened)
	}
}

func TestPhotosBeyondTheLimitAreCounted(t *testing.T) {
	s := sample(t)
	s.Language = "en"
	opened := 0
	for range MaxPhotos + 7 {
		s.Photos = append(s.Photos, Photo{Open: func(context.Context) (io.ReadCloser, error) {
			opened++
			return nil, io.ErrUnexpectedEOF
		}})
	}
	if pdf := render(t, s); !prints(t, pdf, "7 more photos are not printed") {
		t.Error("the rest is not counted")
	}
	if opened != MaxPhotos {
		t.Errorf("%d photos were opened", opened)
	}
}

func TestPicturesOfEveryKindGetSmall(t *testing.T) {
	encoded := func(img image.Image, asPNG bool) []byte {
		var out bytes.Buffer
		var err error
		if asPNG {
			err = png.Encode(&out, img)
		} else {
			err = jpeg.Encode(&out, img, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	for name, test := range map[string]struct {
		data []byte
		want image.Point
	}{
		"screen size":   {drawnPhoto(t, 1, 1280, 960), image.Pt(640, 480)},
		"upright":       {drawnPhoto(t, 1, 961, 1281), image.Pt(480, 640)},
		"large":         {drawnPhoto(t, 1, 3000, 2000), image.Pt(600, 400)},
		"small already": {drawnPhoto(t, 1, 320, 240), image.Pt(320, 240)},
		"thread":        {drawnPhoto(t, 1, 1500, 1), image.Pt(660, 1)},
		"grey JPEG":     {encoded(image.NewGray(image.Rect(0, 0, 1320, 900)), false), image.Pt(660, 450)},
		"16-bit PNG":    {encoded(image.NewNRGBA64(image.Rect(0, 0, 1320, 900)), true), image.Pt(660, 450)},
	} {
		t.Run(name, func(t *testing.T) {
			data, size, err := shrink(t.Context(), photoOf("", "", test.data))
			if err != nil || size != test.want || len(data) > 120<<10 {
				t.Errorf("%v, %d bytes, %v", size, len(data), err)
			}
		})
	}
}

// A box average must leave an even colour as it is, and meet the mean of a checkerboard, at the edges too.
func TestBoxAverages(t *testing.T) {
	img := image.NewYCbCr(image.Rect(0, 0, 1321, 661), image.YCbCrSubsampleRatio420)
	for i := range img.Y {
		img.Y[i] = byte(i % 2 * 200)
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = 90, 160
	}
	out, ok := reduced(img).(*image.YCbCr)
	if !ok || out.Bounds().Size() != image.Pt(440, 220) {
		t.Fatalf("got %T of %v", reduced(img), reduced(img).Bounds())
	}
	for _, at := range []image.Point{{0, 0}, {439, 219}, {200, 100}} {
		c := out.YCbCrAt(at.X, at.Y)
		if math.Abs(float64(c.Y)-100) > 12 || c.Cb != 90 || c.Cr != 160 {
			t.Errorf("at %v: %v", at, c)
		}
	}
}

func TestTransparentSignaturesStandOnWhite(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 10, 10))
	img.SetNRGBA(5, 5, color.NRGBA{0, 0, 120, 255})
	out := scaled(img, 100, 100)
	if got := out.RGBAAt(0, 0); got != (color.RGBA{255, 255, 255, 255}) {
		t.Errorf("the ground is %v", got)
	}
	if got := out.RGBAAt(5, 5); got != (color.RGBA{0, 0, 120, 255}) {
		t.Errorf("the ink is %v", got)
	}
}

func TestSignatureFallsBackToStrokes(t *testing.T) {
	strokes := [][]Stroke{{{1, 1}, {30, 20}, {60, 5}}, {{9, 9}}, nil}
	missing := words["no_signature"][hant]
	for name, test := range map[string]struct {
		image   []byte
		strokes [][]Stroke
		said    bool
	}{
		"image":            {drawnSignature(t), nil, false},
		"strokes":          {nil, strokes, false},
		"damaged image":    {[]byte("\x89PNG"), strokes, false},
		"neither":          {nil, nil, true},
		"empty strokes":    {nil, [][]Stroke{{}}, true},
		"points nowhere":   {bomb(99_999, 99_999), [][]Stroke{{{math.NaN(), 1}, {2, math.Inf(1)}}}, true},
		"a dot":            {nil, [][]Stroke{{{5, 5}}}, false},
		"two equal points": {nil, [][]Stroke{{{5, 5}, {5, 5}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := sample(t)
			s.Language, s.Signature, s.Strokes = "zh-Hant", test.image, test.strokes
			if got := prints(t, render(t, s), missing); got != test.said {
				t.Errorf("says %q: %v", missing, got)
			}
		})
	}
}

func TestACodeThatIsTooLongIsLeftOut(t *testing.T) {
	p, err := newPress(Sheet{})
	if err != nil {
		t.Fatal(err)
	}
	if p.code(0, 0, 100, strings.Repeat("x", 5_000)) || p.code(0, 0, 100, "") {
		t.Error("a code was drawn")
	}
	if !p.code(0, 0, 100, "https://service.example.com/v1/verify/sha256:00") {
		t.Error("no code was drawn")
	}
}

// Forty photos must stay under about 4 MB. Real pictures are tried where they lie beside the checkout; drawn ones always.
func TestFortyPhotosStaySmall(t *testing.T) {
	s := sample(t)
	var pictures [][]byte
	names, err := filepath.Glob("../../../shared/photos/car-*.jpg")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		pictures = append(pictures, data)
	}
	pictures = append(pictures, drawnPhoto(t, 3, 1280, 960))
	total := 0
	for i, data := range pictures {
		small, _, err := shrink(t.Context(), photoOf("", "", data))
		if err != nil {
			t.Fatal(err)
		}
		total += len(small)
		s.Photos = append(s.Photos, photoOf("", "", data))
		t.Logf("photo %d: %d bytes", i, len(small))
	}
	if average := total / len(pictures); average > 90<<10 {
		t.Errorf("a photo takes %d bytes", average)
	}
	if rest := len(render(t, s)) - total; rest > 400<<10 {
		t.Errorf("all but the photos takes %d bytes", rest)
	}
}
