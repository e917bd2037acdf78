package storagetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/walkaround/storage"
)

// blobs is one blob store under test.
type blobs struct {
	storage.Blobs
	t *testing.T
}

const limit = 1 << 20

// Blobs holds a blob store to what storage.Blobs promises. open returns an empty one, whose clock is the real one.
func Blobs(t *testing.T, open func(*testing.T) storage.Blobs) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(blobs)
	}{
		{"what was put is read back", putAndOpen},
		{"the same bytes are one blob and are renewed", putTwice},
		{"stores are apart", storesApart},
		{"an empty blob is a blob", emptyBlob},
		{"the limit is kept to the byte", sizeLimit},
		{"what check refuses is not stored", checkRefuses},
		{"what cannot be read to its end is not stored", readerFails},
		{"an ended context ends a put", putCancelled},
		{"ranges are read", ranges},
		{"a reader may be sought anywhere and stays within the blob", seeks},
		{"a retained blob is not deleted", retention},
		{"retention grows and outlives a repeat", retentionGrows},
		{"a deleted blob is gone", deleted},
		{"a list goes page by page in order of key", listPages},
		{"a list says what stat says", listLikeStat},
		{"an ended context ends everything", ended},
		{"many may put the same bytes at once", putTogether},
		{"names that lead elsewhere are refused", traversal},
		{"verify tells", verify},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := blobs{open(t), t}
			s.ok(s.Ping(t.Context()))
			c.run(s)
		})
	}
}

func (s blobs) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s blobs) is(err, want error) {
	s.t.Helper()
	if !errors.Is(err, want) {
		s.t.Fatalf("got %v, want %v", err, want)
	}
}

func (s blobs) ctx() context.Context { return s.t.Context() }

func (s blobs) put(data string) storage.BlobInfo {
	s.t.Helper()
	info, err := s.Put(s.ctx(), "main", strings.NewReader(data), limit, nil)
	s.ok(err)
	return info
}

// hold says that the store main holds n blobs.
func (s blobs) hold(n int) {
	s.t.Helper()
	list, err := s.List(s.ctx(), "main", "", storage.MaxList)
	s.ok(err)
	if len(list) != n {
		s.t.Errorf("%d blobs are stored, want %d: %v", len(list), n, list)
	}
}

func (s blobs) read(key string) []byte {
	s.t.Helper()
	r, _, err := s.Open(s.ctx(), key)
	s.ok(err)
	b, err := io.ReadAll(r)
	s.ok(errors.Join(err, r.Close()))
	return b
}

func key(data string) string {
	sum := sha256.Sum256([]byte(data))
	return "main/" + hex.EncodeToString(sum[:])
}

func putAndOpen(s blobs) {
	data := strings.Repeat("photo\x00\xff", 90_000) // more than a buffer
	var seen string
	info, err := s.Put(s.ctx(), "main", iotest(data), limit, func(sum string, size int64) error {
		seen = fmt.Sprint(sum, " ", size)
		_, err := s.Stat(s.ctx(), "main/"+sum)
		s.is(err, storage.ErrNotFound)
		return nil
	})
	s.ok(err)
	if want := fmt.Sprint(key(data)[5:], " ", len(data)); seen != want {
		s.t.Errorf("check saw %s, want %s", seen, want)
	}
	if info.Key != key(data) || info.Bytes != int64(len(data)) {
		s.t.Errorf("stored as %+v", info)
	}
	if string(s.read(info.Key)) != data {
		s.t.Error("other bytes are read than were put")
	}
	stat, err := s.Stat(s.ctx(), info.Key)
	s.ok(err)
	if stat.Key != info.Key || stat.Bytes != info.Bytes || !stat.Stored.Equal(info.Stored) {
		s.t.Errorf("stat says %+v, put said %+v", stat, info)
	}
}

// iotest reads data in pieces of odd sizes, and gives the last together with the end.
func iotest(data string) io.Reader { return &pieces{rest: []byte(data)} }

type pieces struct {
	rest []byte
	n    int
}

