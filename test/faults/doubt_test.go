package faults

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
)

// acts are the requests that change something.
var acts = []struct {
	name  string
	setup setup
	match func(fakehub.Request) bool
}{
	{"open", setup{}, kind("open")},
	{"merge", setup{}, kind("merge")},
	{"comment", setup{}, kind("comment")},
	{"check run", setup{}, func(r fakehub.Request) bool { return kind("check run")(r) && r.Method != http.MethodGet }},
	{"delete branch", setup{}, kind("delete branch")},
	{"update branch", setup{strict: true, slowCI: true}, func(r fakehub.Request) bool { return strings.HasSuffix(r.Path, "/update-branch") }},
	{"reaction", setup{}, func(r fakehub.Request) bool { return strings.HasSuffix(r.Path, "/reactions") }},
}

// TestDidItHappen loses the answer to each act after it was done, in each way in
// which an answer can get lost, once and for a while. It is done once all the
// same.
func TestDidItHappen(t *testing.T) {
	ways := []struct {
		name  string
		fault fakehub.Fault
	}{
		{"connection cut", fakehub.Fault{CutAfter: true}},
		{"answer cut inside", fakehub.Fault{CutInside: true}},
		{"half a document", fakehub.Fault{Half: true}},
	}
	for _, act := range acts {
		for _, way := range ways {
			for _, times := range []int{1, 3} {
				if times == 3 && !*full && way.name != "connection cut" {
					continue
				}
				t.Run(fmt.Sprintf("%s %s %d times", act.name, way.name, times), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, act.setup)
					f := way.fault
					f.Match, f.Times = act.match, times
					w.fail(f)
					w.comment("/rollback")
					if act.setup.strict {
						w.fallBehind()
					}
					rec := w.ended(2 * time.Hour)
					w.toldBy(rec, time.Hour)
					w.settled(rec, want{verdict: bot.VerdictVerified, says: []string{"verified"}})
					w.once()
				})
			}
		}
	}
}

// fallBehind moves the base while the revert waits, so that it must be updated,
// and then turns CI green on what came of that.
func (w *world) fallBehind() {
	w.t.Helper()
	pull := w.opened()
	other := "more"
	_, err := w.stage.Repo.Commit("main", "bob", "Something else", map[string]*string{"other.txt": &other})
	w.must(err)
	w.must(w.stage.Hub.Flush(w.ctx))
	w.must(w.stage.Repo.SetCheck(pull.HeadSHA, "ci", "success", nil))
	w.drive("an updated branch", time.Hour, func() (bool, string) { return w.mine()[0].HeadSHA != pull.HeadSHA, "the old head" })
	w.must(w.stage.Repo.SetCheck(w.mine()[0].HeadSHA, "ci", "success", nil))
}

// once asserts that every act was done once in the hub.
func (w *world) once() {
	w.t.Helper()
	done := map[string]int{}
	for _, r := range w.stage.Hub.Requests() {
		switch {
		case r.Actor != w.stage.GitHub.BotLogin() || r.Writes == 0:
		case slices.Contains(r.Fields, "createPullRequest"):
			done["open"]++
		case r.Method == http.MethodPost:
			done[r.Route]++
		}
	}
	for _, c := range w.stage.Repo.Comments(1) {
		if c.Author == "ann" && len(c.Reactions) != 1 {
			w.t.Errorf("reactions %v", c.Reactions)
		}
	}
	if done["open"] != 1 || done["POST /repos/{owner}/{repo}/issues/{issue_number}/comments"] != 1 {
		w.t.Errorf("done: %v", done)
	}
	runs := 0
	for _, c := range w.stage.Repo.Checks(w.mine()[0].HeadSHA) {
		if c.Name == bot.CheckName {
			runs++
		}
	}
	if runs != 1 {
		w.t.Errorf("%d check runs on the revert's head", runs)
	}
	for _, b := range []string{w.mine()[0].Head} {
		if w.stage.Repo.Head(b) != "" {
			w.t.Errorf("branch %s is still there", b)
		}
	}
}

// TestHalfAnAnswer spoils what is read, for some minutes: it is read again.
func TestHalfAnAnswer(t *testing.T) {
	for name, fault := range map[string]fakehub.Fault{
		"cut inside": {CutInside: true}, "half a document": {Half: true},
		"HTML": {Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<html>Unicorn!</html>"},
		"null": {Status: 200, Body: "null"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{slowCI: true})
			w.comment("/rollback")
			pull := w.opened()
			fault.Match, fault.Times = w.until(5*time.Minute, func(r fakehub.Request) bool {
				return r.Method == http.MethodGet && r.Kind == "rest" || kind("graphql read")(r)
			}), -1
			w.fail(fault)
			w.must(w.stage.Repo.SetCheck(pull.HeadSHA, "ci", "success", nil))
			rec := w.ended(2 * time.Hour)
			w.toldBy(rec, time.Hour)
			w.settled(rec, want{verdict: bot.VerdictVerified, says: []string{"verified"}})
		})
	}
}
