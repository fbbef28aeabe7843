package fakehub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// Options configure a Hub. The zero value is a good hub.
type Options struct {
	// Dir holds the bare repositories, one folder for each owner. When empty
	// a temporary folder is made, and Close removes it.
	Dir string
	// Addr is what to listen on; default "127.0.0.1:0", a port by the kernel.
	Addr string
	// Now dates everything the hub writes; default time.Now.
	Now func() time.Time
	// AuthNow judges App JWTs and the lifetime of tokens; default Now. Where
	// Now is frozen, set it to time.Now: App clients date their JWTs by it.
	AuthNow func() time.Time
	// AfterFunc runs f once d has passed: checks that take their time (see
	// Repo.CI). Default time.AfterFunc.
	AfterFunc func(d time.Duration, f func())
	// Lag is how long `mergeable` stays unknown; default one read.
	Lag Lag
	// Log receives one line for each request and each delivery; default none.
	Log *slog.Logger
	// OnRequest, when set, may answer an API request with a fault. It is asked
	// before the act and may take its time.
	OnRequest func(Request) *Fault
	// OnExchange, when set, sees every finished API request with both bodies,
	// so that a test can hold them against GitHub's published description.
	OnExchange func(Exchange)
	// OnDelivery, when set, sees every webhook as it is sent.
	OnDelivery func(Delivery)
}

// Hub is one fake GitHub: accounts, Apps, repositories, and the HTTP server
// in front of them. All methods are safe for concurrent use.
type Hub struct {
	opts     Options
	dir      string
	ownsDir  bool
	url      string
	server   *http.Server
	api      *router
	schema   *ast.Schema
	log      *slog.Logger
	journal  journal
	faults   faults
	outbox   *outbox
	recorder *recorder

	// mu guards all state below and every repository's. Exported methods and
	// the dispatcher take it (lock, unlock); everything else assumes it.
	mu       sync.Mutex
	after    []func() // runs when mu is released: hooks that call back
	seq      int64
	accounts map[string]*account
	repos    map[string]*Repo
	apps     map[int64]*App
	installs map[int64]*installation
	tokens   map[string]*token
	nodes    map[string]any
	teams    map[string]map[string]bool
	usage    map[string]*usage
	onPR     []func(PR)
}

// New starts a hub. Close stops it.
func New(opts Options) (*Hub, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.AuthNow == nil {
		opts.AuthNow = opts.Now
	}
	if opts.AfterFunc == nil {
		opts.AfterFunc = func(d time.Duration, f func()) { time.AfterFunc(d, f) }
	}
	if opts.Addr == "" {
		opts.Addr = "127.0.0.1:0"
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Lag == (Lag{}) {
		opts.Lag = Lag{Reads: 1}
	}
	h := &Hub{
		opts:     opts,
		dir:      opts.Dir,
		log:      opts.Log,
		seq:      1000,
		accounts: map[string]*account{},
		repos:    map[string]*Repo{},
		apps:     map[int64]*App{},
		installs: map[int64]*installation{},
		tokens:   map[string]*token{},
		nodes:    map[string]any{},
		teams:    map[string]map[string]bool{},
		usage:    map[string]*usage{},
	}
	schema, err := loadSchema()
	if err != nil {
		return nil, err
	}
	h.schema = schema
	if h.dir == "" {
		if h.dir, err = os.MkdirTemp("", "fakehub-"); err != nil {
			return nil, fmt.Errorf("make folder for repositories: %w", err)
		}
		h.ownsDir = true
	}
	if h.recorder, err = newRecorder(os.Getenv("FAKEHUB_RECORD")); err != nil {
		return nil, err
	}
	h.outbox = newOutbox(h)
	if err := h.listen(); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

func (h *Hub) listen() error {
	ln, err := net.Listen("tcp", h.opts.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", h.opts.Addr, err)
	}
	h.url = "http://" + ln.Addr().String()
	h.api = routes()
	h.server = &http.Server{Handler: http.HandlerFunc(h.serve), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := h.server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			h.log.Error("serve", "error", err)
		}
	}()
	return nil
}

// Close stops the server, the deliveries and the git processes, and removes
// the repositories where New made the folder for them.
func (h *Hub) Close() error {
	var errs []error
	h.outbox.close()
	if h.server != nil {
		errs = append(errs, h.server.Close())
	}
	errs = append(errs, h.recorder.close())
	h.mu.Lock()
	for _, r := range h.repos {
		r.git.close()
	}
	h.mu.Unlock()
	if h.ownsDir {
		errs = append(errs, os.RemoveAll(h.dir))
	}
	return errors.Join(errs...)
}

// URL is the address of the hub as a browser or git sees it, without a
// trailing slash.
func (h *Hub) URL() string { return h.url }

// APIURL is the REST base as on GitHub Enterprise Server, with a trailing
// slash as go-github wants it. The same API also answers at URL.
func (h *Hub) APIURL() string { return h.url + "/api/v3/" }

// GraphQLURL is the GraphQL endpoint as on GitHub Enterprise Server.
func (h *Hub) GraphQLURL() string { return h.url + "/api/graphql" }

// Flush waits until every webhook caused so far has been answered or has
// failed, including those that the answers themselves caused.
func (h *Hub) Flush(ctx context.Context) error { return h.outbox.flush(ctx) }

func (h *Hub) lock() { h.mu.Lock() }

// unlock releases the state, then runs the hooks that piled up meanwhile on
// the caller's goroutine: a required check that a hook reports at once is
// there before the request that caused it is answered.
func (h *Hub) unlock() {
	for {
		hooks := h.after
		h.after = nil
		h.mu.Unlock()
		if len(hooks) == 0 {
			return
		}
		for _, f := range hooks {
			f()
		}
		h.mu.Lock()
	}
}

// later queues f for when the state is released.
func (h *Hub) later(f func()) { h.after = append(h.after, f) }

func (h *Hub) now() time.Time { return h.opts.Now().UTC().Truncate(time.Second) }

// nextID gives a number that no other thing in this hub has.
func (h *Hub) nextID() int64 {
	h.seq++
	return h.seq
}
