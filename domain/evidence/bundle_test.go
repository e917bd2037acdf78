package evidence_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"example.com/walkaround/domain/evidence"
)

// packed is a bundle of a sheet with two photos, sealed and in a checkpoint.
func packed(tb testing.TB, key evidence.SigningKey) evidence.Bundle {
	tb.Helper()
	form := formOf(tb, "photo one", "photo two")
	seal := sealOf(tb, key, statementOf(form))
	point := checkpointOf(tb, key, nil, append(leavesOf(4), seal.Leaf()))
	way, err := point.Proof(seal.Leaf())
	if err != nil {
		tb.Fatal(err)
	}
	return evidence.Bundle{
		PDF: evidence.SignFile(key, sheetOf(tb, form, seal)), Canonical: form, Seal: seal, Checkpoint: &point, Inclusion: &way,
		Keys: pinned(key), Photos: []evidence.BundleFile{photoOf("photo two"), photoOf("photo one"), photoOf("photo one")},
	}
}

func photoOf(data string) evidence.BundleFile {
	return evidence.BundleFile{SHA256: evidence.Digest([]byte(jpeg(data))), Extension: "jpg", Open: opens(jpeg(data))}
}

func voiceOf(data string) evidence.BundleFile {
	return evidence.BundleFile{SHA256: evidence.Digest([]byte(data)), Extension: "m4a", Open: opens(data)}
}

// voice is what counts as a recording, by its first bytes.
const voice = "\x00\x00\x00\x10ftypM4A \x00\x00\x00\x00voice"

func write(tb testing.TB, b evidence.Bundle) []byte {
	tb.Helper()
	var out bytes.Buffer
	if err := evidence.WriteBundle(&out, b); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func verifyBundle(tb testing.TB, keys evidence.PublicKeys, zipped []byte) evidence.Verdict {
	tb.Helper()
	v, err := evidence.VerifyBundle(keys, bytes.NewReader(zipped), int64(len(zipped)))
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func TestBundleIsGenuineForAPinnedKeyAlone(t *testing.T) {
	key := keyOf(storeA, 1)
	zipped := write(t, packed(t, key))
	v := verifyBundle(t, pinned(key), zipped)
	wantVerdict(t, v, evidence.Genuine, "")
	if v.Photos != 2 || v.Checkpoint == nil || v.Checkpoint.Sequence != 1 || len(v.Notes) != 0 {
		t.Errorf("%+v", v)
	}
	wantVerdict(t, verifyBundle(t, nil, zipped), evidence.ConsistentKeyUnknown, evidence.ReasonKeyUnknown)
	if again := write(t, packed(t, key)); !bytes.Equal(again, zipped) {
		t.Error("the same parts give other bytes")
	}
}

func TestBundleTellsOfCheckpointAndTimestamp(t *testing.T) {
	key := keyOf(storeA, 1)
	for note, change := range map[string]func(*evidence.Bundle){
		evidence.NoteNoCheckpoint:     func(b *evidence.Bundle) { b.Checkpoint = nil },
		evidence.NoteTimestampPending: func(b *evidence.Bundle) { b.Checkpoint.TimestampState = evidence.TimestampPending },
		evidence.NoteTimestampUnchecked: func(b *evidence.Bundle) {
			b.Checkpoint.TimestampState = evidence.TimestampVerified
			b.Checkpoint.Timestamp = &evidence.TimestampToken{Token: []byte{1}, At: noon}
		},
	} {
		b := packed(t, key)
		change(&b)
		v := verifyBundle(t, pinned(key), write(t, b))
		wantVerdict(t, v, evidence.Genuine, "")
		if len(v.Notes) != 1 || v.Notes[0].Code != note {
			t.Errorf("notes %v, want %s", v.Notes, note)
		}
	}
}

func TestForgedBundlesAreNotGenuine(t *testing.T) {
	key, thief := keyOf(storeA, 1), keyOf(storeA, 66)
	other := formOf(t, "another")
	otherSeal := sealOf(t, key, statementOf(other))
	cases := map[string]struct {
		change func(*evidence.Bundle)
		code   string
	}{
		"another form beside it":  {func(b *evidence.Bundle) { b.Canonical = other }, evidence.ReasonBundleMixed},
		"another seal beside it":  {func(b *evidence.Bundle) { b.Seal = otherSeal }, evidence.ReasonBundleMixed},
		"a thief's sheet":         {func(b *evidence.Bundle) { b.PDF = evidence.SignFile(thief, sheetOf(t, b.Canonical, b.Seal)) }, evidence.ReasonFileKeyForeign},
		"a photo missing":         {func(b *evidence.Bundle) { b.Photos = b.Photos[:1] }, evidence.ReasonPhotoMissing},
		"a photo more":            {func(b *evidence.Bundle) { b.Photos = append(b.Photos, photoOf("three")) }, evidence.ReasonPhotoForeign},
		"a recording more":        {func(b *evidence.Bundle) { b.Recordings = []evidence.BundleFile{voiceOf(voice)} }, evidence.ReasonPhotoForeign},
		"a way from elsewhere":    {func(b *evidence.Bundle) { b.Inclusion.Index = 0 }, evidence.ReasonNotIncluded},
		"a checkpoint without it": {func(b *evidence.Bundle) { *b.Checkpoint = checkpointOf(t, key, nil, leavesOf(5)) }, evidence.ReasonNotIncluded},
		"a checkpoint changed":    {func(b *evidence.Bundle) { b.Checkpoint.Size = 6 }, evidence.ReasonCheckpointForged},
		"a checkpoint of another one": {func(b *evidence.Bundle) {
			*b.Checkpoint = checkpointOf(t, keyOf(storeB, 3), nil, []string{b.Seal.Leaf()})
		}, evidence.ReasonCheckpointForged},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := packed(t, key)
			c.change(&b)
			wantVerdict(t, verifyBundle(t, pinned(key, keyOf(storeB, 3)), write(t, b)), evidence.NotGenuine, c.code)
		})
	}
}

