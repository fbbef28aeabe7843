package model

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/cmd/app"
	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/test/memory"
	"github.com/backout-dev/backout/test/stage"
)

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
		text := stage.Deployment("web", "v2-bad")
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
	return deployPath("web"), stage.Deployment("web", fmt.Sprintf("v%d-%s", 7+next.n, next.who))
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
