package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
)

const codeBadHeader domain.Code = "bad_header"

// runningLapses is when a creation that never ended is taken up again by its repeat.
const runningLapses = 60 * time.Second

// attempt is one POST that must have one effect, however often it comes.
type attempt struct {
	key  string // SHA-256 of account and Idempotency-Key; empty when the client sent none
	body string // SHA-256 of route and body
	id   string // of what is created
	seen bool   // the key was sent before: look for the effect first
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
// id. CodeKeyReused.
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
	standing, won, err := s.claimKey(c.Request.Context(), reservation{
		ID: reservationID(storeID(c), "key", a.key), Owner: a.id, Body: a.body, At: domain.At(s.Now()),
	})
	if err != nil || won {
		return a, err
	}
	if standing.Body != a.body {
		return a, domain.Refuse(domain.CodeKeyReused, "this Idempotency-Key was sent before with another request")
	}
	a.id, a.seen = standing.Owner, true
	return a, nil
}

// claimKey claims an Idempotency-Key. A claim older than domain.AnswersKept is nobody's: of those who find it one takes it.
func (s *Server) claimKey(ctx context.Context, claimed reservation) (standing reservation, won bool, err error) {
	if standing, won, err = s.claim(ctx, claimed); err != nil || won {
		return standing, won, err
	}
	saved, err := s.reservations.Update(ctx, claimed.ID, func(r *reservation) error {
		if won = claimed.At.Sub(r.At.Time) >= domain.AnswersKept; !won {
			return storage.ErrUnchanged
		}
		*r = claimed
		return nil
	})
	return saved.Value, won, err
}

// running refuses the repeat of a creation that may still end by itself.
func (s *Server) running(c *gin.Context, a attempt) error {
	standing, err := s.reservations.Get(c.Request.Context(), reservationID(storeID(c), "key", a.key))
	if err != nil {
		return err
	}
	if age := s.Now().Sub(standing.Value.At.Time); age >= 0 && age < runningLapses {
		return retry{domain.Refuse(domain.CodeStillRunning, "the first request with this Idempotency-Key has not ended"), 2 * time.Second}
	}
	return nil
}

// lapse lets the repeat of a creation that failed go on at once. The claim stays: the failure may be that of an answer alone,
// so the repeat must go on with the same id.
func (s *Server) lapse(c *gin.Context, a attempt) {
	if a.key == "" {
		return
	}
	ctx := context.WithoutCancel(c.Request.Context())
	_, err := s.reservations.Update(ctx, reservationID(storeID(c), "key", a.key), func(r *reservation) error {
		r.At = domain.At(r.At.Add(-runningLapses))
		return nil
	})
	if err != nil {
		s.Log.WarnContext(ctx, "key of a failed creation lapses late", slog.Any("error", err))
	}
}

// effect is what a POST is answered.
type effect struct {
	status   int
	location string
	etag     string
	body     func() ([]byte, error) // asked after the change
}

// remember keeps the answer among those of the document that it changed.
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

// keeper is a kind of document that remembers what its POSTs were answered.
type keeper[T any] struct {
	in      *storage.Collection[T]
	answers func(*T) *domain.Answers
	tag     func(*T) string // its ETag
}

// outcome is what became of a POST.
type outcome[T any] struct {
	doc    T // as it is stored
	answer domain.Answer
	again  bool // it was answered before, and nothing was changed now
}

// once lets a POST change a document one time: its repeat is told the first answer. Key, body hash and answer are written
// in the same replace as the change.
func once[T any](s *Server, c *gin.Context, k keeper[T], bodySum string, change func(*T, domain.Time) (effect, error)) (outcome[T], error) {
	var out outcome[T]
	id, err := pathID(c, "id")
	if err != nil {
		return out, err
	}
	a, err := attemptOf(c, bodySum)
	if err != nil {
		return out, err
	}
	release, err := s.holdKey(c, a, id)
	if err != nil {
		return out, err
	}
	saved, err := k.in.Update(c.Request.Context(), key(c, id), func(doc *T) (err error) {
		out.answer, out.again, err = k.answers(doc).Recall(a.key, a.body)
		if err != nil {
			return err
		} else if out.again {
			return storage.ErrUnchanged
		}
		now := domain.At(s.Now())
		e, err := change(doc, now)
		if err != nil {
			return err
		}
		e.etag = k.tag(doc)
		out.answer, err = a.remember(k.answers(doc), e, now)
		return err
	})
	if err != nil {
		release()
	}
	out.doc = saved.Value
	return out, err
}

// holdKey claims the key for this request alone: it means nothing else on any other route or document of the account. A
// request that is refused gives it back by release.
func (s *Server) holdKey(c *gin.Context, a attempt, id string) (release func(), err error) {
	if a.key == "" {
		return func() {}, nil
	}
	ctx, claimed := c.Request.Context(), reservation{ID: reservationID(storeID(c), "key", a.key), Owner: id, Body: a.body, At: domain.At(s.Now())}
	standing, won, err := s.claimKey(ctx, claimed)
	switch {
	case err != nil:
		return nil, err
	case won:
		return func() {
			if err := s.reservations.Delete(context.WithoutCancel(ctx), claimed.ID, 1); err != nil {
				s.Log.WarnContext(ctx, "key of a refused request stays", slog.String("request_id", requestID(c)), slog.Any("error", err))
			}
		}, nil
	case standing.Body != a.body:
		return nil, domain.Refuse(domain.CodeKeyReused, "this Idempotency-Key was sent before with another request")
	}
	return func() {}, nil
}

// answered replays the answer of a POST that does more than change its document, before any of it is done again.
func answered[T any](c *gin.Context, k keeper[T], bodySum string) (bool, error) {
	answer, known, err := recalled(c, k, bodySum)
	if known {
		replay(c, answer, true)
	}
	return known, err
}

// recalled finds what a POST was answered before.
func recalled[T any](c *gin.Context, k keeper[T], bodySum string) (domain.Answer, bool, error) {
	id, err := pathID(c, "id")
	if err != nil {
		return domain.Answer{}, false, err
	}
	a, err := attemptOf(c, bodySum)
	if err != nil {
		return domain.Answer{}, false, err
	}
	saved, err := k.in.Get(c.Request.Context(), key(c, id))
	if err != nil {
		return domain.Answer{}, false, err
	}
	return k.answers(&saved.Value).Recall(a.key, a.body)
}

// stored writes a value as its document will read.
func stored[T any](v *T) func() ([]byte, error) {
	return func() ([]byte, error) { return storage.JSON(*v) }
}
