package webhooks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/backout-dev/backout/bot"
)

// minSecret is the length in bytes below which a secret could be guessed by
// whoever has seen one signed delivery.
const minSecret = 32

// Config is what a Server is made of. Only Engine and Secrets are required.
type Config struct {
	Engine bot.Engine
	// Secrets are the webhook secrets of the GitHub App: one, or two while it is
	// rotated. At least 32 bytes each.
	Secrets [][]byte
	// AppID is our GitHub App. Deliveries to other Apps or to plain webhooks are
	// dropped, even if they know the secret; 0 turns that off.
	AppID int64
	// AllowApps are the slugs of other GitHub Apps by which people and bots may
	// command. What they may is read of the account that writes, as for anybody.
	AllowApps []string
	// Host is the GitHub host, as part of the IDs of events; "" means github.com.
	Host string
	// Mentions says whether a comment could hold a command, to keep the others
	// from being recorded; nil lets every comment with a slash through.
	Mentions func(body string) bool

	// AlertTokens are the bearer tokens that Alertmanager may send: one, or two
	// while it is rotated. At least 32 bytes each.
	AlertTokens [][]byte
	// AlertClientCerts lets Alertmanager in by a client certificate that the
	// listener has verified (TLS terminates in this process), instead of a token.
	// Without tokens and without this, all alerts are refused.
	AlertClientCerts bool

	// MaxGitHubBody and MaxAlertBody bound a request's body in bytes; 0 means 25
	// MiB, which is the most that GitHub sends, and 4 MiB.
	MaxGitHubBody, MaxAlertBody int64

	// OnPush is told of repositories that were pushed to. It runs beside the
	// answer: once at a time for each repository, and once more if there was
	// another push meanwhile. Its context ends when Serve does.
	OnPush func(ctx context.Context, repo bot.RepoName)
	// OnInstallation is told of changes to what we may touch, and returns once
	// they are recorded: an error makes the delivery fail.
	OnInstallation func(ctx context.Context, i Installation) error

	// Ready says whether new work could be accepted; nil means always.
	Ready func(ctx context.Context) error
	// MetricsTokens guard /metrics: one bearer token, or two while it is rotated;
	// none leaves it open to whoever reaches the internal listener.
	MetricsTokens [][]byte
	// Registry takes our metrics and shows its own; nil means one that holds
	// nothing else.
	Registry *prometheus.Registry

	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Log gets what happened, never bodies or secrets; nil discards it.
	Log *slog.Logger
}

// Installation is a change to what the App may touch.
type Installation struct {
	ID      int64
	Account string // login of the owner
	// Action is created, deleted, suspend, unsuspend, new_permissions_accepted
	// (https://docs.github.com/webhooks/webhook-events-and-payloads#installation),
	// added or removed (…#installation_repositories).
	Action string
	// Added and Removed are repositories, as far as GitHub lists them.
	Added, Removed []bot.RepoName
}

// Server receives webhooks.
type Server struct {
	cfg      Config
	metrics  *metrics
	pushes   *pushes
	memory   atomic.Int64 // bytes of bodies that are held now
	draining atomic.Bool
}

// New makes a Server. Its errors say what to configure.
func New(cfg Config) (*Server, error) {
	if cfg.Engine == nil {
		return nil, errors.New("no engine to accept events")
	}
	if len(cfg.Secrets) == 0 {
		return nil, errors.New("no webhook secret: make one (openssl rand -hex 32), set it in the GitHub App's settings, and give its file here")
	}
	for what, secrets := range map[string][][]byte{
		"webhook secret": cfg.Secrets, "Alertmanager token": cfg.AlertTokens, "metrics token": cfg.MetricsTokens,
	} {
		if len(secrets) > 2 {
			return nil, fmt.Errorf("%d times %s: keep the new one and, while it is rotated, the old one", len(secrets), what)
		}
		for i, s := range secrets {
			if len(s) < minSecret {
				return nil, fmt.Errorf("%s number %d has %d bytes, at least %d are needed: make one with openssl rand -hex 32", what, i+1, len(s), minSecret)
			}
		}
	}
	if cfg.MaxGitHubBody == 0 {
		cfg.MaxGitHubBody = 25 << 20
	}
	if cfg.MaxAlertBody == 0 {
		cfg.MaxAlertBody = 4 << 20
	}
	if cfg.Host == "" {
		cfg.Host = "github.com"
	}
	if cfg.Mentions == nil {
		cfg.Mentions = hasSlash
	}
	if cfg.Registry == nil {
		cfg.Registry = prometheus.NewRegistry()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	m, err := newMetrics(cfg.Registry)
	if err != nil {
		return nil, err
	}
	return &Server{cfg: cfg, metrics: m, pushes: newPushes(cfg.OnPush)}, nil
}

// Public is the handler that the internet may reach.
func (s *Server) Public() http.Handler {
	r := router()
	r.Handle("/webhooks/github", s.endpoint("github", s.github)).Methods(http.MethodPost)
	r.Handle("/webhooks/alertmanager", s.endpoint("alertmanager", s.alertmanager)).Methods(http.MethodPost)
	r.MethodNotAllowedHandler = refuse(http.StatusMethodNotAllowed, "Webhooks are sent by POST.", "Allow", http.MethodPost)
	return r
}

// Internal is the handler for the cluster's own eyes. The probes are open and
// say nothing but yes or no, since kubelets have no tokens.
func (s *Server) Internal() http.Handler {
	r := router()
	get := r.Methods(http.MethodGet, http.MethodHead).Subrouter()
	get.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "alive") })
	get.HandleFunc("/readyz", s.readyz)
	show := promhttp.HandlerFor(s.cfg.Registry, promhttp.HandlerOpts{})
	get.HandleFunc("/metrics", func(w http.ResponseWriter, r *http.Request) {
		if len(s.cfg.MetricsTokens) > 0 && !bearer(r.Header, s.cfg.MetricsTokens) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			say(w, http.StatusUnauthorized, "Metrics need the bearer token.")
			return
		}
		show.ServeHTTP(w, r)
	})
	r.MethodNotAllowedHandler = refuse(http.StatusMethodNotAllowed, "This page is read by GET.", "Allow", "GET, HEAD")
	return r
}

// router is a mux that redirects nothing: a webhook to a wrong path is lost
// either way, and so it is seen.
func router() *mux.Router {
	r := mux.NewRouter().SkipClean(true)
	r.NotFoundHandler = refuse(http.StatusNotFound, "There is nothing here.")
	return r
}

// refuse answers every request alike.
func refuse(status int, text string, header ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		say(w, status, text)
	})
}

// say writes an answer of one sentence.
func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // who went away does not hear it
}

// readyTimeout bounds the question whether we are ready; kubelets wait a second.
const readyTimeout = 900 * time.Millisecond

// readyz says no once the server is told to stop, so that no new deliveries are
// sent here while the last ones are answered.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if s.draining.Load() {
		say(w, http.StatusServiceUnavailable, "stopping")
		return
	}
	if s.cfg.Ready != nil {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := s.cfg.Ready(ctx); err != nil {
			s.cfg.Log.WarnContext(r.Context(), "not ready", "err", err)
			say(w, http.StatusServiceUnavailable, "not ready; the log says why")
			return
		}
	}
	say(w, http.StatusOK, "ready")
}
