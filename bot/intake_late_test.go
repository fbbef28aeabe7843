package bot_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/command"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/test/memory"
)

// talk is a pull request's conversation, and who may do what. It answers each
// command with its kind and what is said.
type talk struct {
	bot.History
	bot.Teller
	now    time.Time
	people map[string]bot.Permission
	all    []bot.Comment
	broken error
	reads  int
	said   []string
}

func (t *talk) Permission(_ context.Context, _ bot.RepoName, login string) (bot.Permission, error) {
	return t.people[login], nil
}

func (t *talk) Comments(_ context.Context, _ bot.RepoName, _ int, since time.Time) ([]bot.Comment, error) {
	t.reads++
	var out []bot.Comment
	for _, c := range t.all {
		if !c.Written.Before(since) {
			out = append(out, c)
		}
	}
	return out, t.broken
}

func (*talk) React(context.Context, bot.RepoName, int64, string) error { return nil }

func (*talk) Check(context.Context, bot.CheckRun) (int64, error) { return 1, nil }

func (t *talk) Post(_ context.Context, p bot.Post) (int64, error) {
	_, text, _ := strings.Cut(p.Body, "\n")
	t.said = append(t.said, text)
	return 1, nil
}

func (*talk) Reply(a bot.Answer) string {
	if a.Kind == bot.AnswerLate {
		return fmt.Sprintf("late: %s", a.Seen.Sub(a.Asked))
	}
	return fmt.Sprintf("%s: %s", a.Kind, a.Detail)
}

// Fetch is the first thing that obeying /rollback does.
func (*talk) Fetch(context.Context, bot.RepoName) error {
	return bot.NewTrouble(bot.TroubleForbidden, nil, "it is obeyed")
}

// Default, Resolve and Tree are a repository without a policy file.
func (*talk) Default(context.Context, bot.RepoName) (string, error) { return "main", nil }

func (*talk) Resolve(context.Context, bot.RepoName, string) (bot.SHA, error) {
	return "0123456789012345678901234567890123456789", nil
}

func (*talk) Tree(context.Context, bot.RepoName, bot.SHA) (fs.FS, error) { return fstest.MapFS{}, nil }

// Read is a policy by which everybody may command who may write.
func (*talk) Read(bot.RepoName, bot.PolicyFile) bot.Rules { return anyRules{} }

// On is a kill switch that is off.
func (*talk) On(context.Context) (bool, string) { return false, "" }

type anyRules struct{ bot.Rules }

func (anyRules) Policy(...bot.AppID) bot.Policy { return bot.Policy{Commands: bot.ModeAuto} }

// hear plays the intake of one comment, seen now.
func (t *talk) hear(tt *testing.T, ledger bot.Ledger, e bot.Event) {
	tt.Helper()
	engine := memory.New(memory.Options{RestartAfterEachStep: true})
	f := bot.NewFlow(bot.Config{
		Ports:  bot.Ports{People: t, Talk: t, Board: t, History: t, Grammar: command.Grammar{}, Teller: t, Ledger: ledger, Engine: engine, Judge: t, Fleet: &bot.Fleet{}, Switch: t},
		Timing: bot.Timing{Retry: time.Millisecond}, Now: func() time.Time { return t.now }, Log: slog.New(slog.DiscardHandler),
	})
	engine.Register(f.Versions())
	if err := engine.Launch(tt.Context()); err != nil {
		tt.Fatal(err)
	}
	if err := engine.Accept(tt.Context(), e); err != nil {
		tt.Fatal(err)
	}
	if err := engine.Idle(tt.Context()); err != nil {
		tt.Fatal(err)
	}
	if err := engine.Close(time.Minute); err != nil {
		tt.Fatal(err)
	}
}

