package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

// verdict is a decision under construction: it can only become more careful.
type verdict struct {
	verb    bot.Verb
	reasons []argument
	// policy says how far each guard lets a decision go, and force who asked to
	// pass some.
	policy bot.Policy
	force  force
	passed []string
}

// argument is one reason, and how far it lets a decision go.
type argument struct {
	verb   bot.Verb
	reason bot.Reason
}

// lower makes the decision at most verb, for a named reason.
func (v *verdict) lower(verb bot.Verb, name, format string, args ...any) {
	g, _ := builtIn(name)
	v.raise(verb, name, g.Override, fmt.Sprintf(format, args...))
}

// raise makes the decision at most verb, unless the owners have set another one
// for this guard, or a person who may passes it.
func (v *verdict) raise(verb bot.Verb, name string, override bot.Permission, text string) {
	if set, ok := v.policy.Guards[name]; ok && (set.Before(verb) || override != "") {
		if verb = set; verb == bot.VerbAct {
			text += " The policy lets that pass."
		}
	}
	if verb.Before(bot.VerbAct) && v.force.asked {
		passes, why := v.force.passes(override, slices.Contains(v.policy.Unforceable, name))
		if text += " " + why; passes {
			verb, v.passed = bot.VerbAct, append(v.passed, name)
		}
	}
	if verb.Before(v.verb) {
		v.verb = verb
	}
	v.reasons = append(v.reasons, argument{verb, bot.Reason{Name: name, Text: text}})
}

// decision puts the reasons that decided before those that only agree.
func (v *verdict) decision() bot.Decision {
	slices.SortStableFunc(v.reasons, func(a, b argument) int {
		switch {
		case a.verb.Before(b.verb):
			return -1
		case b.verb.Before(a.verb):
			return 1
		}
		return 0
	})
	d := bot.Decision{Verb: v.verb, Forced: v.passed}
	for _, a := range v.reasons {
		d.Reasons = append(d.Reasons, a.reason)
	}
	return d
}

// Decide implements bot.Rules.
func (r *Rules) Decide(c bot.Case) bot.Decision {
	ids := make([]bot.AppID, 0, len(c.Target))
	for _, app := range c.Target {
		ids = append(ids, app.ID)
	}
	p := r.Policy(ids...)
	command := c.Incident.Kind == bot.IncidentCommand
	v := &verdict{verb: bot.VerbAct, policy: p, force: forceOf(c)}
	v.mode(p, command)
	for _, app := range c.Target {
		if app.Source.Untracked != "" {
			v.lower(bot.VerbRefuse, "not-branch-tracked", "%s %s does not track a branch: %s", app.ID.Kind, app.ID.Name, app.Source.Untracked)
		}
	}
	if c.Branch.Bypass != "" {
		v.lower(bot.VerbRefuse, "bypass", "Backout may merge past the rules of %s (%s), so it can't promise to merge only what a person could. Take it off that bypass list.", c.Branch.Name, c.Branch.Bypass)
	}
	if c.Killed {
		v.killed(command, c.KilledWhy)
	}
	if !command {
		v.blame(c, p)
		v.often(c, p)
	}
	v.limits(c, p, command)
	v.guards(c)
	r.custom(v, c)
	r.foresee(v, c)
	d := v.decision()
	if p.Hold == "always" && (d.Verb == bot.VerbAct || d.Verb == bot.VerbAsk) {
		for _, app := range c.Target {
			// A hold that somebody else placed is theirs.
			if app.Hold == nil {
				d.Hold = append(d.Hold, app.ID)
			}
		}
	}
	return d
}

// mode applies how far the policy lets Backout go at all.
func (v *verdict) mode(p bot.Policy, command bool) {
	mode, broken := p.Alerts, bot.VerbObserve
	if command {
		mode, broken = p.Commands, bot.VerbPropose
	}
	if p.Broken != "" {
		v.lower(broken, guardBroken, "The policy file %s of the default branch is not understood, so Backout does not act by it: %s.", bot.PolicyPath, strings.TrimSuffix(p.Broken, "."))
	}
	switch mode {
	case bot.ModeAuto:
	case bot.ModeApprove:
		v.lower(bot.VerbAsk, guardMode, "The policy asks for a second person's approval.")
	case bot.ModePropose:
		v.lower(bot.VerbPropose, guardMode, "The policy lets Backout open the revert, and people merge it.")
	default:
		v.lower(bot.VerbObserve, guardMode, "The policy lets Backout observe only.")
	}
}