func (p *pieces) Read(b []byte) (int, error) {
	p.n++
	n := copy(b[:min(len(b), 1+p.n*37%5000)], p.rest)
	p.rest = p.rest[n:]
	if len(p.rest) == 0 {
		return n, io.EOF
	}
	return n, nil
}

func putTwice(s blobs) {
	first := s.put("same")
	for s.put("other").Stored.Equal(first.Stored) { // until the clock has moved
	}
	again := s.put("same")
	if again.Key != first.Key || !again.Stored.After(first.Stored) {
		s.t.Errorf("first %+v, again %+v: want one key, renewed", first, again)
	}
	s.hold(2)
}

func storesApart(s blobs) {
	s.put("same")
	info, err := s.Put(s.ctx(), "other", strings.NewReader("same"), limit, nil)
	s.ok(err)
	s.ok(s.Delete(s.ctx(), key("same")))
	if string(s.read(info.Key)) != "same" {
		s.t.Error("a store lost its blob when another's was deleted")
	}
	list, err := s.List(s.ctx(), "nobody", "", 1)
	s.ok(err)
	if len(list) != 0 {
		s.t.Errorf("a store without blobs lists %v", list)
	}
}

func emptyBlob(s blobs) {
	if b := s.read(s.put("").Key); len(b) != 0 {
		s.t.Errorf("read %q", b)
	}
}

func sizeLimit(s blobs) {
	_, err := s.Put(s.ctx(), "main", strings.NewReader("12345"), 4, nil)
	s.is(err, storage.ErrTooLarge)
	s.hold(0)
	_, err = s.Put(s.ctx(), "main", strings.NewReader("12345"), 5, nil)
	s.ok(err)
	endless := &counter{}
	_, err = s.Put(s.ctx(), "main", endless, limit, nil)
	s.is(err, storage.ErrTooLarge)
	if endless.read > 2*limit {
		s.t.Errorf("%d bytes were read of which %d may be stored", endless.read, limit)
	}
}

type counter struct{ read int }

func (c *counter) Read(b []byte) (int, error) {
	c.read += len(b)
	return len(b), nil
}

func checkRefuses(s blobs) {
	refusal := errors.New("not what was promised")
	_, err := s.Put(s.ctx(), "main", strings.NewReader("x"), limit, func(string, int64) error { return refusal })
	if err == nil || !errors.Is(err, refusal) {
		s.t.Errorf("got %v, want the error of check", err)
	}
	s.hold(0)
	_, err = s.Stat(s.ctx(), key("x"))
	s.is(err, storage.ErrNotFound)
}

