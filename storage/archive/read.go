package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"example.com/walkaround/storage"
)

const blockBytes = 512 // of tar

// sink takes what a backup holds, in its order. Its errors end the reading and are returned untouched.
type sink interface {
	begin(ctx context.Context, h Header) error
	records(ctx context.Context, collection string, list []storage.Record) error

	// blob reads r to its end. errMisnamed when its bytes are not those of its name.
	blob(ctx context.Context, b blob, r io.Reader) error
}

// blob is one blob of a backup.
type blob struct {
	store, sum string
	size       int64
	until      time.Time // retained; zero: it is not
}

// errMisnamed is a blob that was damaged already when it was backed up, unless the digest of the whole says otherwise.
var errMisnamed = fmt.Errorf("%w: its bytes are not those of its name", storage.ErrCorrupt)

// Verify reads a backup to its end, and says what is in it if every byte is as it was written. ErrDamaged, ErrCut,
// ErrForeign, ErrNewer; an error of r is returned as it is.
func Verify(ctx context.Context, r io.Reader, watch Watch) (Header, Manifest, error) {
	var n reading
	m, err := scan(ctx, r, &n, watch)
	return n.header, m, err
}

// reading is a sink that keeps nothing.
type reading struct{ header Header }

func (n *reading) begin(_ context.Context, h Header) error {
	n.header = h
	return nil
}

func (n *reading) records(context.Context, string, []storage.Record) error { return nil }

func (n *reading) blob(_ context.Context, b blob, r io.Reader) error {
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != b.sum {
		return errMisnamed
	}
	return nil
}

// tally hashes what is read through it. While it holds, it keeps the bytes instead, until it is known what they are.
type tally struct {
	from    io.Reader
	failed  error // of from, other than its end
	sum     hash.Hash
	holding bool
	held    []byte
}

func (t *tally) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	if t.holding {
		t.held = append(t.held, p[:n]...)
	} else {
		t.sum.Write(p[:n])
	}
	if err != nil && !errors.Is(err, io.EOF) {
		t.failed = err
	}
	return n, err
}

// admit hashes what was held, save the last bytes of it.
func (t *tally) admit(save int) (saved []byte) {
	whole := max(0, len(t.held)-save)
	t.sum.Write(t.held[:whole])
	saved = t.held[whole:]
	t.held, t.holding = nil, false
	return saved
}

// scanner is one backup as it is read.
type scanner struct {
	tally    *tally
	tar      *tar.Reader
	to       sink
	watch    Watch
	header   Header
	begun    bool
	manifest Manifest
	progress Progress
}

// scan reads a backup into a sink. Records and blobs are handed on as soon as they are known to be those of their names; that
// nothing is missing is known when scan returns nil.
func scan(ctx context.Context, r io.Reader, to sink, watch Watch) (Manifest, error) {
	t := &tally{from: bufio.NewReaderSize(storage.WhileLive(ctx, r), 64<<10), sum: sha256.New()}
	s := &scanner{tally: t, tar: tar.NewReader(t), to: to, watch: watch, manifest: Manifest{Documents: map[string]int64{}}}
	err := s.run(ctx)
	if err != nil && t.failed != nil {
		err = t.failed
	}
	return s.manifest, err
}

func (s *scanner) run(ctx context.Context) error {
	for {
		s.tally.holding = true
		h, err := s.tar.Next()
		if err != nil {
			return s.unreadable(err)
		}
		if h.Name == manifestName && s.begun {
			return s.end(h, s.tally.admit(blockBytes))
		}
		s.tally.admit(0)
		if err := s.entry(ctx, h); err != nil {
			return err
		}
	}
}

