package scenarios

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/test/memory"
	"github.com/backout-dev/backout/test/stage"
)

// The request budget (docs/design.md): what the merge waits for when nothing
// has to be waited for, and how much one Rollback writes.
const (
	maxChain  = 3
	maxWrites = 12
)

// latency is how long GitHub takes for each answer here.
const latency = 150 * time.Millisecond

// TestRequestBudget counts the bot's requests to GitHub in the plain command
// story: CI is green at once, so every request between the recorded decision
// and the merge answer is one that the bot itself needs.
func TestRequestBudget(t *testing.T) {
	for _, file := range []string{"command", "alert", "gate-waits"} {
		t.Run(file, func(t *testing.T) {
			archive, err := txtar.ParseFile("testdata/" + file + ".txtar")
			if err != nil {
				t.Fatal(err)
			}
			p := newPlay(t, archive, &memory.Options{})
			// Requests that are made at once overlap only if they last.
			p.before = append(p.before, func() {
				p.stage.Hub.Fail(fakehub.Fault{Times: -1, Delay: latency, Match: func(r fakehub.Request) bool { return r.Kind != "git" }})
			})
			p.run(string(archive.Comment))
			rec := p.rollbacks()[0]
			if file != "gate-waits" {
				var from, to time.Time
				for _, s := range rec.View.Steps {
					switch s.Name {
					case "decide":
						from = s.End
					case "merge":
						to = s.End
					}
				}
				if n := p.stage.Chain(from, to); n < 2 || n > maxChain {
					t.Errorf("%d requests in sequence from decision to merge, want 2 to %d\n%s", n, maxChain, requests(p.stage, rec))
				}
			}
			if n := p.stage.Hub.CountWrites(p.stage.GitHub.BotLogin()); n > maxWrites {
				t.Errorf("%d content writes, want at most %d\n%s", n, maxWrites, requests(p.stage, rec))
			}
		})
	}
}

// requests lists what the bot asked of GitHub, for a budget that was missed.
func requests(s *stage.Stage, rec bot.Record) string {
	var b strings.Builder
	for _, r := range s.Hub.Requests() {
		if r.Actor == s.GitHub.BotLogin() {
			b.WriteString(r.Start.Format("05.000 ") + r.String() + "\n")
		}
	}
	b.WriteString(string(rec.ID))
	return b.String()
}
