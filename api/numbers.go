package api

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/store"
	"example.com/walkaround/storage"
)

// numbers gives visit numbers: an insert-only (store, local day, last + 1), so that gaps are allowed and repeats never.
// The last one is remembered here only to save looking it up; the insert decides.
type numbers struct {
	mu   sync.Mutex
	last map[string]int
}

const (
	maxNumber   = 9_999
	numberTries = 100
	maxDays     = 1_000 // (store, day) that are remembered
)

// number gives the visit its number of the store's local day; asked again for the same visit it may give another.
func (s *Server) number(ctx context.Context, st store.Store, visitID string, now time.Time) (string, error) {
	day := st.LocalDay(now)
	for range numberTries {
		n, err := s.nextNumber(ctx, st.ID, day)
		if err != nil {
			return "", err
		}
		number := fmt.Sprintf("%s-%04d", day, n)
		standing, won, err := s.claim(ctx, reservation{ID: reservationID(st.ID, "number", number), Owner: visitID, At: domain.At(now)})
		if err != nil {
			return "", err
		}
		if won || standing.Owner == visitID {
			return number, nil
		}
		s.numbers.forget(st.ID, day) // another replica gave it out
	}
	return "", fmt.Errorf("visit number of %s: %w", day, storage.ErrUnavailable)
}

// forget lets the last number be looked up again.
func (n *numbers) forget(storeID, day string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.last, storeID+"/"+day)
}

// nextNumber is the number after the last one that was given out. The lock is held over the look-up: the first arrivals of
// a day wait for one of them instead of all asking.
func (s *Server) nextNumber(ctx context.Context, storeID, day string) (int, error) {
	s.numbers.mu.Lock()
	defer s.numbers.mu.Unlock()
	name := storeID + "/" + day
	last, known := s.numbers.last[name]
	if !known {
		page, err := s.reservations.Find(ctx, storage.Query{Key: "number", Prefix: reservationID(storeID, "number", day+"-"), Desc: true, Limit: 1})
		if err != nil {
			return 0, err
		}
		if last, err = lastNumber(page); err != nil {
			return 0, err
		}
		if len(s.numbers.last) >= maxDays {
			clear(s.numbers.last)
		}
	}
	if last >= maxNumber {
		return 0, fmt.Errorf("over %d visits on %s", maxNumber, day)
	}
	s.numbers.last[name] = last + 1
	return last + 1, nil
}

// lastNumber reads the last number given out, from the id of its reservation.
func lastNumber(page storage.Page) (int, error) {
	if len(page.Items) == 0 {
		return 0, nil
	}
	id, _ := page.Items[0].String("id")
	n, err := strconv.Atoi(id[strings.LastIndexByte(id, '-')+1:])
	if err != nil {
		return 0, fmt.Errorf("visit number %q: %w", id, storage.ErrCorrupt)
	}
	return n, nil
}
