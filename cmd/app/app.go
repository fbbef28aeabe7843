package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/command"
	"github.com/backout-dev/backout/bot/culprit"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/bot/report"
	"github.com/backout-dev/backout/bot/verify"
	"github.com/backout-dev/backout/vcs/git"
	"github.com/backout-dev/backout/vcs/github"
	"github.com/backout-dev/backout/webhooks"
)

// Engine is what runs the flows: DBOS in production, memory in tests.
type Engine interface {
	bot.Engine
	Register(bot.Versions)
	Launch(ctx context.Context) error
	Close(timeout time.Duration) error
}

// Options replace parts of the wiring; the zero value is production.
type Options struct {
	// Observe makes everything a dry run.
	Observe bool
	Log     *slog.Logger
	Now     func() time.Time
	// Timing replaces the flow's polling intervals.
	Timing *bot.Timing
	// Fleet replaces the configured clusters.
	Fleet *bot.Fleet
	// Engine and Ledger replace the durable store in the data directory.
	Engine Engine
	Ledger bot.Ledger
	// Transport carries the requests to GitHub, those of git too; tests count
	// and delay in it.
	Transport http.RoundTripper
	// Public and Internal replace the configured listeners.
	Public, Internal net.Listener
}

// App is a wired bot.
type App struct {
	Flow *bot.Flow

	cfg     Config
	opts    Options
	log     *slog.Logger
	hub     *github.Client
	git     *git.Mirrors
	engine  Engine
	server  *webhooks.Server
	catchUp *catchUp
	close   []func() error
}

