package replay_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/cmd/app"
	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/test/simcluster"
	"github.com/backout-dev/backout/test/stage"
)

// house is the whole bot in its real wiring on the durable engine, with the
// flow's versions changed on their way to it.
type house struct {
	t      *testing.T
	dir    string
	stage  *stage.Stage
	engine *durable.Engine
	ledger *ledger
}

// engine registers other versions than the bot has.
type engine struct {
	*durable.Engine
	change func(bot.Versions) bot.Versions
}

func (e engine) Register(v bot.Versions) { e.Engine.Register(e.change(v)) }

// ledger is that of the engine that is open now.
type ledger struct{ bot.Ledger }

var web = bot.AppID{Cluster: "prod", Kind: bot.KindKustomization, Namespace: "flux-system", Name: "web"}

// open starts the bot with one App and a required check that nobody turns
// green.
func open(t *testing.T, change func(bot.Versions) bot.Versions) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), ledger: &ledger{}}
	if err := os.Mkdir(filepath.Join(h.dir, "engine"), 0o700); err != nil {
		t.Fatal(err)
	}
	var err error
	h.stage, err = stage.Open(t.Context(), stage.Options{
		Dir: h.dir, Log: h.log(), Files: map[string]string{"apps/web/deploy.yaml": manifest("v1")},
		Engine: h.openEngine(change), Ledger: h.ledger,
		Config: func(c *app.Config) { c.Policy.Defaults = policy.Settings{Hold: new("always")} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.stage.Close(); err != nil {
			t.Error(err)
		}
	})
	h.stage.Repo.Protect("main", fakehub.Protection{RequiredChecks: []fakehub.RequiredCheck{{Context: "ci"}}})
	h.stage.Cluster.Add(simcluster.AppSpec{
		ID: web, Branch: "main", Path: "apps/web", AutoSync: true,
		Workload: bot.Workload{Kind: "Deployment", Namespace: "shop", Name: "web"},
	})
	h.must(h.stage.Cluster.Reconcile())
	h.stage.Start(t.Context())
	return h
}

func (h *house) log() *slog.Logger {
	if testing.Verbose() {
		return slog.New(slog.NewTextHandler(h.t.Output(), nil))
	}
	return slog.New(slog.DiscardHandler)
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) openEngine(change func(bot.Versions) bot.Versions) engine {
	h.t.Helper()
	e, err := durable.Open(h.t.Context(), durable.Config{
		Dir: filepath.Join(h.dir, "engine"), Log: h.log(),
		OnDead: func(ctx context.Context, d durable.Dead) error {
			if d.Event != nil {
				return h.stage.App.Flow.BuryEvent(ctx, *d.Event)
			}
			return h.stage.App.Flow.Bury(ctx, d.Rollback)
		},
	})
	h.must(err)
	h.engine, h.ledger.Ledger = e, e.Ledger()
	return engine{e, change}
}

func (h *house) stop() { h.t.Helper(); h.must(h.stage.Stop()) }

func (h *house) wire(change func(bot.Versions) bot.Versions) {
	h.t.Helper()
	h.must(h.stage.Rewire(h.t.Context(), h.openEngine(change)))
}

// restart is an upgrade: the bot is stopped and another one started on its data.
func (h *house) restart(change func(bot.Versions) bot.Versions) {
	h.t.Helper()
	h.stop()
	h.wire(change)
	h.stage.Start(h.t.Context())
}

// breakApp merges pull request number n, which breaks the App, and delivers it.
func (h *house) breakApp(n int) {
	h.t.Helper()
	bad := manifest(fmt.Sprintf("v%d-bad", n+1))
	pr, err := h.stage.Repo.OpenPR("bob", fmt.Sprintf("Update web to v%d", n+1), fmt.Sprintf("topic-%d", n), "main", map[string]*string{"apps/web/deploy.yaml": &bad})
	h.must(err)
	if pr.Number != n {
		h.t.Fatalf("pull request #%d, want #%d", pr.Number, n)
	}
	h.must(h.stage.Repo.SetCheck(pr.HeadSHA, "ci", "success", nil))
	h.until("the pull request to be mergeable", func() (bool, string) {
		pr, _ := h.stage.Repo.PR(n)
		return pr.Status == "CLEAN", pr.Status
	})
	_, err = h.stage.Repo.MergePR(n, "squash", "bob")
	h.must(err)
	h.must(h.stage.Cluster.Reconcile())
}

func (h *house) say(number int, text string) {
	h.t.Helper()
	_, err := h.stage.Repo.Comment(number, "ann", text)
	h.must(err)
	h.must(h.stage.Hub.Flush(h.t.Context()))
}

// waitsForCI waits until there are n Rollbacks and the newest waits at the gate.
func (h *house) waitsForCI(n int) (id bot.RollbackID) {
	h.t.Helper()
	h.until("a Rollback that waits for its check", func() (bool, string) {
		all, err := h.ledger.Find(h.t.Context(), bot.RollbackQuery{Repo: stage.RepoName})
		if err != nil || len(all) != n {
			return false, fmt.Sprintf("%d rollbacks, %v", len(all), err)
		}
		if all[0].End != nil {
			h.t.Fatalf("it has ended: %+v", all[0].End)
		}
		id = all[0].ID
		if all[0].View == nil {
			return false, "no view"
		}
		return strings.Contains(all[0].View.Waiting, "ci"), all[0].View.Waiting
	})
	return id
}

// turnGreen lets CI succeed on the open revert.
func (h *house) turnGreen() {
	h.t.Helper()
	for _, pr := range h.stage.Repo.PRs() {
		if pr.Author == h.stage.GitHub.BotLogin() && pr.State == "open" {
			h.must(h.stage.Repo.SetCheck(pr.HeadSHA, "ci", "success", nil))
			return
		}
	}
	h.t.Fatal("no revert is open")
}

// end waits until a Rollback has ended.
func (h *house) end(id bot.RollbackID) (rec bot.Record) {
	h.t.Helper()
	h.until("the end of "+string(id), func() (bool, string) {
		var err error
		rec, err = h.ledger.Rollback(h.t.Context(), id)
		if err != nil || rec.End == nil {
			return false, fmt.Sprintf("%+v, %v", rec.View, err)
		}
		return true, ""
	})
	return rec
}

// reverts are the bot's pull requests.
func (h *house) reverts() (out []string) {
	for _, pr := range h.stage.Repo.PRs() {
		if pr.Author == h.stage.GitHub.BotLogin() {
			merged := ""
			if pr.Merged {
				merged = " merged"
			}
			out = append(out, fmt.Sprintf("#%d %s%s", pr.Number, pr.State, merged))
		}
	}
	return out
}

// sticky is all that the bot wrote on a pull request.
func (h *house) sticky(number int) string {
	var all []string
	for _, c := range h.stage.Repo.Comments(number) {
		if c.Author == h.stage.GitHub.BotLogin() {
			all = append(all, c.Body)
		}
	}
	return strings.Join(all, "\n")
}

func (h *house) held() bool {
	h.t.Helper()
	apps, err := h.stage.Cluster.Apps(h.t.Context())
	h.must(err)
	return apps[0].Hold != nil
}

// until waits for a condition; it uses up its patience only in a test that
// fails.
func (h *house) until(what string, cond func() (bool, string)) {
	h.t.Helper()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-poll.C {
		ok, seen := cond()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("waited for %s; last seen: %s", what, seen)
		}
	}
}

func manifest(tag string) string {
	return `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: registry.example/web:` + tag + "\n"
}
