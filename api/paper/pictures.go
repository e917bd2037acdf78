package paper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"slices"

	"github.com/signintech/gopdf"
	"golang.org/x/image/draw"
)

// Bounds of the pictures that are taken and of what is printed of them.
const (
	maxPictureBytes  = 12 << 20
	maxPicturePixels = 16 << 20
	printSide        = 660 // pixels of the longer side, for a third of the page's width: about 280 an inch
	printQuality     = 78
	signatureWidth   = 900
)

// ErrLater is what a Photo's Open answers when the picture is there but can't be read now, such as with a storage out of
// reach: Render then fails with it, so that no gap is sealed which a later try would fill.
var ErrLater = errors.New("a photo can't be read now")

var errPicture = errors.New("not a picture that can be printed")

// photos prints the pictures, three in a row, each with number, caption and the marks of the damages it shows.
func (p *press) photos(ctx context.Context, s Sheet) error {
	list := s.Photos[:min(len(s.Photos), MaxPhotos)]
	if len(list) == 0 {
		return nil
	}
	p.heading("photos", 160)
	for first := 0; first < len(list); first += photoColumns {
		if err := p.photoRow(ctx, s, list[first:min(first+photoColumns, len(list))], first); err != nil {
			return err
		}
	}
	if more := len(s.Photos) - len(list); more > 0 {
		p.flow(margin, inner, style{sizeSmall, muted}, fmt.Sprintf(p.say("photos_more"), more))
	}
	return nil
}

const (
	photoColumns = 3
	photoGap     = 10.0
	photoWidth   = (inner - (photoColumns-1)*photoGap) / photoColumns
	photoHeight  = photoWidth * 3 / 4
)

func (p *press) photoRow(ctx context.Context, s Sheet, list []Photo, first int) error {
	st := style{sizeSmall, muted}
	captions := make([][]line, len(list))
	depth := 1
	for i, photo := range list {
		caption := join("  ", fmt.Sprintf("%s %d", p.say("photo"), first+i+1), photo.Caption)
		captions[i] = p.clip(caption, st.size, photoWidth-4, 20)
		depth = max(depth, len(captions[i]))
	}
	h := photoHeight + 3 + float64(depth)*st.leading() + 7
	p.ensure(h)
	for i, photo := range list {
		x := margin + float64(i)*(photoWidth+photoGap)
		if err := p.photo(ctx, x, photo); err != nil {
			return err
		}
		p.photoMarks(x, first+i+1, s.Damages)
		p.lines(x+2, p.y+photoHeight+3, st, captions[i])
	}
	p.y += h
	return nil
}

// photo prints one picture, whole, in the middle of its frame, or a gap. The only errors are that of ctx and ErrLater.
func (p *press) photo(ctx context.Context, x float64, photo Photo) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("print photos: %w", err)
	}
	p.fill(rectangle(x, p.y, photoWidth, photoHeight), pale)
	data, size, err := shrink(ctx, photo)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("print photos: %w", ctx.Err())
	case errors.Is(err, ErrLater):
		return fmt.Errorf("open photo %s: %w", photo.ID, err)
	case err == nil:
		p.image(data, contain(frame{x, p.y, photoWidth, photoHeight}, float64(size.X), float64(size.Y)))
	default:
		p.gap(x, photo.ID)
	}
	return nil
}

// gap is the frame of a picture that could not be printed.
func (p *press) gap(x float64, id string) {
	p.outline(rectangle(x+0.5, p.y+0.5, photoWidth-1, photoHeight-1), 0.8, muted)
	middle := p.y + photoHeight/2
	p.center(x+photoWidth/2, middle-14, style{sizeBody, muted}, p.say("photo_missing"))
	st := style{sizeFine, muted}
	l := p.fit(id, st.size, photoWidth-12)
	p.text(x+photoWidth/2-float64(l.width())/2000*st.size, middle+2, st, l)
}

// photoMarks puts the numbers of the damages that a photo shows into its corner.
func (p *press) photoMarks(x float64, number int, damages []Damage) {
	const most = 10
	at := x + badge + 5
	for _, d := range damages {
		if slices.Contains(d.Photos, number) && at < x+most*(2*badge+3) {
			p.stamp(at, p.y+badge+5, d)
			at += 2*badge + 3
		}
	}
}

