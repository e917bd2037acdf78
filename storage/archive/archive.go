// Package archive writes a whole store, documents and blobs, into one file, and makes a store of such a file again, on the
// same engines or on others.
//
// Call Write for a backup, Verify to read one to its end, Restore to fill an empty store. The package imports domain and
// storage. Nothing is held whole: neither a blob nor a list of anything.
//
// A backup is a tar archive (POSIX), which every tool reads:
//
//	walkaround-backup.json                     Header
//	documents/<collection>/<n>.<sha256>.bson   records one after the other, as bsondump reads them
//	blobs/<store>/<sha256>                     the bytes; a PAX record says until when they are retained
//	manifest.json                              Manifest: how many of each, and a SHA-256 of it all
//
// Every byte is held to something. Records and blobs are compared with the SHA-256 in their name before they are stored, all
// bytes before the manifest with the digest in it, and the manifest and what follows with the bytes that this package makes of
// what it read. So a backup that was cut or changed anywhere is refused. That protects from bad disks and broken copies; who
// forges a backup on purpose can't forge the seals in it.
//
// A file that can't be read is filled up with zeros, so that it is known by its digest, and its neighbours are backed up. Where
// it can't be read until when a blob is retained, the longest retention of the store is taken, or ten years if there is none.
//
// Documents are read before blobs. A blob is stored before a document names it, and what nothing names any more is swept a
// day later at the earliest: so the blobs that are named in a backup are in it.
package archive

import (
	"archive/tar"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"regexp"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
)

// Version is the form of the archive itself.
const Version = 1

const (
	headerName   = "walkaround-backup.json"
	manifestName = "manifest.json"
	retainedKey  = "WALKAROUND.retained_until"

	chunkBytes = 4 << 20                                 // of records, written at once
	mostChunk  = 2*chunkBytes + storage.MaxDocumentBytes // a chunk that is longer was not written here
	mostPlain  = 1 << 20                                 // of header and manifest
)

var (
	documentsName = regexp.MustCompile(`^documents/([a-z_]{1,40})/\d{6,}\.([0-9a-f]{64})\.bson$`)
	blobName      = regexp.MustCompile(`^blobs/([a-z0-9][a-z0-9_-]{0,62})/([0-9a-f]{64})$`)
)

// What Verify and Restore say of a backup and its target. Each is matched with errors.Is.
var (
	ErrDamaged  = errors.New("the backup is damaged")
	ErrCut      = errors.New("the backup is cut: it ends before its end")
	ErrForeign  = errors.New("this is not a backup of walkaround")
	ErrNewer    = errors.New("the backup is of a newer version of walkaround")
	ErrNotEmpty = errors.New("the store is not empty")
)

// Storage is what a backup is made of, or restored into.
type Storage struct {
	Engine storage.Engine
	Blobs  storage.Blobs

	// First are the collections whose documents name those of others. They are read first where the engine can't show
	// one moment, so that what they name, which was stored before, is read too.
	First []string
}

// Header begins a backup.
type Header struct {
	Version   int         `json:"version"` // of the archive
	ID        string      `json:"id"`
	Format    int         `json:"format"`  // of the documents, as package migrate counts them
	Program   string      `json:"program"` // version of the program that wrote it
	CreatedAt domain.Time `json:"created_at"`
	Demo      bool        `json:"demo,omitempty"` // of a demo store, whose passwords everyone knows
}

// Manifest ends a backup.
type Manifest struct {
	ID               string           `json:"id"`                // of the header
	Documents        map[string]int64 `json:"documents"`         // by collection
	DamagedDocuments int64            `json:"damaged_documents"` // could not be read when they were backed up, and are left out
	Blobs            int64            `json:"blobs"`
	BlobBytes        int64            `json:"blob_bytes"`
	DamagedBlobs     int64            `json:"damaged_blobs"` // counted in Blobs: their bytes were not those of their name, and are not restored

	// DamagedRetentions are blobs of which it could not be read until when they are retained. They are in the backup, retained
	// until the latest moment that any blob is.
	DamagedRetentions int64 `json:"damaged_retentions,omitempty"`

	Digest string `json:"digest"` // sha256: and the SHA-256 of every byte before this entry, then of this text with an empty digest
}

// Count is the number of all documents.
func (m Manifest) Count() (n int64) {
	for _, of := range m.Documents {
		n += of
	}
	return n
}

// Damaged says how much was found damaged when the backup was made.
func (m Manifest) Damaged() int64 { return m.DamagedDocuments + m.DamagedBlobs + m.DamagedRetentions }

// Watch follows a backup or a restore. Its functions are called by one goroutine at a time; each may be nil.
type Watch struct {
	Progress func(Progress)
	Damaged  func(error)        // one damaged document or blob; it is not in the backup, or not restored
	Begin    func(Header) error // of what is read: asked before anything is stored; its error ends it
}

// Progress is how far it came.
type Progress struct {
	Documents  int64
	Blobs      int64
	BlobBytes  int64
	TotalBlobs int64 // 0 while it is not known
	TotalBytes int64 // of blobs
}

func (w Watch) progress(p Progress) {
	if w.Progress != nil {
		w.Progress(p)
	}
}

func (w Watch) begin(h Header) error {
	if w.Begin == nil {
		return nil
	}
	return w.Begin(h)
}

func (w Watch) damaged(err error) {
	if w.Damaged != nil {
		w.Damaged(err)
	}
}

// entry is the head of a file in the archive.
func entry(name string, size int64, at time.Time) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: at.Truncate(time.Second)}
}

// trailer is the end of an archive from its manifest on, byte for byte.
func trailer(m Manifest, at time.Time) ([]byte, error) {
	text, err := plain(m)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(entry(manifestName, int64(len(text)), at)); err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// digested is the manifest with the digest of what came before it and of itself.
func digested(m Manifest, before hash.Hash) (Manifest, error) {
	m.Digest = ""
	text, err := plain(m)
	before.Write(text)
	m.Digest = "sha256:" + hex.EncodeToString(before.Sum(nil))
	return m, err
}

// plain is JSON that a person reads.
func plain(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	return append(b, '\n'), err
}
