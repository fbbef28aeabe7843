package bot

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// brakes are all the switches that stop a repository.
type brakes struct {
	Ledger
	killed   bool
	frozen   *Frozen
	unread   error // of the ledger
	labels   []Labelled
	away     error // of GitHub
	may      map[string]Permission
	requests int
}

func (b *brakes) On(context.Context) (bool, string)                 { return b.killed, "a file exists." }
func (b *brakes) Frozen(context.Context, RepoName) (*Frozen, error) { return b.frozen, b.unread }

func (b *brakes) Labelled(context.Context, RepoName, string) ([]Labelled, error) {
	b.requests++
	return b.labels, b.away
}

func (b *brakes) Permission(_ context.Context, _ RepoName, login string) (Permission, error) {
	return b.may[login], nil
}

func (b *brakes) flow(now *time.Time) *Flow {
	return NewFlow(Config{
		Ports: Ports{Switch: b, Ledger: b, Labels: b, People: b}, FreezeLabel: "stop",
		Now: func() time.Time { return *now }, Log: slog.New(slog.DiscardHandler),
	})
}

// TestHalted: each switch stops, and each counts as on where it can't be read.
func TestHalted(t *testing.T) {
	at := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	people := map[string]Permission{"ann": "write", "mia": "maintain", "tom": "triage", "eve": "read"}
	for _, tt := range []struct {
		name string
		b    brakes
		on   bool
		why  string // the reason's name
		text string
	}{
		{name: "nothing"},
		{name: "the kill switch", b: brakes{killed: true}, on: true, why: "kill-switch", text: "a file exists"},
		{name: "a freeze", b: brakes{frozen: &Frozen{By: "carol", At: at, Reason: "sale"}}, on: true, why: "freeze", text: "@carol froze acme/fleet at 2026-03-01 03:00 UTC, until an admin comments `/rollback unfreeze`: sale."},
		{name: "a freeze with an end", b: brakes{frozen: &Frozen{By: "carol", At: at, Until: at.Add(time.Hour)}}, on: true, why: "freeze", text: "until 2026-03-01 04:00 UTC."},
		{name: "a freeze that is over", b: brakes{frozen: &Frozen{By: "carol", At: at, Until: at}}},
		{name: "a freeze that was ended", b: brakes{frozen: &Frozen{By: "carol", At: at, Ended: &Word{By: "bob"}}}},
		{name: "a freeze that can't be read", b: brakes{unread: errors.New("disk")}, on: true, why: "freeze", text: "counts as frozen"},
		{name: "a label", b: brakes{labels: []Labelled{{Number: 7, By: "ann"}}}, on: true, why: "freeze", text: "label stop on #7"},
		{name: "a label by somebody who may not write", b: brakes{labels: []Labelled{{Number: 7, By: "tom"}}}},
		{name: "a label by nobody that is known there", b: brakes{labels: []Labelled{{Number: 7, By: "gone"}}}},
		{name: "a second label by somebody who may", b: brakes{labels: []Labelled{{Number: 7, By: "eve"}, {Number: 8, By: "mia"}}}, on: true, why: "freeze", text: "#8"},
		{name: "a label that nobody is known to have put there", b: brakes{labels: []Labelled{{Number: 7}}}, on: true, why: "freeze", text: "can't be read"},
		{name: "a label that can't be read", b: brakes{away: NewTrouble(TroubleForbidden, nil, "no").WithAdvice("Grant issues.")}, on: true, why: "freeze", text: "Grant issues."},
		{name: "a label that can't be read now", b: brakes{away: NewTrouble(TroubleTransient, nil, "no")}, on: true, why: "freeze", text: "counts as frozen"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.b.may = people
			now := at
			why, on := tt.b.flow(&now).halted(t.Context(), "acme/fleet")
			if on != tt.on || why.Name != tt.why || !strings.Contains(why.Text, tt.text) {
				t.Errorf("on %v: %+v", on, why)
			}
		})
	}
}

// TestTheLabelIsReadSparingly: often looked at, seldom asked for; and what was
// seen holds for a while when GitHub is away, but not for ever.
func TestTheLabelIsReadSparingly(t *testing.T) {
	now := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	b := &brakes{may: map[string]Permission{"ann": "write"}}
	f := b.flow(&now)
	look := func(after time.Duration, want bool, requests int) {
		t.Helper()
		now = now.Add(after)
		if _, on := f.halted(t.Context(), "acme/fleet"); on != want || b.requests != requests {
			t.Fatalf("on %v after %d requests; want %v after %d", on, b.requests, want, requests)
		}
	}
	look(0, false, 1)
	for range 100 {
		look(0, false, 1)
	}
	b.labels = []Labelled{{Number: 7, By: "ann"}}
	look(labelFresh-1, false, 1)
	look(1, true, 2)
	b.labels = nil
	look(labelFresh, false, 3)
	b.away = NewTrouble(TroubleTransient, nil, "away")
	look(labelStale-1, false, 4)
	look(1, true, 5)
	b.away = nil
	look(0, false, 6)
	b.away = NewTrouble(TroubleForbidden, nil, "not granted any more")
	look(labelFresh, true, 7) // that does not pass by itself
}
