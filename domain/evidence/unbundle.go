package evidence

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// The bounds of a bundle that VerifyBundle takes.
const (
	MaxBundleEntries    = 500
	MaxBundleEntryBytes = 64 << 20
	maxBundleBytes      = 4 << 30  // of all entries, unpacked
	maxPartsBytes       = 96 << 20 // of those that are held in memory
)

// bundleFileName is what a photo or a recording is called: folder, SHA-256, extension.
var bundleFileName = regexp.MustCompile(`^(?:photos/[0-9a-f]{64}\.(?:jpg|png|webp|heic)|recordings/[0-9a-f]{64}\.(?:m4a|webm))$`)

// VerifyBundle recomputes everything that a bundle says: the sheet as VerifyPDF does, that form and seal beside it are those
// inside it, each photo's SHA-256 against the form, and checkpoint and inclusion, if the seal is in one. Then the bundle is
// written again and must have the same bytes, so that nothing else hides between or behind the entries. Nothing is unpacked to
// disk; an entry is streamed, and read no further than MaxBundleEntryBytes. The error is one of reading r; what is wrong
// with the bundle itself, also that it is none, is in the verdict.
func VerifyBundle(keys PublicKeys, r io.ReaderAt, size int64) (Verdict, error) {
	source := &watched{r: r}
	c := newCase(keys)
	c.bundle(io.NewSectionReader(source, 0, size), size) // a hostile zip asks for places that don't exist
	if source.err != nil {
		return Verdict{}, fmt.Errorf("read the bundle: %w", source.err)
	}
	return c.verdict(), nil
}

// watched keeps the error of a source, which the zip reader would pass on as one of the zip.
type watched struct {
	r   io.ReaderAt
	err error
}