func (v *verdict) killed(command bool, why string) {
	if command {
		v.lower(bot.VerbRefuse, "kill-switch", "The kill switch is on: %s", why)
		return
	}
	v.lower(bot.VerbObserve, "kill-switch", "The kill switch is on: %s", why)
}

// blame applies what acting on an alert needs besides permission.
// Missing any one, a person decides.
func (v *verdict) blame(c bot.Case, p bot.Policy) {
	f := c.Finding
	if f == nil || len(f.Suspects) == 0 {
		v.lower(bot.VerbObserve, "no-suspect", "No change of ours is suspected.")
		return
	}
	s, onset := f.Suspects[0], c.Incident.Onset
	if s.Change.Head() != c.Culprit.Head() {
		v.lower(bot.VerbPropose, "not-first-suspect", "The change to take back is not the first suspect.")
	}
	if f.None >= 0.5 {
		v.lower(bot.VerbObserve, "probably-not-ours", "It is likelier that no change of ours broke this (%.0f %%).", 100*f.None)
	}
	if !f.Confident {
		v.lower(bot.VerbPropose, "not-confident", "The finding is not certain enough to act on; the suspects below say why.")
	}
	switch {
	case s.RolledOut.IsZero():
		v.lower(bot.VerbPropose, "rollout-unknown", "When the suspect was rolled out is not on record.")
	case s.RolledOut.After(onset.From):
		v.lower(bot.VerbPropose, "onset-before-rollout", "The trouble may have begun before the suspect was rolled out.")
	case onset.From.Sub(s.RolledOut) > p.BlameWindow:
		v.lower(bot.VerbPropose, "outside-blame-window", "The trouble began %s after the rollout, later than the blame window of %s.", short(onset.From.Sub(s.RolledOut)), short(p.BlameWindow))
	}
	if !s.TouchesFailing {
		v.lower(bot.VerbPropose, "object-not-touched", "The suspect is not known to change an object that the failing workload uses.")
	}
	switch s.HealthBefore {
	case bot.HealthGood:
	case bot.HealthBad:
		v.lower(bot.VerbPropose, "unwell-before", "The App was degraded already before the suspect was rolled out.")
	default:
		v.lower(bot.VerbPropose, "health-before-unknown", "The App is not known to have been healthy before the suspect was rolled out.")
	}
	if c.Culprit.IsRevert {
		v.lower(bot.VerbPropose, "revert-of-revert", "The suspect is itself a revert; only a person may take a revert back.")
	}
	for _, app := range c.Target {
		if app.Hold != nil && !app.Hold.Ours() {
			v.lower(bot.VerbPropose, "held-by-others", "%s %s is held by somebody else, who may be at work on it.", app.ID.Kind, app.ID.Name)
		}
	}
}

// limits applies the caps.
func (v *verdict) limits(c bot.Case, p bot.Policy, command bool) {
	if len(c.Target) == 0 {
		v.lower(bot.VerbPropose, "no-app", "No delivered App is built from what this change touches, so nothing could be verified.")
	}
	if len(c.Affected) > p.MaxAffected {
		v.lower(bot.VerbAsk, guardAffected, "The revert changes %d other Apps; the policy allows %d.", len(c.Affected), p.MaxAffected)
	}
	if c.Recent >= p.PerDay {
		v.lower(bot.VerbPropose, guardCap, "Backout has acted on this repository %d times within a day; the policy allows %d.", c.Recent, p.PerDay)
	}
	if p.PerDayOverall != nil && c.Overall >= *p.PerDayOverall {
		v.lower(bot.VerbPropose, "cap-overall", "Backout has acted %d times within a day in all repositories together; its configuration allows %d.", c.Overall, *p.PerDayOverall)
	}
	if command && c.Culprit.IsRevert {
		v.lower(bot.VerbAct, "revert-of-revert", "This takes a revert back, as a person asked.")
	}
}

// short is a duration without empty parts: "30m", not "30m0s".
func short(d time.Duration) string {
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
