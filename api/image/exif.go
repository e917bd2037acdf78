package image

import (
	"fmt"
	"io"
	"time"

	"github.com/bep/imagemeta"
)

// Bounds of what is looked at in EXIF: a handful of tags is wanted, and none of them is long.
const (
	exifTags    = 1000
	exifTagSize = 256
)

// readEXIF adds orientation and time. EXIF that can't be read is as good as none: the picture is whole without it. Only
// a failure of the reader is an error.
func (h *header) readEXIF(src *source) error {
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("image: read: %w", err)
	}
	tags := map[string]any{}
	_ = guarded(func() error {
		_, err := imagemeta.Decode(exifOptions(src, h.ContentType, tags))
		return err
	})
	if src.err != nil {
		return fmt.Errorf("image: read: %w", src.err)
	}
	h.TakenAt = takenAt(tags)
	if h.ContentType == TypeHEIC {
		return nil // the container turns the picture, and the tag repeats that
	}
	if o, ok := tags["Orientation"].(uint16); ok && o >= 1 && o <= 8 {
		h.Orientation = int(o)
	}
	if h.Orientation >= 5 {
		h.Width, h.Height = h.Height, h.Width
	}
	return nil
}

// exifOptions reads the wanted tags of the picture, not of its thumbnail, into tags.
func exifOptions(src *source, kind string, tags map[string]any) imagemeta.Options {
	formats := map[string]imagemeta.ImageFormat{
		TypeJPEG: imagemeta.JPEG, TypePNG: imagemeta.PNG, TypeWebP: imagemeta.WebP, TypeHEIC: imagemeta.HEIF,
	}
	wanted := map[string]string{
		"Orientation": "IFD0", "DateTimeOriginal": "IFD0/ExifIFDP", "OffsetTimeOriginal": "IFD0/ExifIFDP",
	}
	return imagemeta.Options{
		R:               src,
		ImageFormat:     formats[kind],
		Sources:         imagemeta.EXIF,
		LimitNumTags:    exifTags,
		LimitTagSize:    exifTagSize,
		ShouldHandleTag: func(t imagemeta.TagInfo) bool { return wanted[t.Tag] == t.Namespace && t.Namespace != "" },
		HandleTag: func(t imagemeta.TagInfo) error {
			if _, seen := tags[t.Tag]; !seen {
				tags[t.Tag] = t.Value
			}
			return nil
		},
	}
}

// takenAt joins the local time of the shot and its offset from UTC; nil unless both are there.
func takenAt(tags map[string]any) *time.Time {
	local, _ := tags["DateTimeOriginal"].(string)
	offset, _ := tags["OffsetTimeOriginal"].(string)
	t, err := time.Parse("2006:01:02 15:04:05-07:00", local+offset)
	if err != nil {
		return nil
	}
	t = t.UTC()
	return &t
}
