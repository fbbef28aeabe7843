package policy

import (
	"context"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/policy/condition"
)

// compile reads the expression of a custom guard.
func compile(g bot.CustomGuard) (*condition.Guard, error) { return condition.Compile(g) }

// custom raises the owners' own guards. One that is not compiled is raised: the
// zero Guard always is.
func (r *Rules) custom(v *verdict, c bot.Case) {
	if len(v.policy.Custom) == 0 {
		return
	}
	view := condition.NewView(c)
	for _, g := range v.policy.Custom {
		key := g
		key.Limit = false
		made, ok := r.customs[key]
		if !ok {
			made = &condition.Guard{}
		}
		raised, why := made.Judge(context.Background(), view)
		if !raised {
			continue
		}
		text := g.Text
		if why != "" {
			text += " " + why
		}
		v.raise(g.Verb, g.Name, g.Override, text)
	}
}
