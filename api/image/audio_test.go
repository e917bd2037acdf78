package image_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"example.com/walkaround/api/image"
	"example.com/walkaround/test/samples"
)

func TestSniffAudio(t *testing.T) {
	for name, c := range map[string]struct {
		head []byte
		want string
	}{
		"m4a of a phone":    {samples.M4A(), image.TypeMP4},
		"mp4 of a browser":  {[]byte("\x00\x00\x00\x18ftypiso5\x00\x00\x02\x00iso6mp41"), image.TypeMP4},
		"WebM of a browser": {samples.WebM(), image.TypeWebM},
		"Matroska":          {bytes.Replace(samples.WebM(), []byte("webm"), []byte("matr"), 1), ""},
		"HEIC":              {samples.HEIC(), ""},
		"HEIC and mp41":     {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1mp41"), ""},
		"MP3":               {[]byte("ID3\x04\x00\x00\x00\x00\x00\x00\x00\x00"), ""},
		"nothing":           {nil, ""},
	} {
		if got, ok := image.SniffAudio(c.head); got != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %v; want %q", name, got, ok, c.want)
		}
	}
}

func TestInspectAudio(t *testing.T) {
	m4a, webm := samples.M4A(), samples.WebM()
	moov := bytes.Index(m4a, []byte("moov")) - 4
	cluster := bytes.Index(webm, []byte{0x1f, 0x43, 0xb6, 0x75})
	segment := bytes.Index(webm, []byte{0x18, 0x53, 0x80, 0x67})
	streamed := bytes.Clone(webm) // its segment's length left open, as browsers do
	copy(streamed[segment+4:], []byte{0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"m4a":                         {m4a, nil},
		"WebM":                        {webm, nil},
		"streamed WebM":               {streamed, nil},
		"m4a cut in its sound":        {m4a[:moov/2], image.ErrTruncated},
		"m4a without its index":       {m4a[:moov], image.ErrTruncated},
		"m4a without its last byte":   {m4a[:len(m4a)-1], image.ErrTruncated},
		"WebM truncated":              {samples.Truncated(webm), image.ErrTruncated},
		"streamed WebM truncated":     {samples.Truncated(streamed), image.ErrTruncated},
		"streamed WebM without sound": {streamed[:cluster], image.ErrTruncated},
		"WebM of unknown pieces":      {patched(streamed, segment+16, 0xff), image.ErrMalformed},
		"WebM with a number too long": {slices.Concat(streamed, []byte{0, 0, 0}), image.ErrMalformed},
		"a photo":                     {samples.HEIC(), image.ErrUnsupported},
		"text":                        {[]byte("hello"), image.ErrUnsupported},
	} {
		if err := image.InspectAudio(t.Context(), bytes.NewReader(c.file), int64(len(c.file))); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	broken := errors.New("disk on fire")
	for _, file := range [][]byte{m4a, webm} {
		for _, good := range []int64{0, int64(len(file)) - 1} {
			r := &failing{Reader: bytes.NewReader(file), good: good, err: broken}
			if err := image.InspectAudio(t.Context(), r, int64(len(file))); !errors.Is(err, broken) {
				t.Errorf("broken at %d: %v", good, err)
			}
		}
	}
}
