package policy

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// noon is when the trouble begins in these tests.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func ptr[T any](v T) *T { return &v }

func rulesOf(t testing.TB, defaults Settings, apps ...AppSettings) *Rules {
	t.Helper()
	r, err := New(defaults, apps)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ladder are the verbs, most careful first.
var ladder = []bot.Verb{bot.VerbObserve, bot.VerbRefuse, bot.VerbPropose, bot.VerbAsk, bot.VerbAct}

func bold(v bot.Verb) int { return slices.Index(ladder, v) }

// auto lets Backout act on everything that no rule forbids.
var auto = Settings{Alerts: ptr(bot.ModeAuto), Commands: ptr(bot.ModeAuto)}

func appID(name string) bot.AppID {
	return bot.AppID{Cluster: "prod", Kind: bot.KindKustomization, Namespace: "flux-system", Name: name}
}

var culprit = bot.Change{Commits: []bot.SHA{"c0ffee"}}

// onCommand is the case of a person's command about one App, against which
// nothing speaks.
func onCommand() bot.Case {
	return bot.Case{
		Incident: bot.Incident{Kind: bot.IncidentCommand, Requester: "ann"},
		Target:   []bot.App{{ID: appID("web"), Workloads: []bot.Workload{{Kind: "Deployment", Name: "web"}}}},
		Culprit:  culprit,
		Revert: bot.Revert{Status: bot.RevertClean, Files: []bot.FileChange{{
			Path: "apps/web.yaml", Before: []byte("kind: Deployment\nspec: {image: v2}\n"), After: []byte("kind: Deployment\nspec: {image: v1}\n"),
		}}},
	}
}

// onAlert is the case of an alert for which all facts speak.
func onAlert() bot.Case {
	c := onCommand()
	c.Incident = bot.Incident{Kind: bot.IncidentAlert, Onset: bot.Onset{From: noon, To: noon}}
	c.Finding = &bot.Finding{None: 0.01, Confident: true, Suspects: []bot.Suspect{{
		Change: culprit, RolledOut: noon.Add(-4 * time.Minute), TouchesFailing: true, HealthBefore: bot.HealthGood,
	}}}
	return c
}

func reasonNames(d bot.Decision) []string {
	var out []string
	for _, r := range d.Reasons {
		out = append(out, r.Name)
	}
	return out
}

func check(t *testing.T, got bot.Decision, verb bot.Verb, reasons ...string) {
	t.Helper()
	if got.Verb != verb {
		t.Errorf("the decision is to %s, want %s", got.Verb, verb)
	}
	if diff := cmp.Diff(reasons, reasonNames(got)); diff != "" {
		t.Errorf("reasons (-want +got):\n%s\n%v", diff, got.Reasons)
	}
}

func TestModes(t *testing.T) {
	for mode, want := range map[bot.Mode]struct {
		verb    bot.Verb
		reasons []string
	}{
		bot.ModeAuto:    {bot.VerbAct, nil},
		bot.ModeApprove: {bot.VerbAsk, []string{"mode"}},
		bot.ModePropose: {bot.VerbPropose, []string{"mode"}},
		bot.ModeObserve: {bot.VerbObserve, []string{"mode"}},
	} {
		t.Run(string(mode), func(t *testing.T) {
			check(t, rulesOf(t, Settings{Alerts: &mode}).Decide(onAlert()), want.verb, want.reasons...)
			check(t, rulesOf(t, Settings{Commands: &mode}).Decide(onCommand()), want.verb, want.reasons...)
			rule := onAlert()
			rule.Incident.Kind = bot.IncidentRule
			check(t, rulesOf(t, Settings{Alerts: &mode}).Decide(rule), want.verb, want.reasons...)
		})
	}
}

func TestDefaultsProposeForAlertsAndActForCommands(t *testing.T) {
	r := rulesOf(t, Settings{})
	check(t, r.Decide(onAlert()), bot.VerbPropose, "mode")
	check(t, r.Decide(onCommand()), bot.VerbAct)
}

// TestUnknownModeFailsClosed: a mode that this version does not know, from
// wherever it came, is the most careful one.
func TestUnknownModeFailsClosed(t *testing.T) {
	r := rulesOf(t, auto)
	r.layers = append(r.layers, layer{Settings: Settings{Alerts: ptr(bot.Mode("yolo")), Commands: ptr(bot.Mode(""))}})
	check(t, r.Decide(onAlert()), bot.VerbObserve, "mode")
	check(t, r.Decide(onCommand()), bot.VerbObserve, "mode")
}

// ruleTests are all rules besides guards and modes. Each says what is
// changed about the case against which nothing speaks, and what follows for an
// alert and for a command; "" where a command does not ask.
var ruleTests = []struct {
	name           string
	change         func(*bot.Case)
	reason         string
	alert, command bot.Verb
}{
	{"no finding", func(c *bot.Case) { c.Finding = nil }, "no-suspect", bot.VerbObserve, ""},
	{"no suspect", func(c *bot.Case) { c.Finding = &bot.Finding{Confident: true} }, "no-suspect", bot.VerbObserve, ""},
	{"likelier no change of ours", func(c *bot.Case) { c.Finding.None = 0.5 }, "probably-not-ours", bot.VerbObserve, ""},
	{"not confident", func(c *bot.Case) { c.Finding.Confident = false }, "not-confident", bot.VerbPropose, ""},
	{"another suspect before the culprit", func(c *bot.Case) { c.Finding.Suspects[0].Change.Commits = []bot.SHA{"other"} }, "not-first-suspect", bot.VerbPropose, ""},
	{"rollout unknown", func(c *bot.Case) { c.Finding.Suspects[0].RolledOut = time.Time{} }, "rollout-unknown", bot.VerbPropose, ""},
	{"onset before rollout", func(c *bot.Case) { c.Finding.Suspects[0].RolledOut = noon.Add(1) }, "onset-before-rollout", bot.VerbPropose, ""},
	{"onset perhaps before rollout", func(c *bot.Case) { c.Incident.Onset.From = noon.Add(-5 * time.Minute) }, "onset-before-rollout", bot.VerbPropose, ""},
	{"no onset", func(c *bot.Case) { c.Incident.Onset = bot.Onset{} }, "onset-before-rollout", bot.VerbPropose, ""},
	{"outside the blame window", func(c *bot.Case) { c.Finding.Suspects[0].RolledOut = noon.Add(-30*time.Minute - 1) }, "outside-blame-window", bot.VerbPropose, ""},
	{"failing object not touched", func(c *bot.Case) { c.Finding.Suspects[0].TouchesFailing = false }, "object-not-touched", bot.VerbPropose, ""},
	{"unwell before", func(c *bot.Case) { c.Finding.Suspects[0].HealthBefore = bot.HealthBad }, "unwell-before", bot.VerbPropose, ""},
	{"health before unknown", func(c *bot.Case) { c.Finding.Suspects[0].HealthBefore = bot.HealthUnknown }, "health-before-unknown", bot.VerbPropose, ""},
	{"health before not even unknown", func(c *bot.Case) { c.Finding.Suspects[0].HealthBefore = "" }, "health-before-unknown", bot.VerbPropose, ""},
	{"still progressing before", func(c *bot.Case) { c.Finding.Suspects[0].HealthBefore = bot.HealthProgressing }, "health-before-unknown", bot.VerbPropose, ""},
	{"revert of a revert", func(c *bot.Case) { c.Culprit.IsRevert = true }, "revert-of-revert", bot.VerbPropose, bot.VerbAct},
	{"held by somebody else", func(c *bot.Case) { c.Target[0].Hold = &bot.Hold{Reason: "debugging"} }, "held-by-others", bot.VerbPropose, ""},
	{"on a bypass list", func(c *bot.Case) { c.Branch.Bypass = "ruleset 7" }, "bypass", bot.VerbRefuse, bot.VerbRefuse},
	{"kill switch", func(c *bot.Case) { c.Killed, c.KilledWhy = true, "the file exists." }, "kill-switch", bot.VerbObserve, bot.VerbRefuse},
	{"not branch-tracked", func(c *bot.Case) { c.Target[0].Source.Untracked = "It follows a tag." }, "not-branch-tracked", bot.VerbRefuse, bot.VerbRefuse},
	{"no App", func(c *bot.Case) { c.Target = nil }, "no-app", bot.VerbPropose, bot.VerbPropose},
	{"more Apps affected than allowed", func(c *bot.Case) { c.Affected = make([]bot.AppID, 6) }, "max-affected", bot.VerbAsk, bot.VerbAsk},
	{"the day's cap", func(c *bot.Case) { c.Recent = 20 }, "cap", bot.VerbPropose, bot.VerbPropose},
	{"over the day's cap", func(c *bot.Case) { c.Recent = 2000 }, "cap", bot.VerbPropose, bot.VerbPropose},
	{"a workflow", func(c *bot.Case) { c.Revert.Files[0].Path = ".github/workflows/ci.yaml" }, "touches-workflows", bot.VerbRefuse, bot.VerbRefuse},
}

func TestRules(t *testing.T) {
	r := rulesOf(t, auto)
	for _, tt := range ruleTests {
		t.Run(tt.name, func(t *testing.T) {
			c := onAlert()
			tt.change(&c)
			check(t, r.Decide(c), tt.alert, tt.reason)
			c = onAlert()
			c.Incident = onCommand().Incident
			tt.change(&c)
			if tt.command == "" {
				check(t, r.Decide(c), bot.VerbAct)
			} else {
				check(t, r.Decide(c), tt.command, tt.reason)
			}
		})
	}
}

// TestUnknownIncidentIsNoCommand: only a person's command goes without a
// finding.
func TestUnknownIncidentIsNoCommand(t *testing.T) {
	c := onCommand()
	c.Incident.Kind = "surprise"
	check(t, rulesOf(t, auto).Decide(c), bot.VerbObserve, "no-suspect")
}

// TestBounds: what is just allowed is allowed.
func TestBounds(t *testing.T) {
	c := onAlert()
	c.Affected, c.Recent, c.Finding.None = make([]bot.AppID, 5), 19, 0.49
	c.Finding.Suspects[0].RolledOut = noon.Add(-30 * time.Minute)
	c.Target[0].Hold = &bot.Hold{Owner: "rb-1"}
	check(t, rulesOf(t, auto).Decide(c), bot.VerbAct)
	c.Finding.Suspects[0].RolledOut = noon
	check(t, rulesOf(t, auto).Decide(c), bot.VerbAct)
}

func TestCapsFromSettings(t *testing.T) {
	none := auto
	none.PerDay, none.MaxAffected = ptr(0), ptr(0)
	c := onCommand()
	check(t, rulesOf(t, none).Decide(c), bot.VerbPropose, "cap")
	c.Affected = []bot.AppID{appID("other")}
	check(t, rulesOf(t, none).Decide(c), bot.VerbPropose, "cap", "max-affected")
}

// TestLower: a rule can only make a decision more careful, and always says so.
func TestLower(t *testing.T) {
	for i, from := range ladder {
		for j, to := range ladder {
			v := &verdict{verb: from}
			v.lower(to, "name", "text %d", 1)
			check(t, v.decision(), ladder[min(i, j)], "name")
		}
	}
	// A verb that this version does not know makes nothing bolder.
	v := &verdict{verb: bot.VerbRefuse}
	v.lower("yolo", "name", "text")
	if v.verb == bot.VerbAct || v.verb == bot.VerbAsk {
		t.Errorf("the decision is to %s", v.verb)
	}
}

// TestDecisionsOnlyBecomeMoreCareful: where two rules speak against a case, the
// decision is the more careful of theirs, and both are named.
func TestDecisionsOnlyBecomeMoreCareful(t *testing.T) {
	r := rulesOf(t, Settings{Alerts: ptr(bot.ModeAuto), Commands: ptr(bot.ModeAuto), Hold: ptr("always")})
	decide := func(kind bot.IncidentKind, changes ...func(*bot.Case)) bot.Decision {
		c := onAlert()
		c.Incident.Kind = kind
		for _, change := range changes {
			if len(c.Target) > 0 && c.Finding != nil && len(c.Finding.Suspects) > 0 {
				change(&c)
			}
		}
		return r.Decide(c)
	}
	pairs := 0
	for _, kind := range []bot.IncidentKind{bot.IncidentAlert, bot.IncidentCommand} {
		var alone []bot.Decision
		for _, tt := range ruleTests {
			alone = append(alone, decide(kind, tt.change))
		}
		for i, one := range ruleTests {
			for j, two := range ruleTests {
				a, b, both := alone[i], alone[j], decide(kind, one.change, two.change)
				names := reasonNames(both)
				if !slices.Contains(names, one.reason) || !slices.Contains(names, two.reason) {
					continue // the second change took away what the first rests on
				}
				pairs++
				if want := min(bold(a.Verb), bold(b.Verb)); bold(both.Verb) != want {
					t.Errorf("%s: %s and %s come to %s, want %s", kind, one.name, two.name, both.Verb, ladder[want])
				}
				if len(both.Hold) > 0 && bold(both.Verb) < bold(bot.VerbAsk) {
					t.Errorf("%s: %s and %s hold %v though the decision is to %s", kind, one.name, two.name, both.Hold, both.Verb)
				}
			}
		}
	}
	if pairs < 300 {
		t.Errorf("only %d pairs of rules were looked at", pairs)
	}
}

// TestObserveSaysNothing: where a policy or the kill switch lets Backout only
// observe, or nothing is suspected, a refusal must not be told on people's pull
// requests.
func TestObserveSaysNothing(t *testing.T) {
	workflow := func(c bot.Case) bot.Case {
		c.Revert.Files[0].Path = ".github/workflows/ci.yaml"
		return c
	}
	observe := rulesOf(t, Settings{Alerts: ptr(bot.ModeObserve), Commands: ptr(bot.ModeObserve)})
	check(t, observe.Decide(workflow(onAlert())), bot.VerbObserve, "mode", "touches-workflows")
	killed := onCommand()
	killed.Killed = true
	check(t, observe.Decide(workflow(killed)), bot.VerbObserve, "mode", "kill-switch", "touches-workflows")

	killed = onAlert()
	killed.Killed = true
	check(t, rulesOf(t, auto).Decide(workflow(killed)), bot.VerbObserve, "kill-switch", "touches-workflows")
	innocent := onAlert()
	innocent.Finding.None = 0.9
	check(t, rulesOf(t, auto).Decide(workflow(innocent)), bot.VerbObserve, "probably-not-ours", "touches-workflows")
}

// TestTheReasonThatDecidesStandsFirst: people are told it alone in places.
func TestTheReasonThatDecidesStandsFirst(t *testing.T) {
	c := onCommand()
	c.Killed, c.Recent, c.Affected = true, 20, make([]bot.AppID, 6)
	check(t, rulesOf(t, Settings{Commands: ptr(bot.ModeApprove)}).Decide(c), bot.VerbRefuse, "kill-switch", "cap", "mode", "max-affected")
}

func TestHolds(t *testing.T) {
	two := func(c bot.Case) bot.Case {
		c.Target = append(c.Target, bot.App{ID: appID("api")}, bot.App{ID: appID("theirs"), Hold: &bot.Hold{}}, bot.App{ID: appID("ours"), Hold: &bot.Hold{Owner: "rb-1"}})
		return c
	}
	both := []bot.AppID{appID("web"), appID("api")}
	tests := []struct {
		name     string
		settings Settings
		change   func(*bot.Case)
		want     []bot.AppID
	}{
		{"auto holds nothing while nothing mitigates", Settings{Commands: ptr(bot.ModeAuto)}, nil, nil},
		{"never", Settings{Commands: ptr(bot.ModeAuto), Hold: ptr("never")}, nil, nil},
		{"always, whoever is not held already", Settings{Commands: ptr(bot.ModeAuto), Hold: ptr("always")}, nil, both},
		{"always, once it is approved", Settings{Commands: ptr(bot.ModeApprove), Hold: ptr("always")}, nil, both},
		{"never to propose", Settings{Commands: ptr(bot.ModePropose), Hold: ptr("always")}, nil, nil},
		{"never to observe", Settings{Commands: ptr(bot.ModeObserve), Hold: ptr("always")}, nil, nil},
		{"never when refused", Settings{Commands: ptr(bot.ModeAuto), Hold: ptr("always")}, func(c *bot.Case) { c.Killed = true }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := two(onCommand())
			if tt.change != nil {
				tt.change(&c)
			}
			if diff := cmp.Diff(tt.want, rulesOf(t, tt.settings).Decide(c).Hold); diff != "" {
				t.Errorf("holds (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStrictestOfSeveralAppsDecides(t *testing.T) {
	r := rulesOf(t, auto, AppSettings{Match: "prod/*/*/api", Settings: Settings{Commands: ptr(bot.ModeApprove)}})
	c := onCommand()
	check(t, r.Decide(c), bot.VerbAct)
	c.Target = append(c.Target, bot.App{ID: appID("api")})
	check(t, r.Decide(c), bot.VerbAsk, "mode")
	c.Target[1].Source.Untracked = "It follows a tag."
	check(t, r.Decide(c), bot.VerbRefuse, "not-branch-tracked", "mode")
}
