package evidence

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"example.com/walkaround/domain"
)

var documentName = regexp.MustCompile(`^[a-z][a-z-]{0,31}$`)

// Bundle is what WriteBundle packs: a sheet with all that proves it.
type Bundle struct {
	PDF        []byte
	Canonical  []byte
	Seal       Seal
	Checkpoint *Checkpoint // nil while the seal is in none; its leaves are left out
	Inclusion  *Inclusion
	Keys       PublicKeys // those published; the ones that signed something here are put in, so that a reader sees which to ask for
	Photos     []BundleFile
	Recordings []BundleFile
}

// BundleFile is a photo or recording that is streamed into the bundle.
type BundleFile struct {
	SHA256    string // 64 hex digits, with or without "sha256:" before them
	Extension string // of a photo jpg, png, webp or heic, of a recording m4a or webm, as its first bytes say
	Open      func() (io.ReadCloser, error)
}

// bundlePart is a short entry.
type bundlePart struct {
	name string
	data []byte
}

// WriteBundle writes the zip: the same parts give the same bytes, which VerifyBundle relies on: it takes no other. Nothing is
// compressed, for what is long is compressed already. A file whose bytes don't have its SHA-256 is an ErrForged, after a part of the zip has been written.
func WriteBundle(w io.Writer, b Bundle) error {
	parts, err := b.parts()
	if err != nil {
		return err
	}
	z, at := zip.NewWriter(w), b.Seal.Statement.SealedAt
	for _, p := range parts {
		entry, err := createEntry(z, p.name, at)
		if err != nil {
			return err
		}
		if _, err := entry.Write(p.data); err != nil {
			return fmt.Errorf("bundle %s: %w", p.name, err)
		}
	}
	if err := putFiles(z, "photos/", b.Photos, at); err != nil {
		return err
	}
	if err := putFiles(z, "recordings/", b.Recordings, at); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("end the bundle: %w", err)
	}
	return nil
}

// parts are the short entries in their order.
func (b Bundle) parts() ([]bundlePart, error) {
	document := b.Seal.Statement.Document
	if !documentName.MatchString(document) {
		return nil, fmt.Errorf("evidence: %q is no name of a document", document)
	}
	seal, err := b.Seal.Marshal()
	if err != nil {
		return nil, err
	}
	keys, err := MarshalKeys(b.signers())
	if err != nil {
		return nil, err
	}
	parts := []bundlePart{
		{"README.txt", []byte(readMe)},
		{document + ".pdf", b.PDF},
		{document + ".json", b.Canonical},
		{"seal.json", seal},
		{"keys.json", keys},
	}
	if b.Checkpoint == nil || b.Inclusion == nil {
		return parts, nil
	}
	point := *b.Checkpoint
	point.Leaves = nil
	pointFile, err := canonicalOf(point)
	if err != nil {
		return nil, err
	}
	way, err := canonicalOf(*b.Inclusion)
	if err != nil {
		return nil, err
	}
	return append(parts, bundlePart{"checkpoint.json", pointFile}, bundlePart{"inclusion.json", way}), nil
}

// signers are the keys that signed the PDF, the seal and the checkpoint, if they are among Keys. Whether one was retired later
// is left out: it would change a bundle that was right.
func (b Bundle) signers() PublicKeys {
	out := PublicKeys{}
	for _, id := range b.signerIDs() {
		if k, ok := b.Keys[id]; ok {
			k.NotAfter = nil
			out[id] = k
		}
	}
	return out
}

// signerIDs names the keys that signed something in the bundle.
func (b Bundle) signerIDs() []string {
	ids := []string{b.Seal.KeyID}
	if _, id, _, err := splitTrailer(b.PDF); err == nil {
		ids = append(ids, id)
	}
	if b.Checkpoint != nil {
		ids = append(ids, b.Checkpoint.KeyID)
	}
	return ids
}

// putFiles streams files in the order of their names, each once.
func putFiles(z *zip.Writer, folder string, files []BundleFile, at domain.Time) error {
	files = slices.Clone(files)
	for i := range files {
		files[i].SHA256 = strings.TrimPrefix(files[i].SHA256, digestPrefix)
	}
	slices.SortFunc(files, func(a, b BundleFile) int { return strings.Compare(a.SHA256, b.SHA256) })
	for i, f := range files {
		if i > 0 && files[i-1].SHA256 == f.SHA256 {
			continue
		}
		if err := putFile(z, folder+f.SHA256+"."+f.Extension, f, at); err != nil {
			return err
		}
	}
	return nil
}

// putFile streams one file and hashes it on the way.
func putFile(z *zip.Writer, name string, f BundleFile, at domain.Time) (err error) {
	if !bundleFileName.MatchString(name) {
		return fmt.Errorf("evidence: %q is no name of a file in a bundle", name)
	}
	entry, err := createEntry(z, name, at)
	if err != nil {
		return err
	}
	r, err := f.Open()
	if err != nil {
		return fmt.Errorf("bundle %s: %w", name, err)
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(entry, sum), r)
	if closing := r.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("bundle %s: %w", name, err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
		return forged("the stored bytes of %s are not those that were sealed", name)
	}
	return nil
}

// createEntry begins an entry that carries the time of the seal and no other.
func createEntry(z *zip.Writer, name string, at domain.Time) (io.Writer, error) {
	entry, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Modified: at.UTC()})
	if err != nil {
		return nil, fmt.Errorf("bundle %s: %w", name, err)
	}
	return entry, nil
}
