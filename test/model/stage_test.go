package model

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/cmd/app"
	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/test/memory"
	"github.com/backout-dev/backout/test/simcluster"
	"github.com/backout-dev/backout/test/stage"
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

// onStage is the stage.
type onStage struct {
	*stage.Stage
	ctx    context.Context
	clock  *memory.Clock
	engine *memory.Engine
	method string
	ci     string
}

func stagePlace(t *testing.T, p plot) *onStage {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	s := &onStage{ctx: ctx, clock: memory.NewClock(), method: p.method, ci: "success"}
	ledger, err := durable.OpenLedger(ctx, ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ledger.Close() })
	ledger.Now = s.clock.Now
	s.engine = memory.New(memory.Options{Clock: s.clock})
	s.Stage, err = stage.Open(ctx, stage.Options{
		Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Files: startFiles(), Now: s.clock.Now, Timing: &timing,
		Engine: s.engine, Ledger: ledger, Config: func(c *app.Config) { c.Policy.Defaults = p.settings() },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close stage: %v", err)
		}
	})
	s.Repo.Configure(func(o *fakehub.RepoOptions) { o.Methods = []string{p.method} })
	s.Repo.CI(func(string) []fakehub.CIResult { return []fakehub.CIResult{{Name: "ci", Conclusion: s.ci}} })
	if p.protected {
		s.Repo.Protect(trunk, fakehub.Protection{RequiredChecks: []fakehub.RequiredCheck{{Context: "ci"}}})
	}
	s.Cluster.Add(webApp())
	s.Start(ctx)
	return s
}

// rest waits until every webhook is delivered and every flow waits.
func (s *onStage) rest() error {
	for range 2 {
		if err := s.Hub.Flush(s.ctx); err != nil {
			return err
		}
		if err := s.engine.Idle(s.ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *onStage) pass(d time.Duration) error {
	for ; d > 0; d -= every {
		if err := s.engine.Advance(s.ctx, every); err != nil {
			return err
		}
		if err := s.Cluster.Reconcile(); err != nil {
			return err
		}
	}
	return s.rest()
}

// revert is the bot's newest pull request; ok is false when none is open.
func (s *onStage) revert() (fakehub.PR, bool) {
	for _, pr := range slices.Backward(s.Repo.PRs()) {
		if pr.State == "open" && pr.Author == s.GitHub.BotLogin() {
			return pr, true
		}
	}
	return fakehub.PR{}, false
}

func (s *onStage) act(next turn) error {
	open, any := s.revert()
	var err error
	switch next.do {
	case "break":
		text := manifest("web", "v2-bad")
		if _, err = s.Repo.OpenPR("ann", "Update web", "update", trunk, map[string]*string{deployPath("web"): &text}); err == nil {
			_, err = s.Repo.MergePR(1, s.method, "ann")
		}
	case "comment":
		if next.n > len(s.Repo.PRs()) {
			next.n = 1
		}
		_, err = s.Repo.Comment(next.n, next.who, next.text)
	case "ci":
		if s.ci = next.text; any {
			err = s.Repo.SetCheck(open.HeadSHA, "ci", next.text, nil)
		}
	case "grant":
		err = s.Repo.Grant(next.who, next.text)
	case "suspend":
		if s.Cluster.Resume(webApp().ID); next.text == "on" {
			s.Cluster.Suspend(webApp().ID)
		}
	case "close":
		if any {
			err = s.Repo.ClosePR(open.Number, "bob")
		}
	case "merge":
		if any && (open.Status == "CLEAN" || open.Status == "UNSTABLE") {
			_, err = s.Repo.MergePR(open.Number, s.method, "ann")
		}
	case "push revert":
		if text := fmt.Sprintf("smuggled %d\n", s.clock.Now().UnixNano()); any {
			_, err = s.Repo.Commit(open.Head, "ann", "Add this, too", map[string]*string{"docs/README.md": &text})
		}
	case "push":
		path, text := pushed(next)
		_, err = s.Repo.Commit(trunk, "ann", "Push "+next.text, map[string]*string{path: &text})
	}
	if err != nil {
		return err
	}
	if next.do == "break" || next.do == "push" {
		err = s.Cluster.Reconcile()
	}
	if err != nil {
		return err
	}
	return s.rest()
}

func pushed(next turn) (path, text string) {
	if next.text == "docs" {
		return "docs/README.md", fmt.Sprintf("# Docs by %s %d\n", next.who, next.n)
	}
	return deployPath("web"), manifest("web", fmt.Sprintf("v%d-%s", 7+next.n, next.who))
}

func (s *onStage) end() string {
	records, err := s.App.Flow.Ports.Ledger.Find(s.ctx, bot.RollbackQuery{Repo: repoName})
	out := fmt.Sprint(err, "\n") + told(records) + applied(s.Cluster)
	for _, pr := range s.Repo.PRs() {
		var said []string
		for _, c := range s.Repo.Comments(pr.Number) {
			said = append(said, strings.TrimSuffix(c.Author, "[bot]")+": "+opening(c.Body))
		}
		out += seen(pr.Number, pr.Author, pr.State == "open", pr.Merged, said)
	}
	for _, path := range []string{deployPath("web"), "docs/README.md"} {
		text, _ := s.Repo.File(trunk, path)
		out += path + ": " + text
	}
	return out
}

// opening is a comment's first line without what differs between the places.
func opening(body string) string {
	line, _, _ := strings.Cut(gist(body), " | ")
	return kind(line)
}