// TestLateCommands: what becomes of a command by its age, and by what became of
// its comment meanwhile.
func TestLateCommands(t *testing.T) {
	const id = 10
	edited := func(body string) []bot.Comment {
		return []bot.Comment{{ID: id, Author: "ann", Body: body, Written: night}}
	}
	after := func(author, body string, bot_ bool) []bot.Comment {
		return append(edited("-"), bot.Comment{ID: id + 1, Author: author, Body: body, AuthorIsBot: bot_, Written: night.Add(time.Minute)})
	}
	before := func(author, body string) []bot.Comment {
		return append([]bot.Comment{{ID: id - 1, Author: author, Body: body, Written: night}}, edited("-")...)
	}
	gone := []bot.Comment{}
	for _, tt := range []struct {
		name  string
		body  string
		age   time.Duration
		swept bool
		old   bool          // recorded before comments had dates
		now   []bot.Comment // the conversation; nil: the comment stands as it was, alone
		want  string        // what was said; "" for nothing
		reads int
	}{
		{name: "straight", body: "/rollback", age: 50 * time.Second, now: gone, want: "refused: it is obeyed"},
		{name: "from the log at once", body: "/rollback", age: time.Second, swept: true, want: "refused: it is obeyed", reads: 1},
		{name: "an hour old", body: "/rollback", age: time.Hour, swept: true, want: "refused: it is obeyed", reads: 1},
		{name: "older", body: "/rollback", age: time.Hour + time.Second, swept: true, want: "late: 1h0m1s", reads: 1},
		{name: "older, delivered late", body: "/rollback", age: 2 * time.Hour, want: "late: 2h0m0s", reads: 1},
		{name: "older, by name", body: "/rollback #7", age: 2 * time.Hour, want: "late: 2h0m0s", reads: 1},
		{name: "an approval that is older", body: "/rollback approve", age: 2 * time.Hour, want: "late: 2h0m0s", reads: 1},
		{name: "a cancellation that is older", body: "/rollback cancel", age: 2 * time.Hour, want: "none: No Rollback is under way here.", reads: 1},
		{name: "a question that is older", body: "/rollback status", age: 48 * time.Hour, want: "status: ", reads: 1},
		{name: "help", body: "/rollback help", age: 48 * time.Hour, want: "help: ", reads: 1},
		{name: "a plan", body: "/rollback plan", age: 48 * time.Hour, want: "refused: it is obeyed", reads: 1},
		{name: "a dry run", body: "/rollback --dry-run", age: 48 * time.Hour, want: "refused: it is obeyed", reads: 1},
		{name: "not understood", body: "/rollback plese", age: 48 * time.Hour, want: "malformed: ", reads: 1},
		{name: "before there were dates", body: "/rollback", age: 48 * time.Hour, old: true, want: "refused: it is obeyed"},
		{name: "our clock is behind", body: "/rollback", age: -2 * time.Minute, want: "refused: it is obeyed"},

		{name: "deleted", body: "/rollback", age: 10 * time.Minute, now: gone, reads: 1},
		{name: "deleted, and older", body: "/rollback", age: 2 * time.Hour, now: gone, reads: 1},
		{name: "a deleted cancellation", body: "/rollback cancel", age: 10 * time.Minute, now: gone, reads: 1},
		{name: "edited away", body: "/rollback", age: 10 * time.Minute, now: edited("never mind"), reads: 1},
		{name: "edited", body: "/rollback", age: 10 * time.Minute, now: edited("/rollback #7"), want: "refused: Nothing was done: your comment was edited", reads: 1},
		{name: "another's line ends", body: "It broke.\r\n/rollback\r\n", age: 10 * time.Minute, now: edited("It broke.\n/rollback"), want: "refused: it is obeyed", reads: 1},
		{name: "an edited cancellation", body: "/rollback cancel", age: 10 * time.Minute, now: edited("Sorry!\n/rollback cancel"), want: "none: No Rollback", reads: 1},
		{name: "made a cancellation", body: "/rollback", age: 10 * time.Minute, now: edited("/rollback cancel"), want: "refused: Nothing was done: your comment was edited", reads: 1},

		{name: "cancelled by oneself", body: "/rollback", age: 10 * time.Minute, now: after("Ann", "/rollback cancel", false), want: "refused: Nothing was done: Ann cancelled this", reads: 1},
		{name: "cancelled by another", body: "/rollback", age: 10 * time.Minute, now: after("bob", "/rollback cancel", false), want: "refused: Nothing was done: bob cancelled this", reads: 1},
		{name: "an approval that was cancelled", body: "/rollback approve", age: 10 * time.Minute, now: after("bob", "/rollback cancel", false), want: "refused: Nothing was done: bob cancelled this", reads: 1},
		{name: "cancelled by who may not", body: "/rollback", age: 10 * time.Minute, now: after("eve", "/rollback cancel", false), want: "refused: it is obeyed", reads: 1},
		{name: "cancelled by a bot", body: "/rollback", age: 10 * time.Minute, now: after("bob", "/rollback cancel", true), want: "refused: it is obeyed", reads: 1},
		{name: "after an older cancellation", body: "/rollback", age: 10 * time.Minute, now: before("bob", "/rollback cancel"), want: "refused: it is obeyed", reads: 1},
		{name: "another was cancelled", body: "/rollback", age: 10 * time.Minute, now: after("bob", "/rollback cancel rb-0123456789ab", false), want: "refused: it is obeyed", reads: 1},
		{name: "cancelled, then older", body: "/rollback", age: 2 * time.Hour, now: after("bob", "/rollback cancel", false), want: "refused: Nothing was done: bob cancelled this", reads: 1},
		{name: "followed by another word", body: "/rollback", age: 10 * time.Minute, now: after("bob", "/rollback status", false), want: "refused: it is obeyed", reads: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := bot.Comment{Repo: "acme/fleet", Number: 12, ID: id, Author: "ann", Body: tt.body, Written: night}
			tk := &talk{now: night.Add(tt.age), people: map[string]bot.Permission{"ann": "write", "bob": "write", "eve": "read"}, all: tt.now}
			if tt.now == nil {
				tk.all = []bot.Comment{c}
			}
			for i := range tk.all {
				if tk.all[i].Body == "-" {
					tk.all[i].Body = tt.body
				}
			}
			if tt.old {
				c.Written = time.Time{}
			}
			tk.hear(t, openLedger(t), bot.Event{ID: "e", Received: tk.now, Comment: &c, Swept: tt.swept})
			said := strings.Join(tk.said, "|")
			if len(tk.said) > 1 || !strings.HasPrefix(said, tt.want) || tt.want == "" && said != "" {
				t.Errorf("said %q, want %q", said, tt.want)
			}
			if tk.reads != tt.reads {
				t.Errorf("read the conversation %d times", tk.reads)
			}
		})
	}
}

