// Package demodata is what `walkaround demo` has to show: a store with staff of every role, a dozen cars, and visits that
// stand at each step of the lane, with photos drawn by the project itself.
//
// Call Seed. It plays the last two days through the server's own handler, request by request, so that every rule of the
// house held for what it leaves behind; only the clock is its own. It may import api, domain and test/samples.
package demodata

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"example.com/walkaround/api"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/domain/store"
)

// Password is that of every account of the demo. It is no secret: demo listens on loopback alone.
const Password = "walkaround-demo"

// began is how long before now the demo's story begins.
const began = 51 * time.Hour

// What keeps a folder from being a demo's.
var (
	ErrForeign    = errors.New("the folder holds a store that is not the demo's; choose another one with --data")
	ErrUnfinished = errors.New("the folder holds a demo store that was never finished; remove the folder and start again")
)

// Account is one of the demo's, as its table shows it.
type Account struct {
	Username string
	Name     string
	Role     staff.Role
}

// Accounts lists who may sign in, all with Password. The first account of an installation comes first.
func Accounts() []Account {
	return []Account{
		{"admin", "吳敏", staff.Admin},
		{"mei", "林美", staff.Advisor},
		{"jun", "王俊", staff.Advisor},
		{"hao", "張浩", staff.Technician},
		{"lan", "黃蘭", staff.Cashier},
		{"ting", "周婷", staff.FollowUp},
		{"li", "陳立", staff.Supervisor},
		{"an", "何安", staff.Gate},
	}
}

// Seed fills an empty installation; to one that it filled before it adds nothing. c is what the server is made of, its
// Now the real clock, its PublicURL what links begin with; say is told what takes time, if anything does. ErrForeign, ErrUnfinished.
func Seed(ctx context.Context, c api.Config, say func(string)) error {
	now := c.Now()
	t := &teller{ctx: ctx, now: now, at: now.Add(-began), tokens: map[string]token{}}
	c.Now = t.clock
	s, err := api.New(ctx, c)
	if err != nil {
		return err
	}
	t.client = &http.Client{Transport: inProcess{s.Handler()}}
	created, _, err := s.EnsureFirst(ctx, Password)
	switch {
	case err != nil:
	case created:
		say("Preparing a demo store: drawing photos and playing two days of visits. This happens once and takes a few seconds.")
		err = t.tell()
	default:
		t.set(0)
		err = t.recognise()
	}
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // it was told to stop; what failed by that is no news
	}
	return errors.Join(err, s.Close(ctx))
}

// tell plays the story from its beginning.
func (t *teller) tell() error {
	if err := t.openStore(); err != nil {
		return fmt.Errorf("demo store: %w", err)
	}
	stays := stays()
	album, err := t.draw(stays)
	if err != nil {
		return err
	}
	for _, s := range timeline(stays, album) {
		if t.ctx.Err() != nil {
			return t.ctx.Err()
		}
		t.set(s.ago)
		if err := s.do(t); err != nil {
			return fmt.Errorf("demo visit %s, %s: %w", s.of, s.what, err)
		}
	}
	return nil
}

// recognise says whether the folder holds the demo, and the whole of it: its last visit is there.
func (t *teller) recognise() error {
	_, err := t.login("admin")
	if refused(err, http.StatusUnauthorized) {
		return ErrForeign
	} else if err != nil {
		return err
	}
	stays := stays()
	_, err = t.call("admin", http.MethodGet, "/v1/visits/"+stays[len(stays)-1].id(), nil)
	if refused(err, http.StatusNotFound) {
		return ErrUnfinished
	}
	return err
}

// openStore sets the store up and hires its staff.
func (t *teller) openStore() error {
	patch := store.Patch{Name: new("得佳店"), Address: new("廣州市天河區黃埔大道西 188 號"), Phone: new("+86 20 3888 0018")}
	if err := t.change("admin", http.MethodPatch, "/v1/stores/"+api.FirstStore, patch); err != nil {
		return err
	}
	for _, a := range Accounts() {
		if err := t.hire(a); err != nil {
			return err
		}
	}
	return nil
}

func (t *teller) hire(a Account) error {
	if a.Role != staff.Admin {
		_, err := t.call("admin", http.MethodPost, "/v1/staff", api.StaffRequest{
			Username: a.Username, Password: Password, Name: a.Name, Roles: []staff.Role{a.Role},
		})
		return err
	}
	var me struct{ ID string }
	if err := t.read(a.Username, "/v1/me", &me); err != nil {
		return err
	}
	return t.change(a.Username, http.MethodPatch, "/v1/staff/"+me.ID, api.StaffPatch{Name: &a.Name})
}
