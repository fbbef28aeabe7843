package faults

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
)

type fakehubPR = fakehub.PR

// kinds are the requests of a Rollback. Without those that must be answered
// there is no merge.
var kinds = []struct {
	name  string
	must  bool
	match func(fakehub.Request) bool
}{
	{"token", true, func(r fakehub.Request) bool { return strings.HasSuffix(r.Route, "/access_tokens") }},
	{"permission", true, func(r fakehub.Request) bool { return strings.HasSuffix(r.Path, "/permission") }},
	{"open", false, fakehub.MatchField("createPullRequest")},
	{"graphql read", true, func(r fakehub.Request) bool { return r.Kind == "graphql" && r.Route == "query" }},
	{"merge", true, func(r fakehub.Request) bool { return strings.HasSuffix(r.Path, "/merge") }},
	{"comment", false, func(r fakehub.Request) bool {
		return r.Method != http.MethodGet && strings.Contains(r.Path, "/comments") && !strings.Contains(r.Path, "/reactions")
	}},
	{"check run", false, func(r fakehub.Request) bool { return strings.Contains(r.Path, "/check-runs") }},
	{"delete branch", false, func(r fakehub.Request) bool { return r.Method == http.MethodDelete }},
	{"git fetch", true, func(r fakehub.Request) bool { return r.Kind == "git" }},
	{"everything", true, func(fakehub.Request) bool { return true }},
}

// TestOutageOnce lets one request of each kind fail: nobody notices.
func TestOutageOnce(t *testing.T) {
	for i, k := range kinds {
		for _, status := range statuses(i) {
			t.Run(fmt.Sprintf("%s %d", k.name, status), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, setup{})
				w.stage.Hub.RevokeTokens()
				w.fail(fakehub.Fault{Match: k.match, Status: status})
				w.comment("/rollback")
				w.settled(w.ended(time.Hour), want{verdict: bot.VerdictVerified, says: []string{"verified"}})
			})
		}
	}
}

// statuses are those of an outage: one in turn, or all.
func statuses(i int) []int {
	all := []int{500, 502, 503}
	if *full {
		return all
	}
	return all[i%3 : i%3+1]
}

// TestOutageForMinutes lets each kind fail for ten minutes: the Rollback goes
// on where it was.
func TestOutageForMinutes(t *testing.T) {
	for i, k := range kinds {
		if k.name == "git fetch" || k.name == "permission" || k.name == "token" || k.name == "everything" || k.name == "graphql read" {
			continue // the command is answered instead, see below; midway they are played there
		}
		for _, status := range statuses(i + 1) {
			t.Run(fmt.Sprintf("%s %d", k.name, status), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, setup{})
				w.fail(fakehub.Fault{Match: w.until(10*time.Minute, k.match), Status: status, Times: -1})
				w.comment("/rollback")
				rec := w.ended(time.Hour)
				w.toldBy(rec, 2*time.Hour)
				w.settled(rec, want{verdict: bot.VerdictVerified, says: []string{"verified"}})
			})
		}
	}
}

// TestOutageMidway lets each kind fail from the moment when the revert waits
// for CI: for minutes and goes on; or for hours, then a person is asked and
// told as soon as GitHub listens again.
func TestOutageMidway(t *testing.T) {
	for i, k := range kinds {
		for _, long := range []bool{false, true} {
			for _, status := range statuses(i + 2) {
				lasts, name := 10*time.Minute, "minutes"
				if long {
					lasts, name = 5*time.Hour, "hours"
				}
				t.Run(fmt.Sprintf("%s %d for %s", k.name, status, name), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, setup{slowCI: true})
					w.comment("/rollback")
					pull := w.opened()
					w.stage.Hub.RevokeTokens()
					w.fail(fakehub.Fault{Match: w.until(lasts, k.match), Status: status, Times: -1})
					w.must(w.stage.Repo.SetCheck(pull.HeadSHA, "ci", "success", nil))
					rec := w.ended(8 * time.Hour)
					w.toldBy(rec, 12*time.Hour)
					wanted := want{verdict: bot.VerdictVerified, says: []string{"verified"}}
					switch {
					case long && k.must:
						wanted = want{verdict: bot.VerdictNeedsHuman, says: []string{"could not", "Merge #2"}}
					}
					w.settled(rec, wanted)
				})
			}
		}
	}
}

// TestOutageBeforeTheCommandIsRead answers the person once GitHub is back: what
// the command asked is so old by then that it is not done.
func TestOutageBeforeTheCommandIsRead(t *testing.T) {
	for i, name := range []string{"token", "permission", "git fetch", "everything"} {
		for _, status := range statuses(i) {
			t.Run(fmt.Sprintf("%s %d", name, status), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, setup{})
				w.stage.Hub.RevokeTokens()
				w.fail(fakehub.Fault{Match: w.until(3*time.Hour, kind(name)), Status: status, Times: -1})
				w.comment("/rollback")
				w.drive("an answer", 5*time.Hour, func() (bool, string) { return len(w.comments()) > 0, "none" })
				if _, ok := w.rollback(); ok {
					t.Error("a Rollback was begun")
				}
				w.told(want{says: []string{"@ann"}})
				w.bounded()
				note(w, "answered")
			})
		}
	}
}

// kind is a matcher by its name.
func kind(name string) func(fakehub.Request) bool {
	for _, k := range kinds {
		if k.name == name {
			return k.match
		}
	}
	return nil
}
