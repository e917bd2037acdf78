package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

func TestMethodsThatNobodyKnowsAreOneLabel(t *testing.T) {
	m := newMetrics(nil)
	for i := range 50 {
		m.observe(fmt.Sprint("BREW", i), "", http.StatusMethodNotAllowed, time.Millisecond)
	}
	m.observe(http.MethodGet, "/healthz", http.StatusOK, time.Millisecond)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "walkaround_request_seconds" && len(f.GetMetric()) != 2 {
			t.Errorf("strangers fill the memory: %v", f)
		}
	}
}

func TestWhatStorageCouldNotDoIsLogged(t *testing.T) {
	full := fmt.Errorf("reservations main/plate/粵A12345: %w",
		fmt.Errorf("%w: %w", storage.ErrFull, &fs.PathError{Op: "write", Path: "/data/粵A12345", Err: syscall.ENOSPC}))
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"full":         {full, "storage: no space left; no space left on device"},
		"out of reach": {fmt.Errorf("get 粵A12345: %w", storage.ErrUnavailable), "storage: out of reach"},
		"out of time":  {context.DeadlineExceeded, "context deadline exceeded"},
		"who left":     {context.Canceled, ""},
		"absent":       {storage.ErrNotFound, ""},
	} {
		var log bytes.Buffer
		s := &Server{Config: Config{Log: slog.New(slog.NewTextHandler(&log, nil))}}
		gc, _ := recorded(http.MethodGet, "/", "")
		gc.Set(keyRequest, "request-1")
		s.problem(gc, c.err)
		line := log.String()
		if c.want == "" && line != "" || !strings.Contains(line, c.want) || strings.Contains(line, "12345") {
			t.Errorf("%s: %s", name, line)
		}
		if c.want != "" && (!strings.Contains(line, "level=WARN") || !strings.Contains(line, "request_id=request-1")) {
			t.Errorf("%s: %s", name, line)
		}
	}
}

func TestAFileThatTheVisitRefusesIsNotFiled(t *testing.T) {
	refusal := domain.Refuse(visit.CodeTooManyPhotos, "full")
	for name, accepted := range map[string]int{"at once": 0, "after it was judged": 1} {
		t.Run(name, func(t *testing.T) {
			s, asked := housed(t), 0
			c, _ := recorded(http.MethodPut, "/", "")
			c.Set(keyStore, "main")
			p := visit.Photo{ID: fileID, StoreID: "main", VisitID: visitID, SHA256: "aa", StoredAt: domain.At(time.Now())}
			read, err := s.visits.Get(t.Context(), "main/"+visitID)
			if err != nil {
				t.Fatal(err)
			}
			up := upload{visit: read, visitID: visitID, id: fileID, sha256: "aa"}
			err = fileUpload(s, c, up, s.photos, p, func(*visit.Visit, visit.StoredFile, visit.Person, domain.Time) (bool, error) {
				if asked++; asked > accepted {
					return false, refusal
				}
				return true, nil
			})
			if told(t, err) != "too_many_photos" {
				t.Errorf("%v", err)
			}
			if _, err := s.photos.Get(t.Context(), "main/"+fileID); !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("it is filed and served: %v", err)
			}
		})
	}
}

func TestLapsedKeysAreForgotten(t *testing.T) {
	s := housed(t)
	now := time.Now()
	s.Now = func() time.Time { return now }
	put := func(id string, age time.Duration) {
		t.Helper()
		if _, _, err := s.claim(t.Context(), reservation{ID: id, Owner: "o", At: domain.At(now.Add(-age))}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range storage.MaxFind + 10 { // more than a page
		put(fmt.Sprint("main/key/", i), domain.AnswersKept+time.Hour)
	}
	put("main/key/young", domain.AnswersKept-time.Hour)
	put("main/plate/key/A1", 2*domain.AnswersKept)
	if err := s.prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	for id, stays := range map[string]bool{
		"main/key/0": false, fmt.Sprint("main/key/", storage.MaxFind+9): false, "main/key/young": true, "main/plate/key/A1": true,
	} {
		if _, err := s.reservations.Get(t.Context(), id); (err == nil) != stays || err != nil && !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
}
