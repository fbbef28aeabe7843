package bot_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/test/simcluster"
)

// janitor is a flow that can only sweep and record.
func janitor(t *testing.T, c *simcluster.Cluster, now func() time.Time) (*bot.Flow, *durable.Ledger) {
	t.Helper()
	ledger, err := durable.OpenLedger(t.Context(), ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ledger.Close() })
	return bot.NewFlow(bot.Config{
		Ports: bot.Ports{Fleet: c.Fleet(), Ledger: ledger}, Now: now, Log: slog.New(slog.DiscardHandler),
	}), ledger
}

func held(t *testing.T, c *simcluster.Cluster, app bot.AppID) bool {
	t.Helper()
	a, err := c.App(t.Context(), app)
	if err != nil {
		t.Fatal(err)
	}
	return a.Hold != nil
}

func TestSweep(t *testing.T) {
	start := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	app := id("prod", "web")
	place := func(t *testing.T, c *simcluster.Cluster, owner bot.RollbackID) {
		t.Helper()
		if _, err := c.Hold(t.Context(), bot.Lease{App: app, Owner: owner, Deadline: start.Add(30 * time.Minute)}); err != nil {
			t.Fatal(err)
		}
	}
	begin := func(t *testing.T, l *durable.Ledger) bot.RollbackID {
		t.Helper()
		b, err := l.Begin(t.Context(), bot.Rollback{
			Host: "github.com", Repo: "acme/fleet", Base: "main", Apps: []bot.AppID{app},
			Culprit: bot.Change{Commits: []bot.SHA{"1111111111111111111111111111111111111111"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return b.ID
	}
	for _, tc := range []struct {
		name  string
		set   func(t *testing.T, c *simcluster.Cluster, l *durable.Ledger)
		after time.Duration
		held  bool
	}{
		{"a live rollback keeps its hold", func(t *testing.T, c *simcluster.Cluster, l *durable.Ledger) { place(t, c, begin(t, l)) }, time.Minute, true},
		{"until its deadline", func(t *testing.T, c *simcluster.Cluster, l *durable.Ledger) { place(t, c, begin(t, l)) }, 30 * time.Minute, false},
		{"an ended rollback keeps nothing", func(t *testing.T, c *simcluster.Cluster, l *durable.Ledger) {
			id := begin(t, l)
			place(t, c, id)
			if err := l.Finish(t.Context(), id, bot.End{Verdict: bot.VerdictFailed, At: start}); err != nil {
				t.Fatal(err)
			}
		}, 0, false},
		{"nobody's hold goes", func(t *testing.T, c *simcluster.Cluster, _ *durable.Ledger) { place(t, c, "rb-000000000000") }, 0, false},
		{"a human's hold stays", func(_ *testing.T, c *simcluster.Cluster, _ *durable.Ledger) { c.Suspend(app) }, 24 * time.Hour, true},
		{"a ledger that can't be read keeps a hold before its deadline", func(t *testing.T, c *simcluster.Cluster, l *durable.Ledger) {
			place(t, c, begin(t, l))
			_ = l.Close()
		}, time.Minute, true},
		{"and not after", func(t *testing.T, c *simcluster.Cluster, l *durable.Ledger) {
			place(t, c, begin(t, l))
			_ = l.Close()
		}, time.Hour, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := cluster("prod", bot.Workload{Kind: "Deployment", Namespace: "shop", Name: "web"})
			f, ledger := janitor(t, c, func() time.Time { return start.Add(tc.after) })
			tc.set(t, c, ledger)
			_, _ = f.Sweep(t.Context())
			if got := held(t, c, app); got != tc.held {
				t.Errorf("held %v after the sweep, want %v", got, tc.held)
			}
		})
	}
}

// With --observe nothing is written, not even by the janitor.
func TestSweepObserves(t *testing.T) {
	c := cluster("prod", bot.Workload{Kind: "Deployment", Namespace: "shop", Name: "web"})
	f, _ := janitor(t, c, time.Now)
	f.Observe = true
	if _, err := c.Hold(t.Context(), bot.Lease{App: id("prod", "web"), Owner: "rb-000000000000"}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !held(t, c, id("prod", "web")) {
		t.Error("an observing janitor released a hold")
	}
}

// branch is a source whose head the test moves.
type branch struct{ head bot.SHA }

func (b *branch) Head(string) (bot.SHA, error)         { return b.head, nil }
func (b *branch) File(bot.SHA, string) ([]byte, error) { return []byte("image: web:1"), nil }

// Control planes tell whole seconds, so a rollout is dated at the end of its
// second: it must never seem older than trouble that began before it.
func TestRecordDatesARollout(t *testing.T) {
	start := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name          string
		applied, seen time.Duration
		want          time.Duration
	}{
		{"whole seconds count to their end", time.Minute, 90 * time.Second, time.Minute + time.Second},
		{"a finer time stands", time.Minute + time.Millisecond, 90 * time.Second, time.Minute + time.Millisecond},
		{"not later than our own look", time.Minute, time.Minute + 300*time.Millisecond, time.Minute + 300*time.Millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			now, main := start, &branch{head: "1111111111111111111111111111111111111111"}
			c := simcluster.New(simcluster.Config{Name: "prod", Repo: "acme/fleet", Source: main, Now: func() time.Time { return now }})
			c.Add(simcluster.AppSpec{ID: id("prod", "web"), Branch: "main", Path: "web", AutoSync: true})
			f, ledger := janitor(t, c, func() time.Time { return now })
			deploy := func(applied, seen time.Duration) {
				now = start.Add(applied)
				if err := c.Reconcile(); err != nil {
					t.Fatal(err)
				}
				now = start.Add(seen)
				if err := f.Record(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			deploy(0, 0)
			main.head = "2222222222222222222222222222222222222222"
			deploy(tc.applied, tc.seen)
			line, err := ledger.Deployments(t.Context(), id("prod", "web"), 1)
			if err != nil || len(line) != 1 {
				t.Fatalf("deployments: %v, %v", line, err)
			}
			if got := line[0].At.Sub(start); got != tc.want {
				t.Errorf("dated %s after the start, want %s", got, tc.want)
			}
		})
	}
}
