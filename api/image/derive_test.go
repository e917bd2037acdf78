package image_test

import (
	"bytes"
	"context"
	"errors"
	"image/color"
	"image/jpeg"
	"io"
	"math"
	"os"
	"sync"
	"testing"

	stdimage "image"

	"example.com/walkaround/api/image"
	"example.com/walkaround/test/samples"
)

// newDeriver is closed with the test.
func newDeriver(tb testing.TB, memory int64) *image.Deriver {
	tb.Helper()
	d := image.NewDeriver(memory)
	tb.Cleanup(func() {
		if err := d.Close(context.WithoutCancel(tb.Context())); err != nil {
			tb.Error(err)
		}
	})
	return d
}

func derive(tb testing.TB, d *image.Deriver, file []byte, side int) (stdimage.Image, []byte) {
	tb.Helper()
	var b bytes.Buffer
	if err := d.Derive(tb.Context(), bytes.NewReader(file), int64(len(file)), &b, side); err != nil {
		tb.Fatal(err)
	}
	m, err := jpeg.Decode(bytes.NewReader(b.Bytes()))
	if err != nil {
		tb.Fatal(err)
	}
	return m, b.Bytes()
}

// wantQuadrants asks for red and green over blue and white.
func wantQuadrants(t *testing.T, m stdimage.Image) {
	t.Helper()
	b := m.Bounds()
	want := [4]color.RGBA{{220, 0, 0, 255}, {0, 180, 0, 255}, {0, 0, 220, 255}, {250, 250, 250, 255}}
	for i, w := range want {
		x, y := b.Dx()*(1+2*(i%2))/4, b.Dy()*(1+2*(i/2))/4
		if got := m.At(x, y); distance(got, w) > 45 {
			t.Errorf("at %d, %d is %v, want about %v", x, y, got, w)
		}
	}
}

func distance(a, b color.Color) float64 {
	ar, ag, ab, _ := a.RGBA()
	br, bg, bb, _ := b.RGBA()
	d := func(p, q uint32) float64 { return math.Abs(float64(p)-float64(q)) / 257 }
	return max(d(ar, br), d(ag, bg), d(ab, bb))
}

func TestDeriveStandsUpright(t *testing.T) {
	d := newDeriver(t, 64<<20)
	for o := 1; o <= 8; o++ {
		for _, side := range []int{image.ThumbSide, 32, 31} {
			m, _ := derive(t, d, turnedJPEG(o, true), side)
			if got, want := m.Bounds().Size(), fitted(64, 48, side); got != want {
				t.Errorf("orientation %d, side %d: %v, want %v", o, side, got, want)
			}
			wantQuadrants(t, m)
		}
	}
}

func fitted(w, h, side int) stdimage.Point {
	if side >= w {
		return stdimage.Pt(w, h)
	}
	return stdimage.Pt(side, (h*side+w/2)/w)
}

func TestDeriveTakesEveryKind(t *testing.T) {
	d := newDeriver(t, 64<<20)
	q := samples.Quadrants(64, 48)
	paletted := stdimage.NewPaletted(q.Rect, color.Palette{q.RGBAAt(0, 0), q.RGBAAt(63, 0), q.RGBAAt(0, 47), q.RGBAAt(63, 47)})
	deep := stdimage.NewRGBA64(q.Rect)
	for y := range 48 {
		for x := range 64 {
			paletted.Set(x, y, q.At(x, y))
			deep.Set(x, y, q.At(x, y))
		}
	}
	for name, file := range map[string][]byte{
		"JPEG": jpegOf(q), "CMYK JPEG": samples.CMYKJPEG(), "polyglot": samples.Polyglot(),
		"PNG": pngOf(q), "paletted PNG": pngOf(paletted), "16-bit PNG": pngOf(deep), "WebP": samples.WebPLossless(),
	} {
		for _, side := range []int{64, 40, 16} {
			t.Run(name, func(t *testing.T) {
				m, _ := derive(t, d, file, side)
				if got := m.Bounds().Dx(); got != side {
					t.Errorf("%d wide, want %d", got, side)
				}
				wantQuadrants(t, m)
			})
		}
	}
}

func TestTransparentIsWhite(t *testing.T) {
	m := stdimage.NewNRGBA(stdimage.Rect(0, 0, 64, 48))
	for _, side := range []int{64, 16} {
		got, _ := derive(t, newDeriver(t, 1<<20), pngOf(m), side)
		if d := distance(got.At(8, 8), color.White); d > 3 {
			t.Errorf("side %d: %v", side, got.At(8, 8))
		}
	}
}

