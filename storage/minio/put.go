package minio

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"github.com/minio/minio-go/v7"

	"example.com/walkaround/storage"
)

// Put stores what r holds.
func (s *Store) Put(
	ctx context.Context, store string, r io.Reader, limit int64, check func(sha256 string, size int64) error,
) (storage.BlobInfo, error) {
	if !storeName.MatchString(store) {
		return storage.BlobInfo{}, fmt.Errorf("store %q: %w", store, storage.ErrValue)
	}
	if s.readOnly {
		return storage.BlobInfo{}, errReadOnly
	}
	from := &source{ctx: ctx, r: r, left: limit}
	ctx, done := attentive(ctx)
	defer done()
	if sum, size, ok := declared(r); ok {
		return s.stream(ctx, store+"/"+sum, size, from, check)
	}
	f, err := s.nameless()
	if err != nil {
		return storage.BlobInfo{}, localFailure(err)
	}
	defer func() { _ = f.Close() }() // it has no name: its bytes end with it
	sum, size, err := s.receive(f, from)
	if err != nil {
		return storage.BlobInfo{}, err
	}
	if check != nil {
		if err := check(hex.EncodeToString(sum), size); err != nil {
			return storage.BlobInfo{}, err
		}
	}
	return s.send(ctx, store+"/"+hex.EncodeToString(sum), f, size, sum)
}

// nameless makes a local file that no crash leaves behind.
func (s *Store) nameless() (*os.File, error) {
	f, err := os.CreateTemp(s.spool, "walkaround-upload-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		_ = f.Close() // the first error is the one to tell
		return nil, err
	}
	return f, nil
}

// receive fills f and returns the SHA-256 and the size. The reader's own error is returned untouched.
func (s *Store) receive(f *os.File, from *source) ([]byte, int64, error) {
	hash := sha256.New()
	buffer, _ := s.buffer.Get().(*[bufferBytes]byte)
	defer s.buffer.Put(buffer)
	n, err := io.CopyBuffer(io.MultiWriter(hash, f), from, buffer[:])
	switch {
	case from.err != nil:
		return nil, 0, from.err
	case err != nil:
		return nil, 0, localFailure(err)
	default:
		return hash.Sum(nil), n, nil
	}
}

// source reads until its context ends or its limit is passed, and keeps apart what reading said from what writing did.
type source struct {
	ctx  context.Context //nolint:containedctx // it lives for one call
	r    io.Reader
	left int64
	err  error // other than the end
}

// Read is the reader's own, save for context and limit.
func (s *source) Read(p []byte) (int, error) {
	if s.err = s.ctx.Err(); s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	if s.left -= int64(n); s.left < 0 {
		n, err = 0, fmt.Errorf("more than may be stored: %w", storage.ErrTooLarge)
	}
	if err != io.EOF { //nolint:errorlint // a reader's end is this very value; a wrapped one is a failure
		s.err = err
	}
	return n, err
}

// send makes f's bytes the blob. It takes the place of a blob that is there already, whose bytes may be damaged.
func (s *Store) send(ctx context.Context, key string, f io.ReaderAt, size int64, sum []byte) (storage.BlobInfo, error) {
	name, err := object(key)
	if err != nil {
		return storage.BlobInfo{}, err
	}
	body := io.NewSectionReader(f, 0, size) // can be read again for another try
	_, err = s.core.PutObject(ctx, s.bucket, name, body, size, "", hex.EncodeToString(sum), s.putOptions())
	if err != nil {
		return storage.BlobInfo{}, fmt.Errorf("put blob %s: %w", key, failure(ctx, err))
	}
	return s.Stat(ctx, key)
}

// putOptions let the hash stand in the signature, which every server compares with the bytes, instead of one a piece, which
// would have to be made in a second pass.
func (s *Store) putOptions() minio.PutObjectOptions {
	return minio.PutObjectOptions{ServerSideEncryption: s.sse, DisableContentSha256: true}
}
