package faults

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
)

// TestClockJumps sets the wall clock while a revert waits for CI, with every
// webhook lost from then on, so that only polling goes on. A clock that is set
// forward past a deadline ends the wait, as if so long had passed; one that is
// set back makes no poll longer.
func TestClockJumps(t *testing.T) {
	for _, tt := range []struct {
		name string
		jump time.Duration
		want want
	}{
		{"forward within all deadlines", 10 * time.Minute, want{verdict: bot.VerdictVerified, says: []string{"verified"}}},
		{"forward past the deadline", 6 * time.Hour, want{verdict: bot.VerdictNeedsHuman, says: []string{"could not merge within 1h", "Merge #2"}}},
		{"back by minutes", -10 * time.Minute, want{verdict: bot.VerdictVerified, says: []string{"verified"}}},
		{"back by hours", -6 * time.Hour, want{verdict: bot.VerdictVerified, says: []string{"verified"}}},
		{"back by a year", -365 * 24 * time.Hour, want{verdict: bot.VerdictVerified, says: []string{"verified"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{slowCI: true, durable: true})
			w.comment("/rollback")
			w.await("a revert that waits for CI", func() (bool, string) {
				rec, ok := w.rollback()
				return ok && rec.View != nil && strings.Contains(rec.View.Waiting, "ci"), fmt.Sprintf("%+v", rec.View)
			})
			w.must(w.stage.Hub.Flush(w.ctx))
			w.stage.Hub.LoseWebhook(func(fakehub.Delivery) bool { return true })
			began := time.Now()
			w.clock.Advance(tt.jump)
			w.faulty = w.clock.Now()
			if tt.want.verdict == bot.VerdictVerified {
				w.must(w.stage.Repo.SetCheck(w.mine()[0].HeadSHA, "ci", "success", nil))
			}
			var rec bot.Record
			w.await("a verdict", func() (bool, string) {
				rec, _ = w.rollback()
				return rec.End != nil, fmt.Sprintf("%+v", rec.View)
			})
			w.await("the comment", func() (bool, string) {
				all := strings.Join(w.comments(), "\n")
				return strings.Contains(all, verdictWords[rec.End.Verdict]), all
			})
			w.steady(time.Since(began))
			w.settled(rec, tt.want)
		})
	}
}

// steady asserts that a jump made no loop of the polling, which goes on ten
// times a second on this stage.
func (w *world) steady(spent time.Duration) {
	w.t.Helper()
	if n := len(w.wire.since(w.faulty.Add(-time.Second))); n > 60+int(spent/(100*time.Millisecond))*6 {
		w.t.Errorf("%d requests in %v", n, spent)
	}
}
