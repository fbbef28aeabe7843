package durable_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
)

func app(name string) bot.AppID {
	return bot.AppID{Cluster: "prod", Kind: bot.KindKustomization, Namespace: "flux-system", Name: name}
}

// sha makes a full object name of a short one.
func sha(short string) bot.SHA { return bot.SHA(short + strings.Repeat("0", 40-len(short))) }

// aRollback is a Rollback of one commit for some Apps.
func aRollback(commit string, apps ...string) bot.Rollback {
	r := bot.Rollback{
		Host: "github.com", Repo: "acme/fleet", Base: "main",
		Culprit:  bot.Change{Commits: []bot.SHA{sha(commit)}, PR: 41, Subject: "Bump shop"},
		Incident: bot.Incident{Kind: bot.IncidentCommand, ID: "guid-" + commit},
	}
	for _, a := range apps {
		r.Apps = append(r.Apps, app(a))
	}
	return r
}

// eachLedger runs a test on every database there is.
func eachLedger(t *testing.T, test func(t *testing.T, l *durable.Ledger)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		l, err := durable.OpenLedger(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		test(t, l)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		l, err := durable.OpenPostgresLedger(t.Context(), postgresSchema(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		test(t, l)
	})
}

func begin(t *testing.T, l *durable.Ledger, r bot.Rollback) bot.Begun {
	t.Helper()
	b, err := l.Begin(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func record(t *testing.T, l *durable.Ledger, id bot.RollbackID) bot.Record {
	t.Helper()
	r, err := l.Rollback(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func finish(t *testing.T, l *durable.Ledger, id bot.RollbackID) {
	t.Helper()
	if err := l.Finish(t.Context(), id, bot.End{Verdict: bot.VerdictVerified}); err != nil {
		t.Fatal(err)
	}
}

func TestBeginStartsOnce(t *testing.T) {
	t.Parallel()
	eachLedger(t, func(t *testing.T, l *durable.Ledger) {
		const starters = 50
		answers := make([]bot.Begun, starters)
		var wg sync.WaitGroup
		for i := range starters {
			wg.Go(func() {
				r := aRollback("aaa", "shop", fmt.Sprint("app-", i))
				r.Incident.ID = fmt.Sprint("incident-", i)
				r.Incident.Alerts = []bot.Alert{{Fingerprint: fmt.Sprint("print-", i)}}
				b, err := l.Begin(context.Background(), r)
				if err != nil {
					t.Error(err)
				}
				answers[i] = b
			})
		}
		wg.Wait()
		begun := 0
		for _, b := range answers {
			if !b.Joined {
				begun++
			}
			if b.ID != answers[0].ID || b.Attempt != 1 || b.Busy != "" {
				t.Errorf("answered %+v, want one Rollback for all", b)
			}
		}
		if begun != 1 {
			t.Errorf("%d of %d began, want exactly one", begun, starters)
		}
		r := record(t, l, answers[0].ID)
		if len(r.Apps) != starters+1 || len(r.Incident.Alerts) != starters {
			t.Errorf("it has %d Apps and %d alerts, want %d and %d", len(r.Apps), len(r.Incident.Alerts), starters+1, starters)
		}
	})
}

func TestOneRollbackPerApp(t *testing.T) {
	t.Parallel()
	eachLedger(t, func(t *testing.T, l *durable.Ledger) {
		const rivals = 20
		answers := make([]bot.Begun, rivals)
		var wg sync.WaitGroup
		for i := range rivals {
			wg.Go(func() {
				b, err := l.Begin(context.Background(), aRollback(fmt.Sprintf("%03x", i), "shop"))
				if err != nil {
					t.Error(err)
				}
				answers[i] = b
			})
		}
		wg.Wait()
		var winner bot.RollbackID
		for _, b := range answers {
			if b.ID != "" {
				if winner != "" {
					t.Fatalf("both %s and %s work on one App", winner, b.ID)
				}
				winner = b.ID
			}
		}
		for _, b := range answers {
			if b.ID == "" && b.Busy != winner {
				t.Errorf("answered %+v, want busy with %s", b, winner)
			}
		}
		finish(t, l, winner)
		if b := begin(t, l, aRollback("fff", "shop")); b.ID == "" {
			t.Errorf("after its end the App is still busy: %+v", b)
		}
	})
}

// TestBeginIsAnsweredTheSameAgain: an intake that crashed between asking and
// recording the answer asks again and must not hear that it joined itself, nor
// begin a second attempt because the first has ended.
func TestBeginIsAnsweredTheSameAgain(t *testing.T) {
	t.Parallel()
	eachLedger(t, func(t *testing.T, l *durable.Ledger) {
		starter, joiner := aRollback("aaa", "shop"), aRollback("aaa", "shop")
		joiner.Incident.ID = "second"
		began, joined := begin(t, l, starter), begin(t, l, joiner)
		if began.Joined || !joined.Joined {
			t.Fatalf("first %+v, second %+v", began, joined)
		}
		for _, when := range []string{"while it runs", "after its end"} {
			if diff := cmp.Diff(began, begin(t, l, starter)); diff != "" {
				t.Errorf("the starter again %s (-first +again):\n%s", when, diff)
			}
			if diff := cmp.Diff(joined, begin(t, l, joiner)); diff != "" {
				t.Errorf("the joiner again %s (-first +again):\n%s", when, diff)
			}
			finish(t, l, began.ID)
		}
		next := aRollback("aaa", "shop")
		next.Incident.ID = "third"
		if b := begin(t, l, next); b.Attempt != 2 || b.Joined || b.ID == began.ID {
			t.Errorf("a new incident after the end is answered %+v, want attempt 2", b)
		}
	})
}

func TestJoiningAddsFreeAppsAndNewAlerts(t *testing.T) {
	t.Parallel()
	eachLedger(t, func(t *testing.T, l *durable.Ledger) {
		early := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
		first := aRollback("aaa", "shop")
		first.Incident.Alerts = []bot.Alert{{Fingerprint: "p1", StartsAt: early}}
		id := begin(t, l, first).ID
		begin(t, l, aRollback("bbb", "taken"))

		second := aRollback("aaa", "shop", "cart", "taken")
		second.Incident = bot.Incident{Kind: bot.IncidentAlert, ID: "group", Alerts: []bot.Alert{
			{Fingerprint: "p1", StartsAt: early.Add(-time.Hour)}, {Fingerprint: "p2", StartsAt: early},
		}}
		if b := begin(t, l, second); !b.Joined || b.ID != id {
			t.Fatalf("answered %+v", b)
		}
		got := record(t, l, id)
		if diff := cmp.Diff([]bot.AppID{app("shop"), app("cart")}, got.Apps); diff != "" {
			t.Errorf("Apps; the one that is busy elsewhere must stay there (-want +got):\n%s", diff)
		}
		want := []bot.Alert{{Fingerprint: "p1", StartsAt: early}, {Fingerprint: "p2", StartsAt: early}}
		if diff := cmp.Diff(want, got.Incident.Alerts); diff != "" {
			t.Errorf("alerts (-want +got):\n%s", diff)
		}
		if got.Incident.Kind != bot.IncidentCommand {
			t.Errorf("joining changed why it began: %s", got.Incident.Kind)
		}
	})
}

func TestFirstWordStands(t *testing.T) {
	t.Parallel()
	eachLedger(t, func(t *testing.T, l *durable.Ledger) {
		at := time.Date(2026, 5, 1, 12, 0, 0, 123456789, time.UTC)
		id := begin(t, l, aRollback("aaa", "shop")).ID
		says := map[string]func(context.Context, bot.RollbackID, bot.Word) error{"cancel": l.Cancel, "approve": l.Approve}
		for name, say := range says {
			for i, by := range []string{"ada", "bob"} {
				if err := say(t.Context(), id, bot.Word{By: by, At: at.Add(time.Duration(i))}); err != nil {
					t.Errorf("%s by %s: %v", name, by, err)
				}
			}
			if err := say(t.Context(), "rb-none", bot.Word{By: "ada", At: at}); !bot.IsTrouble(err, bot.TroubleNotFound) {
				t.Errorf("%s of an unknown Rollback: %v, want not-found", name, err)
			}
		}
		want, got := &bot.Word{By: "ada", At: at}, record(t, l, id)
		if diff := cmp.Diff([]*bot.Word{want, want}, []*bot.Word{got.Cancelled, got.Approved}); diff != "" {
			t.Errorf("words (-want +got):\n%s", diff)
		}

		ended := begin(t, l, aRollback("bbb", "cart")).ID
		finish(t, l, ended)
		if err := l.Cancel(t.Context(), ended, bot.Word{By: "ada", At: at}); !bot.IsTrouble(err, bot.TroubleStale) {
			t.Errorf("cancel after the end: %v, want stale", err)
		}
		finish(t, l, id)
		if err := l.Cancel(t.Context(), id, bot.Word{By: "ada", At: at}); err != nil {
			t.Errorf("the word that stands, said again after the end: %v", err)
		}
	})
}

func TestFirstEndStands(t *testing.T) {
	t.Parallel()
	eachLedger(t, func(t *testing.T, l *durable.Ledger) {
		id := begin(t, l, aRollback("aaa", "shop")).ID
		first := bot.End{Verdict: bot.VerdictVerified, Summary: "rolled back", At: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
		for _, end := range []bot.End{first, {Verdict: bot.VerdictFailed, At: first.At.Add(time.Hour)}} {
			if err := l.Finish(t.Context(), id, end); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(&first, record(t, l, id).End); diff != "" {
			t.Errorf("end (-want +got):\n%s", diff)
		}
		if err := l.Finish(t.Context(), "rb-none", first); !bot.IsTrouble(err, bot.TroubleNotFound) {
			t.Errorf("end of an unknown Rollback: %v, want not-found", err)
		}
		if err := l.SaveView(t.Context(), "rb-none", bot.View{}); !bot.IsTrouble(err, bot.TroubleNotFound) {
			t.Errorf("view of an unknown Rollback: %v, want not-found", err)
		}
		if _, err := l.Rollback(t.Context(), "rb-none"); !bot.IsTrouble(err, bot.TroubleNotFound) {
			t.Errorf("an unknown Rollback: %v, want not-found", err)
		}
	})
}

func TestResolvedAlerts(t *testing.T) {
	t.Parallel()
	eachLedger(t, func(t *testing.T, l *durable.Ledger) {
		fired := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
		r := aRollback("aaa", "shop")
		for _, print := range []string{"again", "over", "on"} {
			r.Incident.Alerts = append(r.Incident.Alerts, bot.Alert{Fingerprint: print, StartsAt: fired})
		}
		id := begin(t, l, r).ID
		resolve := func(print string, at time.Time) {
			t.Helper()
			if err := l.Resolve(t.Context(), print, at); err != nil {
				t.Fatal(err)
			}
		}
		resolve("again", fired.Add(-time.Minute)) // an earlier firing
		resolve("over", fired.Add(time.Minute))
		resolve("over", fired.Add(time.Second)) // out of order
		resolve("stranger", fired.Add(time.Minute))
		want := map[string]time.Time{"over": fired.Add(time.Minute)}
		if diff := cmp.Diff(want, record(t, l, id).Resolved); diff != "" {
			t.Errorf("resolved (-want +got):\n%s", diff)
		}

		// The alert fires anew and joins: its resolution is about the past.
		again := aRollback("aaa", "shop")
		again.Incident = bot.Incident{ID: "again", Alerts: []bot.Alert{{Fingerprint: "over", StartsAt: fired.Add(time.Hour)}}}
		begin(t, l, again)
		if got := record(t, l, id).Resolved; len(got) != 0 {
			t.Errorf("an alert that fires again counts as resolved: %v", got)
		}
	})
}

func TestFind(t *testing.T) {
	t.Parallel()
	eachLedger(t, func(t *testing.T, l *durable.Ledger) {
		now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
		l.Now = func() time.Time { return now }
		add := func(commit, name string, change func(*bot.Rollback)) bot.RollbackID {
			t.Helper()
			now = now.Add(time.Hour)
			r := aRollback(commit, name)
			r.Culprit.PR = 0
			if change != nil {
				change(&r)
			}
			return begin(t, l, r).ID
		}
		oldest := add("aaa", "shop", func(r *bot.Rollback) { r.Culprit.PR = 41 })
		middle := add("bbb", "cart", func(r *bot.Rollback) { r.ReportTo = 42; r.Culprit.Commits = append(r.Culprit.Commits, sha("bb2")) })
		newest := add("ccc", "mail", func(r *bot.Rollback) { r.Repo = "acme/other" })
		if err := l.SaveView(t.Context(), middle, bot.View{Pull: &bot.RevertPull{Number: 43}, Summary: "waiting"}); err != nil {
			t.Fatal(err)
		}
		if err := l.SaveView(t.Context(), middle, bot.View{Summary: "done"}); err != nil {
			t.Fatal(err)
		}
		finish(t, l, oldest)
		cart := app("cart")
		tests := []struct {
			name  string
			query bot.RollbackQuery
			want  []bot.RollbackID
		}{
			{"all, newest first", bot.RollbackQuery{}, []bot.RollbackID{newest, middle, oldest}},
			{"a few", bot.RollbackQuery{Limit: 2}, []bot.RollbackID{newest, middle}},
			{"a repository", bot.RollbackQuery{Repo: "acme/fleet"}, []bot.RollbackID{middle, oldest}},
			{"the culprit's pull request", bot.RollbackQuery{Number: 41}, []bot.RollbackID{oldest}},
			{"the pull request reported on", bot.RollbackQuery{Number: 42}, []bot.RollbackID{middle}},
			{"the revert's pull request", bot.RollbackQuery{Number: 43}, []bot.RollbackID{middle}},
			{"a culprit", bot.RollbackQuery{Culprit: sha("ccc")}, []bot.RollbackID{newest}},
			{"any commit of a culprit", bot.RollbackQuery{Culprit: sha("bb2")}, []bot.RollbackID{middle}},
			{"an App", bot.RollbackQuery{App: &cart}, []bot.RollbackID{middle}},
			{"unfinished", bot.RollbackQuery{Unfinished: true}, []bot.RollbackID{newest, middle}},
			{"since", bot.RollbackQuery{Since: now}, []bot.RollbackID{newest}},
			{"all at once", bot.RollbackQuery{Repo: "acme/fleet", Number: 42, Unfinished: true}, []bot.RollbackID{middle}},
			{"nothing", bot.RollbackQuery{Number: 99}, nil},
		}
		for _, tt := range tests {
			records, err := l.Find(t.Context(), tt.query)
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			var got []bot.RollbackID
			for _, r := range records {
				got = append(got, r.ID)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.name, diff)
			}
		}
		if v := record(t, l, middle).View; v == nil || v.Summary != "done" {
			t.Errorf("view %+v, want the newest", v)
		}
	})
}

func TestRollbackComesBackAsItWas(t *testing.T) {
	t.Parallel()
	eachLedger(t, func(t *testing.T, l *durable.Ledger) {
		r := aRollback("aaa", "shop")
		r.Affected = []bot.AppID{app("cart")}
		r.Finding = &bot.Finding{None: 0.25, Confident: true, Suspects: []bot.Suspect{{Change: r.Culprit, Score: 3}}}
		r.Incident.Reason = "it's \"broken\"; $1 ? \\ \u2028 ☃"
		r.ID, r.Attempt = r.MakeID(1), 1
		begin(t, l, r)
		if diff := cmp.Diff(r, record(t, l, r.ID).Rollback); diff != "" {
			t.Errorf("rollback (-begun +read):\n%s", diff)
		}
		if _, err := l.Begin(t.Context(), bot.Rollback{}); !bot.IsTrouble(err, bot.TroubleInvalid) {
			t.Errorf("a Rollback of nothing: %v, want invalid", err)
		}
	})
}

func TestDeploymentsAreRecordedWhenTheyAreNews(t *testing.T) {
	t.Parallel()
	eachLedger(t, func(t *testing.T, l *durable.Ledger) {
		start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
		line := func(minute int, commit string, h bot.Health) bot.Deployed {
			return bot.Deployed{App: app("shop"), Revision: sha(commit), Health: h, At: start.Add(time.Duration(minute) * time.Minute)}
		}
		seen := []bot.Deployed{
			line(0, "aaa", bot.HealthGood),
			line(1, "aaa", bot.HealthGood), // nothing new
			line(2, "bbb", bot.HealthGood), // a deploy
			line(3, "bbb", bot.HealthBad),  // it broke
			line(2, "bbb", bot.HealthGood), // told twice
			line(4, "bbb", bot.HealthBad),  // nothing new
		}
		for _, d := range seen {
			if err := l.Observe(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
		other := bot.Deployed{App: app("cart"), Revision: sha("ccc"), Health: bot.HealthGood, At: start}
		if err := l.Observe(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		got, err := l.Deployments(t.Context(), app("shop"), 0)
		if err != nil {
			t.Fatal(err)
		}
		want := []bot.Deployed{seen[3], seen[2], seen[0]}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("lines, newest first (-want +got):\n%s", diff)
		}
		if got, err = l.Deployments(t.Context(), app("shop"), 1); err != nil || len(got) != 1 {
			t.Errorf("limited to one: %v, %v", got, err)
		}
	})
}

func TestLedgerSurvivesAndRefusesTheFuture(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "backout.db")
	reopen := func() (*durable.Ledger, error) { return durable.OpenLedger(t.Context(), path) }
	l, err := reopen()
	if err != nil {
		t.Fatal(err)
	}
	id := begin(t, l, aRollback("aaa", "shop")).ID
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err = reopen(); err != nil {
		t.Fatal(err)
	}
	record(t, l, id)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, database(t, dir), "INSERT INTO backout_schema (version) VALUES (1000)")
	if _, err = reopen(); err == nil || !strings.Contains(err.Error(), "newer Backout") {
		t.Errorf("opened with a schema from the future: %v", err)
	}
}

func TestLedgerInMemory(t *testing.T) {
	t.Parallel()
	l, err := durable.OpenLedger(t.Context(), ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	id := begin(t, l, aRollback("aaa", "shop")).ID
	record(t, l, id)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Finish(ctx, id, bot.End{}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