func (p *press) image(data []byte, f frame) {
	holder, err := gopdf.ImageHolderByBytes(data)
	if err == nil {
		err = p.gp.ImageByHolder(holder, f.x, f.y, &gopdf.Rect{W: f.w, H: f.h})
	}
	p.keep(err)
}

// shrink opens a photo and gives it as a small JPEG with its size in pixels.
func shrink(ctx context.Context, photo Photo) ([]byte, image.Point, error) {
	if photo.Open == nil {
		return nil, image.Point{}, errPicture
	}
	r, err := photo.Open(ctx)
	if err != nil {
		return nil, image.Point{}, err
	}
	raw, err := io.ReadAll(io.LimitReader(r, maxPictureBytes+1))
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, image.Point{}, fmt.Errorf("read a photo: %w", err)
	}
	img, err := decode(raw)
	if err != nil {
		return nil, image.Point{}, err
	}
	small := reduced(img)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, small, &jpeg.Options{Quality: printQuality}); err != nil {
		return nil, image.Point{}, fmt.Errorf("encode a photo: %w", err)
	}
	return out.Bytes(), small.Bounds().Size(), nil
}

// reduced makes a picture small enough for the page. What a camera gives keeps its colour planes, each shrunk by a whole
// number: that costs a fifth of a resampling and looks the same at this size.
func reduced(img image.Image) image.Image {
	size := img.Bounds().Size()
	n := (max(size.X, size.Y) + printSide - 1) / printSide
	source, planes := img.(*image.YCbCr)
	if !planes || n < 2 || min(size.X, size.Y) < n {
		return scaled(img, printSide, printSide)
	}
	out := image.NewYCbCr(image.Rect(0, 0, size.X/n, size.Y/n), source.SubsampleRatio)
	box(plane{out.Y, out.YStride}, plane{source.Y, source.YStride}, n)
	box(plane{out.Cb, out.CStride}, plane{source.Cb, source.CStride}, n)
	box(plane{out.Cr, out.CStride}, plane{source.Cr, source.CStride}, n)
	return out
}

// plane is one component of a picture, row after row.
type plane struct {
	data   []byte
	stride int
}

// box fills to with the averages of n by n samples of from. A box that reaches over the edge of from takes what is there.
func box(to, from plane, n int) {
	rows := len(from.data) / from.stride
	for y := range len(to.data) / to.stride {
		y0, y1 := min(y*n, rows-1), min(y*n+n, rows)
		for x := range to.stride {
			x0, x1 := min(x*n, from.stride-1), min(x*n+n, from.stride)
			sum := 0
			for row := y0; row < y1; row++ {
				for _, v := range from.data[row*from.stride+x0 : row*from.stride+x1] {
					sum += int(v)
				}
			}
			count := (y1 - y0) * (x1 - x0)
			to.data[y*to.stride+x] = byte((sum + count/2) / count) //nolint:gosec // an average of bytes
		}
	}
}

// decode reads a JPEG or PNG after a look at its head: nothing large is unpacked.
func decode(raw []byte) (image.Image, error) {
	if len(raw) > maxPictureBytes {
		return nil, errPicture
	}
	read, head := png.Decode, png.DecodeConfig
	if bytes.HasPrefix(raw, []byte{0xFF, 0xD8}) {
		read, head = jpeg.Decode, jpeg.DecodeConfig
	}
	size, err := head(bytes.NewReader(raw))
	if err != nil || size.Width < 1 || size.Height < 1 || size.Width > maxPicturePixels/size.Height {
		return nil, errPicture
	}
	img, err := read(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPicture, err)
	}
	return img, nil
}

// scaled is a picture on white, made to fit into width and height; it is never made larger.
func scaled(img image.Image, width, height int) *image.RGBA {
	size := img.Bounds().Size()
	scale := min(float64(width)/float64(size.X), float64(height)/float64(size.Y), 1)
	out := image.NewRGBA(image.Rect(0, 0, max(1, int(float64(size.X)*scale)), max(1, int(float64(size.Y)*scale))))
	draw.Draw(out, out.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.BiLinear.Scale(out, out.Bounds(), img, img.Bounds(), draw.Over, nil)
	return out
}
