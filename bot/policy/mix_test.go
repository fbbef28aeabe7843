package policy

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// TestMixOfLists: of several Apps, whoever commands or approves must do so for
// each, and every guard, freeze and pattern of any of them counts.
func TestMixOfLists(t *testing.T) {
	freeze := func(cron string) []FreezeSettings {
		return []FreezeSettings{{Cron: cron, For: Duration(time.Hour)}}
	}
	guard := func(name string) []CustomGuardSettings {
		return []CustomGuardSettings{{Name: name, When: "true", Verb: bot.VerbAsk, Text: "t"}}
	}
	r := rulesOf(t, Settings{},
		AppSettings{Match: "*/*/*/a", Settings: Settings{
			Commanders: []string{"@ann", "@bob"}, Approvers: []string{"@ann", "@bob"}, Guards: map[string]bot.Verb{"stateful": bot.VerbAct, "prune": bot.VerbAct, "pvc": bot.VerbRefuse},
			Custom: guard("one"), Freezes: freeze("0 1 * * *"), Migrations: []string{"*.a"}, Notify: []string{"chat"}, Mitigate: ptr("auto"), Images: ptr("none"), BreakAfter: ptr(0), Cooldown: ptr(Duration(0)),
		}},
		AppSettings{Match: "*/*/*/b", Settings: Settings{
			Commanders: []string{"@bob"}, Approvers: []string{"@bob", "@carol"}, Guards: map[string]bot.Verb{"stateful": bot.VerbPropose},
			Custom: guard("two"), Freezes: freeze("0 2 * * *"), Migrations: []string{"*.b", "*.a"}, Notify: []string{"mail"}, Mitigate: ptr("never"), Images: ptr("pin"), BreakAfter: ptr(2), Cooldown: ptr(Duration(time.Hour)),
		}},
		AppSettings{Match: "*/*/*/c", Settings: Settings{Approvers: []string{"@dave"}}},
	)
	for _, ids := range [][]bot.AppID{{appID("a"), appID("b")}, {appID("b"), appID("a")}} {
		p := r.Policy(ids...)
		want := Default()
		want.Commanders, want.Approvers, want.Notify, want.Migrations = []string{"@bob"}, []string{"@bob"}, []string{"chat", "mail"}, []string{"*.a", "*.b"}
		want.Guards = map[string]bot.Verb{"stateful": bot.VerbPropose, "pvc": bot.VerbRefuse}
		want.Custom = []bot.CustomGuard{{Name: "one", When: "true", Verb: "ask", Text: "t"}, {Name: "two", When: "true", Verb: "ask", Text: "t"}}
		want.Freezes = []bot.Freeze{{Cron: "0 1 * * *", For: time.Hour}, {Cron: "0 2 * * *", For: time.Hour}}
		want.Mitigate, want.Images, want.BreakAfter, want.Cooldown = "never", "pin", 2, time.Hour
		if diff := cmp.Diff(want, p); diff != "" {
			t.Errorf("%v (-want +got):\n%s", ids, diff)
		}
	}
	// Nobody in common is not the same as no list, which means whoever may write.
	for _, ids := range [][]bot.AppID{{appID("a"), appID("c")}, {appID("c"), appID("b"), appID("a")}} {
		if p := r.Policy(ids...); !slices.Equal(p.Approvers, []string{nobody}) {
			t.Errorf("%v: approvers are %v", ids, p.Approvers)
		}
	}
	// Where one App names nobody in particular, the other's word counts.
	if p := r.Policy(appID("x"), appID("c")); !slices.Equal(p.Approvers, []string{"@dave"}) || len(p.Commanders) != 0 {
		t.Errorf("policy is %+v", p)
	}
}
