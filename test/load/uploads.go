package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"example.com/walkaround/api/background"
	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/open"
	"example.com/walkaround/test/samples"
)

const (
	photoBytes = 3 << 20
	atOnce     = 64
	heldFor    = 14 * time.Second // just under what a lease lasts
)

// picture is a JPEG of 3 MB, into which a comment is put so that no two uploads are one blob.
type picture struct{ head, tail []byte }

func newPicture() picture {
	var jpeg []byte
	for mega := 4.0; len(jpeg) < photoBytes && mega < 64; mega *= 1.4 {
		jpeg = samples.BigJPEG(mega)
	}
	if len(jpeg) > photoBytes { // the scan is cut, which leaves a picture that is grey below and ends as it must
		jpeg = append(jpeg[:photoBytes-2:photoBytes-2], 0xFF, 0xD9)
	}
	return picture{head: []byte{0xFF, 0xD8, 0xFF, 0xFE, 0, 10}, tail: jpeg[2:]}
}

// bytes is the n-th variant.
func (p picture) bytes(n int64) []byte {
	return bytes.Join([][]byte{p.head, binary.BigEndian.AppendUint64(nil, uint64(n)), p.tail}, nil) //nolint:gosec // a count
}

// sizesHeld is a store whose derived sizes are claimed, for as long as a lease lasts, as if another replica made them:
// a decoder beside the uploads would be measured too.
func sizesHeld() setup {
	return setup{visits: few, prepare: func(ctx context.Context, folder string) error {
		engine, blobs, err := open.Open(ctx, open.Config{Folder: folder, Now: clock})
		if err != nil {
			return err
		}
		err = engine.Declare(ctx, []storage.Declaration{background.LeasesOf(engine).Declaration()})
		if err == nil {
			_, err = background.NewLeases(engine, clock).Hold(ctx, "relay/photos", heldFor)
		}
		return errors.Join(err, engine.Close(), blobs.Close())
	}}
}

// photos compares uploads of 3 MB with a handler that streams to a file with SHA-256 and fsync.
func (b *bench) photos(ctx context.Context) error {
	p := newPicture()
	return b.with(ctx, sizesHeld(), func(a *account) error {
		began := clock()
		s := side{server: a.server, status: http.StatusCreated, request: func(ctx context.Context, w *worker) (*http.Request, error) {
			return photo(ctx, a, w.mine(few), p.bytes(b.sent.Add(1)))
		}}
		err := b.against(ctx, b.plan(many), row{name: "photo of 3 MB", target: atLeast(0.9)}, s, "/file")
		if clock().Sub(began) > heldFor {
			b.rows[len(b.rows)-1].note += "; sizes were made meanwhile: fewer rounds are needed"
		}
		return err
	})
}

func photo(ctx context.Context, a *account, visit int, body []byte) (*http.Request, error) {
	r, err := a.request(ctx, http.MethodPut, "/v1/visits/"+visitID(visit)+"/photos/"+domain.NewID(), body)
	if err == nil {
		r.Header.Set("Content-Type", "image/jpeg")
	}
	return r, err
}

// memory is what 64 uploads add to the resident memory of a server at rest. All are half sent before any goes on.
func (b *bench) memory(ctx context.Context) error {
	p := newPicture()
	return b.with(ctx, sizesHeld(), func(a *account) error {
		idle, err := a.server.resident("VmRSS")
		if err != nil {
			return err
		}
		if err := a.server.resetPeak(); err != nil {
			return err
		}
		if err := uploadAtOnce(ctx, a, p); err != nil {
			return err
		}
		peak, err := a.server.resident("VmHWM")
		more := float64(peak-idle) / (1 << 20)
		b.rows = append(b.rows, row{
			name: fmt.Sprintf("MiB resident above idle, %d uploads of 3 MB at once", atOnce), target: atMost(48), ratio: more,
			note: fmt.Sprintf("idle %d MiB", idle>>20),
		})
		return err
	})
}

func uploadAtOnce(ctx context.Context, a *account, p picture) error {
	failures := make([]error, atOnce)
	var half, done sync.WaitGroup
	half.Add(atOnce)
	for i := range atOnce {
		done.Go(func() { failures[i] = uploadInHalves(ctx, a, i, p.bytes(int64(i)), &half) })
	}
	done.Wait()
	return errors.Join(failures...)
}

func uploadInHalves(ctx context.Context, a *account, visit int, body []byte, half *sync.WaitGroup) error {
	r, err := photo(ctx, a, visit, nil)
	if err != nil {
		return err
	}
	middle := len(body) / 2
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:middle]), &meeting{group: half}, bytes.NewReader(body[middle:])))
	r.ContentLength, r.GetBody = int64(len(body)), nil
	client := newClient()
	defer client.CloseIdleConnections()
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // the status is all
	if answer.StatusCode != http.StatusCreated {
		return fmt.Errorf("photo: %s", answer.Status)
	}
	return nil
}

// meeting is an empty reader that lets nobody pass before all have come.
type meeting struct{ group *sync.WaitGroup }

func (m *meeting) Read([]byte) (int, error) {
	m.group.Done()
	m.group.Wait()
	return 0, io.EOF
}