func readerFails(s blobs) {
	for _, failure := range []error{io.ErrUnexpectedEOF, errors.New("reset by peer"), fmt.Errorf("cut: %w", io.EOF)} {
		_, err := s.Put(s.ctx(), "main", io.MultiReader(strings.NewReader("half"), failing{failure}), limit, nil)
		s.is(err, failure)
		s.hold(0)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func putCancelled(s blobs) {
	ctx, cancel := context.WithCancel(s.ctx())
	defer cancel()
	_, err := s.Put(ctx, "main", io.MultiReader(strings.NewReader("half"), canceller(cancel)), limit, nil)
	s.is(err, context.Canceled)
	s.hold(0)
}

// canceller gives a byte for ever, and ends the context at the first.
type canceller func()

func (c canceller) Read(b []byte) (int, error) {
	c()
	return copy(b, "x"), nil
}

func ranges(s blobs) {
	r, info, err := s.Open(s.ctx(), s.put("0123456789").Key)
	s.ok(err)
	defer func() { s.ok(r.Close()) }()
	if info.Bytes != 10 {
		s.t.Errorf("opened %+v", info)
	}
	for at, want := range map[int64]string{0: "012", 7: "789", 3: "345"} {
		b := make([]byte, 3)
		_, err := r.Seek(at, io.SeekStart)
		s.ok(err)
		_, err = io.ReadFull(r, b)
		s.ok(err)
		if string(b) != want {
			s.t.Errorf("at %d: %q, want %q", at, b, want)
		}
	}
	end, err := r.Seek(-2, io.SeekEnd)
	s.ok(err)
	rest, err := io.ReadAll(r)
	s.ok(err)
	if end != 8 || string(rest) != "89" {
		s.t.Errorf("the last two, from %d: %q", end, rest)
	}
}

func seeks(s blobs) {
	r, _, err := s.Open(s.ctx(), s.put("0123456789").Key)
	s.ok(err)
	defer func() { s.ok(r.Close()) }()
	b := make([]byte, 2)
	_, err = io.ReadFull(r, b)
	s.ok(err)
	at, err := r.Seek(3, io.SeekCurrent)
	s.ok(err)
	_, err = io.ReadFull(r, b)
	s.ok(err)
	if at != 5 || string(b) != "56" {
		s.t.Errorf("at %d: %q, want 56 at 5", at, b)
	}
	for _, beyond := range []int64{10, 11} {
		_, err = r.Seek(beyond, io.SeekStart)
		s.ok(err)
		_, err = r.Read(b)
		s.is(err, io.EOF)
	}
	if _, err := r.Seek(-1, io.SeekStart); err == nil {
		s.t.Error("a reader was sought before its beginning")
	}
	_, err = r.Seek(0, io.SeekStart)
	s.ok(err)
	if whole, err := io.ReadAll(r); err != nil || string(whole) != "0123456789" {
		s.t.Errorf("from the beginning again: %q, %v", whole, err)
	}
}

func retention(s blobs) {
	sealed := s.put("sealed")
	in := func(d time.Duration) time.Time { return sealed.Stored.Add(d) }
	s.ok(s.Retain(s.ctx(), sealed.Key, in(time.Hour)))
	s.is(s.Delete(s.ctx(), sealed.Key), storage.ErrRetained)
	s.ok(s.Retain(s.ctx(), sealed.Key, in(-time.Hour)))
	s.is(s.Delete(s.ctx(), sealed.Key), storage.ErrRetained)
	s.put("sealed")
	s.is(s.Delete(s.ctx(), sealed.Key), storage.ErrRetained)
	past := s.put("was sealed")
	s.ok(s.Retain(s.ctx(), past.Key, in(-time.Hour)))
	s.ok(s.Delete(s.ctx(), past.Key))
	s.is(s.Retain(s.ctx(), past.Key, in(time.Hour)), storage.ErrNotFound)
}

func retentionGrows(s blobs) {
	sealed := s.put("sealed")
	s.ok(s.Retain(s.ctx(), sealed.Key, sealed.Stored.Add(time.Hour)))
	s.ok(s.Retain(s.ctx(), sealed.Key, sealed.Stored.Add(2*time.Hour)))
	s.put("sealed")
	s.ok(s.Retain(s.ctx(), sealed.Key, sealed.Stored.Add(time.Minute)))
	s.is(s.Delete(s.ctx(), sealed.Key), storage.ErrRetained)
	if string(s.read(sealed.Key)) != "sealed" {
		s.t.Error("other bytes are read than were sealed")
	}
	s.hold(1)
}

func deleted(s blobs) {
	k := s.put("x").Key
	s.ok(s.Delete(s.ctx(), k))
	s.is(s.Delete(s.ctx(), k), storage.ErrNotFound)
	_, err := s.Stat(s.ctx(), k)
	s.is(err, storage.ErrNotFound)
	_, _, err = s.Open(s.ctx(), k)
	s.is(err, storage.ErrNotFound)
	s.hold(0)
	s.put("x")
	s.hold(1)
}

func listPages(s blobs) {
	want := s.putMany(200) // some share their first digits
	for _, n := range []int{23, 100, 1000} {
		var got []string
		for after := ""; ; after = got[len(got)-1] {
			list, err := s.List(s.ctx(), "main", after, n)
			s.ok(err)
			for _, info := range list {
				got = append(got, info.Key)
			}
			if len(list) < n {
				break
			}
		}
		if !slices.Equal(got, want) {
			s.t.Errorf("by %d: %d keys, want the %d that were put, in order", n, len(got), len(want))
		}
	}
	for _, n := range []int{0, storage.MaxList + 1} {
		if _, err := s.List(s.ctx(), "main", "", n); err == nil {
			s.t.Errorf("a limit of %d is taken", n)
		}
	}
}

func listLikeStat(s blobs) {
	for _, k := range s.putMany(3) {
		stat, err := s.Stat(s.ctx(), k)
		s.ok(err)
		list, err := s.List(s.ctx(), "main", "", storage.MaxList)
		s.ok(err)
		if !slices.Contains(list, stat) {
			s.t.Errorf("stat says %+v, the list %+v", stat, list)
		}
	}
}

func ended(s blobs) {
	k := s.put("x").Key
	ctx, cancel := context.WithCancel(s.ctx())
	cancel()
	_, err := s.Put(ctx, "main", strings.NewReader("y"), limit, nil)
	s.is(err, context.Canceled)
	_, _, err = s.Open(ctx, k)
	s.is(err, context.Canceled)
	_, err = s.Stat(ctx, k)
	s.is(err, context.Canceled)
	_, err = s.List(ctx, "main", "", 1)
	s.is(err, context.Canceled)
	s.is(s.Retain(ctx, k, time.Time{}), context.Canceled)
	s.is(s.Delete(ctx, k), context.Canceled)
	s.is(s.Ping(ctx), context.Canceled)
	s.hold(1)
}

// putMany puts n blobs, several at once, and returns their keys in order.
func (s blobs) putMany(n int) []string {
	s.t.Helper()
	keys := make([]string, n)
	var wg sync.WaitGroup
	for first := range writers {
		wg.Go(func() {
			for i := first; i < n; i += writers {
				info, err := s.Put(s.ctx(), "main", strings.NewReader(fmt.Sprint(i)), limit, nil)
				if err != nil {
					s.t.Error(err)
				}
				keys[i] = info.Key
			}
		})
	}
	wg.Wait()
	slices.Sort(keys)
	return keys
}

func putTogether(s blobs) {
	data := strings.Repeat("z", 300_000)
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			info, err := s.Put(s.ctx(), "main", strings.NewReader(data), limit, nil)
			if err != nil || info.Key != key(data) || info.Bytes != int64(len(data)) {
				s.t.Errorf("%+v, %v", info, err)
			}
		})
	}
	wg.Wait()
	s.hold(1)
	if !bytes.Equal(s.read(key(data)), []byte(data)) {
		s.t.Error("other bytes are read than were put")
	}
}

