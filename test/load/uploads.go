package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
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
	sitting    = 2                // turns of each side that are over by then, also on a busy machine
)

// picture is a JPEG of 3 MB, into which a comment is put so that no two uploads are one blob.
type picture struct{ head, tail []byte }

func newPicture() picture {
	const mega = 4
	jpeg := samples.BigJPEG(mega * photoBytes / float64(len(samples.BigJPEG(mega)))) // its bytes grow as its pixels do
	return picture{head: []byte{0xFF, 0xD8, 0xFF, 0xFE, 0, 10}, tail: jpeg[2:]}
}

// bytes is the n-th variant.
func (p picture) bytes(n int64) []byte {
	return bytes.Join([][]byte{p.head, binary.BigEndian.AppendUint64(nil, uint64(n)), p.tail}, nil) //nolint:gosec // a count
}

// sizesHeld is a store whose derived sizes are claimed, for as long as a lease lasts, as if another replica made them:
// a decoder beside the uploads would be measured too. A claim cannot be renewed while the server has the store, so what is
// measured must be over before it lapses; made counts the photos whose sizes were made nonetheless.
func sizesHeld(made *int) setup {
	s := setup{visits: few}
	s.prepare = func(ctx context.Context, folder string) error {
		return inFolder(ctx, folder, func(engine storage.Engine) error {
			err := engine.Declare(ctx, []storage.Declaration{background.LeasesOf(engine).Declaration()})
			if err == nil {
				_, err = background.NewLeases(engine, clock).Hold(ctx, "relay/photos", heldFor)
			}
			return err
		})
	}
	s.after = func(ctx context.Context, folder string) error {
		return inFolder(ctx, folder, func(engine storage.Engine) error {
			return engine.Walk(ctx, "photos", func(r storage.Record, err error) error {
				if !slices.ContainsFunc(r.Keys, func(k storage.KeyValue) bool { return k.Name == "pending" }) {
					*made++
				}
				return err
			})
		})
	}
	return s
}

// inFolder opens the store of a folder that is not served.
func inFolder(ctx context.Context, folder string, do func(storage.Engine) error) error {
	engine, blobs, err := open.Open(ctx, open.Config{Folder: folder, Now: clock})
	if err != nil {
		return err
	}
	return errors.Join(do(engine), engine.Close(), blobs.Close())
}

// madeMeanwhile says that a figure is worth less than it should be.
func madeMeanwhile(made int) string {
	if made == 0 {
		return ""
	}
	return fmt.Sprintf("; the sizes of %d photos were made meanwhile: the machine is too slow for this figure", made)
}

// photos compares uploads of 3 MB with a handler that streams to a file with SHA-256 and fsync, a few turns a store.
func (b *bench) photos(ctx context.Context) error {
	var ours, floor sample
	var size, made int
	p := newPicture()
	for left := b.rounds; left > 0; left -= sitting {
		err := b.with(ctx, sizesHeld(&made), func(a *account) error {
			s := side{server: a.server, status: http.StatusCreated, request: func(ctx context.Context, w *worker) (*http.Request, error) {
				return photo(ctx, a, w.mine(few), p.bytes(b.sent.Add(1)))
			}}
			turns := b.plan(many)
			turns.rounds = min(sitting, left)
			x, y, n, err := b.beside(ctx, turns, s, "/file")
			ours.add(x)
			floor.add(y)
			size = n
			return err
		})
		if err != nil {
			return err
		}
	}
	b.rows = append(b.rows, row{name: "photo of 3 MB", target: atLeast(0.9), note: madeMeanwhile(made)}.of(ours, floor, size))
	return nil
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
	p, made := newPicture(), 0
	err := b.with(ctx, sizesHeld(&made), func(a *account) error {
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
	if err == nil {
		b.rows[len(b.rows)-1].note += madeMeanwhile(made)
	}
	return err
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
