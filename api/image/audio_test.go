package image_test

import (
	"bytes"
	"encoding/binary"
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
	trackType := bytes.Index(webm, []byte{0x83, 0x81, 2})
	streamed := bytes.Clone(webm) // its segment's length left open, as browsers do
	copy(streamed[segment+4:], []byte{0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"m4a":                          {m4a, nil},
		"WebM":                         {webm, nil},
		"streamed WebM":                {streamed, nil},
		"m4a cut in its sound":         {m4a[:moov/2], image.ErrTruncated},
		"m4a without its index":        {m4a[:moov], image.ErrTruncated},
		"m4a without its last byte":    {m4a[:len(m4a)-1], image.ErrTruncated},
		"WebM truncated":               {samples.Truncated(webm), image.ErrTruncated},
		"streamed WebM truncated":      {samples.Truncated(streamed), image.ErrTruncated},
		"streamed WebM without sound":  {streamed[:cluster], image.ErrTruncated},
		"WebM of unknown pieces":       {patched(streamed, segment+16, 0xff), image.ErrMalformed},
		"WebM with a number too long":  {slices.Concat(streamed, []byte{0, 0, 0}), image.ErrMalformed},
		"a photo":                      {samples.HEIC(), image.ErrUnsupported},
		"m4a of a video alone":         {ofPictures(m4a, "vide"), image.ErrUnsupported},
		"m4a of pictures":              {ofPictures(m4a, "pict"), image.ErrUnsupported},
		"m4a without sound":            {ofPictures(m4a, "text"), image.ErrUnsupported},
		"m4a with text beside":         {withTrack(m4a, "text"), nil},
		"m4a with a video beside":      {withTrack(m4a, "vide"), image.ErrUnsupported},
		"m4a with a video before":      {withTrack(ofPictures(m4a, "vide"), "soun"), image.ErrUnsupported},
		"m4a, a track that overflows":  {patched(m4a, bytes.Index(m4a, []byte("trak"))-4, 0x7f, 0xff, 0xff, 0xff), image.ErrMalformed},
		"m4a, a short handler":         {patched(m4a, bytes.Index(m4a, []byte("hdlr"))-1, 19), image.ErrMalformed},
		"WebM of a video alone":        {patched(webm, trackType+2, 1), image.ErrUnsupported},
		"WebM of both in one":          {patched(webm, trackType+2, 3), image.ErrUnsupported},
		"WebM of text":                 {patched(webm, trackType+2, 17), image.ErrUnsupported},
		"WebM with a video beside":     {withEntry(streamed, 1), image.ErrUnsupported},
		"WebM with text beside":        {withEntry(streamed, 17), nil},
		"WebM, a track that overflows": {patched(webm, trackType+1, 0xfe), image.ErrMalformed},
		"WebM, tracks of no end":       {patched(streamed, bytes.Index(webm, []byte("\x16\x54\xae\x6b\xe5"))+4, 0xff), image.ErrMalformed},
		"text":                         {[]byte("hello"), image.ErrUnsupported},
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

// ofPictures has its only track hold something else than sound.
func ofPictures(m4a []byte, kind string) []byte {
	return bytes.Replace(m4a, []byte("soun"), []byte(kind), 1)
}

// withTrack adds a track that says what it holds, and no more.
func withTrack(m4a []byte, kind string) []byte {
	handler := boxOf("hdlr", "\x00\x00\x00\x00\x00\x00\x00\x00"+kind+"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	moov := bytes.Index(m4a, []byte("moov")) - 4
	inside := string(m4a[moov+8:]) + boxOf("trak", boxOf("mdia", handler))
	return append(bytes.Clone(m4a[:moov]), boxOf("moov", inside)...)
}

func boxOf(kind, content string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(8+len(content)))) + kind + content
}

// withEntry adds a track of that type to a streamed WebM, whose segment has no length.
func withEntry(webm []byte, kind byte) []byte {
	at := bytes.Index(webm, []byte("\x16\x54\xae\x6b\xe5")) + 5
	out := slices.Concat(webm[:at], []byte{0xae, 0x83, 0x83, 0x81, kind}, webm[at:])
	out[at-1] += 5
	return out
}
