package evidence_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
)

// fakePDF is what a forger wants a reader of PDFs to show.
const fakePDF = "\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\nstartxref\n1\n%%EOF\n"

// entriesOf stores entries with the time that the seal has, in the way of WriteBundle.
func entriesOf(tb testing.TB, entries []entry) []byte {
	tb.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, e := range entries {
		w, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Modified: noon.Add(40 * time.Second)})
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write(e.data); err != nil && !strings.HasSuffix(e.name, "/") {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// orphan is a local header that no directory names, and whose name begins a PDF.
func orphan() []byte {
	const name = "%PDF-1.4\n%"
	head := make([]byte, 30, 64)
	copy(head, "PK\x03\x04\x14")
	binary.LittleEndian.PutUint16(head[26:], uint16(len(name)))
	return append(head, name...)
}

// commented ends a zip with a comment.
func commented(zipped []byte, comment string) []byte {
	out := bytes.Clone(zipped)
	binary.LittleEndian.PutUint16(out[len(out)-2:], uint16(len(comment)))
	return append(out, comment...)
}

// inserted puts something between two parts of a zip and mends the directory's place.
func inserted(zipped []byte, at int, what string) []byte {
	out := append(append(bytes.Clone(zipped[:at]), what...), zipped[at:]...)
	place := out[len(out)-6 : len(out)-2]
	binary.LittleEndian.PutUint32(place, binary.LittleEndian.Uint32(place)+uint32(len(what)))
	return out
}

// flipped changes one byte.
func flipped(zipped []byte, at int) []byte {
	out := bytes.Clone(zipped)
	out[at] ^= 1
	return out
}

func TestNothingHidesInTheZipOfABundle(t *testing.T) {
	key := keyOf(storeA, 1)
	good := write(t, packed(t, key))
	if same := entriesOf(t, unzipped(t, good)); !bytes.Equal(same, good) {
		t.Fatal("the forger's own zip must differ in nothing but what he changes")
	}
	directory := bytes.Index(good, []byte("PK\x01\x02"))
	for name, forged := range map[string][]byte{
		"a PDF around it":                    commented(append(orphan(), good...), fakePDF),
		"a comment":                          commented(good, fakePDF),
		"bytes before":                       append(orphan(), good...),
		"bytes before the directory":         inserted(good, directory, fakePDF),
		"bytes behind":                       append(bytes.Clone(good), fakePDF...),
		"another name in the local header":   flipped(good, 30),
		"other flags in the local header":    flipped(good, 7),
		"another method in the local header": flipped(good, 8),
		"another size in the local header":   flipped(good, 18),
		"another time in the directory":      flipped(good, directory+12),
		"other rights in the directory":      flipped(good, directory+38),
	} {
		t.Run(name, func(t *testing.T) {
			wantVerdict(t, verifyBundle(t, pinned(key), forged), evidence.NotGenuine, evidence.ReasonBundleUnreadable)
			wantVerdict(t, verifyBundle(t, nil, forged), evidence.NotGenuine, evidence.ReasonBundleUnreadable)
		})
	}
}

func TestNoPDFBeginsWhereAReaderLooksForOne(t *testing.T) {
	if b := write(t, packed(t, keyOf(storeA, 1))); bytes.Contains(b[:1024], []byte("%PDF-")) || bytes.Contains(b[:1024], []byte(".pdfPK")) {
		t.Errorf("%q", b[:1024])
	}
}

func TestUnsignedPartsOfABundleAreHeldToWhatIsKnown(t *testing.T) {
	key, thief := keyOf(storeA, 1), keyOf(storeA, 66)
	good := unzipped(t, write(t, packed(t, key)))
	keysFile := func(change func(*evidence.PublicKey), more ...evidence.SigningKey) string {
		keys := pinned(append(more, key)...)
		k := keys[key.ID]
		change(&k)
		keys[key.ID] = k
		out, err := evidence.MarshalKeys(keys)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	replaced := func(name, data string) []entry {
		out := append([]entry{}, good...)
		for i := range out {
			if out[i].name == name {
				out[i].data = []byte(data)
			}
		}
		return out
	}
	renamed := append([]entry{}, good...)
	last := &renamed[len(renamed)-1]
	asPNG := append([]entry{}, good...)
	asPNG[len(asPNG)-1].name = strings.Replace(last.name, ".jpg", ".png", 1)
	last.name = strings.Replace(last.name, ".jpg", ".html", 1)
	retired := domain.At(noon.Add(time.Hour))
	for name, c := range map[string]struct {
		entries []entry
		code    string
	}{
		"another README":           {replaced("README.txt", "Trust keys.json.\n"), evidence.ReasonBundleUnreadable},
		"no README":                {good[1:], evidence.ReasonBundleUnreadable},
		"no keys in keys.json":     {replaced("keys.json", `{"keys":[]}`), evidence.ReasonBundleIncomplete},
		"a foreign key":            {replaced("keys.json", keysFile(func(*evidence.PublicKey) {}, thief)), evidence.ReasonBundleUnreadable},
		"a key of another time":    {replaced("keys.json", keysFile(func(k *evidence.PublicKey) { k.NotBefore = domain.At(noon.Add(-time.Hour)) })), evidence.ReasonBundleMixed},
		"a key of another store":   {replaced("keys.json", keysFile(func(k *evidence.PublicKey) { k.StoreID = storeB })), evidence.ReasonBundleMixed},
		"a key that was retired":   {replaced("keys.json", keysFile(func(k *evidence.PublicKey) { k.NotAfter = &retired })), evidence.ReasonBundleUnreadable},
		"a folder":                 {append(append([]entry{}, good...), entry{name: "photos/"}), evidence.ReasonBundleUnreadable},
		"a folder that climbs":     {append(append([]entry{}, good...), entry{name: "../../etc/"}), evidence.ReasonBundleUnreadable},
		"a photo that is a page":   {renamed, evidence.ReasonBundleUnreadable},
		"a photo of another kind":  {asPNG, evidence.ReasonBundleUnreadable},
		"another order of entries": {append(append([]entry{}, good[1:]...), good[0]), evidence.ReasonBundleUnreadable},
	} {
		t.Run(name, func(t *testing.T) {
			wantVerdict(t, verifyBundle(t, pinned(key), entriesOf(t, c.entries)), evidence.NotGenuine, c.code)
		})
	}
}

func TestBundleOutlivesTheRotationOfItsKey(t *testing.T) {
	key, next := keyOf(storeA, 1), keyOf(storeA, 2)
	b := packed(t, key)
	before := write(t, b)
	b.Keys = pinned(key, next)
	old, end := b.Keys[key.ID], domain.At(noon.Add(time.Hour))
	old.NotAfter = &end
	b.Keys[key.ID] = old
	if after := write(t, b); !bytes.Equal(after, before) {
		t.Error("the bundle changed with keys that have no part in it")
	}
	wantVerdict(t, verifyBundle(t, b.Keys, before), evidence.Genuine, "")
}

func TestUncheckedTimestampIsNotShownAsAFact(t *testing.T) {
	key := keyOf(storeA, 1)
	token := &evidence.TimestampToken{Token: []byte{1}, Authority: "CN=Made Up", At: noon}
	b := packed(t, key)
	b.Checkpoint.TimestampState, b.Checkpoint.Timestamp = evidence.TimestampVerified, token
	v := verifyBundle(t, pinned(key), write(t, b))
	wantVerdict(t, v, evidence.Genuine, "")
	if out, err := json.Marshal(v); err != nil || bytes.Contains(out, []byte("Made Up")) || v.Checkpoint.TimestampState != evidence.TimestampUnchecked || v.Claimed == nil {
		t.Errorf("%s, %v", out, err)
	}
	for name, c := range map[string]struct {
		state string
		token *evidence.TimestampToken
	}{
		"verified without a token": {evidence.TimestampVerified, nil},
		"verified, token empty":    {evidence.TimestampVerified, &evidence.TimestampToken{Authority: "a", At: noon}},
		"pending with a token":     {evidence.TimestampPending, token},
		"none with a token":        {evidence.TimestampNone, token},
		"a state of its own":       {"certified", nil},
		"unchecked":                {evidence.TimestampUnchecked, token},
	} {
		b := packed(t, key)
		b.Checkpoint.TimestampState, b.Checkpoint.Timestamp = c.state, c.token
		v := verifyBundle(t, pinned(key), write(t, b))
		if v.Result != evidence.NotGenuine || v.Reasons[0].Code != evidence.ReasonCheckpointForged {
			t.Errorf("%s: %+v", name, v)
		}
	}
}
