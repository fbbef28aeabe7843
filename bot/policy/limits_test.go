package policy

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// limited are limits of every kind, each narrower than boldFile asks for.
func limited() LimitSettings {
	return LimitSettings{
		Alerts: ptr(bot.ModePropose), Commands: ptr(bot.ModeApprove), Hold: ptr("auto"), Mitigate: ptr("ask"), Unprotected: ptr("none"), Merge: ptr("backout"), Images: ptr("pin"),
		MaxAffected: ptr(3), PerDay: ptr(4), BreakAfter: ptr(5), BlameWindow: ptr(Duration(6 * time.Minute)), HoldFor: ptr(Duration(7 * time.Minute)), Cooldown: ptr(Duration(8 * time.Minute)),
		Guards:     map[string]bot.Verb{"stateful": bot.VerbAsk, "cap": bot.VerbRefuse, "crd": bot.VerbAct},
		Custom:     []CustomGuardSettings{{Name: "always", When: "true", Verb: bot.VerbAsk, Text: "It is always so."}},
		Freezes:    []FreezeSettings{{Cron: "0 0 24 12 *", For: Duration(24 * time.Hour)}},
		Migrations: []string{"*.ddl"}, ForbidNotify: []string{"board"},
	}
}

const boldFile = `version: 1
defaults:
  alerts: auto
  commands: auto
  hold: always
  mitigate: auto
  unprotected: all
  merge: github-auto
  images: none
  max_affected: 99
  per_day: 99
  break_after: 0
  blame_window: 9h
  hold_for: 9h
  cooldown: 0s
  guards: {stateful: act, cap: act, prune: act}
  custom_guards: []
  freezes: []
  migrations: []
  notify: [board, chat]
`

// TestLimits: of a limit and what a repository says, the more careful counts.
func TestLimits(t *testing.T) {
	j := judge(t, Server{Limits: Limits{LimitSettings: limited()}})
	got := j.Read("a/b", found(boldFile)).Policy(appID("web"))
	want := Default()
	want.Alerts, want.Commands, want.Hold, want.Mitigate, want.Unprotected, want.Merge, want.Images = "propose", "approve", "auto", "ask", "none", "backout", "pin"
	want.MaxAffected, want.PerDay, want.BreakAfter, want.BlameWindow, want.HoldFor, want.Cooldown = 3, 4, 5, 6*time.Minute, 7*time.Minute, 8*time.Minute
	want.Guards = map[string]bot.Verb{"stateful": "ask", "cap": "refuse", "prune": "act"}
	want.Custom = []bot.CustomGuard{{Name: "always", When: "true", Verb: "ask", Text: "It is always so.", Limit: true}}
	want.Freezes = []bot.Freeze{{Cron: "0 0 24 12 *", For: 24 * time.Hour, Limit: true}}
	want.Migrations, want.Notify, want.Unforceable = []string{"*.ddl"}, []string{"chat"}, []string{"cap", "crd", "max-affected", "migration", "stateful"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	// What is more careful already stays.
	shy := j.Read("a/b", found("version: 1\ndefaults: {alerts: observe, hold: never, per_day: 1, cooldown: 9h, break_after: 1, guards: {stateful: refuse}}")).Policy(appID("web"))
	if shy.Alerts != "observe" || shy.Hold != "never" || shy.PerDay != 1 || shy.Cooldown != 9*time.Hour || shy.BreakAfter != 1 || shy.Guards["stateful"] != "refuse" {
		t.Errorf("a policy that is more careful than the limits became %+v", shy)
	}
}

// TestLimitsKeepTheirGuards: a number that can't be loosened is none if the guard
// that stands for it can be let pass.
func TestLimitsKeepTheirGuards(t *testing.T) {
	file := found("version: 1\ndefaults: {guards: {cap: act, max-affected: act, migration: act}}")
	bold := map[string]bot.Verb{"cap": "act", "max-affected": "act", "migration": "act"}
	for _, tc := range []struct {
		limit LimitSettings
		name  string
		verb  bot.Verb
	}{
		{LimitSettings{PerDay: ptr(5)}, "cap", "propose"},
		{LimitSettings{MaxAffected: ptr(3)}, "max-affected", "ask"},
		{LimitSettings{Migrations: []string{"*.ddl"}}, "migration", "ask"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := judge(t, Server{Limits: Limits{LimitSettings: tc.limit}}).Read("a/b", file).Policy(appID("web"))
			want := maps.Clone(bold)
			want[tc.name] = tc.verb
			if diff := cmp.Diff(want, p.Guards); diff != "" || !slices.Equal(p.Unforceable, []string{tc.name}) {
				t.Errorf("guards, of which %v can't be forced (-want +got):\n%s", p.Unforceable, diff)
			}
		})
	}
	p := judge(t, Server{}).Read("a/b", file).Policy(appID("web"))
	if diff := cmp.Diff(bold, p.Guards); diff != "" || len(p.Unforceable) > 0 {
		t.Errorf("without limits (-want +got):\n%s", diff)
	}
}

