// Package api is the JSON API: the router, what is decoded and encoded, and one file a resource. A handler decodes and
// validates, changes one document through storage.Collection, and encodes; the rule itself is a method of the domain.
//
// Start with New; the routes of a resource stand on top of its file, the adapter that turns a returned error into
// problem+json in problem.go. The package may import domain, storage and its own rooms; it knows no engine.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/semaphore"

	"example.com/walkaround/api/auth"
	"example.com/walkaround/api/background"
	"example.com/walkaround/api/background/timestamp"
	"example.com/walkaround/api/image"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/customer"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/store"
	"example.com/walkaround/domain/vehicle"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/openapi"
	"example.com/walkaround/storage"
)

// Config is what a server is made of.
type Config struct {
	Engine         storage.Engine
	Blobs          storage.Blobs
	Secret         []byte // encrypts the signing keys, at least 16 bytes
	PublicURL      string // base of links and QR codes, without a slash at the end
	Now            func() time.Time
	Log            *slog.Logger
	RatePerAccount int               // requests a second; 0: 2,000
	TrustedProxies []netip.Prefix    // whose X-Forwarded-For is believed
	Timestamps     *timestamp.Client // nil: checkpoints are not timestamped
	RetentionYears int               // how long sealed evidence can't be deleted
	Version        string
	Registry       *prometheus.Registry            // where the metrics are; nil: one of its own
	MetricsFrom    []netip.Prefix                  // who beside this machine may read them
	Tracer         trace.Tracer                    // makes the spans of requests; nil: none
	Space          func() (free uint64, err error) // of the disk where the embedded engines write; nil: there are none
}

// FirstStore is the store that an empty installation begins with.
const FirstStore = "main"

// Server answers requests and does the work that follows them.
type Server struct {
	Config
	data
	auth       *auth.Service
	relay      *background.Relay
	deriver    *image.Deriver
	drawings   *semaphore.Weighted // turns of looking a drawn signature through
	limits     limits
	metrics    *metrics
	state      *shared[left]
	probes     map[string]*probe
	asked      atomic.Int64 // when /readyz was asked last, in nanoseconds since 1970
	draining   atomic.Bool
	exposition http.Handler // of the metrics
	numbers    numbers
	templates  templates
	routes     []route
	handler    http.Handler
	reference  http.Handler // the page at /docs
}

// data are the collections.
type data struct {
	visits       *storage.Collection[visit.Visit]
	photos       *storage.Collection[visit.Photo]
	recordings   *storage.Collection[visit.Recording]
	vehicles     *storage.Collection[vehicle.Vehicle]
	ledgers      *storage.Collection[vehicle.Ledger]
	customers    *storage.Collection[customer.Customer]
	stores       *storage.Collection[store.Store]
	checklists   *storage.Collection[store.Checklist]
	versions     *storage.Collection[store.Checklist]
	phrases      *storage.Collection[store.Phrases]
	reservations *storage.Collection[reservation]
	proofs       *storage.Collection[proof]
	checkpoints  *storage.Collection[evidence.Checkpoint]
}

func collections(e storage.Engine) data {
	return data{
		visits: visitsOf(e), photos: photosOf(e), recordings: recordingsOf(e), vehicles: vehiclesOf(e), ledgers: ledgersOf(e),
		customers: customersOf(e), stores: storesOf(e), checklists: checklistsOf(e), versions: checklistVersionsOf(e), phrases: phrasesOf(e),
		reservations: reservationsOf(e), proofs: proofsOf(e), checkpoints: checkpointsOf(e),
	}
}

// declarations are all the collections of the house.
func declarations(e storage.Engine) []storage.Declaration {
	d := collections(e)
	own := []storage.Declaration{
		d.visits.Declaration(), d.photos.Declaration(), d.recordings.Declaration(), d.vehicles.Declaration(), d.ledgers.Declaration(),
		d.customers.Declaration(), d.stores.Declaration(), d.checklists.Declaration(), d.versions.Declaration(), d.phrases.Declaration(),
		d.reservations.Declaration(), d.proofs.Declaration(), d.checkpoints.Declaration(), background.LeasesOf(e).Declaration(),
	}
	return append(own, auth.Declarations()...)
}

// deriveMemory bounds what all decodes of photos together hold.
const deriveMemory = 192 << 20

// New makes a server on its storage: it declares the collections, opens the signing keys and makes the first store.
func New(ctx context.Context, c Config) (*Server, error) {
	if c.RatePerAccount == 0 {
		c.RatePerAccount = 2_000
	}
	if c.RetentionYears == 0 {
		c.RetentionYears = 10
	}
	s := &Server{Config: c, data: collections(c.Engine), deriver: image.NewDeriver(deriveMemory), drawings: semaphore.NewWeighted(drawingsAtOnce), metrics: newMetrics(c.Registry), state: newShared[left](stateFor), reference: openapi.Docs()}
	if err := c.Engine.Declare(ctx, declarations(c.Engine)); err != nil {
		return nil, fmt.Errorf("declare collections: %w", err)
	}
	var err error
	s.auth, err = auth.New(ctx, auth.Config{Engine: c.Engine, Secret: c.Secret, Issuer: "walkaround", Audience: "walkaround", Now: c.Now})
	if err != nil {
		return nil, err
	}
	s.limits = newLimits(c.RatePerAccount)
	s.numbers.last = map[string]int{}
	s.relay = background.NewRelay(background.NewLeases(c.Engine, c.Now), c.Log, c.Now)
	s.serveQueues()
	s.probes = s.newProbes()
	s.measure()
	s.handler, err = s.mount() //nolint:contextcheck // each request brings its own
	return s, err
}

// Handler answers requests.
func (s *Server) Handler() http.Handler { return s.handler }

// Start begins the work that follows answers.
func (s *Server) Start(ctx context.Context) { s.relay.Start(ctx) }

// Close ends it: tasks that run are waited for. Storage is the caller's to close.
func (s *Server) Close(ctx context.Context) error {
	s.relay.Close(ctx)
	return s.deriver.Close(ctx)
}

// EnsureFirst makes the store `main` and the account `admin` of an installation that has none. With an empty password
// one is made up and returned, this once.
func (s *Server) EnsureFirst(ctx context.Context, password string) (created bool, used string, err error) {
	if _, err := s.stores.Get(ctx, FirstStore); errors.Is(err, storage.ErrNotFound) {
		fresh := store.New(FirstStore, "Walkaround", domain.At(s.Now()))
		if _, _, err := s.openStore(ctx, fresh, attempt{}); err != nil && !isRefusal(err) {
			return false, "", err
		}
	} else if err != nil {
		return false, "", err
	}
	return s.auth.EnsureFirstAccount(ctx, FirstStore, "admin", password)
}
