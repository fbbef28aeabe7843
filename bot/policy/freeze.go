package policy

import (
	"fmt"
	"time"

	"github.com/backout-dev/backout/bot"
)

// frozen tells whether a freeze holds at a moment, until when, and why. forced
// passes the repository's own freezes, and never one that the server's
// configuration demands. A freeze that was not understood holds for ever.
func (r *Rules) frozen(freezes []bot.Freeze, at time.Time, forced bool) (text string, frozen bool) {
	for _, f := range freezes {
		if forced && !f.Limit {
			continue
		}
		key := f
		key.Limit = false
		w, known := r.windows[key]
		if !known {
			return "A freeze window is not understood, so it counts as holding.", true
		}
		until, on := w.At(at)
		if !on {
			continue
		}
		return describe(f, until), true
	}
	return "", false
}

func describe(f bot.Freeze, until time.Time) string {
	text := "A freeze window holds"
	if f.Limit {
		text = "A freeze window of Backout's configuration holds"
	}
	if !until.IsZero() {
		zone, err := time.LoadLocation(f.Zone)
		if err != nil {
			zone = time.UTC
		}
		text += until.In(zone).Format(" until Mon 2 Jan 15:04 MST")
	}
	if f.Reason != "" {
		text += fmt.Sprintf(" (%s)", f.Reason)
	}
	return text + "; nothing merges by itself until then."
}

// foresee says at the decision already that the merge will wait.
func (r *Rules) foresee(v *verdict, c bot.Case) {
	pass, _ := v.force.passes(bot.PermissionMaintain, false)
	if text, frozen := r.frozen(v.policy.Freezes, c.Now, v.force.asked && pass); frozen {
		v.reasons = append(v.reasons, argument{bot.VerbAct, bot.Reason{Name: guardFrozen, Text: text}})
	}
}

// standsStill says what keeps a revert from being merged by itself whatever the
// gate says: the policy as it is now, or a freeze.
func (r *Rules) standsStill(g bot.GateCase) (bot.GateCall, bool) {
	freeze := func(name, text string) (bot.GateCall, bool) {
		return bot.GateCall{Do: bot.GateFreeze, Reason: bot.Reason{Name: name, Text: text}}, true
	}
	may := g.Verb == bot.VerbAct || g.Approved && (g.Verb == bot.VerbAsk || g.Verb == bot.VerbPropose)
	switch {
	case !may && g.Why.Text != "":
		return freeze(g.Why.Name, g.Why.Text)
	case !may && g.Verb != bot.VerbAsk && g.Verb != bot.VerbPropose:
		return freeze(guardMode, "The policy does not let Backout merge.")
	case !may:
		return bot.GateCall{}, false // people merge, and the flow says so
	case g.Policy.Broken != "":
		return freeze(guardBroken, fmt.Sprintf("The policy file %s of the default branch is not understood, so nothing is merged by it: %s", bot.PolicyPath, g.Policy.Broken))
	}
	f := force{asked: g.Forced && g.Command, may: g.Forcer}
	pass, _ := f.passes(bot.PermissionMaintain, false)
	if text, frozen := r.frozen(g.Policy.Freezes, g.Now, f.asked && pass); frozen {
		return freeze(guardFrozen, text)
	}
	return bot.GateCall{}, false
}
