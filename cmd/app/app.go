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

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/audit"
	"github.com/backout-dev/backout/bot/command"
	"github.com/backout-dev/backout/bot/culprit"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/bot/images"
	"github.com/backout-dev/backout/bot/owners"
	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/bot/report"
	"github.com/backout-dev/backout/bot/verify"
	"github.com/backout-dev/backout/cmd/app/redact"
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
	// CloneCommand is the program that clones repositories, as git.Config has it;
	// without it, or with a Transport, they are cloned in this process.
	CloneCommand []string
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
	secrets *redact.Secrets
	audit   *audit.Log
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
	a.wireSecrets()
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
	if err := a.wireAudit(ctx); err != nil {
		return err
	}
	judge, err := policy.Open(a.cfg.Policy, verify.Validate)
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
		Ports: a.audit.Ports(bot.Ports{
			People: a.hub, Pulls: a.hub, Reverts: a.hub, Board: a.hub, Talk: a.hub, History: a.git,
			Fleet: fleet, Alerts: monitor, Checks: monitor, Locator: locator,
			Grammar: command.Grammar{}, Ranker: culprit.Ranker{}, Judge: judge, Teller: clean{report.Teller{}, a.secrets},
			Switch: killSwitch{file: a.cfg.KillSwitchFile}, Ledger: ledger, Engine: a.engine,
			Teams: a.hub, Authorship: a.hub, Owners: owners.Reader{}, Labels: a.hub, Images: images.Finder{},
		}),
		Timing: timing, Host: a.host(), Server: strings.TrimSuffix(a.cfg.GitHub.WebURL, "/"),
		Observe: a.opts.Observe, FreezeLabel: a.cfg.GitHub.FreezeLabel, MaxFor: time.Duration(a.cfg.Alertmanager.MaxFor), Now: a.opts.Now, Log: a.log,
	})
	a.engine.Register(a.audit.Versions(a.Flow.Versions(), ledger.Rollback))
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
		Transport: a.opts.Transport, Now: a.opts.Now, Log: a.log, Minted: a.secrets.Token,
	})
	if err != nil {
		return fmt.Errorf("github: %w", err)
	}
	if err := os.MkdirAll(a.cfg.DataDir, 0o700); err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	var client *http.Client // nil is the mirrors' own
	apart := a.opts.CloneCommand
	if a.opts.Transport != nil {
		client, apart = &http.Client{Transport: a.opts.Transport}, nil
	}
	a.git, err = git.New(git.Config{
		Dir: filepath.Join(a.cfg.DataDir, "mirrors"), BaseURL: strings.TrimSuffix(a.cfg.GitHub.WebURL, "/"),
		Token: a.hub.Token, Refused: a.hub.Refused, Log: a.log, Client: client,
		MaxBytes: a.cfg.Mirrors.MaxMiB << 20, CloneCommand: apart,
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
		Engine: a.engine, Secrets: secrets, AlertTokens: tokens, AppID: a.cfg.GitHub.AppID, AllowApps: a.cfg.GitHub.AllowApps, Host: a.host(),
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
	dialer, err := a.cfg.Outbound.dialer()
	if err != nil {
		return nil, err
	}
	return verify.New(verify.Config{
		Prometheus:   verify.Endpoint{URL: p.URL, BearerFile: p.BearerTokenFile, CAFile: p.CAFile},
		Alertmanager: verify.Endpoint{URL: am.URL, BearerFile: am.BearerTokenFile},
		Transport:    dialer.Transport(), Log: a.log, Now: a.opts.Now,
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
		id, err := ParseAppID(r.App)
		if err != nil {
			return nil, fmt.Errorf("locate: %w", err)
		}
		l.Rules = append(l.Rules, bot.LocateRule{Match: r.Match, App: id})
	}
	return l, nil
}
