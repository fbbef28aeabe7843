package durable_test

import (
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
)

// TestFreeze: the word that was said last counts, whatever the order in which
// words come, and only for its repository.
func TestFreeze(t *testing.T) {
	at := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	freeze := func(comment int64, reason string, d time.Duration) func(*testing.T, *durable.Ledger) {
		z := bot.Frozen{By: "carol", At: at, Reason: reason, Comment: comment}
		if d > 0 {
			z.Until = at.Add(d)
		}
		return func(t *testing.T, l *durable.Ledger) {
			if err := l.Freeze(t.Context(), "Acme/Fleet", z); err != nil {
				t.Fatal(err)
			}
		}
	}
	unfreeze := func(comment int64) func(*testing.T, *durable.Ledger) {
		return func(t *testing.T, l *durable.Ledger) {
			if err := l.Unfreeze(t.Context(), "acme/fleet", comment, bot.Word{By: "bob", At: at}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		name  string
		words []func(*testing.T, *durable.Ledger)
		after time.Duration
		on    bool
		why   string // the reason on record
	}{
		{name: "nothing said"},
		{name: "frozen", words: []func(*testing.T, *durable.Ledger){freeze(1, "sale", 0)}, after: 1000 * time.Hour, on: true, why: "sale"},
		{name: "for a time", words: []func(*testing.T, *durable.Ledger){freeze(1, "sale", time.Hour)}, after: time.Hour - 1, on: true, why: "sale"},
		{name: "for a time that is over", words: []func(*testing.T, *durable.Ledger){freeze(1, "sale", time.Hour)}, after: time.Hour, why: "sale"},
		{name: "ended", words: []func(*testing.T, *durable.Ledger){freeze(1, "sale", 0), unfreeze(2)}, why: "sale"},
		{name: "ended, and the freeze comes late", words: []func(*testing.T, *durable.Ledger){unfreeze(2), freeze(1, "sale", 0)}},
		{name: "ended, and the freeze comes again", words: []func(*testing.T, *durable.Ledger){freeze(1, "sale", 0), unfreeze(2), freeze(1, "sale", 0)}, why: "sale"},
		{name: "frozen anew", words: []func(*testing.T, *durable.Ledger){freeze(1, "sale", 0), unfreeze(2), freeze(3, "audit", 0)}, on: true, why: "audit"},
		{name: "the end comes late", words: []func(*testing.T, *durable.Ledger){freeze(1, "sale", 0), freeze(3, "audit", 0), unfreeze(2)}, on: true, why: "audit"},
		{name: "the end twice", words: []func(*testing.T, *durable.Ledger){freeze(1, "sale", 0), unfreeze(2), unfreeze(2)}, why: "sale"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			eachLedger(t, func(t *testing.T, l *durable.Ledger) {
				for _, word := range tt.words {
					word(t, l)
				}
				z, err := l.Frozen(t.Context(), "acme/FLEET")
				if err != nil || z.On(at.Add(tt.after)) != tt.on || z != nil && z.Reason != tt.why {
					t.Errorf("on record: %+v, %v; want on: %v", z, err, tt.on)
				}
				if z, err := l.Frozen(t.Context(), "acme/other"); err != nil || z != nil {
					t.Errorf("another repository: %+v, %v", z, err)
				}
			})
		})
	}
}

// TestAWordKeepsItsRight: by what right somebody approved is read again with it.
func TestAWordKeepsItsRight(t *testing.T) {
	eachLedger(t, func(t *testing.T, l *durable.Ledger) {
		begun, err := l.Begin(t.Context(), aRollback("a1", "web"))
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Approve(t.Context(), begun.ID, bot.Word{By: "dan", At: time.Unix(1, 0), Via: "@acme/sre"}); err != nil {
			t.Fatal(err)
		}
		rec, err := l.Rollback(t.Context(), begun.ID)
		if err != nil || rec.Approved == nil || rec.Approved.Via != "@acme/sre" || rec.Cancelled != nil {
			t.Errorf("approved %+v, cancelled %+v, %v", rec.Approved, rec.Cancelled, err)
		}
	})
}
