package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
)

// Readiness says that requests can be answered.
type Readiness struct {
	Status string `json:"status" example:"ok"`
	Failed *int   `json:"failed,omitempty"` // documents with tasks that were set aside after many attempts, at most 200 counted a queue; not with only=documents
}

// readyz says whether requests can be answered.
//
//	@Summary		Can requests be answered
//	@Description	200 if documents can be read, blobs be written, at least 256 MiB are free for the embedded engines, and the server is not stopping. Otherwise 503, and `errors` names what is missing: `/documents`, `/blobs`, `/disk`, `/process`. Storage is asked once a second at most.
//	@Description	A balancer asks with `only=documents`: then blobs, disk and tasks don't count, for photos that can't be stored must not take everything else with them.
//	@Description	`failed` counts documents with background tasks that were set aside, as it was at most 5 seconds ago: look at the log.
//	@ID				readyz
//	@Tags			system
//	@Produce		json
//	@Param			only	query		string	false	"documents: leave blobs and disk out"	Enums(documents)
//	@Success		200		{object}	Readiness
//	@Router			/readyz [get]
func (s *Server) readyz(c *gin.Context) error {
	ctx, checks := c.Request.Context(), allChecks
	switch c.Query("only") {
	case "":
	case checkDocuments:
		checks = []string{checkDocuments}
	default:
		return badParameter("only", "documents, or nothing")
	}
	c.Header("Cache-Control", "no-store")
	s.asked.Store(s.Now().UnixNano())
	if missing := s.missing(ctx, checks); len(missing) > 0 {
		return notReady(missing)
	}
	answer := Readiness{Status: "ok"}
	if len(checks) == 1 { // a balancer asks often, and can't do anything about tasks
		return sendValue(c, answer)
	}
	left, err := s.state.get(ctx, s.Now, s.readLeft)
	if err != nil {
		return err
	}
	failed := 0
	for _, d := range left.depths {
		failed += d.Failed
	}
	answer.Failed = &failed
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
	return s.Now().Sub(time.Unix(0, s.asked.Load())) < watchedFor
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

// What is looked at.
const (
	checkProcess   = "process"
	checkDocuments = "documents"
	checkBlobs     = "blobs"
	checkDisk      = "disk"
)

// allChecks are what storage is asked.
//
//nolint:gochecknoglobals // a list that nothing changes
var allChecks = []string{checkDocuments, checkBlobs, checkDisk}

// missing names what of some checks stands between this server and an answer.
func (s *Server) missing(ctx context.Context, checks []string) (missing []domain.Field) {
	if s.draining.Load() {
		return []domain.Field{{Pointer: "/" + checkProcess, Code: codeUnavailable, Message: "the server is stopping"}}
	}
	for i, message := range s.ask(ctx, checks) {
		if message != "" {
			missing = append(missing, domain.Field{Pointer: "/" + checks[i], Code: codeUnavailable, Message: message})
		}
	}
	return missing
}

// ask asks some checks at once, and gives what each says is missing.
func (s *Server) ask(ctx context.Context, checks []string) []string {
	said := make([]string, len(checks))
	var work sync.WaitGroup
	for i, name := range checks {
		work.Go(func() { said[i] = s.probes[name].look(ctx, s) })
	}
	work.Wait()
	return said
}

// probeFor is how long an outcome is told again: a probe writes to the disk, and anyone may ask.
const probeFor = time.Second

// probe looks at one thing, once at a time.
type probe struct {
	*shared[struct{}]
	name    string
	failure string // told to whoever asks
	try     func(context.Context) error
}

func (s *Server) newProbes() map[string]*probe {
	probes := map[string]*probe{}
	for _, p := range []*probe{
		{name: checkDocuments, failure: "documents can't be read", try: s.Engine.Ping},
		{name: checkBlobs, failure: "photos and sealed sheets can't be written", try: s.Blobs.Ping},
		{name: checkDisk, failure: "less than 256 MiB are free", try: s.roomy},
	} {
		p.shared = newShared[struct{}](probeFor)
		probes[p.name] = p
	}
	return probes
}

// roomy wants minFree where the embedded engines write.
func (s *Server) roomy(context.Context) error {
	if s.Space == nil {
		return nil
	}
	free, err := s.Space()
	if err == nil && free < minFree {
		err = fmt.Errorf("%w: %d bytes are free", storage.ErrFull, free)
	}
	return err
}

// look tries, unless that was done a moment ago, and says what is missing. The log gets a line when that changes, not one a
// probe.
func (p *probe) look(ctx context.Context, s *Server) (missing string) {
	_, err := p.get(ctx, s.Now, func(ctx context.Context) (none struct{}, err error) {
		err = p.try(ctx)
		p.tell(ctx, s.Log, p.last.err, err)
		return none, err
	})
	if err != nil {
		return p.failure
	}
	return ""
}

func (p *probe) tell(ctx context.Context, log *slog.Logger, was, is error) {
	switch {
	case is != nil && was == nil:
		log.WarnContext(ctx, "not ready", slog.String("check", p.name), slog.String("error", strings.Join(causes(is), "; ")))
	case is == nil && was != nil:
		log.InfoContext(ctx, "ready again", slog.String("check", p.name))
	}
}
