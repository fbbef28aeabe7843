package replay_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
)

// second is a flow of another step order beside the one of today.
func second(v bot.Versions) bot.Version[bot.RollbackID] {
	today := v.Rollbacks[len(v.Rollbacks)-1].Run
	return bot.Version[bot.RollbackID]{Name: "rollback/v1000", Run: func(ctx context.Context, j bot.Journal, id bot.RollbackID) error {
		if _, err := j.Do(ctx, "announce", func(context.Context) ([]byte, error) { return []byte("true"), nil }); err != nil {
			return err
		}
		return today(ctx, j, id)
	}}
}

// both has the flow of today and a newer one.
func both(v bot.Versions) bot.Versions {
	v.Rollbacks = append(v.Rollbacks, second(v))
	return v
}

// later has only the newer one: a release was skipped.
func later(v bot.Versions) bot.Versions {
	v.Rollbacks = []bot.Version[bot.RollbackID]{second(v)}
	return v
}

func today(v bot.Versions) bot.Versions { return v }

// TestUpgradeInTheMiddle upgrades the bot while a Rollback of the real flow, on
// the durable engine, waits for its merge: it goes on under the version that it
// was begun with and ends verified, and what is begun afterwards runs as the
// newer version.
func TestUpgradeInTheMiddle(t *testing.T) {
	t.Parallel()
	h := open(t, today)
	h.breakApp(1)
	h.say(1, "/rollback")
	first := h.waitsForCI(1)
	h.restart(both)
	h.turnGreen()
	if rec := h.end(first); rec.End.Verdict != bot.VerdictVerified {
		t.Errorf("the Rollback begun before the upgrade ended as %s: %s\n%v", rec.End.Verdict, rec.End.Summary, rec.View.Todo)
	}
	if steps := h.steps(first); steps[0] != "load" || slices.Contains(steps, "announce") {
		t.Errorf("steps %v, want those of the version it was begun with", steps)
	}

	h.breakApp(3)
	h.say(3, "/rollback")
	next := h.waitsForCI(2)
	h.turnGreen()
	if rec := h.end(next); rec.End.Verdict != bot.VerdictVerified {
		t.Errorf("the Rollback begun after the upgrade ended as %s: %s", rec.End.Verdict, rec.End.Summary)
	}
	if steps := h.steps(next); steps[0] != "announce" {
		t.Errorf("steps %v, want those of the newer version", steps)
	}
	want := []string{"#2 closed merged", "#4 closed merged"}
	if diff := cmp.Diff(want, h.reverts()); diff != "" {
		t.Errorf("reverts (-want +got):\n%s", diff)
	}
}

// TestSkippedUpgradeIsLoud upgrades to a bot that no longer has the version of
// a Rollback that waits with a held App: people are told what to do, the App is
// free, and a new command works.
func TestSkippedUpgradeIsLoud(t *testing.T) {
	t.Parallel()
	h := open(t, today)
	h.breakApp(1)
	h.say(1, "/rollback")
	first := h.waitsForCI(1)
	if !h.held() {
		t.Fatal("the App is not held; nothing would be left behind")
	}
	h.restart(later)
	rec := h.end(first)
	if rec.End.Verdict != bot.VerdictNeedsHuman || !strings.Contains(rec.End.Summary, "older Backout") {
		t.Errorf("ended as %s: %s", rec.End.Verdict, rec.End.Summary)
	}
	h.until("the comment to tell", func() (bool, string) {
		text := h.sticky(1)
		return strings.Contains(text, "older Backout") && strings.Contains(text, "/rollback"), text
	})
	h.until("the App to be free", func() (bool, string) { return !h.held(), "held" })

	h.say(1, "/rollback")
	next := h.waitsForCI(2)
	if steps := h.steps(next); steps[0] != "announce" {
		t.Errorf("steps %v, want those of the newer version", steps)
	}
}

// TestLostCommandIsAnswered skips the release that could still read a command
// under way: whoever gave it is told.
func TestLostCommandIsAnswered(t *testing.T) {
	t.Parallel()
	began := make(chan struct{}, 1)
	h := open(t, func(v bot.Versions) bot.Versions {
		v.Intakes[0].Run = func(ctx context.Context, j bot.Journal, _ bot.Event) error {
			_, err := j.Do(ctx, "think", func(ctx context.Context) ([]byte, error) {
				began <- struct{}{}
				<-ctx.Done()
				return nil, ctx.Err()
			})
			return err
		}
		return v
	})
	h.breakApp(1)
	h.say(1, "/rollback")
	h.until("the intake to be under way", func() (bool, string) { return len(began) > 0, "nothing" })
	h.restart(func(v bot.Versions) bot.Versions {
		v.Intakes[0].Name = "intake/v1000"
		return v
	})
	h.until("an answer", func() (bool, string) {
		text := h.sticky(1)
		return strings.Contains(text, "internal error") && strings.Contains(text, "comment the command again"), text
	})
	h.say(1, "/rollback")
	h.waitsForCI(1)
}

// TestDowngradeRefuses starts a bot that does not know the version of an
// unfinished Rollback, and then the one again that does.
func TestDowngradeRefuses(t *testing.T) {
	t.Parallel()
	h := open(t, both)
	h.breakApp(1)
	h.say(1, "/rollback")
	id := h.waitsForCI(1)
	h.stop()
	h.wire(today)
	err := h.stage.App.Run(t.Context())
	for _, want := range []string{string(id), "rollback/v1000", "newer Backout"} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("the refusal %q does not mention %s", err, want)
		}
	}
	h.restart(both)
	h.turnGreen()
	if rec := h.end(id); rec.End.Verdict != bot.VerdictVerified {
		t.Errorf("ended as %s: %s", rec.End.Verdict, rec.End.Summary)
	}
}

// steps are what is on record of a Rollback.
func (h *house) steps(id bot.RollbackID) []durable.StepName {
	h.t.Helper()
	steps, err := h.engine.Steps(h.t.Context(), string(id))
	if err != nil || len(steps) == 0 {
		h.t.Fatalf("steps of %s: %v, %v", id, steps, err)
	}
	return steps
}
