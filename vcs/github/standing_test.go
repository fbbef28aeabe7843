package github_test

import (
	"testing"

	"github.com/backout-dev/backout/bot"
)

func TestStanding(t *testing.T) {
	w := newWorld(t, nil)
	w.bad()
	req := w.webBack()
	standing := func() (bot.RevertPull, bool) {
		t.Helper()
		p, ok, err := w.client.Standing(t.Context(), repoName, req.Base, req.Branch)
		must(t, err)
		return p, ok
	}
	if p, ok := standing(); ok {
		t.Errorf("before it is opened, %+v stands", p)
	}
	made, err := w.client.Open(t.Context(), req)
	must(t, err)
	if p, ok := standing(); !ok || p.Number != made.Number || p.Head != made.Head {
		t.Errorf("%+v (%v) stands, want #%d at %s", p, ok, made.Number, made.Head)
	}
	pushed, err := w.repo.Commit(req.Branch, "bob", "Add this, too", map[string]*string{"docs/more.md": new("more\n")})
	must(t, err)
	if p, ok := standing(); !ok || p.Head != bot.SHA(pushed) {
		t.Errorf("after a push, %+v (%v) stands, want it at %s", p, ok, pushed)
	}
	must(t, w.repo.ClosePR(made.Number, "bob"))
	if p, ok := standing(); ok {
		t.Errorf("closed, %+v stands", p)
	}
	// Somebody else's pull request from a branch of that name is not ours.
	_, err = w.repo.OpenPR("bob", "Mine", "backout/revert-0123", "main", map[string]*string{"docs/bob.md": new("bob\n")})
	must(t, err)
	if p, ok, err := w.client.Standing(t.Context(), repoName, "main", "backout/revert-0123"); ok || err != nil {
		t.Errorf("a person's pull request stands for ours: %+v, %v", p, err)
	}
}
