package model

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/test/simcluster"
)

// turn is one act of a short story that is played in both places.
type turn struct {
	do, who, text string
	n             int
}

// plot is such a story.
type plot struct {
	commands, hold string
	protected      bool
	method         string
	turns          []turn
}

// plots draws one. It keeps to what people see and do: pushes, comments, checks,
// closing, merging, permissions, holds, time.
var plots = rapid.Custom(func(t *rapid.T) plot {
	p := plot{
		commands: draw(t, "commands", "auto", "approve", "propose"), hold: draw(t, "hold", "always", "never"),
		protected: draw(t, "protected", true, false), method: draw(t, "method", "squash", "merge", "rebase"),
	}
	p.turns = append(p.turns, turn{do: "break"})
	for range rapid.IntRange(4, 9).Draw(t, "turns") {
		do := draw(t, "do", "comment", "comment", "ci", "pass", "grant", "suspend", "close", "merge", "push revert", "push")
		next := turn{do: do, who: draw(t, "who", "bob", "carol", "eve"), n: draw(t, "n", 1, 2)}
		switch do {
		case "comment":
			next.text = draw(t, "text", "/rollback", "/rollback", "/rollback approve", "/rollback cancel", "/rollback status")
		case "ci":
			next.text = draw(t, "text", "success", "failure")
		case "grant":
			next.text = draw(t, "text", "read", "write")
		case "push":
			next.text = draw(t, "text", "docs", "image")
		case "suspend":
			next.text = draw(t, "text", "on", "off")
		}
		p.turns = append(p.turns, next)
	}
	return p
})

// place is where a plot is played.
type place interface {
	act(turn) error
	pass(time.Duration) error
	end() string // how things stand, as a person sees them
}

// TestTheWorldIsLikeTheStage plays the same stories in the model's world and on
// the stage, with HTTP and real git, and compares how they end.
func TestTheWorldIsLikeTheStage(t *testing.T) {
	n := 8
	if testing.Short() {
		n = 3
	}
	ends := map[string]int{}
	for i := range n {
		p := plots.Example(i)
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			var fast string
			synctest.Test(t, func(t *testing.T) {
				var err error
				if fast, err = perform(p, worldPlace(t, p)); err != nil {
					t.Fatalf("in the world: %v", err)
				}
			})
			real, err := perform(p, stagePlace(t, p))
			if err != nil {
				t.Fatalf("on the stage: %v", err)
			}
			if diff := cmp.Diff(real, fast); diff != "" {
				t.Errorf("%+v\nends (-stage +world):\n%s", p, diff)
			}
			ends[fast]++
		})
	}
	t.Logf("%d plots, %d different ends", n, len(ends))
}

func perform(p plot, at place) (string, error) {
	for i, next := range p.turns {
		if err := at.act(next); err != nil {
			return "", fmt.Errorf("turn %d %+v: %w", i, next, err)
		}
		if next.do == "pass" {
			if err := at.pass(time.Duration(next.n) * 20 * time.Minute); err != nil {
				return "", err
			}
		}
	}
	if err := at.pass(7 * time.Hour); err != nil {
		return "", err
	}
	return at.end(), nil
}

func (p plot) settings() policy.Settings {
	commands := bot.Mode(p.commands)
	return policy.Settings{Commands: &commands, Hold: &p.hold, ApproveWithin: pointer(policy.Duration(2 * time.Hour))}
}

// webApp is the one App of the plots.
func webApp() simcluster.AppSpec { return appSpecs()[0] }

// told is a Rollback as people see it.
func told(records []bot.Record) string {
	var b strings.Builder
	for _, r := range slices.Backward(records) {
		verdict, summary := bot.Verdict("none"), ""
		if r.End != nil {
			verdict, summary = r.End.Verdict, kind(r.End.Summary)
		}
		fmt.Fprintf(&b, "rollback attempt %d by %s: %s (%s)\n", r.Attempt, r.Incident.Requester, verdict, summary)
	}
	return b.String()
}

// seen is a pull request. What is said at one moment has no order.
func seen(number int, author string, open, merged bool, comments []string) string {
	slices.Sort(comments)
	return fmt.Sprintf("#%d by %s open=%v merged=%v comments:\n  %s\n", number, author, open, merged, strings.Join(comments, "\n  "))
}

func applied(c *simcluster.Cluster) string {
	a, _ := c.App(context.Background(), webApp().ID)
	return fmt.Sprintf("web is %s, held=%v\n", a.Health, a.Hold != nil)
}
