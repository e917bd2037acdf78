package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"example.com/walkaround/domain"
)

// few is how many visits a store holds unless a figure says otherwise; small is what the large folder is compared with.
const (
	few   = 10_000
	small = 1_000
	many  = 16 // clients
)

// figure takes one or several rows of the table.
type figure struct {
	name string
	take func(*bench, context.Context) error
}

func figures() []figure {
	return []figure{
		{"put section", (*bench).putSection},
		{"put inspection", (*bench).putInspection},
		{"arrival", (*bench).arrivals},
		{"get visit", (*bench).getVisit},
		{"list", (*bench).list},
		{"pages", (*bench).pages},
		{"prefix", (*bench).prefix},
		{"photo", (*bench).photos},
		{"memory", (*bench).memory},
		{"storm", (*bench).storm},
		{"start", (*bench).starts},
	}
}

// bench takes figures and keeps their rows.
type bench struct {
	*house
	rows []row
	sent atomic.Int64 // makes each body another
}

func measureAll(ctx context.Context, o options, stdout, stderr io.Writer) (err error) {
	h, err := newHouse(ctx, o, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	b := &bench{house: h}
	for _, f := range figures() {
		if !h.wants(f.name) {
			continue
		}
		h.say("measuring: %s", f.name)
		if err := f.take(b, ctx); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", f.name, err), report(stdout, b.rows))
		}
	}
	return report(stdout, b.rows)
}

func (b *bench) plan(clients int) plan {
	return plan{clients: clients, rounds: b.rounds, slice: b.slice}
}

// with serves a store while do runs.
func (b *bench) with(ctx context.Context, s setup, do func(*account) error) error {
	a, err := b.open(ctx, s)
	if err != nil {
		return err
	}
	err = errors.Join(do(a), a.server.stop())
	if err == nil && s.after != nil {
		err = s.after(ctx, a.folder)
	}
	return err
}

// against compares ours with a path of the floor that answers as many bytes, and adds the row. The same client sends the
// same headers and body to both.
func (b *bench) against(ctx context.Context, p plan, r row, ours side, path string) error {
	x, y, size, err := b.beside(ctx, p, ours, path)
	b.rows = append(b.rows, r.of(x, y, size))
	return err
}

// beside is against without a row: both samples, and how many bytes were answered.
func (b *bench) beside(ctx context.Context, p plan, ours side, path string) (x, y sample, size int, err error) {
	if size, err = answerSize(ctx, ours); err != nil {
		return x, y, size, err
	}
	floor := side{server: b.floor, status: http.StatusOK, request: func(ctx context.Context, w *worker) (*http.Request, error) {
		r, err := ours.request(ctx, w)
		if err != nil {
			return nil, err
		}
		r.URL.Host = strings.TrimPrefix(b.floor.base, "http://")
		r.URL.Path, r.URL.RawPath, r.URL.RawQuery, r.Host = path+"/"+strconv.Itoa(size), "", "", ""
		if r.Method == http.MethodPost {
			r.Method = http.MethodPut
		}
		return r, nil
	}}
	x, y, err = compare(ctx, p, ours, floor)
	return x, y, size, err
}

// of is the row with what was measured.
func (r row) of(ours, floor sample, size int) row {
	r.ours, r.floor, r.ratio = ours, floor, ratio(ours.rate(), floor.rate())
	r.note = strings.TrimSpace(fmt.Sprintf("%d bytes answered %s", size, r.note))
	return r
}

// answerSize asks once.
func answerSize(ctx context.Context, s side) (int, error) {
	c := newCrew(s, 1)
	defer c.dismiss()
	w := c.workers[0]
	r, err := s.request(ctx, w)
	if err != nil {
		return 0, err
	}
	answer, err := w.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close() //nolint:errcheck // it is read whole
	text, err := io.ReadAll(answer.Body)
	if answer.StatusCode != s.status {
		return 0, fmt.Errorf("%s %s: %s: %.300s", r.Method, r.URL.Path, answer.Status, text)
	}
	if s.answered != nil {
		s.answered(w, answer)
	}
	return len(text), err
}

// mine chooses a visit at random among those that are this worker's, so that no two change one.
func (w *worker) mine(visits int) int {
	w.last = w.random.IntN(visits/w.of)*w.of + w.number
	return w.last
}

// sections asks for PUTs of a section, each of another visit with the ETag that its last one was answered.
func (b *bench) sections(a *account, name string, body func(int) []byte) side {
	tags := make([]string, few)
	return side{
		server: a.server, status: http.StatusOK,
		request: func(ctx context.Context, w *worker) (*http.Request, error) {
			n := w.mine(few)
			r, err := a.request(ctx, http.MethodPut, "/v1/visits/"+visitID(n)+"/"+name, body(int(b.sent.Add(1))))
			if err != nil {
				return nil, err
			}
			r.Header.Set("If-Match", `"1-0"`)
			if tags[n] != "" {
				r.Header.Set("If-Match", tags[n])
			}
			return r, nil
		},
		answered: func(w *worker, answer *http.Response) { tags[w.last] = answer.Header.Get("ETag") },
	}
}

func (b *bench) putSection(ctx context.Context) error {
	return b.with(ctx, setup{visits: few}, func(a *account) error {
		s := b.sections(a, "intake", intake)
		err := b.against(ctx, b.plan(many), row{name: "one section PUT (intake)", target: atLeast(2)}, s, "/append")
		if err != nil {
			return err
		}
		err = b.against(ctx, b.plan(many), row{name: "one section PUT, floor one at a time"}, s, "/append-in-turn")
		if err != nil {
			return err
		}
		return b.against(ctx, b.plan(1), row{name: "one section PUT, one client", target: atLeast(0.5)}, s, "/append")
	})
}

