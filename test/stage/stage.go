// Package stage sets up the whole play in one process: a GitHub that speaks
// HTTP over real bare repositories, a simulated cluster with its monitoring,
// and the bot in its real wiring between them. The demo and the scenario tests
// are played on it.
package stage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/cmd/app"
	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/test/simcluster"
)

// RepoName is the one GitOps repository of the stage.
const RepoName = "acme/fleet"

// Options say how the stage is set.
type Options struct {
	// Dir keeps keys, repositories and the bot's data; it must exist.
	Dir string
	Log *slog.Logger
	Now func() time.Time
	// Engine and Ledger replace the bot's durable store.
	Engine app.Engine
	Ledger bot.Ledger
	// Observe starts the bot as a dry run.
	Observe bool
	Timing  *bot.Timing
	// Transport carries the bot's requests to the hub; nil is the bot's own.
	Transport http.RoundTripper
	// Fleet changes how the bot sees the cluster.
	Fleet func(*simcluster.Cluster) *bot.Fleet
	// Apart leaves the bot out: it runs in another process, by BotConfig, and
	// ServedAt tells where.
	Apart bool
	// Secret is added to what webhooks are signed with, so that none is taken by
	// the bot of another stage.
	Secret string
	// Files are the first commit of the repository.
	Files map[string]string
	// Hub, Repo and Config are changed before anything starts.
	Hub    func(*fakehub.Options)
	Repo   func(*fakehub.RepoOptions)
	Config func(*app.Config)
}

// Stage is a set stage.
type Stage struct {
	Hub     *fakehub.Hub
	GitHub  *fakehub.App
	Repo    *fakehub.Repo
	Cluster *simcluster.Cluster
	App     *app.App

	opts    Options
	monitor *httptest.Server
	public  net.Listener
	inside  net.Listener
	at      atomic.Pointer[string] // where the bot receives webhooks
	token   string
	stop    context.CancelFunc
	done    chan error
}

// FastTiming polls often: on the stage nothing is far away.
func FastTiming() bot.Timing {
	return bot.Timing{
		Gate: 100 * time.Millisecond, Mergeable: 20 * time.Millisecond, Sync: 20 * time.Millisecond,
		Resync: 200 * time.Millisecond, Verify: 50 * time.Millisecond, Approve: 50 * time.Millisecond, Retry: 20 * time.Millisecond,
	}
}

