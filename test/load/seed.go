package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/customer"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/open"
)

// A seeded store holds copies of one visit that the API itself made: same shape, same length, but other ids, number,
// plate, phone and time. Ten visits belong to one car and its customer.
const (
	visitsPerCar  = 10
	visitsPerDay  = 50
	templatePlate = "粤A55555"
	templatePhone = "+8613855555555"
	templateName  = "陳大文"
)

// id is the id of the n-th thing of a kind, ordered by time as the server's own are.
func id(kind byte, n int) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(arrived(n).UnixMilli())<<16)
	binary.BigEndian.PutUint64(b[8:], uint64(n)*0x9E3779B97F4A7C15) //nolint:gosec // any bits will do
	b[6], b[7], b[8] = 0x70, kind, 0x80|b[8]&0x3f
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// arrived is when the n-th visit began: long ago, so that no number of today is taken.
func arrived(n int) time.Time {
	day := time.Date(2018, 1, 1, 8, 0, 0, 0, time.UTC).AddDate(0, 0, n/visitsPerDay)
	return day.Add(time.Duration(n%visitsPerDay)*time.Minute + 123*time.Millisecond)
}

func number(n int) string {
	return fmt.Sprintf("%s-%04d", arrived(n).Format("20060102"), n%visitsPerDay+1)
}

func plate(car int) string { return fmt.Sprintf("粤A%05d", car) }
func phone(car int) string { return fmt.Sprintf("+86138555%05d", car) }

// visitID is the id of the n-th visit of a seeded store.
func visitID(n int) string { return id('v', n) }

// template is what the API stored of one visit.
type template struct {
	visit    storage.Record
	number   storage.Record
	car      []storage.Record // the car, its customer and their reservations
	ids      struct{ visit, car, customer, number string }
	arrived  domain.Time
	declared []storage.Declaration
}

// seed makes a folder with that many visits, unless it is there.
func (h *house) seed(ctx context.Context, visits int) (folder string, err error) {
	folder = filepath.Join(h.folder, fmt.Sprintf("visits-%d", visits))
	if _, err := os.Stat(folder + ".done"); err == nil {
		return folder, nil
	}
	if err := os.RemoveAll(folder); err != nil {
		return "", err
	}
	h.say("seeding %d visits", visits)
	made, err := h.sow(ctx, folder)
	if err != nil {
		return "", fmt.Errorf("seed: %w", err)
	}
	if err := multiply(ctx, folder, made, visits); err != nil {
		return "", fmt.Errorf("seed: %w", err)
	}
	return folder, os.WriteFile(folder+".done", nil, 0o600)
}

// sow has the API make one visit.
func (h *house) sow(ctx context.Context, folder string) (arrival, error) {
	p, err := h.serve(ctx, folder)
	if err != nil {
		return arrival{}, err
	}
	a := &account{server: p, client: newClient()}
	made, err := a.fullVisit(ctx)
	if err := p.stop(); err != nil {
		return made, err
	}
	return made, err
}

// multiply copies it.
func multiply(ctx context.Context, folder string, made arrival, visits int) error {
	engine, blobs, err := open.Open(ctx, open.Config{Folder: folder, Now: clock})
	if err != nil {
		return err
	}
	defer blobs.Close()  //nolint:errcheck // nothing was put
	defer engine.Close() //nolint:errcheck // each write was durable
	t, err := readTemplate(ctx, engine, made)
	if err != nil {
		return err
	}
	return t.grow(ctx, engine, visits)
}

func readTemplate(ctx context.Context, e storage.Engine, made arrival) (*template, error) {
	t := &template{}
	t.ids.visit, t.ids.car, t.ids.customer, t.ids.number = made.ID, made.VehicleID, made.CustomerID, made.Number
	t.arrived = made.ArrivedAt
	for _, name := range []string{"visits", "vehicles", "customers", "reservations"} {
		keys := map[string]bool{}
		err := e.Walk(ctx, name, func(r storage.Record, err error) error {
			for _, k := range r.Keys {
				keys[k.Name] = true
			}
			t.take(name, r)
			return err
		})
		if err != nil {
			return nil, err
		}
		d := storage.Declaration{Name: name}
		for k := range keys {
			d.Keys = append(d.Keys, k)
		}
		t.declared = append(t.declared, d)
	}
	return t, e.Declare(ctx, t.declared)
}

// take files a record; At names its collection.
func (t *template) take(collection string, r storage.Record) {
	r.At = collection
	switch {
	case collection == "visits":
		t.visit = r
	case strings.Contains(r.ID, "/number/"):
		t.number = r
	case strings.Contains(r.ID, "/key/"):
	default:
		t.car = append(t.car, r)
	}
}

// grow writes the copies, many at a time: the engine commits together what waits.
func (t *template) grow(ctx context.Context, e storage.Engine, visits int) error {
	const writers = 64
	var wait sync.WaitGroup
	var next atomic.Int64
	failures := make([]error, writers)
	for w := range writers {
		wait.Go(func() {
			for n := int(next.Add(1)) - 1; n < visits && failures[w] == nil; n = int(next.Add(1)) - 1 {
				failures[w] = t.copyOne(ctx, e, n)
			}
		})
	}
	wait.Wait()
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *template) copyOne(ctx context.Context, e storage.Engine, n int) error {
	list := []storage.Record{t.visit, t.number}
	if n%visitsPerCar == 0 {
		list = append(list, t.car...)
	}
	swap := t.swaps(n)
	for _, r := range list {
		if err := e.Insert(ctx, r.At, swap.record(r)); err != nil {
			return err
		}
	}
	return nil
}

// swaps replaces bytes by others of the same length.
type swaps []struct{ old, fresh string }

func (t *template) swaps(n int) swaps {
	car, at := n/visitsPerCar, domain.At(arrived(n))
	return swaps{
		{t.ids.visit, visitID(n)},
		{t.ids.car, id('c', car)},
		{t.ids.customer, id('k', car)},
		{t.ids.number, number(n)},
		{templatePlate, plate(car)},
		{templatePhone, phone(car)},
		{customer.MatchKey(templateName, templatePhone), customer.MatchKey(templateName, phone(car))},
		{t.arrived.String(), at.String()},
		{milliseconds(t.arrived), milliseconds(at)},
	}
}

// milliseconds is a time as BSON has it.
func milliseconds(t domain.Time) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(t.UnixMilli())))
}

func (s swaps) record(r storage.Record) storage.Record {
	r.ID, r.Doc, r.Summary = s.text(r.ID), s.bytes(r.Doc), s.bytes(r.Summary)
	keys := make([]storage.KeyValue, len(r.Keys))
	for i, k := range r.Keys {
		keys[i] = storage.KeyValue{Name: k.Name, Value: s.text(k.Value)}
	}
	r.Keys = keys
	return r
}

func (s swaps) text(v string) string {
	for _, swap := range s {
		v = strings.ReplaceAll(v, swap.old, swap.fresh)
	}
	return v
}

func (s swaps) bytes(v []byte) []byte {
	if v == nil {
		return nil
	}
	for _, swap := range s {
		v = bytes.ReplaceAll(v, []byte(swap.old), []byte(swap.fresh))
	}
	return v
}
