package policy

import (
	"maps"
	"path"
	"slices"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/policy/condition"
	"github.com/backout-dev/backout/bot/policy/window"
)

// Rules are the policies of one repository: what the server's configuration
// says, changed by what the repository's file says, and held within the limits.
type Rules struct {
	layers []layer // the later wins, key by key
	limits []AppLimits
	// overall caps what is done in all repositories together; nil means no cap.
	overall *int
	// broken says what is wrong with the repository's file.
	broken string
	// What was compiled of the layers and the limits.
	customs map[bot.CustomGuard]*condition.Guard
	windows map[bot.Freeze]window.Window
}

var _ bot.Rules = (*Rules)(nil)

// layer is one section of a file.
type layer struct {
	file  source
	path  string // "policy.defaults", "apps[0]"
	match string // "" is every App
	Settings
}

// source is the file that a section stands in.
type source int

const (
	fromServer source = iota
	fromRepository
)

// newRules puts the server's sections together, which were checked before.
func newRules(layers []layer, limits []AppLimits, overall *int) *Rules {
	r := (&Rules{limits: limits, overall: overall}).with(layers)
	for _, l := range limits {
		r.compile(l.Custom, l.Freezes)
	}
	return r
}

// with adds sections, which were checked before, in a copy of the rules.
func (r *Rules) with(layers []layer) *Rules {
	more := *r
	more.layers = slices.Concat(r.layers, layers)
	more.customs, more.windows = map[bot.CustomGuard]*condition.Guard{}, map[bot.Freeze]window.Window{}
	maps.Copy(more.customs, r.customs)
	maps.Copy(more.windows, r.windows)
	for _, l := range layers {
		more.compile(l.Custom, l.Freezes)
	}
	return &more
}

// compile keeps what takes time to make. What does not compile is missing, and
// what is missing is raised and frozen.
func (r *Rules) compile(custom []CustomGuardSettings, freezes []FreezeSettings) {
	for _, g := range custom {
		if _, made := r.customs[g.guard()]; made {
			continue
		}
		if made, err := compile(g.guard()); err == nil {
			r.customs[g.guard()] = made
		}
	}
	for _, f := range freezes {
		if made, err := window.Parse(f.freeze()); err == nil {
			r.windows[f.freeze()] = made
		}
	}
}

// Policy implements bot.Rules. Of several Apps broken by one commit, the most
// careful setting counts, in whatever order they come. Without an App the
// defaults count.
func (r *Rules) Policy(ids ...bot.AppID) bot.Policy {
	if len(ids) == 0 {
		return r.of("")
	}
	p := r.of(ids[0].String())
	for _, id := range ids[1:] {
		p = mix(p, r.of(id.String()))
	}
	return p
}

// unlimited is what the files say of one App; "" is an App that no entry speaks
// of.
func (r *Rules) unlimited(id string) bot.Policy {
	p := Default()
	for _, l := range r.layers {
		if speaksOf(l.match, id) {
			l.apply(&p)
		}
	}
	return p
}

// of is the policy of one App.
func (r *Rules) of(id string) bot.Policy {
	p := r.unlimited(id)
	for _, l := range r.limits {
		if speaksOf(l.Match, id) {
			l.clamp(&p)
		}
	}
	p.PerDayOverall = r.overall
	if r.broken != "" {
		distrust(&p)
		p.Broken = r.broken
	}
	return p
}

// speaksOf reports whether a section is about an App.
func speaksOf(match, id string) bool {
	if match == "" {
		return true
	}
	ok, err := path.Match(match, id)
	return ok && err == nil
}

// distrust makes a policy as careful as it must be where the owners' word is not
// understood: alerts are only observed, commands only proposed, and every guard
// stands.
func distrust(p *bot.Policy) {
	p.Alerts = moreCareful(modes, p.Alerts, bot.ModeObserve)
	p.Commands = moreCareful(modes, p.Commands, bot.ModePropose)
	p.Mitigate, p.Merge = mitigates[0], merges[0]
	p.Guards = mixGuards(p.Guards, nil)
}