// TestLimitsOfApps add to those of all, and every one that matches counts, in
// whatever order.
func TestLimitsOfApps(t *testing.T) {
	entries := []AppLimits{
		{Match: "*/*/*/web", LimitSettings: LimitSettings{Commands: ptr(bot.ModePropose)}},
		{Match: "prod/*/*/*", LimitSettings: LimitSettings{Commands: ptr(bot.ModeApprove), PerDay: ptr(2)}},
	}
	for range 2 {
		j := judge(t, Server{Limits: Limits{LimitSettings: LimitSettings{PerDay: ptr(5)}, Apps: entries}})
		r := j.Read("a/b", found(boldFile))
		if p := r.Policy(appID("web")); p.Commands != bot.ModePropose || p.PerDay != 2 {
			t.Errorf("web: %+v", p)
		}
		if p := r.Policy(appID("api")); p.Commands != bot.ModeApprove || p.PerDay != 2 {
			t.Errorf("api: %+v", p)
		}
		if p := r.Policy(); p.Commands != bot.ModeAuto || p.PerDay != 5 {
			t.Errorf("no App: %+v", p)
		}
		slices.Reverse(entries)
	}
}

func TestLimitsThatAreRefused(t *testing.T) {
	_, err := Open(Server{PerDayOverall: ptr(-1), Limits: Limits{
		LimitSettings: LimitSettings{Alerts: ptr(bot.Mode("x")), BreakAfter: ptr(0), Guards: map[string]bot.Verb{"nope": "ask"}, Freezes: []FreezeSettings{{}}, ForbidNotify: []string{"a b"}},
		Apps:          []AppLimits{{Match: "web", LimitSettings: LimitSettings{PerDay: ptr(-1)}}},
	}}, nil)
	wantError(t, err, "policy.limits.alerts: ", "policy.limits.guards.nope: ", "policy.limits.freezes[0]: ", "policy.limits.forbid_notify[0]: ", "policy.limits.break_after: 0 means never",
		"policy.limits.apps[0].match: ", "policy.limits.apps[0].per_day: ", "policy.per_day_overall: -1")
}

// bolderThan tells what of a policy is bolder than limits; "" where nothing is.
func bolderThan(p bot.Policy, l LimitSettings) string {
	q := p
	l.clamp(&q)
	// The limits' own guards and freezes are there already, once more.
	q.Custom, q.Freezes = p.Custom, p.Freezes
	if diff := cmp.Diff(p, q); diff != "" {
		return diff
	}
	for _, g := range l.Custom {
		if want := g.guard(); !slices.ContainsFunc(p.Custom, func(have bot.CustomGuard) bool { want.Limit = true; return have == want }) {
			return "guard " + g.Name + " is gone"
		}
	}
	for _, f := range l.Freezes {
		if want := f.freeze(); !slices.ContainsFunc(p.Freezes, func(have bot.Freeze) bool { want.Limit = true; return have == want }) {
			return "a freeze is gone"
		}
	}
	return ""
}

// FuzzFile reads policy files of repositories. Whatever one says, no policy is
// bolder than the limits, nor any decision than by the limits alone; a file with
// a problem is obeyed in nothing.
func FuzzFile(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(boldFile))
	j := judge(f, Server{Defaults: Settings{Alerts: ptr(bot.ModeAuto)}, Limits: Limits{LimitSettings: limited()}})
	f.Fuzz(func(t *testing.T, text []byte) {
		_, _, problems := ParseFile(text, nil)
		r := j.Read("a/b", bot.PolicyFile{Found: true, Text: text})
		for _, ids := range [][]bot.AppID{{}, {appID("web")}, {appID("payments"), appID("web")}} {
			p := r.Policy(ids...)
			if diff := bolderThan(p, limited()); diff != "" {
				t.Errorf("%v: bolder than the limits:\n%s", ids, diff)
			}
			if broken := len(problems) > 0; broken != (p.Broken != "") || broken && (p.Alerts != bot.ModeObserve || p.Commands != bot.ModePropose) {
				t.Errorf("%v: %d problems, and the policy is %+v", ids, len(problems), p)
			}
		}
		if d := r.Decide(onAlert()); bot.VerbPropose.Before(d.Verb) {
			t.Errorf("an alert leads to %s", d.Verb)
		}
		if d := r.Decide(onCommand()); bot.VerbAsk.Before(d.Verb) {
			t.Errorf("a command leads to %s", d.Verb)
		}
	})
}