// unreadable says what an error of tar means.
func (s *scanner) unreadable(err error) error {
	switch {
	case !s.begun:
		return ErrForeign
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ErrCut
	default:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
}

func (s *scanner) entry(ctx context.Context, h *tar.Header) error {
	if !s.begun {
		return s.begin(ctx, h)
	}
	if m := documentsName.FindStringSubmatch(h.Name); m != nil && h.Typeflag == tar.TypeReg {
		return s.records(ctx, h, m[1], m[2])
	}
	if m := blobName.FindStringSubmatch(h.Name); m != nil && h.Typeflag == tar.TypeReg {
		return s.blob(ctx, h, m[1], m[2])
	}
	return fmt.Errorf("%w: no backup holds an entry %q", ErrDamaged, h.Name)
}

func (s *scanner) begin(ctx context.Context, h *tar.Header) error {
	if h.Name != headerName || h.Size > mostPlain {
		return ErrForeign
	}
	text, err := io.ReadAll(s.tar)
	if err != nil {
		return ErrCut
	}
	if err := json.Unmarshal(text, &s.header); err != nil {
		return fmt.Errorf("%w: its header: %w", ErrDamaged, err)
	}
	if s.header.Version > Version {
		return fmt.Errorf("%w: it has form %d, and this program knows %d", ErrNewer, s.header.Version, Version)
	}
	if s.header.CreatedAt.IsZero() || s.header.ID == "" {
		return fmt.Errorf("%w: its header lacks a part", ErrDamaged)
	}
	s.begun, s.manifest.ID = true, s.header.ID
	if err := s.watch.begin(s.header); err != nil {
		return err
	}
	return s.to.begin(ctx, s.header)
}

func (s *scanner) records(ctx context.Context, h *tar.Header, collection, sum string) error {
	if h.Size > mostChunk {
		return fmt.Errorf("%w: %s has %d bytes", ErrDamaged, h.Name, h.Size)
	}
	chunk := make([]byte, h.Size)
	if _, err := io.ReadFull(s.tar, chunk); err != nil {
		return s.unreadable(err)
	}
	if got := sha256.Sum256(chunk); hex.EncodeToString(got[:]) != sum {
		return fmt.Errorf("%w: %s is not what its name says", ErrDamaged, h.Name)
	}
	list, err := parseRecords(chunk)
	if err == nil {
		err = s.to.records(ctx, collection, list)
	}
	s.manifest.Documents[collection] += int64(len(list))
	s.progress.Documents += int64(len(list))
	s.watch.progress(s.progress)
	return err
}

func (s *scanner) blob(ctx context.Context, h *tar.Header, store, sum string) (err error) {
	b := blob{store: store, sum: sum, size: h.Size}
	if text, ok := h.PAXRecords[retainedKey]; ok {
		if b.until, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return fmt.Errorf("%w: the retention of %s: %w", ErrDamaged, h.Name, err)
		}
	}
	from := &passing{s: s}
	err = s.to.blob(ctx, b, from)
	switch {
	case from.broken != nil:
		return s.unreadable(from.broken)
	case errors.Is(err, errMisnamed):
		s.manifest.DamagedBlobs++
		s.watch.damaged(fmt.Errorf("%w: blob %s/%s", err, store, sum))
	case err != nil:
		return err
	}
	s.progress.Blobs++
	s.manifest.Blobs++
	s.manifest.BlobBytes += h.Size
	s.watch.progress(s.progress)
	return nil
}

// passing reads a blob, tells of its bytes, and remembers whether it broke off.
type passing struct {
	s      *scanner
	broken error
}

func (p *passing) Read(b []byte) (int, error) {
	n, err := p.s.tar.Read(b)
	p.s.progress.BlobBytes += int64(n)
	p.s.watch.progress(p.s.progress)
	if err != nil && !errors.Is(err, io.EOF) {
		p.broken = err
	}
	return n, err
}

// end holds the manifest and all that follows to the bytes that would have been written after what was read. What the
// writer left out is the one thing that can't be counted here, so it is taken from the manifest, whose digest covers it.
func (s *scanner) end(h *tar.Header, head []byte) error {
	if h.Size > mostPlain {
		return fmt.Errorf("%w: its manifest has %d bytes", ErrDamaged, h.Size)
	}
	rest, err := io.ReadAll(io.LimitReader(s.tally.from, 2*mostPlain))
	if err != nil {
		return err
	}
	var told Manifest
	if int64(len(rest)) < h.Size {
		return ErrCut
	}
	if err := json.Unmarshal(rest[:h.Size], &told); err != nil {
		return fmt.Errorf("%w: its manifest: %w", ErrDamaged, err)
	}
	s.manifest.DamagedDocuments, s.manifest.DamagedRetentions = told.DamagedDocuments, told.DamagedRetentions
	if s.manifest, err = digested(s.manifest, s.tally.sum); err != nil {
		return err
	}
	want, err := trailer(s.manifest, s.header.CreatedAt.Time)
	if err != nil {
		return err
	}
	switch got := append(head, rest...); {
	case bytes.Equal(got, want):
		return nil
	case len(got) < len(want) && bytes.HasPrefix(want, got):
		return ErrCut
	default:
		return fmt.Errorf("%w: what it holds is not what its manifest says", ErrDamaged)
	}
}
