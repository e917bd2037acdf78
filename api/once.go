package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

const codeBadHeader domain.Code = "bad_header"

// runningLapses is when a creation that never ended is taken up again by its repeat.
const runningLapses = 60 * time.Second

// reservation is an insert-only claim: of a plate, a VIN, a customer, a visit number or an idempotency key. Who comes
// second finds the first one's id and goes on with it.
type reservation struct {
	ID    string      `bson:"id"` // store_id/kind/what
	Owner string      `bson:"owner"`
	Body  string      `bson:"body,omitempty"`
	At    domain.Time `bson:"at"`
}

// claim inserts a reservation, or returns the one that stands.
func (s *Server) claim(ctx context.Context, r reservation) (standing reservation, won bool, err error) {
	_, err = s.reservations.Insert(ctx, r)
	switch {
	case err == nil:
		return r, true, nil
	case !errors.Is(err, storage.ErrExists):
		return r, false, err
	}
	saved, err := s.reservations.Get(ctx, r.ID)
	return saved.Value, false, err
}

// attempt is one POST that must have one effect, however often it comes.
type attempt struct {
	key  string // SHA-256 of account and Idempotency-Key; empty when the client sent none
	body string // SHA-256 of route and body
	id   string // of what is created
	fold bool   // the key was seen before: look for the effect first
}

// attemptOf reads the Idempotency-Key.
func attemptOf(c *gin.Context, bodySum string) (attempt, error) {
	a := attempt{body: hashOf(c.Request.Method, c.Request.URL.Path, bodySum)}
	sent := c.GetHeader("Idempotency-Key")
	switch {
	case sent == "":
		return a, nil
	case len(sent) > 255:
		return a, &domain.Error{Code: codeBadHeader, Detail: "Idempotency-Key is longer than 255 characters"}
	}
	a.key = hashOf(storeID(c), principal(c).AccountID, sent)
	return a, nil
}

func hashOf(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// begin claims the key of a creation, before the id is judged. The repeat of a creation goes on with the first one's
// id. CodeKeyReused, CodeStillRunning.
func (s *Server) begin(c *gin.Context, bodySum, clientID string) (attempt, error) {
	a, err := attemptOf(c, bodySum)
	if err != nil {
		return a, err
	}
	a.id = clientID
	if a.id == "" {
		a.id = domain.NewID()
	}
	if a.key == "" {
		return a, nil
	}
	standing, won, err := s.claim(c.Request.Context(), reservation{
		ID: key(c, "key/"+a.key), Owner: a.id, Body: a.body, At: domain.At(s.Now()),
	})
	if err != nil || won {
		return a, err
	}
	if standing.Body != a.body {
		return a, domain.Refuse(domain.CodeKeyReused, "this Idempotency-Key was sent before with another request")
	}
	a.id, a.fold = standing.Owner, true
	return a, nil
}

// running refuses the repeat of a creation that may still end by itself.
func (s *Server) running(ctx context.Context, c *gin.Context, a attempt) error {
	standing, err := s.reservations.Get(ctx, key(c, "key/"+a.key))
	if err != nil {
		return err
	}
	if age := s.Now().Sub(standing.Value.At.Time); age >= 0 && age < runningLapses {
		return retry{domain.Refuse(domain.CodeStillRunning, "the first request with this Idempotency-Key has not ended"), 2 * time.Second}
	}
	return nil
}

// effect is what a POST is answered.
type effect struct {
	status   int
	location string
	etag     string
	body     func() ([]byte, error) // asked after the change
}

// remember keeps the answer in the document that it changed.
func (a attempt) remember(answers *domain.Answers, e effect, now domain.Time) (domain.Answer, error) {
	encoded, err := e.body()
	if err != nil {
		return domain.Answer{}, err
	}
	answer := domain.Answer{Key: a.key, Body: a.body, Status: e.status, ETag: e.etag, Location: e.location, Response: encoded, At: now}
	answers.Keep(answer)
	return answer, nil
}

// replay writes an answer, the first time or again.
func replay(c *gin.Context, answer domain.Answer, again bool) {
	if again {
		c.Header("Idempotency-Replayed", "true")
	}
	if answer.ETag != "" {
		c.Header("ETag", answer.ETag)
	}
	if answer.Location != "" {
		c.Header("Location", answer.Location)
	}
	c.Data(answer.Status, contentJSON, answer.Response)
}

// once lets a POST change a visit one time: its repeat is told the first answer. Key, body hash and answer are written
// in the same replace as the change.
func (s *Server) once(c *gin.Context, bodySum string, change func(*visit.Visit, domain.Time) (effect, error)) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	a, err := attemptOf(c, bodySum)
	if err != nil {
		return err
	}
	var answer domain.Answer
	var again bool
	saved, err := s.visits.Update(c.Request.Context(), key(c, id), func(v *visit.Visit) error {
		if answer, again, err = v.Answers.Recall(a.key, a.body); err != nil {
			return err
		} else if again {
			return storage.ErrUnchanged
		}
		now := domain.At(s.Now())
		e, err := change(v, now)
		if err != nil {
			return err
		}
		e.etag = visitTag(v)
		answer, err = a.remember(&v.Answers, e, now)
		return err
	})
	if err != nil {
		return err
	}
	if !again {
		s.follow(c.Request.Context(), &saved.Value)
	}
	replay(c, answer, again)
	return nil
}

// stored writes a value as its document will read.
func stored[T any](v *T) func() ([]byte, error) {
	return func() ([]byte, error) { return storage.JSON(*v) }
}
