package auth

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/storage"
)

const (
	liveAge  = 4 * time.Second // a state is read again when older: within 5 s, with a second for the reading itself
	liveSize = 65536           // states remembered, to twice as many
)

// state is what this process knows of a session or an account. Its members only rise, so a slow reader can't bring back
// what was ended meanwhile.
type state struct {
	mu     sync.Mutex   // held by who reads it anew
	readAt atomic.Int64 // in nanoseconds since 1970; 0: never
	ended  atomic.Bool
	tokens atomic.Int64 // of an account: its TokenEpoch
	epoch  atomic.Int64 // of an account: its SessionEpoch; of a session: the one it belongs to
}

// live knows which sessions and accounts live, and forgets nothing that would let a dead token pass: what is unknown is
// read.
type live struct {
	sessions *storage.Collection[session]
	accounts *storage.Collection[staff.Account]
	now      func() time.Time
	states   *recent[string, *state]
}

func newLive(sessions *storage.Collection[session], accounts *storage.Collection[staff.Account], now func() time.Time) *live {
	return &live{sessions: sessions, accounts: accounts, now: now, states: newRecent[string, *state](liveSize)}
}

// check refuses a token whose session or account no longer stands behind it. CodeSessionRevoked, CodeTokenExpired.
func (l *live) check(ctx context.Context, v *verified, now time.Time) error {
	session, account, err := l.both(ctx, v, now)
	if err != nil {
		return err
	}
	if account.epoch.Load() > session.epoch.Load() { // it may have been taken along into the new epoch just now
		if err := l.readSession(ctx, v.principal.SessionID, session); err != nil {
			return err
		}
	}
	switch {
	case session.ended.Load() || account.ended.Load() || account.epoch.Load() > session.epoch.Load():
		return revoked()
	case account.tokens.Load() > v.epoch:
		return domain.Refuse(CodeTokenExpired, "the account's roles have changed; refresh")
	}
	return nil
}

// both finds the states of session and account. Where both must be read, they are read at once: that is one round trip.
func (l *live) both(ctx context.Context, v *verified, now time.Time) (session, account *state, err error) {
	known, ok := l.states.get(v.principal.SessionID)
	if ok && known.fresh(now) {
		account, err = l.state(ctx, v.account, now, l.readAccount)
		return known, account, err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		session, err = l.state(ctx, v.principal.SessionID, now, l.readSession)
		return err
	})
	g.Go(func() (err error) {
		account, err = l.state(ctx, v.account, now, l.readAccount)
		return err
	})
	err = g.Wait()
	return session, account, err
}

// revoked is told to who has to sign in again.
func revoked() error {
	return domain.Refuse(CodeSessionRevoked, "the session has ended; sign in again")
}

// state finds the state of id, read by read at most liveAge ago. A clock that stepped back makes it be read anew.
func (l *live) state(
	ctx context.Context, id string, now time.Time, read func(context.Context, string, *state) error,
) (*state, error) {
	st, ok := l.states.get(id)
	if !ok {
		st = l.states.keep(id, &state{})
	}
	if st.fresh(now) {
		return st, nil
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.fresh(now) {
		return st, nil
	}
	begun := l.now()
	if err := read(ctx, id, st); err != nil {
		return nil, err
	}
	st.readAt.Store(begun.UnixNano())
	return st, nil
}

func (st *state) fresh(now time.Time) bool {
	read := st.readAt.Load()
	age := now.UnixNano() - read
	return read != 0 && age >= -int64(time.Second) && age <= int64(liveAge)
}

func (l *live) readSession(ctx context.Context, id string, st *state) error {
	s, err := l.sessions.Get(ctx, id)
	if unless(err, storage.ErrNotFound) != nil {
		return fmt.Errorf("auth: session: %w", err)
	}
	if err != nil || s.Value.RevokedAt != nil {
		st.ended.Store(true)
	}
	raise(&st.epoch, s.Value.AccountEpoch)
	return nil
}

func (l *live) readAccount(ctx context.Context, id string, st *state) error {
	a, err := l.accounts.Get(ctx, id)
	if unless(err, storage.ErrNotFound) != nil {
		return fmt.Errorf("auth: account: %w", err)
	}
	if err != nil {
		st.ended.Store(true)
	}
	st.follow(&a.Value)
	return nil
}

func (st *state) follow(a *staff.Account) {
	raise(&st.tokens, a.TokenEpoch)
	raise(&st.epoch, a.SessionEpoch)
}

// ended makes a session that this process revoked dead at once. Call it when that is stored.
func (l *live) ended(sessionID string) {
	l.states.keep(sessionID, &state{}).ended.Store(true)
}

// changed makes the tokens of an account that this process changed follow at once. Call it when that is stored.
func (l *live) changed(a *staff.Account) {
	l.states.keep(accountID(a), &state{}).follow(a)
}

// raise lifts a number and never lowers it.
func raise(n *atomic.Int64, to int64) {
	for old := n.Load(); old < to && !n.CompareAndSwap(old, to); old = n.Load() {
	}
}