func TestCheckpointByAnUnknownKeyMakesABundleOnlyConsistent(t *testing.T) {
	key, thief := keyOf(storeA, 1), keyOf(storeA, 66)
	b := packed(t, key)
	*b.Checkpoint = checkpointOf(t, thief, nil, []string{b.Seal.Leaf()})
	way, err := b.Checkpoint.Proof(b.Seal.Leaf())
	if err != nil {
		t.Fatal(err)
	}
	b.Inclusion, b.Keys = &way, pinned(key, thief)
	wantVerdict(t, verifyBundle(t, pinned(key), write(t, b)), evidence.ConsistentKeyUnknown, evidence.ReasonKeyUnknown)
}

// entry is one entry of a zip made by hand.
type entry struct {
	name   string
	data   []byte
	method uint16
}

func zipped(tb testing.TB, entries ...entry) []byte {
	tb.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, e := range entries {
		w, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: e.method})
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write(e.data); err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// unzipped are the entries of a bundle.
func unzipped(tb testing.TB, b []byte) []entry {
	tb.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		tb.Fatal(err)
	}
	var out []entry
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			tb.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, entry{f.Name, data, zip.Deflate})
	}
	return out
}

func TestBundleThatWasPackedAgainIsRefused(t *testing.T) {
	key := keyOf(storeA, 1)
	again := zipped(t, unzipped(t, write(t, packed(t, key)))...)
	wantVerdict(t, verifyBundle(t, pinned(key), again), evidence.NotGenuine, evidence.ReasonBundleUnreadable)
}

func TestHostileZipsAreRefused(t *testing.T) {
	key := keyOf(storeA, 1)
	good := unzipped(t, write(t, packed(t, key)))
	with := func(more ...entry) []byte { return zipped(t, append(append([]entry{}, good...), more...)...) }
	without := func(name string) []byte {
		var rest []entry
		for _, e := range good {
			if e.name != name {
				rest = append(rest, e)
			}
		}
		return zipped(t, rest...)
	}
	replaced := func(name, data string) []byte {
		rest := append([]entry{}, good...)
		for i := range rest {
			if rest[i].name == name {
				rest[i].data = []byte(data)
			}
		}
		return zipped(t, rest...)
	}
	photo := good[len(good)-1]
	second := strings.Replace(photo.name, ".jpg", ".png", 1)
	many := make([]entry, 0, 501)
	for i := range 501 {
		many = append(many, entry{name: fmt.Sprintf("photos/%064x.jpg", i)})
	}
	damaged := write(t, packed(t, key))
	damaged[bytes.Index(damaged, []byte("This bundle"))] ^= 1
	cases := map[string]struct {
		zip  []byte
		code string
	}{
		"not a zip":                {[]byte("hello"), evidence.ReasonBundleUnreadable},
		"empty":                    {zipped(t), evidence.ReasonFileUnsigned},
		"cut off":                  {with()[:1000], evidence.ReasonBundleUnreadable},
		"a checksum that is wrong": {damaged, evidence.ReasonBundleUnreadable},
		"too many entries":         {with(many...), evidence.ReasonBundleUnreadable},
		"a name of no bundle":      {with(entry{name: "../evil.sh"}), evidence.ReasonBundleUnreadable},
		"a path that climbs":       {with(entry{name: "photos/../../x.jpg"}), evidence.ReasonBundleUnreadable},
		"an entry twice":           {with(good[0]), evidence.ReasonBundleUnreadable},
		"a photo twice":            {with(photo), evidence.ReasonBundleUnreadable},
		"a photo by two names":     {with(entry{name: second, data: photo.data}), evidence.ReasonBundleUnreadable},
		"a bomb among the photos":  {with(entry{"photos/" + strings.Repeat("0", 64) + ".jpg", make([]byte, evidence.MaxBundleEntryBytes+1), zip.Deflate}), evidence.ReasonBundleUnreadable},
		"a bomb among the parts":   {with(entry{"a.json", make([]byte, 60<<20), zip.Deflate}, entry{"b.json", make([]byte, 60<<20), zip.Deflate}), evidence.ReasonBundleUnreadable},
		"another document":         {with(entry{name: "estimate.json", data: []byte("{}")}), evidence.ReasonBundleMixed},
		"two sheets":               {with(entry{name: "estimate.pdf"}), evidence.ReasonFileUnsigned},
		"no sheet":                 {without("inspection.pdf"), evidence.ReasonFileUnsigned},
		"no form":                  {without("inspection.json"), evidence.ReasonBundleIncomplete},
		"no seal":                  {without("seal.json"), evidence.ReasonBundleIncomplete},
		"no way":                   {without("inclusion.json"), evidence.ReasonCheckpointForged},
		"no checkpoint":            {without("checkpoint.json"), evidence.ReasonCheckpointForged},
		"no photo":                 {without(photo.name), evidence.ReasonPhotoMissing},
		"a photo changed":          {replaced(photo.name, jpeg("x")), evidence.ReasonPhotoChanged},
		"keys that are none":       {replaced("keys.json", "x"), evidence.ReasonBundleUnreadable},
		"a seal that is none":      {replaced("seal.json", "x"), evidence.ReasonBundleMixed},
		"a form that is another":   {replaced("inspection.json", "{}"), evidence.ReasonBundleMixed},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			wantVerdict(t, verifyBundle(t, pinned(key), c.zip), evidence.NotGenuine, c.code)
		})
	}
}

