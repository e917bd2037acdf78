package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/domain"
)

// Readiness says that requests can be answered.
type Readiness struct {
	Status string `json:"status" example:"ok"`
	Failed int    `json:"failed"` // documents with tasks that were set aside after many attempts, at most 200 counted a queue
}

// readyz says whether requests can be answered.
//
//	@Summary		Can requests be answered
//	@Description	For a balancer: 200 if documents can be read, blobs be written, at least 256 MiB are free for the embedded engines, and the server is not stopping. Otherwise 503, and `errors` names what is missing: `/documents`, `/blobs`, `/disk`, `/process`. Storage is asked once a second at most.
//	@Description	`failed` counts documents with background tasks that were set aside: look at the log.
//	@ID				readyz
//	@Tags			system
//	@Produce		json
//	@Success		200	{object}	Readiness
//	@Router			/readyz [get]
func (s *Server) readyz(c *gin.Context) error {
	ctx := c.Request.Context()
	c.Header("Cache-Control", "no-store")
	s.probe.asked.Store(s.Now().UnixNano())
	missing := s.missing(ctx)
	if len(missing) > 0 {
		return notReady(missing)
	}
	depths, err := s.relay.Depths(ctx)
	if err != nil {
		return err
	}
	answer := Readiness{Status: "ok"}
	for _, d := range depths {
		answer.Failed += d.Failed
	}
	return sendValue(c, answer)
}

// retryReady is after how long it is worth asking again.
const retryReady = 2 * time.Second

// notReady names what is missing. It tells nothing of why: anyone may ask.
func notReady(missing []domain.Field) error {
	names := make([]string, len(missing))
	for i, m := range missing {
		names[i] = strings.TrimPrefix(m.Pointer, "/")
	}
	return retry{&domain.Error{Code: codeUnavailable, Detail: "not ready: " + strings.Join(names, ", "), Fields: missing}, retryReady}
}

// watchedFor is how long after a question of /readyz a balancer is believed to watch.
const watchedFor = time.Minute

// Drain makes /readyz answer 503 from now on, and says whether anyone has asked it lately: then it is worth waiting a little
// before requests are refused, until a balancer has seen it.
func (s *Server) Drain() (watched bool) {
	s.draining.Store(true)
	return s.Now().Sub(time.Unix(0, s.probe.asked.Load())) < watchedFor
}

// Opening answers while storage is not open yet: /healthz says that the process is alive, everything else that it is not
// ready.
func Opening(version string, now func() time.Time, log *slog.Logger) http.Handler {
	s := &Server{Config: Config{Version: version, Now: now, Log: log}}
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	g.Use(s.guard)
	g.GET("/healthz", s.adapt(s.healthz))
	g.NoRoute(s.adapt(func(c *gin.Context) error {
		c.Set(keyRequest, domain.NewID())
		return notReady([]domain.Field{{Pointer: "/process", Code: codeUnavailable, Message: "storage is being opened"}})
	}))
	return g
}

// minFree is how much space must be left where the embedded engines write: SQLite's log and some photos.
const minFree = 256 << 20

// missing names what stands between this server and an answer.
func (s *Server) missing(ctx context.Context) []domain.Field {
	if s.draining.Load() {
		return []domain.Field{{Pointer: "/process", Code: codeUnavailable, Message: "the server is stopping"}}
	}
	return s.probe.look(ctx, s)
}

// probeFor is how long an outcome is told again: a probe writes to the disk, and anyone may ask.
const probeFor = time.Second

// probe looks at storage, one at a time.
type probe struct {
	mu      sync.Mutex
	at      time.Time
	missing []domain.Field
	asked   atomic.Int64 // when a balancer asked last, in nanoseconds since 1970
}

func (p *probe) look(ctx context.Context, s *Server) []domain.Field {
	p.mu.Lock()
	defer p.mu.Unlock()
	if age := s.Now().Sub(p.at); age >= 0 && age < probeFor {
		return p.missing
	}
	ctx, cancel := probing(ctx)
	defer cancel()
	missing, why := s.examine(ctx)
	if len(missing) > 0 != (len(p.missing) > 0) || p.at.IsZero() && len(missing) > 0 {
		tellChange(ctx, s.Log, missing, why)
	}
	p.at, p.missing = s.Now(), missing
	return missing
}

// tellChange writes one line when a server stops being ready and one when it is again, not one a probe.
func tellChange(ctx context.Context, log *slog.Logger, missing []domain.Field, why []string) {
	if len(missing) == 0 {
		log.InfoContext(ctx, "ready again")
		return
	}
	log.WarnContext(ctx, "not ready", slog.String("error", strings.Join(why, "; ")))
}

// examine tries everything, and tells what is missing and why.
func (s *Server) examine(ctx context.Context) (missing []domain.Field, why []string) {
	fault := func(pointer, message string, err error) {
		missing = append(missing, domain.Field{Pointer: pointer, Code: codeUnavailable, Message: message})
		why = append(why, causes(err)...)
	}
	if err := s.Engine.Ping(ctx); err != nil {
		fault("/documents", "documents can't be read", err)
	}
	if err := s.Blobs.Ping(ctx); err != nil {
		fault("/blobs", "photos and sealed sheets can't be written", err)
	}
	if s.Space == nil {
		return missing, why
	}
	switch free, err := s.Space(); {
	case err != nil:
		fault("/disk", "the free space can't be told", err)
	case free < minFree:
		fault("/disk", "less than 256 MiB are free", fmt.Errorf("%d bytes are free", free))
	}
	return missing, why
}
