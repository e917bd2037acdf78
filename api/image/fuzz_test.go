package image_test

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"io"
	"strings"
	"testing"

	"example.com/walkaround/api/image"
	"example.com/walkaround/test/samples"
)

// seeds are one small file of each kind.
func seeds(f *testing.F) {
	f.Helper()
	for _, b := range [][]byte{
		jpegOf(samples.Quadrants(16, 16)), turnedJPEG(6, true), samples.ProgressiveJPEG(), samples.CMYKJPEG(), samples.Polyglot(),
		pngOf(samples.Quadrants(16, 16)), pngWithEXIF(3), samples.WebP(), samples.WebPLossless(), samples.HEIC(),
		samples.HEICTurned(), samples.GigapixelJPEG(), samples.GigapixelPNG(), samples.M4A(), samples.WebM(),
		withTrack(samples.M4A(), "vide"), withTrack(samples.M4A(), "text"), withEntry(samples.WebM(), 1),
		restarting(f, false, 1), restarting(f, true, 5), pngWith(61, 7, 2, 3, 0, deflated(make([]byte, 7*17))),
		pngWith(5, 5, 8, 2, 1, deflated(make([]byte, 86))), pngWith(8, 8, 8, 0, 0, grain(8, 9), grain(8, 9)),
	} {
		f.Add(b)
	}
}

// named tells whether an error is one that the package promises.
func named(err error) bool {
	for _, known := range []error{image.ErrUnsupported, image.ErrTooManyPixels, image.ErrTruncated, image.ErrMalformed} {
		if errors.Is(err, known) {
			return true
		}
	}
	return err == nil
}

// missing tells whether a decoder lacked pixels. What it says of palettes and of the order of chunks is another matter.
func missing(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || err != nil &&
		(strings.Contains(err.Error(), "not enough pixel data") || strings.Contains(err.Error(), "zlib") || strings.Contains(err.Error(), "checksum"))
}

func FuzzSniff(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		kind, ok := image.Sniff(b)
		sound, isSound := image.SniffAudio(b)
		if ok != (kind != "") || isSound != (sound != "") || ok && isSound {
			t.Errorf("%q %v, %q %v", kind, ok, sound, isSound)
		}
	})
}

func FuzzInspect(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := inspect(b)
		if !named(err) {
			t.Errorf("an error without a name: %v", err)
		}
		if err == nil && info.ContentType == image.TypePNG && info.Width*info.Height < 1<<20 {
			if _, err := png.Decode(bytes.NewReader(b)); missing(err) {
				t.Errorf("taken, and the decoder says: %v", err)
			}
		}
		if err == nil && (info.Width < 1 || info.Height < 1 || info.Width*info.Height > image.MaxPixels) {
			t.Errorf("%+v", info)
		}
		if err := image.InspectAudio(t.Context(), bytes.NewReader(b), int64(len(b))); !named(err) {
			t.Errorf("an error without a name: %v", err)
		}
	})
}

func FuzzDerive(f *testing.F) {
	seeds(f)
	d := image.NewDeriver(64 << 20)
	f.Cleanup(func() { _ = d.Close(context.Background()) })
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := inspect(b)
		if err != nil || info.Width*info.Height > 1<<20 || info.ContentType == image.TypeHEIC {
			return // large ones are slow, and HEIC has its own test: a decode takes too long to fuzz
		}
		if err := d.Derive(t.Context(), bytes.NewReader(b), int64(len(b)), io.Discard, 32); !named(err) {
			t.Errorf("an error without a name: %v", err)
		}
	})
}
