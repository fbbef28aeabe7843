package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

// verdict is a decision under construction: it can only become more careful.
type verdict struct{ bot.Decision }

var careful = []bot.Verb{bot.VerbRefuse, bot.VerbObserve, bot.VerbPropose, bot.VerbAsk, bot.VerbAct}

// lower makes the decision at most verb, for a named reason.
func (v *verdict) lower(verb bot.Verb, name, format string, args ...any) {
	if slices.Index(careful, verb) < slices.Index(careful, v.Verb) {
		v.Verb = verb
	}
	v.Reasons = append(v.Reasons, bot.Reason{Name: name, Text: fmt.Sprintf(format, args...)})
}

// Decide implements bot.Judge.
func (r *Rules) Decide(c bot.Case) bot.Decision {
	ids := make([]bot.AppID, 0, len(c.Target))
	for _, app := range c.Target {
		ids = append(ids, app.ID)
	}
	p := r.Policy(ids...)
	command := c.Incident.Kind == bot.IncidentCommand
	mode := p.Alerts
	if command {
		mode = p.Commands
	}
	v := &verdict{bot.Decision{Verb: bot.VerbAct}}
	switch mode {
	case bot.ModeAuto:
	case bot.ModeApprove:
		v.lower(bot.VerbAsk, "mode", "The policy asks for a second person's approval.")
	case bot.ModePropose:
		v.lower(bot.VerbPropose, "mode", "The policy allows to propose, not to merge.")
	default:
		v.lower(bot.VerbObserve, "mode", "The policy allows to observe only.")
	}
	for _, app := range c.Target {
		if app.Source.Untracked != "" {
			v.lower(bot.VerbRefuse, "not-branch-tracked", "%s %s does not track a branch: %s", app.ID.Kind, app.ID.Name, app.Source.Untracked)
		}
	}
	if c.Killed {
		v.killed(command, c.KilledWhy)
	}
	if !command {
		v.blame(c, p)
	}
	v.limits(c, p, command)
	v.guards(c)
	if p.Hold == "always" && (v.Verb == bot.VerbAct || v.Verb == bot.VerbAsk) {
		for _, app := range c.Target {
			// A hold that somebody else placed is theirs.
			if app.Hold == nil {
				v.Hold = append(v.Hold, app.ID)
			}
		}
	}
	return v.Decision
}

func (v *verdict) killed(command bool, why string) {
	if command {
		v.lower(bot.VerbRefuse, "kill-switch", "The kill switch is on: %s", why)
		return
	}
	v.lower(bot.VerbObserve, "kill-switch", "The kill switch is on: %s", why)
}

// blame applies what acting on an alert needs besides permission (DESIGN §5).
// Missing any one, a person decides.
func (v *verdict) blame(c bot.Case, p bot.Policy) {
	f := c.Finding
	if f == nil || len(f.Suspects) == 0 {
		v.lower(bot.VerbObserve, "no-suspect", "No change of ours is suspected.")
		return
	}
	if f.None >= 0.5 {
		v.lower(bot.VerbObserve, "probably-not-ours", "It is likelier that no change of ours broke this (%.0f %%).", 100*f.None)
	}
	if !f.Confident {
		v.lower(bot.VerbPropose, "not-confident", "The ranking is not confident: %s", strings.Join(f.Doubts, " "))
	}
	s, onset := f.Suspects[0], c.Incident.Onset
	switch {
	case s.RolledOut.IsZero():
		v.lower(bot.VerbPropose, "rollout-unknown", "When the suspect was rolled out is not on record.")
	case s.RolledOut.After(onset.From):
		v.lower(bot.VerbPropose, "onset-before-rollout", "The trouble may have begun before the suspect was rolled out.")
	case onset.From.Sub(s.RolledOut) > p.BlameWindow:
		v.lower(bot.VerbPropose, "outside-blame-window", "The trouble began %s after the rollout, later than the blame window of %s.", onset.From.Sub(s.RolledOut).Round(time.Second), p.BlameWindow)
	}
	if !s.TouchesFailing {
		v.lower(bot.VerbPropose, "object-not-touched", "The suspect changes no object that the failing workload is known to use.")
	}
	if s.HealthBefore != bot.HealthGood {
		v.lower(bot.VerbPropose, "health-before-unknown", "The App is not known to have been healthy before the suspect.")
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
		v.lower(bot.VerbAsk, "max-affected", "The revert changes %d other Apps; %d are allowed.", len(c.Affected), p.MaxAffected)
	}
	if c.Recent >= p.PerDay {
		v.lower(bot.VerbPropose, "cap", "%d rollbacks in this repository within a day; %d are allowed.", c.Recent, p.PerDay)
	}
	if command && c.Culprit.IsRevert {
		v.Reasons = append(v.Reasons, bot.Reason{Name: "revert-of-revert", Text: "This takes a revert back, as a person asked."})
	}
}
