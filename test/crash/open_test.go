package crash

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/cmd/app"
	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/test/simcluster"
	"github.com/backout-dev/backout/test/stage"
)

// open sets the stage and starts the first bot.
func (r *run) open() error {
	for _, name := range []string{"hub", "data"} {
		if err := os.Mkdir(filepath.Join(r.dir, name), 0o700); err != nil {
			return err
		}
	}
	var err error
	r.stage, err = stage.Open(r.ctx, stage.Options{
		Dir: r.dir, Log: slog.New(slog.DiscardHandler), Apart: true, Secret: filepath.Base(filepath.Dir(r.dir)) + filepath.Base(r.dir),
		Files: r.story.good(), Repo: func(o *fakehub.RepoOptions) { o.AllowAutoMerge = true },
		Hub: func(o *fakehub.Options) { o.OnRequest, o.OnDelivery = r.onRequest, r.onDelivery },
		Config: func(c *app.Config) {
			c.Listen = app.Listen{Public: "127.0.0.1:0", Internal: "localhost:0"}
			c.Policy.Defaults = r.story.policy
			c.RecordEvery, c.JanitorEvery = policy.Duration(time.Second), policy.Duration(200*time.Millisecond)
			c.GitHub.SweepEvery, c.GitHub.SweepBack = policy.Duration(4*time.Minute), policy.Duration(72*time.Hour)
			c.Log = app.Log{Level: "info", Format: "text"}
		},
	})
	if err != nil {
		return err
	}
	if err := r.breakProduction(); err != nil {
		return fmt.Errorf("break production: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /cluster/{method}", &face{cluster: r.stage.Cluster, director: r.director})
	mux.HandleFunc("POST /witness/hello", r.hello)
	mux.HandleFunc("POST /witness/local", r.local)
	r.world = httptest.NewServer(mux)
	file, err := r.writeJob()
	if err != nil {
		return err
	}
	r.children = newChildren(file, filepath.Join(r.dir, "bot.log"))
	r.director.slay = r.children.slay
	if err := r.children.start(); err != nil {
		return err
	}
	return r.until("the bot to serve", func() (bool, string) { return r.stage.PublicURL() != "", "" })
}

// breakProduction merges and delivers the change that the story takes back, and
// writes what the bot would have seen of it meanwhile.
func (r *run) breakProduction() error {
	repo, cluster := r.stage.Repo, r.stage.Cluster
	repo.CI(func(string) []fakehub.CIResult {
		if r.pending {
			return []fakehub.CIResult{{Name: "ci"}}
		}
		return []fakehub.CIResult{{Name: "ci", Conclusion: "success"}}
	})
	repo.Protect("main", fakehub.Protection{RequiredChecks: r.story.rules().RequiredChecks})
	for _, name := range r.story.names() {
		cluster.Add(simcluster.AppSpec{
			ID: appID(name), Branch: "main", Path: "apps/" + name, AutoSync: true,
			Workload: bot.Workload{Kind: "Deployment", Namespace: "shop", Name: name},
		})
	}
	ledger, err := durable.OpenLedger(r.ctx, r.database())
	if err != nil {
		return err
	}
	defer ledger.Close() //nolint:errcheck // what matters is committed.
	if err := r.deliver(ledger, -time.Hour); err != nil {
		return err
	}
	pr, err := repo.OpenPR("bob", "Update all to v2", "topic", "main", r.story.bad())
	if err != nil {
		return err
	}
	if err := r.until("the culprit to be mergeable", func() (bool, string) {
		now, _ := repo.PR(pr.Number)
		return now.Status == "CLEAN", now.Status
	}); err != nil {
		return err
	}
	if _, err := repo.MergePR(pr.Number, "squash", "bob"); err != nil {
		return err
	}
	repo.Unprotect("main")
	repo.Protect("main", r.story.rules())
	r.culprit, r.before, r.pending = pr.Number, repo.Head("main"), r.story.pending
	return r.deliver(ledger, 0)
}

// deliver lets the cluster apply the head and puts it on record.
func (r *run) deliver(ledger *durable.Ledger, ago time.Duration) error {
	if err := r.stage.Cluster.Reconcile(); err != nil {
		return err
	}
	apps, err := r.stage.Cluster.Apps(r.ctx)
	if err != nil {
		return err
	}
	for _, a := range apps {
		if err := ledger.Observe(r.ctx, bot.Deployed{App: a.ID, Revision: a.Revision, Health: a.Health, At: a.AppliedAt.Add(ago)}); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) database() string { return filepath.Join(r.dir, "data", "backout.db") }

// writeJob writes what a child needs to know.
func (r *run) writeJob() (string, error) {
	cfg, err := r.stage.BotConfig()
	if err != nil {
		return "", err
	}
	text, err := yaml.Marshal(cfg)
	if err != nil {
		return "", err
	}
	config, file := filepath.Join(r.dir, "backout.yaml"), filepath.Join(r.dir, "job.json")
	j, err := json.Marshal(job{Config: config, World: r.world.URL, Cluster: "prod"})
	if err != nil {
		return "", err
	}
	return file, errors.Join(os.WriteFile(config, text, 0o600), os.WriteFile(file, j, 0o600))
}
