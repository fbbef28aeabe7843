package faults

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/cmd/app"
	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/test/memory"
	"github.com/backout-dev/backout/test/simcluster"
	"github.com/backout-dev/backout/test/stage"
)

// world is the stage with the fake clock and the wire between bot and hub.
type world struct {
	t      *testing.T
	ctx    context.Context
	dir    string
	clock  *memory.Clock
	engine *memory.Engine
	stage  *stage.Stage
	wire   *wire
	prod   *flaky
	log    *logbook
	faulty time.Time // when the fault began, on the fake clock
}

// setup changes a world before it is made; the zero value holds the App, and
// has a CI that is green at once.
type setup struct {
	policy string // YAML over "hold: always"
	strict bool   // a branch must hold its base before it is merged
	slowCI bool   // CI says nothing by itself
	config func(*app.Config)
	// rightHub keeps GitHub's clock right, whatever the bot's is.
	rightHub bool
	// durable keeps the flows with DBOS on SQLite and lets time be real.
	durable bool
}

// patience bounds what passes in real time. A busy machine is no failure.
const patience = 100 * time.Second

var web = bot.AppID{Cluster: "prod", Kind: bot.KindKustomization, Namespace: "flux-system", Name: "web"}

// manifest is the repository's one manifest.
func manifest(image string) *string {
	s := fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:%s
`, image)
	return &s
}

const manifestFile = "apps/web/deploy.yaml"

// newWorld opens the stage with a bad change merged and delivered as #1.
func newWorld(t *testing.T, s setup) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	clock := memory.NewClock()
	w := &world{t: t, ctx: ctx, dir: t.TempDir(), clock: clock, wire: newWire(clock.Now), log: &logbook{}}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	o := stage.Options{
		Dir: w.dir, Log: log, Now: clock.Now, Transport: w.wire,
		Fleet: func(c *simcluster.Cluster) *bot.Fleet {
			w.prod = &flaky{Cluster: c, now: clock.Now}
			return &bot.Fleet{Deployers: []bot.Deployer{w.prod}, Workloads: map[string]bot.Workloads{"prod": w.prod}}
		},
		Files: map[string]string{manifestFile: *manifest("v1")},
		Config: func(c *app.Config) {
			w.must(yaml.UnmarshalStrict([]byte("hold: always\n"+s.policy), &c.Policy.Defaults))
			if s.config != nil {
				s.config(c)
			}
		},
	}
	if s.durable || s.rightHub {
		// Only the bot's clock is set; GitHub's is right.
		o.Hub = func(h *fakehub.Options) { h.Now = time.Now }
	}
	if !s.durable {
		ledger, err := durable.OpenLedger(ctx, filepath.Join(w.dir, "ledger.db"))
		w.must(err)
		t.Cleanup(func() { _ = ledger.Close() })
		ledger.Now = clock.Now
		timing := bot.DefaultTiming()
		w.engine = memory.New(memory.Options{Clock: clock, Log: log})
		o.Timing, o.Engine, o.Ledger = &timing, w.engine, ledger
	}
	w.open(o, s)
	return w
}

func (w *world) open(o stage.Options, s setup) {
	w.t.Helper()
	var err error
	w.stage, err = stage.Open(w.ctx, o)
	w.must(err)
	w.t.Cleanup(func() {
		w.stage.Hub.Behave()
		w.wire.breakWith(nil)
		if err := w.stage.Close(); err != nil {
			w.t.Errorf("close stage: %v", err)
		}
	})
	repo := w.stage.Repo
	repo.Protect("main", fakehub.Protection{RequiredChecks: []fakehub.RequiredCheck{{Context: "ci"}}, Strict: s.strict})
	repo.CI(func(string) []fakehub.CIResult {
		if s.slowCI {
			return []fakehub.CIResult{{Name: "ci"}}
		}
		return []fakehub.CIResult{{Name: "ci", Conclusion: "success"}}
	})
	w.stage.Cluster.Add(simcluster.AppSpec{
		ID: web, Branch: "main", Path: "apps/web", AutoSync: true,
		Workload: bot.Workload{Kind: "Deployment", Namespace: "shop", Name: "web"},
	})
	w.must(w.stage.Cluster.Reconcile())
	w.stage.Start(w.ctx)
	w.recorded()
	pr, err := repo.OpenPR("bob", "Update web to v2", "topic", "main", map[string]*string{manifestFile: manifest("v2-bad")})
	w.must(err)
	if s.slowCI {
		w.must(repo.SetCheck(pr.HeadSHA, "ci", "success", nil))
	}
	_, err = repo.MergePR(pr.Number, "squash", "bob")
	w.must(err)
	w.must(w.stage.Cluster.Reconcile())
	w.recorded()
	w.must(w.stage.Hub.Flush(w.ctx))
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// fail adds a fault to the hub; a matcher of nil matches all.
func (w *world) fail(f fakehub.Fault) {
	w.faulty = w.clock.Now()
	w.stage.Hub.Fail(f)
}

// until limits a matcher to a span of the fake clock.
func (w *world) until(d time.Duration, match func(fakehub.Request) bool) func(fakehub.Request) bool {
	end := w.clock.Now().Add(d)
	return func(r fakehub.Request) bool { return w.clock.Now().Before(end) && (match == nil || match(r)) }
}

// await waits in real time, for what is no part of a flow.
func (w *world) await(what string, done func() (bool, string)) {
	w.t.Helper()
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, seen := done()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-w.ctx.Done():
			w.t.Fatalf("waited for %s; last seen: %s\n%s", what, seen, w.state())
		}
	}
}

// drive passes time from one alarm to the next, as each flow comes to rest,
// until something is so. It fails when that takes longer than within, on the
// fake clock.
func (w *world) drive(what string, within time.Duration, done func() (bool, string)) {
	w.t.Helper()
	deadline, idle := w.clock.Now().Add(within), 0
	for {
		if err := w.engine.Idle(w.ctx); err != nil {
			w.t.Fatalf("drive to %s: %v\n%s", what, err, w.state())
		}
		w.await("the bot to be quiet", func() (bool, string) { return w.wire.quiet(), "requests under way" })
		ok, seen := done()
		if ok {
			return
		}
		next, set := w.clock.Next()
		switch {
		case !set:
			// Nothing sleeps: something is just about to begin, or, after a minute, never will.
			idle++
			if idle > 60_000 {
				w.t.Fatalf("waited for %s, and nothing goes on; last seen: %s\n%s", what, seen, w.state())
			}
			time.Sleep(time.Millisecond)
			continue
		case next.After(deadline):
			w.t.Fatalf("%s did not come within %v; last seen: %s\n%s", what, within, seen, w.state())
		}
		w.clock.Advance(max(next.Sub(w.clock.Now()), 0))
	}
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.must(w.engine.Advance(w.ctx, d))
}

// recorded waits until the bot knows what runs.
func (w *world) recorded() {
	w.t.Helper()
	w.await("the bot's record of what runs", func() (bool, string) {
		app, err := w.stage.Cluster.App(w.ctx, web)
		w.must(err)
		lines, err := w.ledger().Deployments(w.ctx, web, 1)
		return err == nil && len(lines) == 1 && lines[0].Revision == app.Revision && lines[0].Health == app.Health, fmt.Sprint(lines, err)
	})
}

func (w *world) ledger() bot.Ledger { return w.stage.App.Flow.Ports.Ledger }

// comment lets ann write on #1.
func (w *world) comment(text string) {
	w.t.Helper()
	_, err := w.stage.Repo.Comment(1, "ann", text)
	w.must(err)
	w.must(w.stage.Hub.Flush(w.ctx))
}

func (w *world) alert() {
	w.t.Helper()
	code, err := w.stage.SendAlerts(w.ctx, w.stage.Cluster.Alerts()...)
	w.must(err)
	if code/100 != 2 {
		w.t.Fatalf("the alert was answered with %d", code)
	}
}

// rollback is the newest Rollback; ok is false while there is none.
func (w *world) rollback() (rec bot.Record, ok bool) {
	w.t.Helper()
	list, err := w.ledger().Find(context.WithoutCancel(w.ctx), bot.RollbackQuery{Repo: stage.RepoName})
	w.must(err)
	if len(list) == 0 {
		return bot.Record{}, false
	}
	return list[0], true
}

// ended drives to the verdict.
func (w *world) ended(within time.Duration) bot.Record {
	w.t.Helper()
	var rec bot.Record
	w.drive("a verdict", within, func() (bool, string) {
		var ok bool
		rec, ok = w.rollback()
		return ok && rec.End != nil, fmt.Sprintf("%v", ok)
	})
	return rec
}

// toldBy drives to a comment that tells the verdict.
func (w *world) toldBy(rec bot.Record, within time.Duration) {
	w.t.Helper()
	w.drive("the comment that tells the end", within, func() (bool, string) {
		all := strings.Join(w.comments(), "\n----\n")
		// Only a comment that is finished has no step under way.
		return strings.Contains(all, verdictWords[rec.End.Verdict]), all
	})
}

// verdictWords are in the heading of a comment that is finished.
var verdictWords = map[bot.Verdict]string{
	bot.VerdictVerified: "verified", bot.VerdictNeedsHuman: "person", bot.VerdictCancelled: "ancelled",
	bot.VerdictUnverified: "could not be verified",
}

// opened drives to the open revert that waits for CI.
func (w *world) opened() fakehub.PR {
	w.t.Helper()
	w.drive("a revert that waits for CI", time.Hour, func() (bool, string) {
		rec, ok := w.rollback()
		return ok && len(w.mine()) == 1 && rec.View != nil && strings.Contains(rec.View.Waiting, "ci"), fmt.Sprintf("%v %+v", ok, rec.View)
	})
	return w.mine()[0]
}

// mine are the pull requests that the bot opened.
func (w *world) mine() []fakehub.PR {
	var out []fakehub.PR
	for _, pr := range w.stage.Repo.PRs() {
		if pr.Author == w.stage.GitHub.BotLogin() {
			out = append(out, pr)
		}
	}
	return out
}

// comments are what the bot wrote on #1.
func (w *world) comments() []string {
	var out []string
	for _, c := range w.stage.Repo.Comments(1) {
		if c.Author == w.stage.GitHub.BotLogin() {
			out = append(out, c.Body)
		}
	}
	return out
}

func (w *world) state() string {
	var b strings.Builder
	if rec, ok := w.rollback(); ok {
		fmt.Fprintf(&b, "rollback %s end %+v\n", rec.ID, rec.End)
		if rec.View != nil {
			for _, s := range rec.View.Steps {
				fmt.Fprintf(&b, "  %s %s %s\n", s.State, s.Name, s.Detail)
			}
			fmt.Fprintf(&b, "  now %q waiting %q todo %q\n", rec.View.Now, rec.View.Waiting, rec.View.Todo)
		}
	}
	for _, pr := range w.stage.Repo.PRs() {
		fmt.Fprintf(&b, "#%d %s %s %q by %s\n", pr.Number, pr.State, pr.Status, pr.Title, pr.Author)
	}
	fmt.Fprintf(&b, "comments:\n%s\n", strings.Join(w.comments(), "\n----\n"))
	for _, s := range w.wire.since(w.faulty) {
		fmt.Fprintf(&b, "  %s %3d %s\n", s.at.Format(time.TimeOnly), s.status, s.line)
	}
	return b.String() + w.log.tail()
}

// logbook keeps the bot's log.
type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logbook) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.b.String(), text)
}

// tail is the log's last part, without the loops that sweep and record.
func (l *logbook) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []string
	for line := range strings.Lines(l.b.String()) {
		if !strings.Contains(line, "upkeep met trouble") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-60):], "")
}