func TestGrayStaysGray(t *testing.T) {
	m := stdimage.NewGray(stdimage.Rect(0, 0, 64, 48))
	for i := range m.Pix {
		m.Pix[i] = 90
	}
	for name, file := range map[string][]byte{"JPEG": jpegOf(m), "PNG": pngOf(m)} {
		got, _ := derive(t, newDeriver(t, 1<<20), file, 20)
		if d := distance(got.At(5, 5), color.Gray{Y: 90}); d > 3 {
			t.Errorf("%s: %v", name, got.At(5, 5))
		}
	}
}

func TestBothSizesFromOneDecode(t *testing.T) {
	file := samples.CarJPEG(1, samples.Left, "", samples.Defect{})
	var screen, thumb bytes.Buffer
	r := &counting{Reader: bytes.NewReader(file)}
	err := newDeriver(t, 64<<20).DeriveAll(t.Context(), r, int64(len(file)),
		[]image.Target{{Side: image.ScreenSide, W: &screen}, {Side: image.ThumbSide, W: &thumb}})
	if err != nil {
		t.Fatal(err)
	}
	for side, b := range map[int]*bytes.Buffer{image.ScreenSide: &screen, image.ThumbSide: &thumb} {
		c, err := jpeg.DecodeConfig(b)
		if err != nil || c.Width != side || c.Height != side*3/4 {
			t.Errorf("%d: %d × %d, %v", side, c.Width, c.Height, err)
		}
	}
	if r.read > int64(len(file))*2 {
		t.Errorf("read %d bytes of a file of %d", r.read, len(file))
	}
}

type counting struct {
	*bytes.Reader
	read int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += int64(n)
	return n, err
}

func TestNoMetadataLeaves(t *testing.T) {
	original := turnedJPEG(6, true)
	if !bytes.Contains(original, []byte("Exif")) {
		t.Fatal("the sample has no EXIF")
	}
	d := newDeriver(t, 64<<20)
	files := map[string][]byte{"JPEG": original, "PNG": pngWithEXIF(3), "HEIC": samples.HEICTurned()}
	for _, name := range []string{"gps.jpg", "rotated-exif-6.jpg"} {
		if file, err := os.ReadFile(photos + name); err == nil {
			files[name] = file
		}
	}
	for name, file := range files {
		_, b := derive(t, d, file, image.ThumbSide)
		if markers := appMarkers(b); len(markers) > 0 {
			t.Errorf("%s: segments %x", name, markers)
		}
		for _, word := range []string{"Exif", "GPS", "adobe", "xmp", "ICC_PROFILE", "Photoshop"} {
			if bytes.Contains(b, []byte(word)) {
				t.Errorf("%s: %q in the derived file", name, word)
			}
		}
	}
}

// appMarkers lists APPn and comment segments before the scan.
func appMarkers(b []byte) (found []byte) {
	for i := 2; i+4 < len(b) && b[i+1] != 0xda; i += 2 + int(b[i+2])<<8 + int(b[i+3]) {
		if b[i+1] >= 0xe0 {
			found = append(found, b[i+1])
		}
	}
	return found
}

func TestHEICComesOutUpright(t *testing.T) {
	d := newDeriver(t, 64<<20)
	m, _ := derive(t, d, samples.HEICTurned(), image.ThumbSide)
	if got := m.Bounds().Size(); got != stdimage.Pt(64, 128) {
		t.Errorf("%v", got)
	}
	wantQuadrants(t, m)
	if m, _ := derive(t, d, samples.HEIC(), 160); m.Bounds().Size() != stdimage.Pt(160, 120) {
		t.Errorf("%v", m.Bounds().Size())
	}
}

func TestHEICDecoderSurvivesHostileBytes(t *testing.T) {
	d := newDeriver(t, 64<<20)
	good := samples.HEIC()
	at := bytes.Index(good, []byte("mdat"))
	for i := at + 8; i < len(good); i += 700 {
		bad := bytes.Clone(good)
		for j := i; j < min(i+40, len(bad)); j++ {
			bad[j] ^= 0xa5
		}
		err := d.Derive(t.Context(), bytes.NewReader(bad), int64(len(bad)), io.Discard, 32)
		if err != nil && !errors.Is(err, image.ErrMalformed) {
			t.Errorf("at %d: %v", i, err)
		}
	}
	derive(t, d, good, 32)
}