// TestWhatCanNotBeReadAgain fails closed: it may have been withdrawn. A brake
// works all the same.
func TestWhatCanNotBeReadAgain(t *testing.T) {
	for body, want := range map[string]string{"/rollback": "refused: GitHub is shy", "/rollback cancel": "none: No Rollback"} {
		c := bot.Comment{Repo: "acme/fleet", Number: 12, ID: 10, Author: "ann", Body: body, Written: night}
		tk := &talk{
			now: night.Add(10 * time.Minute), people: map[string]bot.Permission{"ann": "write"},
			broken: bot.NewTrouble(bot.TroubleForbidden, nil, "GitHub is shy"),
		}
		tk.hear(t, openLedger(t), bot.Event{ID: "e", Received: tk.now, Comment: &c, Swept: true})
		if len(tk.said) != 1 || !strings.HasPrefix(tk.said[0], want) {
			t.Errorf("%s: said %q, want %q", body, tk.said, want)
		}
	}
}

// TestLateWordsMeanWhatWasUnderWay: a word counts only for what was asked for
// before it was written, unless it names a Rollback.
func TestLateWordsMeanWhatWasUnderWay(t *testing.T) {
	for _, tt := range []struct {
		name  string
		body  string
		asked time.Duration // for the Rollback, after the word
		swept bool
		want  string
	}{
		{"cancelled after it was asked for", "/rollback cancel", -time.Minute, true, "noted: Cancelling"},
		{"cancelled before it was asked for", "/rollback cancel", 5 * time.Minute, true, "none: "},
		{"cancelled by name", "/rollback cancel ID", 5 * time.Minute, true, "noted: Cancelling"},
		{"cancelled, by clocks that differ", "/rollback cancel", 30 * time.Second, true, "noted: Cancelling"},
		{"approved after it was asked for", "/rollback approve", -time.Minute, true, "noted: Approved"},
		{"approved before it was asked for", "/rollback approve", 30 * time.Second, true, "none: "},
		{"approved straight", "/rollback approve", 30 * time.Second, false, "noted: Approved"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ledger := openLedger(t)
			b, err := ledger.Begin(t.Context(), bot.Rollback{
				Host: "github.com", Repo: "acme/fleet", Base: "main", Apps: []bot.AppID{id("prod", "web")}, ReportTo: 12,
				Culprit:  bot.Change{PR: 12, Commits: []bot.SHA{"1111111111111111111111111111111111111111"}},
				Incident: bot.Incident{Kind: bot.IncidentCommand, Requester: "bob", Received: night.Add(tt.asked)},
			})
			if err != nil {
				t.Fatal(err)
			}
			c := bot.Comment{Repo: "acme/fleet", Number: 12, ID: 10, Author: "ann", Written: night, Body: strings.Replace(tt.body, "ID", string(b.ID), 1)}
			tk := &talk{now: night.Add(50 * time.Second), people: map[string]bot.Permission{"ann": "write"}, all: []bot.Comment{c}}
			tk.hear(t, ledger, bot.Event{ID: "e", Received: tk.now, Comment: &c, Swept: tt.swept})
			if len(tk.said) != 1 || !strings.HasPrefix(tk.said[0], tt.want) {
				t.Errorf("said %q, want %q", tk.said, tt.want)
			}
		})
	}
}

func openLedger(t *testing.T) *durable.Ledger {
	t.Helper()
	ledger, err := durable.OpenLedger(t.Context(), ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ledger.Close() })
	return ledger
}
