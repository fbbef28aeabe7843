package faults

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

var (
	gone      = bot.NewTrouble(bot.TroubleTransient, nil, "Cluster prod can't be reached.")
	forbidden = bot.NewTrouble(bot.TroubleForbidden, nil, "The cluster forbids it.").WithAdvice("Grant Backout the role.")
)

// TestClusterGone takes the cluster away at each act: for minutes and the
// Rollback goes on, or for hours and a person is asked. What was held is free
// at the end, by the janitor at the latest.
func TestClusterGone(t *testing.T) {
	for _, at := range []struct {
		name, act string
		late      bool
	}{
		{"before hold", "hold", false}, {"while holding", "hold", true},
		{"at release", "release", false}, {"while releasing", "release", true},
		{"in sync", "sync", false}, {"while syncing", "sync", true}, {"in verify", "verify", false},
	} {
		for _, tt := range []struct {
			name  string
			err   *bot.Trouble
			lasts time.Duration
		}{{"for minutes", gone, 10 * time.Minute}, {"for hours", gone, 5 * time.Hour}, {"forbidden", forbidden, 5 * time.Hour}} {
			t.Run(at.name+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, setup{})
				w.faulty = w.clock.Now()
				w.prod.breakAt(at.act, at.late, tt.err, tt.lasts)
				w.comment("/rollback")
				rec := w.ended(8 * time.Hour)
				back, ok := w.prod.back()
				if !ok {
					t.Fatal("the cluster never went away")
				}
				w.toldBy(rec, time.Hour)
				w.freeBy(back)
				wanted := want{verdict: bot.VerdictVerified, says: []string{"verified"}}
				switch {
				case tt.name == "for minutes":
				case at.act == "verify":
					wanted = want{verdict: bot.VerdictUnverified, says: []string{tt.err.Text, "Check production yourself."}}
				default:
					wanted = want{verdict: bot.VerdictNeedsHuman, says: []string{strings.TrimSuffix(tt.err.Text, "."), "What to do now", tt.err.Advice}}
				}
				w.settled(rec, wanted)
			})
		}
	}
}

// TestClusterSlow lets each answer of the cluster take 25 seconds, just less than
// what the adapters wait for: all of it takes longer, and comes to the same end.
func TestClusterSlow(t *testing.T) {
	w := newWorld(t, setup{})
	w.faulty = w.clock.Now()
	w.prod.slow(func() { w.clock.Advance(25 * time.Second) })
	w.comment("/rollback")
	rec := w.ended(time.Hour)
	if took := rec.End.At.Sub(w.faulty); took < 2*time.Minute {
		t.Errorf("it took %s, so the cluster was not slow", took)
	}
	w.toldBy(rec, time.Hour)
	w.settled(rec, want{verdict: bot.VerdictVerified, says: []string{"verified"}})
}

// freeBy asserts that nothing is held once the cluster is back and the deadline
// has passed, and one sweep, which runs in real time.
func (w *world) freeBy(back time.Time) {
	w.t.Helper()
	holds, err := w.stage.Cluster.Holds(w.ctx)
	w.must(err)
	if len(holds) == 0 {
		return
	}
	if holds[0].Owner == "" || holds[0].Deadline.IsZero() {
		w.t.Errorf("a hold without owner or deadline: %+v", holds[0])
	}
	if left := back.Sub(w.clock.Now()); left > 0 {
		w.clock.Advance(left)
	}
	w.await("the janitor", func() (bool, string) {
		holds, err := w.stage.Cluster.Holds(w.ctx)
		return err == nil && len(holds) == 0, fmt.Sprint(holds, err)
	})
}

// TestAlertWhileTheClusterIsGone: an alert waits for the cluster, and is acted
// upon when it is back, unless that was so long ago that the alert need not be
// true any more and nobody says it is.
func TestAlertWhileTheClusterIsGone(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lasts time.Duration
		over  bool // it no longer fires when the cluster is back
	}{{"for minutes", 10 * time.Minute, false}, {"for hours", 5 * time.Hour, false}, {"for hours, and it is over", 5 * time.Hour, true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{policy: "alerts: auto\n"})
			w.faulty = w.clock.Now()
			w.prod.breakAt("app", false, gone, tt.lasts)
			w.alert()
			if tt.over {
				w.stage.Cluster.Mend(web)
				w.drive("a line in the log", 8*time.Hour, func() (bool, string) { return w.log.has("not known to fire any more"), "" })
				if _, ok := w.rollback(); ok {
					t.Error("a Rollback was begun")
				}
				w.bounded()
				note(w, "logged")
				return
			}
			rec := w.ended(8 * time.Hour)
			w.toldBy(rec, time.Hour)
			w.settled(rec, want{verdict: bot.VerdictVerified, says: []string{"verified"}})
		})
	}
}