func traversal(s blobs) {
	for _, store := range []string{"", ".", "..", "../x", "a/b", ".retained", "A", "a\x00", "-a", strings.Repeat("a", 64)} {
		_, err := s.Put(s.ctx(), store, strings.NewReader("x"), limit, nil)
		s.is(err, storage.ErrValue)
		_, err = s.List(s.ctx(), store, "", 1)
		s.is(err, storage.ErrValue)
	}
	s.put("x")
	good := key("x")
	for _, k := range []string{
		"", "main", "main/", "main/..", "../" + good, "main/../" + good, good + "/", strings.ToUpper(good), good[:len(good)-1], "main/x\x00", good + "\n",
	} {
		_, _, err := s.Open(s.ctx(), k)
		s.is(err, storage.ErrNotFound)
		_, err = s.Stat(s.ctx(), k)
		s.is(err, storage.ErrNotFound)
		s.is(s.Delete(s.ctx(), k), storage.ErrNotFound)
		s.is(s.Retain(s.ctx(), k, time.Time{}), storage.ErrNotFound)
	}
	s.hold(1)
}

func verify(s blobs) {
	s.ok(storage.Verify(s.ctx(), s, s.put(strings.Repeat("v", 200_000)).Key))
	s.is(storage.Verify(s.ctx(), s, key("absent")), storage.ErrNotFound)
	ctx, cancel := context.WithCancel(s.ctx())
	cancel()
	s.is(storage.Verify(ctx, s, s.put("v").Key), context.Canceled)
}
