package model

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/simcluster"
	"github.com/backout-dev/backout/test/stage"
)

// inWorld is the model's world as a place for plots.
type inWorld struct {
	*play
	method string
}

func worldPlace(t *testing.T, p plot) *inWorld {
	out, err := open(t.Context(), settings{policy: p.settings()}, startFiles(), []simcluster.AppSpec{webApp()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := out.close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	w := out.world
	w.onMerge, w.onFinish, w.onLook = func(*pull, files) {}, func(bot.RollbackID) {}, func(string) {}
	w.rules.check, w.rules.method = p.protected, p.method
	w.people = map[string]bot.Permission{"ann": "write", "bob": "write", "carol": "maintain", "eve": "read"}
	return &inWorld{out, p.method}
}

func (p *inWorld) pass(d time.Duration) error { return p.advance(d) }

func (p *inWorld) revert() *pull {
	for _, pr := range slices.Backward(p.world.pulls) {
		if pr.open && pr.author == botLogin {
			return pr
		}
	}
	return nil
}

func (p *inWorld) act(next turn) error {
	w, open := p.world, p.revert()
	push := func(branch, path, text string) {
		head := w.repo.head(branch)
		w.setHead(branch, w.repo.commit(head.files.with(map[string]string{path: text}), "ann", "Push "+path, w.now(), head).SHA)
	}
	w.mu.Lock()
	var say *comment
	switch next.do {
	case "break":
		w.repo.heads["update"] = w.repo.heads[trunk]
		push("update", deployPath("web"), stage.Deployment("web", "v2-bad"))
		w.bring(w.pullRequest("ann", "Update web", "update"), p.method, "ann")
	case "comment":
		if next.n > len(w.pulls) {
			next.n = 1
		}
		say = w.comment(next.who, next.n, next.text)
	case "ci":
		if w.rules.ci = next.text; open != nil {
			open.ci[open.head] = next.text
		}
	case "grant":
		w.people[next.who] = bot.Permission(next.text)
	case "close":
		if open != nil {
			open.open = false
		}
	case "merge":
		if open != nil && (w.state(open) == "CLEAN" || w.state(open) == "UNSTABLE") {
			w.bring(open, p.method, "ann")
		}
	case "push revert":
		if open != nil {
			push(open.branch, "docs/README.md", fmt.Sprintf("smuggled %d\n", w.now().UnixNano()))
		}
	case "push":
		path, text := pushed(next)
		push(trunk, path, text)
	}
	w.mu.Unlock()
	switch {
	case say != nil:
		e := bot.Event{ID: fmt.Sprint("comment-", say.id), Received: p.clock.Now(), Comment: &bot.Comment{Repo: repoName, Number: say.number, ID: say.id, Author: say.author, Body: say.body, Written: say.written}}
		if err := p.bot.engine.Accept(p.ctx, e); err != nil {
			return err
		}
	case next.do == "suspend":
		if p.cluster.Resume(webApp().ID); next.text == "on" {
			p.cluster.Suspend(webApp().ID)
		}
	case next.do == "break" || next.do == "push":
		p.round()
	case open != nil:
		p.bot.engine.Hint(bot.Hint{Repo: repoName, Number: open.number})
	}
	return p.settle()
}

func (p *inWorld) end() string {
	records, err := p.ledger.Find(p.ctx, bot.RollbackQuery{Repo: repoName})
	out := fmt.Sprint(err, "\n") + told(records) + applied(p.cluster)
	w := p.world
	for _, pr := range w.pulls {
		var said []string
		for _, c := range w.comments {
			if c.number == pr.number {
				said = append(said, strings.TrimSuffix(c.author, "[bot]")+": "+opening(c.body))
			}
		}
		out += seen(pr.number, pr.author, pr.open, pr.merged, said)
	}
	main := w.repo.head(trunk).files
	for _, path := range []string{deployPath("web"), "docs/README.md"} {
		out += path + ": " + main[path]
	}
	return out
}
