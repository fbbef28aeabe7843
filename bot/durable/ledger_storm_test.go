package durable_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
)

// alerted is a Rollback of one commit for one App whose alert fired then.
func alerted(commit, appName, incident string, fired time.Time) bot.Rollback {
	r := aRollback(commit, appName)
	r.Incident = bot.Incident{Kind: bot.IncidentAlert, ID: incident, Alerts: []bot.Alert{{Fingerprint: "of-" + appName, StartsAt: fired}}}
	return r
}

func TestAlertsFromBeforeTheEndAreSettled(t *testing.T) {
	t.Parallel()
	eachLedger(t, func(t *testing.T, l *durable.Ledger) {
		end := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
		before, after := end.Add(-time.Minute), end.Add(time.Minute)
		id := begin(t, l, alerted("aaa", "shop", "first", before)).ID
		if err := l.Finish(t.Context(), id, bot.End{Verdict: bot.VerdictCancelled, At: end}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"shop", "cart"} {
			if diff := cmp.Diff(bot.Begun{Settled: id}, begin(t, l, alerted("aaa", name, "late "+name, before))); diff != "" {
				t.Errorf("an alert of %s from before the end (-want +got):\n%s", name, diff)
			}
		}
		if b := begin(t, l, alerted("bbb", "shop", "other", before)); b.ID == "" || b.Settled != "" {
			t.Errorf("another culprit is answered %+v", b)
		}
		command := aRollback("aaa", "cart")
		command.Incident.ID = "person"
		b := begin(t, l, command)
		if b.Attempt != 2 {
			t.Fatalf("a person's command is answered %+v", b)
		}
		if err := l.Finish(t.Context(), b.ID, bot.End{Verdict: bot.VerdictVerified, At: end}); err != nil {
			t.Fatal(err)
		}
		if b := begin(t, l, alerted("aaa", "cart", "news", after)); b.Attempt != 3 {
			t.Errorf("an alert from after the end is answered %+v", b)
		}
	})
}

func TestAStormOfAlertsIsKeptInBounds(t *testing.T) {
	t.Parallel()
	eachLedger(t, func(t *testing.T, l *durable.Ledger) {
		fired := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
		many := func(appName string) bot.Rollback {
			r := alerted("aaa", appName, "incident of "+appName, fired)
			for i := range 300 {
				r.Incident.Alerts = append(r.Incident.Alerts, bot.Alert{Fingerprint: fmt.Sprint(appName, i), StartsAt: fired})
			}
			return r
		}
		id := begin(t, l, many("shop")).ID
		begin(t, l, many("cart"))
		got := record(t, l, id)
		if n := len(got.Incident.Alerts); n != 201 {
			t.Errorf("%d alerts are kept, want the first 200 and one of the App that came later", n)
		}
		if last := got.Incident.Alerts[len(got.Incident.Alerts)-1].Fingerprint; last != "of-cart" {
			t.Errorf("the last one kept is %s, want that of the App that came later", last)
		}
	})
}

func TestFindBriefly(t *testing.T) {
	t.Parallel()
	eachLedger(t, func(t *testing.T, l *durable.Ledger) {
		end := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
		id := begin(t, l, alerted("aaa", "shop", "first", end)).ID
		if err := l.SaveView(t.Context(), id, bot.View{Waiting: "long"}); err != nil {
			t.Fatal(err)
		}
		if err := l.Finish(t.Context(), id, bot.End{Verdict: bot.VerdictVerified, At: end}); err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct {
			since time.Time
			want  int
		}{{end, 1}, {end.Add(time.Nanosecond), 0}} {
			found, err := l.Find(t.Context(), bot.RollbackQuery{EndedSince: tc.since, Brief: true})
			if err != nil {
				t.Fatal(err)
			}
			if len(found) != tc.want {
				t.Errorf("ended since %s: %d, want %d", tc.since, len(found), tc.want)
			}
			for _, r := range found {
				if r.View != nil || r.End == nil || r.ID != id {
					t.Errorf("a brief record is %+v", r)
				}
			}
		}
	})
}
