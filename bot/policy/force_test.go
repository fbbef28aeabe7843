package policy

import (
	"slices"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// guarded raises a guard of each kind: one that maintainers may pass, one that
// admins may, one that nobody may.
func guarded(name string) bot.Case {
	c := onCommand()
	switch name {
	case "max-affected":
		c.Affected = make([]bot.AppID, 9)
	case "touches-policy":
		c.Revert.Files[0].Path = bot.PolicyPath
	case "bypass":
		c.Branch.Bypass = "ruleset 7"
	}
	return c
}

// TestForce: a guard is passed only by who may, only where asked for, and it is on
// record who did.
func TestForce(t *testing.T) {
	r := rulesOf(t, auto)
	passes := map[string]map[bot.Permission]bool{
		"max-affected":   {bot.PermissionMaintain: true, bot.PermissionAdmin: true},
		"touches-policy": {bot.PermissionAdmin: true},
		"bypass":         {},
	}
	for name, by := range passes {
		for _, may := range []bot.Permission{"", "owner", bot.PermissionRead, bot.PermissionWrite, bot.PermissionMaintain, bot.PermissionAdmin} {
			c := guarded(name)
			stands := r.Decide(c)
			c.Forced, c.Forcer = true, may
			d := r.Decide(c)
			if want := by[may]; want {
				check(t, d, bot.VerbAct, name)
				if !slices.Equal(d.Forced, []string{name}) || !strings.Contains(d.Reasons[0].Text, "@ann ("+string(may)+") passed this with --force.") {
					t.Errorf("%s by %s is not on record: %+v", name, may, d)
				}
			} else if d.Verb != stands.Verb || len(d.Forced) > 0 || !strings.Contains(d.Reasons[0].Text, "--force") {
				t.Errorf("%s by %q: %+v", name, may, d)
			}
			c.Forced = false
			if d := r.Decide(c); d.Verb != stands.Verb {
				t.Errorf("%s by %q, who did not ask: %+v", name, may, d)
			}
		}
	}
}

// TestForceIsForCommands: no alert can ask for it.
func TestForceIsForCommands(t *testing.T) {
	c := onAlert()
	c.Affected = make([]bot.AppID, 9)
	c.Forced, c.Forcer = true, bot.PermissionAdmin
	check(t, rulesOf(t, auto).Decide(c), bot.VerbAsk, "max-affected")
}

// TestForceDoesNotPassWhatIsLimited by the server's configuration, nor the mode.
func TestForceDoesNotPassWhatIsLimited(t *testing.T) {
	c := guarded("max-affected")
	c.Forced, c.Forcer = true, bot.PermissionAdmin
	j := judge(t, Server{Limits: Limits{LimitSettings: LimitSettings{Guards: map[string]bot.Verb{"max-affected": bot.VerbAsk}}}})
	check(t, j.Read("a/b", bot.PolicyFile{}).Decide(c), bot.VerbAsk, "max-affected")
	check(t, rulesOf(t, Settings{Commands: ptr(bot.ModeApprove)}).Decide(c), bot.VerbAsk, "mode", "max-affected")
}

// TestGuardsAreSet by the owners: less careful only where somebody could pass
// them, more careful always.
func TestGuardsAreSet(t *testing.T) {
	r := rulesOf(t, Settings{Guards: map[string]bot.Verb{"max-affected": bot.VerbAct, "touches-policy": bot.VerbRefuse}})
	d := r.Decide(guarded("max-affected"))
	check(t, d, bot.VerbAct, "max-affected")
	if !strings.HasSuffix(d.Reasons[0].Text, "The policy lets that pass.") {
		t.Errorf("reason is %q", d.Reasons[0].Text)
	}
	check(t, r.Decide(guarded("touches-policy")), bot.VerbRefuse, "touches-policy")
	// From wherever it came: a guard that nobody may pass stands.
	r.layers = append(r.layers, layer{Settings: Settings{Guards: map[string]bot.Verb{"bypass": bot.VerbAct, "max-affected": "yolo"}}})
	check(t, r.Decide(guarded("bypass")), bot.VerbRefuse, "bypass")
	if d := r.Decide(guarded("max-affected")); !d.Verb.Before(bot.VerbAsk) {
		t.Errorf("by a verb that is not known: %+v", d)
	}
}

func TestCustomGuards(t *testing.T) {
	r := rulesOf(t, Settings{Commands: ptr(bot.ModeAuto), Custom: []CustomGuardSettings{
		{Name: "no-ann", When: `incident.requester == "ann"`, Verb: bot.VerbPropose, Text: "Ann is on leave.", Override: bot.PermissionMaintain},
		{Name: "never", When: "false", Verb: bot.VerbRefuse, Text: "Never."},
	}})
	check(t, r.Decide(onCommand()), bot.VerbPropose, "no-ann")
	c := onCommand()
	c.Incident.Requester = "bob"
	check(t, r.Decide(c), bot.VerbAct)
	c = onCommand()
	c.Forced, c.Forcer = true, bot.PermissionMaintain
	check(t, r.Decide(c), bot.VerbAct, "no-ann")
}

// TestCustomGuardThatCannotBeJudgedIsRaised: by an error, and where it was not
// compiled.
func TestCustomGuardThatCannotBeJudgedIsRaised(t *testing.T) {
	r := rulesOf(t, Settings{Custom: []CustomGuardSettings{{Name: "errs", When: "finding.none > 0.9", Verb: bot.VerbRefuse, Text: "No."}}})
	check(t, r.Decide(onCommand()), bot.VerbRefuse, "errs") // a command has no finding
	r = rulesOf(t, Settings{Custom: []CustomGuardSettings{{Name: "lost", When: "false", Verb: bot.VerbRefuse, Text: "No."}}})
	clear(r.customs)
	check(t, r.Decide(onCommand()), bot.VerbRefuse, "lost")
}