// ReadAt reads from the source.
func (w *watched) ReadAt(p []byte, off int64) (int, error) {
	n, err := w.r.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// unpacked is what a bundle holds: the short entries, and of the long ones what was recomputed.
type unpacked struct {
	parts map[string][]byte
	sums  map[string]string // of photos and recordings: name → SHA-256 of the bytes
	again Bundle            // what it should be written from
	left  int64             // how much more may be unpacked
	room  int64             // how much more of it may be held
}

// bundle looks at a whole bundle.
func (c *trial) bundle(r io.ReaderAt, size int64) bool {
	u, ok := c.unpack(r, size)
	if !ok {
		return false
	}
	if !c.pdf(u.sheet()) || !c.alike(&u) || !c.files(u) || !c.anchored(&u) {
		return false
	}
	return c.published(u) && c.exact(u, r, size)
}

// unpack reads every entry once.
func (c *trial) unpack(r io.ReaderAt, size int64) (unpacked, bool) {
	u := unpacked{parts: map[string][]byte{}, sums: map[string]string{}, left: maxBundleBytes, room: maxPartsBytes}
	z, err := zip.NewReader(r, size)
	if err != nil || len(z.File) > MaxBundleEntries {
		return u, c.fail(ReasonBundleUnreadable, "This is no bundle, or it has too many entries.")
	}
	for _, f := range z.File {
		if err := u.add(f); err != nil {
			return u, c.fail(ReasonBundleUnreadable, "An entry is damaged, too long, there twice, not one of a bundle or not what its name says.")
		}
	}
	return u, true
}

var errEntry = errors.New("not an entry of a bundle")

// add reads one entry: a file by its hash, a part into memory.
func (u *unpacked) add(f *zip.File) error {
	_, part := u.parts[f.Name]
	_, file := u.sums[f.Name]
	if part || file || u.left < 0 || u.room < 0 {
		return errEntry
	}
	content, err := f.Open()
	if err != nil {
		return fmt.Errorf("open an entry: %w", err)
	}
	defer content.Close() //nolint:errcheck // an entry is only read; its checksum came as an error of the read
	limited := io.LimitReader(content, MaxBundleEntryBytes+1)
	var kept bytes.Buffer
	switch {
	case bundleFileName.MatchString(f.Name):
		err = u.addFile(f, limited)
	case bundlePartName(f.Name):
		n, failed := kept.ReadFrom(io.LimitReader(limited, u.room+1))
		u.room -= n
		err = u.count(n, failed)
		u.parts[f.Name] = kept.Bytes()
	default:
		err = errEntry
	}
	return err
}

// addFile hashes a photo or recording, which must be of the kind that its name says.
func (u *unpacked) addFile(f *zip.File, content io.Reader) error {
	buffered, sum := bufio.NewReader(content), sha256.New()
	head, err := buffered.Peek(mediaHeadBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read an entry: %w", err)
	}
	folder, rest, _ := strings.Cut(f.Name, "/")
	stem, extension, _ := strings.Cut(rest, ".")
	if !isMedia(extension, head) {
		return errEntry
	}
	err = u.count(io.Copy(sum, buffered))
	u.sums[f.Name] = hex.EncodeToString(sum.Sum(nil))
	file := BundleFile{SHA256: stem, Extension: extension, Open: f.Open}
	if folder == "photos" {
		u.again.Photos = append(u.again.Photos, file)
	} else {
		u.again.Recordings = append(u.again.Recordings, file)
	}
	return err
}

// count keeps the bounds.
func (u *unpacked) count(n int64, err error) error {
	if u.left -= n; err == nil && (n > MaxBundleEntryBytes || u.left < 0 || u.room < 0) {
		return errEntry
	}
	return err
}

// bundlePartName knows README.txt and the documents by their form.
func bundlePartName(name string) bool {
	stem, extension, _ := strings.Cut(name, ".")
	return name == "README.txt" || (extension == "pdf" || extension == "json") && documentName.MatchString(stem)
}

// sheet is the PDF, of which there must be one.
func (u *unpacked) sheet() []byte {
	var pdf []byte
	for name, data := range u.parts {
		if strings.HasSuffix(name, ".pdf") {
			if pdf != nil {
				return nil
			}
			pdf = data
		}
	}
	return pdf
}

// alike holds the parts beside the PDF against those inside.
func (c *trial) alike(u *unpacked) bool {
	document := c.seal.Statement.Document
	pdf, okPDF := u.parts[document+".pdf"]
	form, okForm := u.parts[document+".json"]
	sealFile, okSeal := u.parts["seal.json"]
	if !okPDF || !okForm || !okSeal {
		return c.fail(ReasonBundleIncomplete, "The sheet, its form or its seal is not in the bundle.")
	}
	seal, err := ParseSeal(sealFile)
	if err != nil || seal.Leaf() != c.seal.Leaf() || !bytes.Equal(form, c.form) {
		return c.fail(ReasonBundleMixed, "Form or seal are not those inside the sheet.")
	}
	for name := range u.parts {
		if !knownPart(name, document) {
			return c.fail(ReasonBundleMixed, "The bundle holds a document that the seal does not speak of.")
		}
	}
	keys, err := ParseKeys(u.parts["keys.json"])
	if err != nil {
		return c.fail(ReasonBundleUnreadable, "The keys in the bundle cannot be read.")
	}
	u.again.PDF, u.again.Canonical, u.again.Seal, u.again.Keys = pdf, form, c.seal, keys
	return true
}

// knownPart says whether a part belongs to the bundle of a document.
func knownPart(name, document string) bool {
	switch name {
	case "README.txt", "seal.json", "keys.json", "checkpoint.json", "inclusion.json", document + ".pdf", document + ".json":
		return true
	}
	return false
}

// files holds photos and recordings against the form: every photo that it names must be there, and nothing that it doesn't.
func (c *trial) files(u unpacked) bool {
	photos, recordings, ok := filesOf(c.form)
	if !ok {
		return c.fail(ReasonPhotoMissing, "The form names a photo without saying which.")
	}
	wanted := map[string]bool{}
	for _, sum := range photos {
		wanted["photos/"+sum] = true
	}
	for _, sum := range recordings {
		wanted["recordings/"+sum] = false // may be left out: a voice is not for everyone
	}
	for name, sum := range u.sums {
		stem, _, _ := strings.Cut(name, ".")
		if _, named := wanted[stem]; !named {
			return c.fail(ReasonPhotoForeign, "The bundle holds a photo or recording that the form does not name.")
		}
		if !strings.HasSuffix(stem, "/"+sum) {
			return c.fail(ReasonPhotoChanged, "A photo or recording is not the one that was signed.")
		}
		delete(wanted, stem)
	}
	for _, must := range wanted {
		if must {
			return c.fail(ReasonPhotoMissing, "A photo that the form names is not in the bundle.")
		}
	}
	c.photos = len(photos)
	return true
}

// anchored verifies the checkpoint, if there is one.
func (c *trial) anchored(u *unpacked) bool {
	pointFile, okPoint := u.parts["checkpoint.json"]
	wayFile, okWay := u.parts["inclusion.json"]
	if !okPoint && !okWay {
		c.note(NoteNoCheckpoint, "The seal is in no checkpoint yet.")
		return true
	}
	var point Checkpoint
	var way Inclusion
	if decodeStrictly(pointFile, &point) != nil || decodeStrictly(wayFile, &way) != nil {
		return c.fail(ReasonCheckpointForged, "Checkpoint or inclusion cannot be read.")
	}
	u.again.Checkpoint, u.again.Inclusion = &point, &way
	return c.checkpoint(point, way)
}
