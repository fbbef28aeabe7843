package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/backout-dev/backout/bot"
)

// parse reads settings as the configuration does.
func parse[T any](t *testing.T, text string) (v T, err error) {
	t.Helper()
	err = yaml.UnmarshalStrict([]byte(text), &v)
	return v, err
}

func TestSettings(t *testing.T) {
	s, err := parse[Settings](t, `
alerts: auto
commands: approve
hold: never
unprotected: none
merge: github-auto
max_affected: 0
per_day: 3
blame_window: 10m
hold_for: 1h
approve_within: 2h
merge_within: 3h
sync_within: 4h30m
verify_within: 90s
checks:
- {name: errors, query: up, operator: ">=", threshold: 0.5, for: 2m, advisory: true}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := bot.Policy{
		Alerts: bot.ModeAuto, Commands: bot.ModeApprove, Hold: "never", Unprotected: "none", Merge: "github-auto", PerDay: 3,
		BlameWindow: 10 * time.Minute, HoldFor: time.Hour, ApproveWithin: 2 * time.Hour, MergeWithin: 3 * time.Hour,
		SyncWithin: 270 * time.Minute, VerifyWithin: 90 * time.Second,
		Mitigate: "ask", Images: "hold", Cooldown: 30 * time.Minute, BreakAfter: 3,
		Checks: []bot.Check{{Name: "errors", Query: "up", Operator: ">=", Threshold: 0.5, For: 2 * time.Minute, Advisory: true}},
	}
	if diff := cmp.Diff(want, rulesOf(t, s).Policy(appID("web"))); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Default(), rulesOf(t, Settings{}).Policy(appID("web"))); diff != "" {
		t.Errorf("without settings (-want +got):\n%s", diff)
	}
}

// TestLaterEntriesWin, each in what it names and in nothing else.
func TestLaterEntriesWin(t *testing.T) {
	check := CheckSetting{Name: "a", Query: "up", Operator: ">"}
	r := rulesOf(t, Settings{Checks: []CheckSetting{check}, PerDay: ptr(7)},
		AppSettings{Match: "prod/*/*/*", Settings: Settings{Alerts: ptr(bot.ModeAuto), Hold: ptr("always")}},
		AppSettings{Match: "*/*/*/web-?", Settings: Settings{Alerts: ptr(bot.ModeObserve), Checks: []CheckSetting{}}},
	)
	type seen struct {
		alerts bot.Mode
		hold   string
		perDay int
		checks int
	}
	for name, want := range map[string]seen{
		"api":   {bot.ModeAuto, "always", 7, 1},
		"web-1": {bot.ModeObserve, "always", 7, 0},
	} {
		p := r.Policy(appID(name))
		if got := (seen{p.Alerts, p.Hold, p.PerDay, len(p.Checks)}); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	other := appID("web-1")
	other.Cluster = "dev"
	if p := r.Policy(other); p.Alerts != bot.ModeObserve || p.Hold != "auto" {
		t.Errorf("dev: %+v", p)
	}
}

// TestPolicyOfNoApp: an entry for all Apps says nothing about what is no App.
func TestPolicyOfNoApp(t *testing.T) {
	r := rulesOf(t, Settings{}, AppSettings{Match: "*/*/*/*", Settings: Settings{Unprotected: ptr("all")}})
	if diff := cmp.Diff(Default(), r.Policy()); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
}

// TestMostCarefulOfSeveralApps: in whatever order they come.
func TestMostCarefulOfSeveralApps(t *testing.T) {
	minutes := func(n int) *Duration { return ptr(Duration(time.Duration(n) * time.Minute)) }
	bold := Settings{
		Alerts: ptr(bot.ModeAuto), Commands: ptr(bot.ModeAuto), Hold: ptr("always"), Unprotected: ptr("all"), MaxAffected: ptr(9), PerDay: ptr(9),
		BlameWindow: minutes(9), HoldFor: minutes(9), ApproveWithin: minutes(9), MergeWithin: minutes(9), SyncWithin: minutes(1), VerifyWithin: minutes(1),
	}
	shy := Settings{
		Alerts: ptr(bot.ModeObserve), Commands: ptr(bot.ModeApprove), Hold: ptr("auto"), Unprotected: ptr("commands"), MaxAffected: ptr(1), PerDay: ptr(1),
		BlameWindow: minutes(1), HoldFor: minutes(1), ApproveWithin: minutes(1), MergeWithin: minutes(1), SyncWithin: minutes(9), VerifyWithin: minutes(9),
	}
	r := rulesOf(t, bold, AppSettings{Match: "*/*/*/shy", Settings: shy}, AppSettings{Match: "*/*/*/none", Settings: Settings{Hold: ptr("never"), Unprotected: ptr("none")}})
	want := r.Policy(appID("shy"))
	for _, ids := range [][]bot.AppID{{appID("shy"), appID("bold")}, {appID("bold"), appID("shy")}, {appID("bold"), appID("shy"), appID("bold")}} {
		if diff := cmp.Diff(want, r.Policy(ids...)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", ids, diff)
		}
	}
	want.Hold, want.Unprotected = "never", "none"
	if diff := cmp.Diff(want, r.Policy(appID("shy"), appID("none"), appID("bold"))); diff != "" {
		t.Errorf("with one that allows neither (-want +got):\n%s", diff)
	}
}

// TestRulesAreNotShared: what a caller does to a policy stays with it.
func TestRulesAreNotShared(t *testing.T) {
	r := rulesOf(t, Settings{Checks: []CheckSetting{{Name: "a", Query: "up", Operator: ">"}}})
	r.Policy().Checks[0].Name = "changed"
	r.Policy(appID("web")).Checks[0].Name = "changed"
	if got := r.Policy().Checks[0].Name; got != "a" {
		t.Errorf("the check is called %q now", got)
	}
}

func TestSettingsThatAreRefused(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"modes", "{alerts: yes, commands: Auto}", []string{`policy.defaults.alerts: "true" is none of observe, propose, approve, auto`, `policy.defaults.commands: "Auto" is none of observe, propose, approve, auto`}},
		{"hold", "{hold: sometimes}", []string{`policy.defaults.hold: "sometimes" is none of never, auto, always`}},
		{"unprotected", "{unprotected: command}", []string{`policy.defaults.unprotected: "command" is none of none, commands, all`}},
		{"numbers below zero", "{max_affected: -1, per_day: -2}", []string{"policy.defaults.max_affected: -1;", "policy.defaults.per_day: -2;"}},
		{"a check without a name", "{checks: [{query: up, operator: '>'}]}", []string{"policy.defaults.checks[0]: a check needs name and query"}},
		{"a check without a query", "{checks: [{name: a, query: ' ', operator: '>'}]}", []string{"policy.defaults.checks[0]: a check needs name and query"}},
		{"a check without an operator", "{checks: [{name: a, query: up}]}", []string{`policy.defaults.checks[0].operator: "" is none of <, <=, >, >=, ==, !=`}},
		{"two checks of one name", "{checks: [{name: a, query: up, operator: '>'}, {name: a, query: up, operator: '<'}]}", []string{`policy.defaults.checks[1].name: "a" is used twice`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := parse[Settings](t, tt.text)
			if err != nil {
				t.Fatal(err)
			}
			_, err = New(s, nil)
			wantError(t, err, tt.want...)
			_, err = New(Settings{}, []AppSettings{{Match: "*/*/*/*", Settings: s}})
			for i := range tt.want {
				tt.want[i] = strings.Replace(tt.want[i], "policy.defaults", "policy.apps[0]", 1)
			}
			wantError(t, err, tt.want...)
		})
	}
}

// wantError checks that each line of an error begins as wanted.
func wantError(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Error("no error")
		return
	}
	lines := strings.Split(err.Error(), "\n")
	ok := len(lines) == len(want)
	for i := range min(len(lines), len(want)) {
		ok = ok && strings.HasPrefix(lines[i], want[i])
	}
	if !ok {
		t.Errorf("error is\n%v\nwant\n%s", err, strings.Join(want, "\n"))
	}
}

func TestMatch(t *testing.T) {
	for match, ok := range map[string]bool{
		"prod/Kustomization/flux-system/web": true, "*/*/*/*": true, "prod/H*/ns/[a-c]*": true, "prod/Application/argocd/?": true,
		"": false, "*": false, "prod/*": false, "web": false, "a/Kustomization/c/d/e": false, "a/Kustomization//d": false,
		"a/Kustomization/c/[": false, "a/kustomization/c/d": false, "a/Deployment/c/d": false,
	} {
		_, err := New(Settings{}, []AppSettings{{Match: match}})
		if (err == nil) != ok {
			t.Errorf("%q: %v", match, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "policy.apps[0].match: ") {
			t.Errorf("%q: %v", match, err)
		}
	}
}

// TestEveryProblemIsTold in one error, whichever entry it stands in.
func TestEveryProblemIsTold(t *testing.T) {
	_, err := New(Settings{Hold: ptr("x")}, []AppSettings{{Match: "web", Settings: Settings{Alerts: ptr(bot.Mode("y"))}}, {Match: "*/*/*/*"}, {Match: "z"}})
	wantError(t, err, "policy.defaults.hold:", "policy.apps[0].match:", "policy.apps[0].alerts:", "policy.apps[2].match:")
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{`"30m"`: 30 * time.Minute, `90s`: 90 * time.Second, `1h30m`: 90 * time.Minute, `0s`: 0} {
		if got, err := parse[Duration](t, text); err != nil || got != Duration(want) {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"30", "1.5", "7d", "-5m", `""`, "soon", "[30m]", "{}", "true"} {
		if got, err := parse[Duration](t, text); err == nil {
			t.Errorf("%s is %v", text, got)
		} else if !strings.Contains(err.Error(), `write it like "30m" or "90s"`) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if b, err := Duration(90 * time.Second).MarshalJSON(); err != nil || string(b) != `"1m30s"` {
		t.Errorf("written as %s, %v", b, err)
	}
}