// failing is a source that breaks behind a place.
type failing struct {
	r     io.ReaderAt
	after int64
}

var errDisk = errors.New("disk")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off < f.after {
		return 0, errDisk
	}
	return f.r.ReadAt(p, off)
}

func TestSourceThatFailsIsAnErrorAndNoVerdict(t *testing.T) {
	key := keyOf(storeA, 1)
	b := write(t, packed(t, key))
	for _, after := range []int64{500, int64(len(b))} {
		v, err := evidence.VerifyBundle(pinned(key), failing{bytes.NewReader(b), after}, int64(len(b)))
		if !errors.Is(err, errDisk) || v.Result != "" {
			t.Errorf("broken before %d: %v, %v", after, v, err)
		}
	}
}

func TestWriteBundleRefusesWhatItCouldNotProve(t *testing.T) {
	key := keyOf(storeA, 1)
	bad := photoOf("photo one")
	bad.Open = opens("rotten")
	closed := voiceOf(voice)
	closed.Open = func() (io.ReadCloser, error) { return nil, errDisk }
	named := photoOf("photo one")
	named.Extension = "../x"
	page := photoOf("photo one")
	page.Extension = "html"
	cases := map[string]struct {
		change func(*evidence.Bundle)
		want   error
	}{
		"rotten bytes":       {func(b *evidence.Bundle) { b.Photos = []evidence.BundleFile{bad} }, evidence.ErrForged},
		"a store that fails": {func(b *evidence.Bundle) { b.Recordings = []evidence.BundleFile{closed} }, errDisk},
		"a strange name":     {func(b *evidence.Bundle) { b.Photos = []evidence.BundleFile{named} }, nil},
		"a page":             {func(b *evidence.Bundle) { b.Photos = []evidence.BundleFile{page} }, nil},
		"a strange document": {func(b *evidence.Bundle) { b.Seal.Statement.Document = "../x" }, nil},
	}
	for name, c := range cases {
		b := packed(t, key)
		c.change(&b)
		if err := evidence.WriteBundle(io.Discard, b); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRecordingsMayBeLeftOutOfABundle(t *testing.T) {
	key := keyOf(storeA, 1)
	form, err := evidence.Canonical([]byte(`{"visit_id":"` + visitID + `","recordings":{"r1":"` + evidence.Digest([]byte(voice)) + `"}}`))
	if err != nil {
		t.Fatal(err)
	}
	seal := sealOf(t, key, statementOf(form))
	b := evidence.Bundle{PDF: evidence.SignFile(key, sheetOf(t, form, seal)), Canonical: form, Seal: seal, Keys: pinned(key)}
	wantVerdict(t, verifyBundle(t, pinned(key), write(t, b)), evidence.Genuine, "")
	b.Recordings = []evidence.BundleFile{voiceOf(voice)}
	wantVerdict(t, verifyBundle(t, pinned(key), write(t, b)), evidence.Genuine, "")
}

func FuzzVerifyBundle(f *testing.F) {
	key := keyOf(storeA, 1)
	b := packed(f, key)
	f.Add(write(f, b))
	f.Add(zipped(f, unzipped(f, write(f, b))...))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := evidence.VerifyBundle(pinned(key), bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if v.Result == evidence.Genuine && v.Digest != evidence.Digest(b.Canonical) {
			t.Fatal("genuine, but another form")
		}
	})
}
