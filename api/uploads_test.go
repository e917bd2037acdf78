package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"image"
	"image/jpeg"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/api/auth"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/disk"
	"example.com/walkaround/storage/sqlite"
)

const (
	visitID = "01900000-0000-7000-8000-000000000001"
	fileID  = "01900000-0000-7000-8000-000000000002"
)

// housed is a server on a temporary folder that holds one visit.
func housed(t *testing.T) *Server {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := disk.Open(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), Config{Engine: engine, Blobs: blobs, Secret: []byte("0123456789abcdef"), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(t.Context()), blobs.Close(), engine.Close()); err != nil && !errors.Is(err, t.Context().Err()) {
			t.Error(err)
		}
	})
	v := visit.Arrive(visit.Opening{ID: visitID, StoreID: "main", Number: "1", At: domain.At(time.Now())}, visit.Arrival{Plate: "A"}, visit.Found{})
	if _, err := s.visits.Insert(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	return s
}

// put sends a file to a handler and gives its status, or the code of its refusal.
func put(t *testing.T, handle func(*gin.Context) error, body []byte, headers ...string) (int, string) {
	t.Helper()
	c, w := recorded(http.MethodPut, "/", string(body), append([]string{"Content-Type", "application/octet-stream"}, headers...)...)
	c.Params = gin.Params{{Key: "id", Value: visitID}, {Key: "photo_id", Value: fileID}, {Key: "recording_id", Value: fileID}}
	c.Set(keyStore, "main")
	c.Set(keyPrincipal, auth.Principal{AccountID: "mei", StoreID: "main"})
	if err := handle(c); err != nil {
		return 0, told(t, err)
	}
	return w.Code, ""
}

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 64, 48)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (s *Server) holds(t *testing.T, b []byte) bool {
	t.Helper()
	sum := sha256.Sum256(b)
	_, err := s.Blobs.Stat(t.Context(), "main/"+hex.EncodeToString(sum[:]))
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func TestPhotoIsStoredOnce(t *testing.T) {
	s, photo := housed(t), picture(t)
	sum := sha256.Sum256(photo)
	announced := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
	for _, want := range []int{http.StatusCreated, http.StatusOK} {
		if status, code := put(t, s.putPhoto, photo, "Content-Digest", announced); status != want {
			t.Fatalf("%d %s, want %d", status, code, want)
		}
	}
	saved, err := s.visits.Get(t.Context(), "main/"+visitID)
	if err != nil || saved.Value.Photos[fileID] != hex.EncodeToString(sum[:]) || len(saved.Value.Events) != 2 {
		t.Errorf("%+v, %v", saved.Value.Photos, err)
	}
	var other bytes.Buffer
	if err := jpeg.Encode(&other, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	if _, code := put(t, s.putPhoto, other.Bytes()); code != "id_taken" {
		t.Errorf("other bytes under the id: %q", code)
	}
}

func TestRefusedFilesAreNotKept(t *testing.T) {
	s, photo := housed(t), picture(t)
	half := photo[:len(photo)/2]
	wrong := "sha-256=:" + base64.StdEncoding.EncodeToString(make([]byte, 32)) + ":"
	for name, c := range map[string]struct {
		body    []byte
		headers []string
		want    string
	}{
		"empty":            {nil, nil, "file_damaged"},
		"text":             {[]byte("hello, this is no picture"), nil, "unsupported_media_type"},
		"cut off":          {half, nil, "file_damaged"},
		"another digest":   {photo, []string{"Content-Digest", wrong}, "digest_mismatch"},
		"malformed digest": {photo, []string{"Content-Digest", "sha-256=x"}, "bad_header"},
		"a media type":     {photo, []string{"Content-Type", "audio/mp4"}, "unsupported_media_type"},
	} {
		if _, code := put(t, s.putPhoto, c.body, c.headers...); code != c.want {
			t.Errorf("%s: %q, want %q", name, code, c.want)
		}
		if s.holds(t, c.body) {
			t.Errorf("%s: the bytes stay", name)
		}
	}
	if _, code := put(t, s.putRecording, photo); code != "unsupported_media_type" {
		t.Errorf("a picture is a recording: %q", code)
	}
}

// Bytes that are refused here may be right elsewhere: what was stored before stays.
func TestRefusedFileNeverDeletesWhatWasThere(t *testing.T) {
	s := housed(t)
	half := picture(t)[:300]
	if _, err := s.putBlob(t.Context(), "main", half); err != nil {
		t.Fatal(err)
	}
	if _, code := put(t, s.putPhoto, half); code != "file_damaged" {
		t.Fatal(code)
	}
	if !s.holds(t, half) {
		t.Error("a refused upload deleted another's bytes")
	}
}

func TestUnprintable(t *testing.T) {
	s := housed(t)
	_, err := s.printedPhoto(t.Context(), "main", fileID)
	if !unprintable(err) {
		t.Errorf("a photo that is not there is a gap: %v", err)
	}
	for err, want := range map[error]bool{storage.ErrCorrupt: true, storage.ErrUnavailable: false, storage.ErrFull: false, errors.New("disk"): false} {
		if unprintable(err) != want {
			t.Errorf("%v", err)
		}
	}
}