// New wires a bot. It opens the store and refuses to start on anything that
// would only show at three in the morning: a missing secret, a bad key, a data
// directory that can't be written.
func New(ctx context.Context, cfg Config, opts Options) (*App, error) {
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	a := &App{cfg: cfg, opts: opts, log: opts.Log}
	if err := a.wire(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (a *App) wire(ctx context.Context) error {
	if err := a.wireGitHub(); err != nil {
		return err
	}
	fleet := a.opts.Fleet
	if fleet == nil {
		var err error
		if fleet, err = a.fleet(); err != nil {
			return err
		}
	}
	ledger, err := a.wireStore(ctx)
	if err != nil {
		return err
	}
	rules, err := policy.New(a.cfg.Policy.Defaults, a.cfg.Policy.Apps)
	if err != nil {
		return err
	}
	monitor, err := a.monitor()
	if err != nil {
		return err
	}
	locator, err := a.locator(fleet)
	if err != nil {
		return err
	}
	timing := bot.DefaultTiming()
	if a.opts.Timing != nil {
		timing = *a.opts.Timing
	}
	a.Flow = bot.NewFlow(bot.Config{
		Ports: bot.Ports{
			People: a.hub, Pulls: a.hub, Reverts: a.hub, Board: a.hub, Talk: a.hub, History: a.git,
			Fleet: fleet, Alerts: monitor, Checks: monitor, Locator: locator,
			Grammar: command.Grammar{}, Ranker: culprit.Ranker{}, Judge: rules, Teller: report.Teller{},
			Switch: killSwitch{file: a.cfg.KillSwitchFile}, Ledger: ledger, Engine: a.engine,
		},
		Timing: timing, Host: a.host(), Server: strings.TrimSuffix(a.cfg.GitHub.WebURL, "/"),
		Observe: a.opts.Observe, MaxFor: time.Duration(a.cfg.Alertmanager.MaxFor), Now: a.opts.Now, Log: a.log,
	})
	a.engine.Register(a.Flow.Versions())
	return a.wireWebhooks()
}

// host is the GitHub host, as it stands in repository addresses.
func (a *App) host() string {
	u, _ := url.Parse(a.cfg.GitHub.WebURL) // checked with the configuration
	return u.Host
}

func (a *App) wireGitHub() error {
	key, err := os.ReadFile(a.cfg.GitHub.PrivateKeyFile)
	if err != nil {
		return fmt.Errorf("github.private_key_file: %w", err)
	}
	api := a.cfg.GitHub.APIURL
	if api == "" && a.host() != "github.com" {
		api = strings.TrimSuffix(a.cfg.GitHub.WebURL, "/") + "/api/v3/"
	}
	a.hub, err = github.New(github.Config{
		AppID: a.cfg.GitHub.AppID, PrivateKey: key, APIURL: api,
		Transport: a.opts.Transport, Now: a.opts.Now, Log: a.log,
	})
	if err != nil {
		return fmt.Errorf("github: %w", err)
	}
	if err := os.MkdirAll(a.cfg.DataDir, 0o700); err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	var client *http.Client // nil is the mirrors' own
	if a.opts.Transport != nil {
		client = &http.Client{Transport: a.opts.Transport}
	}
	a.git, err = git.New(git.Config{
		Dir: filepath.Join(a.cfg.DataDir, "mirrors"), BaseURL: strings.TrimSuffix(a.cfg.GitHub.WebURL, "/"),
		Token: a.hub.Token, Refused: a.hub.Refused, Log: a.log, Client: client,
	})
	if err != nil {
		return fmt.Errorf("mirrors: %w", err)
	}
	return nil
}

func (a *App) wireStore(ctx context.Context) (bot.Ledger, error) {
	if a.opts.Engine != nil {
		a.engine = a.opts.Engine
		return a.opts.Ledger, nil
	}
	engine, err := durable.Open(ctx, durable.Config{Dir: a.cfg.DataDir, Log: a.log, Now: a.opts.Now, OnDead: a.onDead})
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	a.engine = engine
	return engine.Ledger(), nil
}

// onDead is told of a flow that was given up. A Rollback is finished in the
// ledger by then; what it held, the janitor releases. It is called again until
// people are told, unless telling them can't work.
func (a *App) onDead(ctx context.Context, d durable.Dead) error {
	a.log.ErrorContext(ctx, "flow given up", "flow", d.Flow, "id", d.ID, "rollback", d.Rollback, "error", d.Err)
	var err error
	switch {
	case d.Rollback != "":
		err = a.Flow.Bury(ctx, d.Rollback)
	case d.Event != nil:
		err = a.Flow.BuryEvent(ctx, *d.Event)
	}
	if bot.IsTrouble(err, bot.TroubleTransient) {
		return err
	}
	return nil
}

func (a *App) wireWebhooks() error {
	secrets, err := readSecrets(a.cfg.GitHub.WebhookSecretFiles)
	if err != nil {
		return fmt.Errorf("github.webhook_secret_files: %w", err)
	}
	tokens, err := readSecrets(a.cfg.Alertmanager.WebhookTokenFiles)
	if err != nil {
		return fmt.Errorf("alertmanager.webhook_token_files: %w", err)
	}
	registry := prometheus.NewRegistry()
	a.server, err = webhooks.New(webhooks.Config{
		Engine: a.engine, Secrets: secrets, AlertTokens: tokens, AppID: a.cfg.GitHub.AppID, Host: a.host(),
		Mentions: command.Mentions, Registry: registry, Now: a.opts.Now, Log: a.log, OnPush: a.onPush, OnInstallation: a.onInstallation, Ready: a.ready,
	})
	if err != nil {
		return fmt.Errorf("webhooks: %w", err)
	}
	a.catchUp, err = newCatchUp(&bot.CatchUp{
		Flow: a.Flow, Log: a.hub, Inbox: a.server, Back: time.Duration(a.cfg.GitHub.SweepBack),
	}, a.opts.Now, registry)
	return err
}

// onPush keeps mirrors warm, beside the answer to the webhook.
func (a *App) onPush(ctx context.Context, repo bot.RepoName) {
	if err := a.git.Fetch(ctx, repo); err != nil {
		a.log.WarnContext(ctx, "fetching after a push met trouble", "repo", repo, "trouble", bot.AsTrouble(err).Text)
	}
}

// onInstallation deletes the mirrors of what we may no longer touch. It is done
// before the webhook is answered, and doing it again does no harm, so nothing
// has to be made durable.
func (a *App) onInstallation(ctx context.Context, i webhooks.Installation) error {
	a.log.InfoContext(ctx, "installation changed", "account", i.Account, "action", i.Action, "added", i.Added, "removed", i.Removed)
	var errs []error
	for _, repo := range i.Removed {
		if err := a.git.Remove(repo); err != nil {
			errs = append(errs, fmt.Errorf("remove mirror of %s: %w", repo, err))
		}
	}
	return errors.Join(errs...)
}

// ready reports whether new work could be made durable.
func (a *App) ready(ctx context.Context) error {
	if _, err := a.Flow.Ports.Ledger.Find(ctx, bot.RollbackQuery{Limit: 1}); err != nil {
		return err
	}
	return room(a.cfg.DataDir)
}

// room reports whether the data directory takes what one event may need: a
// store that is full can still be read.
func room(dir string) error {
	probe, err := os.CreateTemp(dir, ".backout-probe-*")
	if err != nil {
		return fmt.Errorf("write to data_dir: %w", err)
	}
	_, err = probe.Write(make([]byte, 256<<10))
	if err := errors.Join(err, probe.Close(), os.Remove(probe.Name())); err != nil {
		return fmt.Errorf("write to data_dir: %w", err)
	}
	return nil
}

// readSecrets reads secrets from files, without the line break that editors
// add.
func readSecrets(files []string) ([][]byte, error) {
	var out [][]byte
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		out = append(out, []byte(strings.TrimRight(string(b), "\r\n")))
	}
	return out, nil
}

func (a *App) monitor() (*verify.Monitoring, error) {
	p, am := a.cfg.Prometheus, a.cfg.Alertmanager
	return verify.New(verify.Config{
		Prometheus:   verify.Endpoint{URL: p.URL, BearerFile: p.BearerTokenFile, CAFile: p.CAFile},
		Alertmanager: verify.Endpoint{URL: am.URL, BearerFile: am.BearerTokenFile},
		Log:          a.log, Now: a.opts.Now,
	})
}

func (a *App) locator(fleet *bot.Fleet) (*bot.Locator, error) {
	l := &bot.Locator{Fleet: fleet, ClusterLabels: map[string]bot.ClusterLabel{}}
	for _, c := range a.cfg.Clusters {
		if name, value, ok := strings.Cut(c.AlertLabel, "="); ok {
			l.ClusterLabels[c.Name] = bot.ClusterLabel{Name: name, Value: value}
		}
	}
	for _, r := range a.cfg.Locate {
		id, err := parseAppID(r.App)
		if err != nil {
			return nil, fmt.Errorf("locate: %w", err)
		}
		l.Rules = append(l.Rules, bot.LocateRule{Match: r.Match, App: id})
	}
	return l, nil
}

// Run serves until ctx ends, then shuts down so that unfinished flows resume
// at the next start.
func (a *App) Run(ctx context.Context) error {
	public, internal, err := a.listen()
	if err != nil {
		return err
	}
	if err := a.engine.Launch(ctx); err != nil {
		return fmt.Errorf("resume unfinished work: %w", err)
	}
	a.log.InfoContext(ctx, "backout serves", "public", public.Addr().String(), "internal", internal.Addr().String(), "observe", a.opts.Observe)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.server.Serve(ctx, public, internal) })
	g.Go(func() error {
		a.every(ctx, time.Duration(a.cfg.RecordEvery), "recording what runs", a.Flow.Record)
		return nil
	})
	if p, ok := a.engine.(pruner); ok {
		g.Go(func() error {
			a.every(ctx, pruneEvery, "pruning old journals", func(ctx context.Context) error {
				_, err := p.Prune(ctx, a.opts.Now().Add(-keepJournals))
				return err
			})
			return nil
		})
	}
	if d := time.Duration(a.cfg.GitHub.SweepEvery); d > 0 {
		g.Go(func() error {
			a.every(ctx, d, "sweeping the delivery log", a.catchUp.sweep)
			return nil
		})
	}
	g.Go(func() error {
		a.every(ctx, time.Duration(a.cfg.JanitorEvery), "sweeping holds", func(ctx context.Context) error {
			_, err := a.Flow.Sweep(ctx)
			return err
		})
		return nil
	})
	return g.Wait()
}