func (b *bench) putInspection(ctx context.Context) error {
	return b.with(ctx, setup{visits: few}, func(a *account) error {
		body, err := a.inspection(ctx)
		if err != nil {
			return err
		}
		r := row{name: "whole walk-around PUT", note: fmt.Sprintf("for %d sent", len(body(0)))}
		return b.against(ctx, b.plan(many), r, b.sections(a, "inspection", body), "/append")
	})
}

// arrivals are of cars and customers that the store knows, with an Idempotency-Key as our own clients send it.
func (b *bench) arrivals(ctx context.Context) error {
	return b.with(ctx, setup{visits: few}, func(a *account) error {
		s := side{server: a.server, status: http.StatusCreated, request: func(ctx context.Context, w *worker) (*http.Request, error) {
			car := w.random.IntN(few / visitsPerCar)
			id := domain.NewID()
			body := fmt.Appendf(nil, `{"id":%q,"plate":%q,"odometer_km":45210,"customer":{"name":%q,"salutation":"先生","phone":%q}}`,
				id, plate(car), templateName, phone(car))
			r, err := a.request(ctx, http.MethodPost, "/v1/visits", body)
			if err != nil {
				return nil, err
			}
			r.Header.Set("Idempotency-Key", id)
			return r, nil
		}}
		return b.against(ctx, b.plan(many), row{name: "arrival of a known car", target: atLeast(0.6)}, s, "/append")
	})
}

// gets asks for what path says.
func gets(a *account, path func(w *worker) string) side {
	return side{server: a.server, status: http.StatusOK, request: func(ctx context.Context, w *worker) (*http.Request, error) {
		return a.request(ctx, http.MethodGet, path(w), nil)
	}}
}

func (b *bench) getVisit(ctx context.Context) error {
	return b.with(ctx, setup{visits: few}, func(a *account) error {
		s := gets(a, func(w *worker) string { return "/v1/visits/" + visitID(w.random.IntN(few)) })
		return b.against(ctx, b.plan(many), row{name: "GET of a visit", target: atLeast(0.6)}, s, "/constant")
	})
}

const firstPage = "/v1/visits?limit=20"

func (b *bench) list(ctx context.Context) error {
	return b.with(ctx, setup{visits: few}, func(a *account) error {
		s := gets(a, func(*worker) string { return firstPage })
		if err := b.against(ctx, b.plan(many), row{name: "list of 20", target: atLeast(0.5)}, s, "/constant"); err != nil {
			return err
		}
		zipped := s
		zipped.request = func(ctx context.Context, w *worker) (*http.Request, error) {
			r, err := s.request(ctx, w)
			if err == nil {
				r.Header.Set("Accept-Encoding", "gzip")
			}
			return r, err
		}
		return b.against(ctx, b.plan(many), row{name: "list of 20, gzip asked for", note: "after compression"}, zipped, "/constant")
	})
}

func (b *bench) prefix(ctx context.Context) error {
	return b.with(ctx, setup{visits: b.visits}, func(a *account) error {
		s := gets(a, func(w *worker) string {
			start := plate(w.random.IntN(max(1, b.visits/visitsPerCar)))
			return firstPage + "&plate=" + start[:len(start)-2]
		})
		r := row{name: fmt.Sprintf("prefix search, first 20 of %d", b.visits), target: atLeast(0.15)}
		return b.against(ctx, b.plan(many), r, s, "/constant")
	})
}

// pages compares the large folder with the small one.
func (b *bench) pages(ctx context.Context) error {
	return b.with(ctx, setup{visits: small}, func(less *account) error {
		return b.with(ctx, setup{visits: b.visits}, func(more *account) error {
			first := func(*worker) string { return firstPage }
			if err := b.scale(ctx, "first page", gets(more, first), gets(less, first)); err != nil {
				return err
			}
			here, err := cursors(ctx, more)
			if err != nil {
				return err
			}
			there, err := cursors(ctx, less)
			if err != nil {
				return err
			}
			return b.scale(ctx, "random pages", gets(more, anyOf(here)), gets(less, anyOf(there)))
		})
	})
}

func (b *bench) scale(ctx context.Context, name string, more, less side) error {
	x, y, err := compare(ctx, b.plan(many), more, less)
	if err != nil {
		return err
	}
	name = fmt.Sprintf("%s, %d visits against %d: ", name, b.visits, small)
	late := ratio(x.percentile(99).Seconds(), y.percentile(99).Seconds())
	b.rows = append(b.rows,
		row{name: name + "rate", target: atLeast(0.85), ratio: ratio(x.rate(), y.rate()), ours: x, floor: y},
		row{name: name + "p99", target: atMost(1.2), ratio: late, ours: x, floor: y})
	return nil
}

func anyOf(paths []string) func(*worker) string {
	return func(w *worker) string { return paths[w.random.IntN(len(paths))] }
}

// cursors walks the whole list once and gives the path of each page.
func cursors(ctx context.Context, a *account) ([]string, error) {
	paths := []string{firstPage}
	for {
		var page struct {
			Next *string `json:"next_cursor"`
		}
		if err := a.call(ctx, http.MethodGet, paths[len(paths)-1], nil, &page); err != nil {
			return nil, err
		}
		if page.Next == nil {
			return paths, nil
		}
		paths = append(paths, firstPage+"&cursor="+*page.Next)
	}
}