func TestAClosedDeriverRefusesHEIC(t *testing.T) {
	d := image.NewDeriver(1 << 20)
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	file := samples.HEIC()
	if err := d.Derive(t.Context(), bytes.NewReader(file), int64(len(file)), io.Discard, 32); err == nil {
		t.Error("decoded")
	}
}

func TestDeriveRefusesWhatInspectRefuses(t *testing.T) {
	d := newDeriver(t, 64<<20)
	big := samples.BigJPEG(0.1)
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"gigapixels": {samples.GigapixelJPEG(), image.ErrTooManyPixels},
		"text":       {[]byte("hello"), image.ErrUnsupported},
		"truncated":  {samples.Truncated(big), image.ErrMalformed}, // what the decoder calls it: Inspect had told
		"scrambled":  {patched(big, len(big)/2, bytes.Repeat([]byte{0xff, 0xc4}, 20)...), image.ErrMalformed},
		"cut HEIC":   {samples.HEIC()[:600], image.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			err := d.Derive(t.Context(), bytes.NewReader(c.file), int64(len(c.file)), &b, 100)
			if !errors.Is(err, c.want) || b.Len() > 0 {
				t.Errorf("%v and %d bytes, want %v and none", err, b.Len(), c.want)
			}
		})
	}
}

func TestDeriveEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, file := range map[string][]byte{"JPEG": jpegOf(samples.Quadrants(64, 48)), "HEIC": samples.HEIC()} {
		err := newDeriver(t, 1<<20).Derive(ctx, bytes.NewReader(file), int64(len(file)), io.Discard, 32)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDeriveGivesTheWritersError(t *testing.T) {
	full := errors.New("disk full")
	file := jpegOf(samples.Quadrants(64, 48))
	err := newDeriver(t, 1<<20).Derive(t.Context(), bytes.NewReader(file), int64(len(file)), refusing{full}, 32)
	if !errors.Is(err, full) {
		t.Error(err)
	}
}

type refusing struct{ err error }

func (r refusing) Write([]byte) (int, error) { return 0, r.err }

func TestMemoryIsWaitedFor(t *testing.T) {
	file := jpegOf(samples.Quadrants(64, 48))
	d := newDeriver(t, 1) // any picture takes all of it
	blocked, free := make(chan struct{}), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		w := &holding{blocked: blocked, free: free}
		if err := d.Derive(t.Context(), bytes.NewReader(file), int64(len(file)), w, 32); err != nil {
			t.Error(err)
		}
	})
	<-blocked
	ctx, cancel := context.WithCancel(t.Context())
	read := &cancelling{Reader: bytes.NewReader(file), cancel: cancel}
	if err := d.Derive(ctx, read, int64(len(file)), io.Discard, 32); !errors.Is(err, context.Canceled) {
		t.Errorf("a second one ran beside: %v", err)
	}
	close(free)
	done.Wait()
	derive(t, d, file, 32)
}

// holding stops at its first write until it is set free.
type holding struct {
	blocked, free chan struct{}
	once          sync.Once
}

func (h *holding) Write(p []byte) (int, error) {
	h.once.Do(func() { close(h.blocked); <-h.free })
	return len(p), nil
}

// cancelling ends the context when the header has been read, so that only the waiting is left.
type cancelling struct {
	*bytes.Reader
	cancel context.CancelFunc
	seeks  int
}

func (c *cancelling) Seek(offset int64, whence int) (int64, error) {
	if c.seeks++; c.seeks == 4 {
		c.cancel()
	}
	return c.Reader.Seek(offset, whence)
}

func TestShrinkingKeepsTheMeanOfFinePatterns(t *testing.T) {
	m := stdimage.NewGray(stdimage.Rect(0, 0, 1000, 600))
	for y := range 600 {
		for x := range 1000 {
			m.Pix[y*m.Stride+x] = uint8(255 * ((x/2 + y/2) % 2))
		}
	}
	for name, file := range map[string][]byte{"JPEG": jpegOf(m), "PNG": pngOf(m)} {
		got, _ := derive(t, newDeriver(t, 1<<20), file, 100)
		for x := 5; x < 95; x++ {
			if d := distance(got.At(x, 30), color.Gray{Y: 127}); d > 24 {
				t.Errorf("%s: a pattern that is not there: %v at %d", name, got.At(x, 30), x)
				break
			}
		}
	}
}