// Open sets the stage. The bot is wired but does not run yet.
func Open(ctx context.Context, o Options) (*Stage, error) {
	s := &Stage{opts: o, token: strings.Repeat("alertmanager-token-", 2) + o.Secret}
	if s.opts.Now == nil {
		s.opts.Now = time.Now
	}
	if s.opts.Log == nil {
		s.opts.Log = slog.New(slog.DiscardHandler)
	}
	if s.opts.Timing == nil {
		t := FastTiming()
		s.opts.Timing = &t
	}
	if err := s.set(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Stage) set(ctx context.Context) error {
	if err := s.openHub(); err != nil {
		return err
	}
	s.Cluster = simcluster.New(simcluster.Config{Name: "prod", Repo: RepoName, Source: source{s.Repo}, Now: s.opts.Now})
	s.monitor = httptest.NewServer(s.Cluster.Monitor())
	if s.opts.Apart {
		return nil
	}
	return s.Wire(ctx)
}

func (s *Stage) openHub() error {
	o := fakehub.Options{Dir: filepath.Join(s.opts.Dir, "hub"), Now: s.opts.Now, AuthNow: time.Now, Log: s.opts.Log}
	if s.opts.Hub != nil {
		s.opts.Hub(&o)
	}
	var err error
	if s.Hub, err = fakehub.New(o); err != nil {
		return fmt.Errorf("open hub: %w", err)
	}
	if s.GitHub, err = s.Hub.CreateApp(fakehub.AppOptions{Slug: "backout"}); err != nil {
		return fmt.Errorf("create the App: %w", err)
	}
	repo := fakehub.RepoOptions{Files: s.opts.Files}
	if s.opts.Repo != nil {
		s.opts.Repo(&repo)
	}
	if s.Repo, err = s.Hub.CreateRepo(RepoName, repo); err != nil {
		return fmt.Errorf("create repository: %w", err)
	}
	if _, err := s.Hub.Install(s.GitHub, RepoName); err != nil {
		return fmt.Errorf("install the App: %w", err)
	}
	for login, role := range map[string]string{"ann": "write", "bob": "write", "carol": "maintain", "eve": "read"} {
		if err := s.Repo.Grant(login, role); err != nil {
			return fmt.Errorf("grant %s: %w", login, err)
		}
	}
	return nil
}

// Rewire wires the bot again after Stop, on the same data and, when the engine
// is not the durable one, on a new engine.
func (s *Stage) Rewire(ctx context.Context, engine app.Engine) error {
	s.opts.Engine = engine
	return s.Wire(ctx)
}

// secret signs the stage's webhooks; long enough to be accepted.
const secret = "a-webhook-secret-of-the-stage-of-more-than-32-bytes"

// Wire wires the bot; Rewire does so after Stop, as a restart would.
func (s *Stage) Wire(ctx context.Context) error {
	var err error
	if s.public, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if s.inside, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	cfg, err := s.config()
	if err != nil {
		return err
	}
	fleet := s.Cluster.Fleet()
	if s.opts.Fleet != nil {
		fleet = s.opts.Fleet(s.Cluster)
	}
	s.App, err = app.New(ctx, cfg, app.Options{
		Observe: s.opts.Observe, Log: s.opts.Log, Now: s.opts.Now, Timing: s.opts.Timing, Fleet: fleet,
		Engine: s.opts.Engine, Ledger: s.opts.Ledger, Public: s.public, Internal: s.inside, Transport: s.opts.Transport,
	})
	if err != nil {
		return fmt.Errorf("wire the bot: %w", err)
	}
	s.ServedAt("http://" + s.public.Addr().String())
	return nil
}

func (s *Stage) config() (app.Config, error) {
	files := map[string][]byte{"key.pem": s.GitHub.PrivateKeyPEM(), "webhook-secret": []byte(secret + s.opts.Secret), "alert-token": []byte(s.token)}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(s.opts.Dir, name), b, 0o600); err != nil {
			return app.Config{}, fmt.Errorf("write %s: %w", name, err)
		}
	}
	at := func(name string) string { return filepath.Join(s.opts.Dir, name) }
	cfg := app.Config{
		DataDir: at("data"),
		GitHub: app.GitHub{
			AppID: s.GitHub.ID(), PrivateKeyFile: at("key.pem"), WebhookSecretFiles: []string{at("webhook-secret")},
			WebURL: s.Hub.URL(),
			// At the start, and then as a story asks for it (App.CatchUp).
			SweepEvery: policy.Duration(time.Hour), SweepBack: policy.Duration(72 * time.Hour),
			FreezeLabel: bot.DefaultFreezeLabel,
		},
		Alertmanager: app.Alertmanager{URL: s.monitor.URL, WebhookTokenFiles: []string{at("alert-token")}, MaxFor: policy.Duration(15 * time.Minute)},
		Prometheus:   app.Prometheus{URL: s.monitor.URL},
		RecordEvery:  policy.Duration(50 * time.Millisecond), JanitorEvery: policy.Duration(200 * time.Millisecond),
	}
	if s.opts.Config != nil {
		s.opts.Config(&cfg)
	}
	return cfg, nil
}

// Start runs the bot until Stop.
func (s *Stage) Start(ctx context.Context) {
	ctx, s.stop = context.WithCancel(ctx)
	done := make(chan error, 1)
	s.done = done
	bot := s.App
	go func() { done <- bot.Run(ctx) }()
}

// Stop stops the bot as a deployment would; Wire and Start bring it back.
func (s *Stage) Stop() error {
	var errs []error
	if s.stop != nil {
		s.stop()
		errs = append(errs, <-s.done)
		s.stop = nil
	}
	if s.App != nil {
		errs = append(errs, s.App.Close())
		s.App = nil
	}
	return errors.Join(errs...)
}

// Close takes everything down.
func (s *Stage) Close() error {
	errs := []error{s.Stop()}
	if s.monitor != nil {
		s.monitor.Close()
	}
	if s.Hub != nil {
		errs = append(errs, s.Hub.Close())
	}
	return errors.Join(errs...)
}

// PublicURL is where the bot receives webhooks.
func (s *Stage) PublicURL() string {
	if at := s.at.Load(); at != nil {
		return *at
	}
	return ""
}

// InternalURL is where the bot shows health and metrics.
func (s *Stage) InternalURL() string { return "http://" + s.inside.Addr().String() }

// Client speaks to the bot.
func (s *Stage) Client() *http.Client { return &http.Client{Timeout: 10 * time.Second} }

// source is the hub's repository as the simulated cluster reads it.
type source struct{ repo *fakehub.Repo }

func (s source) Head(branch string) (bot.SHA, error) { return bot.SHA(s.repo.Head(branch)), nil }

func (s source) File(rev bot.SHA, path string) ([]byte, error) {
	text, ok := s.repo.File(string(rev), path)
	if !ok {
		return nil, nil
	}
	return []byte(text), nil
}
