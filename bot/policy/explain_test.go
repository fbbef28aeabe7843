package policy

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// TestExplain: each setting tells who said it last, and what a limit changed.
func TestExplain(t *testing.T) {
	j := judge(t, Server{
		Defaults: Settings{PerDay: ptr(7), Hold: ptr("always")},
		Apps:     []AppSettings{{Match: "*/*/*/web", Settings: Settings{Mitigate: ptr("never")}}, {Match: "*/*/*/api", Settings: Settings{Mitigate: ptr("auto")}}},
		Limits: Limits{
			LimitSettings: LimitSettings{Alerts: ptr(bot.ModeApprove), PerDay: ptr(9), ForbidNotify: []string{"board"}, Guards: map[string]bot.Verb{"stateful": "ask"}},
			Apps:          []AppLimits{{Match: "*/*/*/web", LimitSettings: LimitSettings{Alerts: ptr(bot.ModePropose)}}},
		},
	})
	r := j.Rules(found("version: 1\ndefaults: {alerts: auto, hold: never, notify: [board], guards: {stateful: act, prune: refuse}}\napps: [{match: '*/*/*/web', commands: approve}, {match: '*/*/*/api', commands: observe}]"))
	got := map[string]Explained{}
	for _, e := range r.Explain(appID("web")) {
		got[e.Key] = e
	}
	server := func(path string) Place { return Place{Server: true, Path: path} }
	file := func(path string) *Place { return &Place{Path: path} }
	limit := func(paths ...string) (out []Place) {
		for _, p := range paths {
			out = append(out, server("policy.limits"+p))
		}
		return out
	}
	for _, want := range []Explained{
		{Key: "alerts", Value: `"propose"`, From: file("defaults.alerts"), Clamped: limit(".alerts", ".apps[0].alerts"), Was: `"auto"`},
		{Key: "commands", Value: `"approve"`, From: file("apps[0].commands")},
		{Key: "hold", Value: `"never"`, From: file("defaults.hold")},
		{Key: "mitigate", Value: `"never"`, From: &Place{Server: true, Path: "policy.apps[0].mitigate"}},
		{Key: "per_day", Value: "7", From: &Place{Server: true, Path: "policy.defaults.per_day"}},
		{Key: "merge_within", Value: `"1h0m0s"`},
		{Key: "notify", Value: "[]", From: file("defaults.notify"), Clamped: limit(".forbid_notify"), Was: `["board"]`},
		{Key: "guards.stateful", Value: `"ask"`, From: file("defaults.guards.stateful"), Clamped: limit(".guards.stateful"), Was: `"act"`},
		{Key: "guards.prune", Value: `"refuse"`, From: file("defaults.guards.prune")},
		{Key: "guards.kill-switch", Value: `"observe" for alerts, "refuse" for commands`},
	} {
		if diff := cmp.Diff(want, got[want.Key]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Key, diff)
		}
	}
	if want := reflect.TypeFor[Settings]().NumField() - 1 + len(Guards()); len(got) != want {
		t.Errorf("%d settings are explained, want %d", len(got), want)
	}
}

// TestExplainOfABrokenFile: what it made more careful is told, too.
func TestExplainOfABrokenFile(t *testing.T) {
	r := judge(t, Server{}).Rules(found("version: 1\ndefaults: {alerts: auto}\nx: 1"))
	for _, e := range r.Explain(appID("web")) {
		if want := (Explained{Key: "commands", Value: `"propose"`, Was: `"auto"`}); e.Key == "commands" && !cmp.Equal(e, want) {
			t.Errorf("commands: %+v", e)
		}
	}
}