// pruner is an engine whose journals pile up. The ledger keeps every Rollback;
// the journals of ended flows serve only to look into what happened.
type pruner interface {
	Prune(ctx context.Context, before time.Time) (int, error)
}

const (
	pruneEvery   = time.Hour
	keepJournals = 30 * 24 * time.Hour
)

// every runs act at once and then in intervals, until ctx ends. Trouble is
// logged: the next round may do better.
func (a *App) every(ctx context.Context, d time.Duration, what string, act func(context.Context) error) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		if err := act(ctx); err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "upkeep met trouble", "act", what, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (a *App) listen() (public, internal net.Listener, err error) {
	public, internal = a.opts.Public, a.opts.Internal
	if public == nil {
		if public, err = net.Listen("tcp", a.cfg.Listen.Public); err != nil {
			return nil, nil, fmt.Errorf("listen.public: %w", err)
		}
	}
	if internal == nil {
		if internal, err = net.Listen("tcp", a.cfg.Listen.Internal); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("listen.internal: %w", err), public.Close())
		}
	}
	return public, internal, nil
}

// closeWithin is how long flows get to come to the end of a step.
const closeWithin = 10 * time.Second

// Close ends the engine and the connections. Unfinished flows resume at the
// next start.
func (a *App) Close() error {
	var errs []error
	if a.engine != nil {
		errs = append(errs, a.engine.Close(closeWithin))
	}
	if a.git != nil {
		errs = append(errs, a.git.Close())
	}
	for _, c := range a.close {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}
