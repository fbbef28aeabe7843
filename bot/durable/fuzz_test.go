package durable

import (
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// FuzzText stores what flows hand over: it comes back as it was, or it is
// refused before it is stored.
func FuzzText(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) {
		stored, err := text{}.Encode(s)
		if err != nil || stored == nil {
			t.Fatalf("%q is stored as %v, %v", s, stored, err)
		}
		back, err := text{}.Decode(stored)
		if err != nil || back != any(s) {
			t.Fatalf("%q came back as %q, %v", s, back, err)
		}
		if storable(s) && (strings.ToValidUTF8(s, "") != s || strings.Contains(s, "\x00")) {
			t.Fatalf("%q would be refused by PostgreSQL", s)
		}
	})
}

// FuzzFlowName judges the names of unfinished flows. One that could be
// registered is either among the known, older or newer; all others are another
// program's.
func FuzzFlowName(f *testing.F) {
	f.Fuzz(func(t *testing.T, name string) {
		valid := map[string]bool{
			kindIntake:   CheckVersions(versionsOf(name, "rollback/v1")) == nil,
			kindRollback: CheckVersions(versionsOf("intake/v1", name)) == nil,
		}
		const newest = "999999999"
		kind, err := Retired(name, []string{"intake/v" + newest, "rollback/v" + newest})
		switch {
		case valid[kindIntake] && valid[kindRollback]:
			t.Fatalf("%q names two kinds", name)
		case strings.HasSuffix(name, "/v"+newest):
			if err == nil {
				t.Fatalf("%q is older than itself", name)
			}
		case (err == nil) != (valid[kindIntake] || valid[kindRollback]):
			t.Fatalf("%q: kind %q, %v; it can be registered: %v", name, kind, err, valid)
		case err == nil && !valid[kind]:
			t.Fatalf("%q is not of kind %q", name, kind)
		}
		if _, err := Retired(name, nil); err == nil {
			t.Fatalf("%q is given up though nothing newer is known", name)
		}
	})
}

func versionsOf(intake, rollback string) bot.Versions {
	return bot.Versions{
		Intakes:   []bot.Version[bot.Event]{{Name: intake}},
		Rollbacks: []bot.Version[bot.RollbackID]{{Name: rollback}},
	}
}
