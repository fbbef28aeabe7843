package policy

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/backout-dev/backout/bot"
)

// Limits are what no repository can loosen: whatever a policy says, the more
// careful of both counts. Those of Apps add to those of all.
type Limits struct {
	LimitSettings
	Apps []AppLimits `json:"apps,omitempty"`
}

// AppLimits are limits for the Apps whose ID matches a glob. All entries that
// match count.
type AppLimits struct {
	Match string `json:"match"`
	LimitSettings
}

// LimitSettings are limits, each optional.
type LimitSettings struct {
	// The boldest word that is allowed.
	Alerts      *bot.Mode `json:"alerts,omitempty"`
	Commands    *bot.Mode `json:"commands,omitempty"`
	Hold        *string   `json:"hold,omitempty"`
	Mitigate    *string   `json:"mitigate,omitempty"`
	Unprotected *string   `json:"unprotected,omitempty"`
	Merge       *string   `json:"merge,omitempty"`
	Images      *string   `json:"images,omitempty"`
	// The highest value that is allowed; of the cooldown the lowest.
	MaxAffected *int      `json:"max_affected,omitempty"`
	PerDay      *int      `json:"per_day,omitempty"`
	BreakAfter  *int      `json:"break_after,omitempty"`
	BlameWindow *Duration `json:"blame_window,omitempty"`
	HoldFor     *Duration `json:"hold_for,omitempty"`
	Cooldown    *Duration `json:"cooldown,omitempty"`
	// Guards are the boldest verbs that are allowed. Nobody may pass a guard that
	// is named here.
	Guards map[string]bot.Verb `json:"guards,omitempty"`
	// Custom guards, freezes and migrations always count.
	Custom     []CustomGuardSettings `json:"custom_guards,omitempty"`
	Freezes    []FreezeSettings      `json:"freezes,omitempty"`
	Migrations []string              `json:"migrations,omitempty"`
	// ForbidNotify are targets where no result goes.
	ForbidNotify []string `json:"forbid_notify,omitempty"`
}

func (l LimitSettings) check(bad complain, where string) {
	Settings{
		Alerts: l.Alerts, Commands: l.Commands, Hold: l.Hold, Mitigate: l.Mitigate, Unprotected: l.Unprotected, Merge: l.Merge, Images: l.Images,
		MaxAffected: l.MaxAffected, PerDay: l.PerDay, BreakAfter: l.BreakAfter, Guards: l.Guards, Custom: l.Custom, Freezes: l.Freezes, Migrations: l.Migrations,
	}.check(bad, where, nil)
	checkTargets(bad, where+".forbid_notify", l.ForbidNotify)
	if l.BreakAfter != nil && *l.BreakAfter == 0 {
		bad(where+".break_after", "0 means never, which limits nothing; leave it out")
	}
}

func (l Limits) check(bad complain, where string) {
	l.LimitSettings.check(bad, where)
	for i, a := range l.Apps {
		at := fmt.Sprintf("%s.apps[%d]", where, i)
		checkMatch(bad, at, a.Match)
		a.LimitSettings.check(bad, at)
	}
}

// clamp makes a policy as careful as the limits demand.
func (l LimitSettings) clamp(p *bot.Policy) {
	clampWord(modes, &p.Alerts, l.Alerts)
	clampWord(modes, &p.Commands, l.Commands)
	clampWord(holds, &p.Hold, l.Hold)
	clampWord(mitigates, &p.Mitigate, l.Mitigate)
	clampWord(unprotected, &p.Unprotected, l.Unprotected)
	clampWord(merges, &p.Merge, l.Merge)
	clampWord(images, &p.Images, l.Images)
	atMost(&p.MaxAffected, l.MaxAffected)
	atMost(&p.PerDay, l.PerDay)
	atMost(&p.BlameWindow, (*time.Duration)(l.BlameWindow))
	atMost(&p.HoldFor, (*time.Duration)(l.HoldFor))
	if l.Cooldown != nil {
		p.Cooldown = max(p.Cooldown, time.Duration(*l.Cooldown))
	}
	if l.BreakAfter != nil {
		p.BreakAfter = tighter(p.BreakAfter, *l.BreakAfter)
	}
	l.clampGuards(p)
	for _, g := range l.Custom {
		guard := g.guard()
		guard.Limit = true
		p.Custom = append(slices.Clone(p.Custom), guard)
	}
	for _, f := range l.Freezes {
		freeze := f.freeze()
		freeze.Limit = true
		p.Freezes = append(slices.Clone(p.Freezes), freeze)
	}
	for _, m := range l.Migrations {
		if !slices.Contains(p.Migrations, m) {
			p.Migrations = append(slices.Clone(p.Migrations), m)
		}
	}
	if len(l.ForbidNotify) > 0 {
		p.Notify = slices.DeleteFunc(slices.Clone(p.Notify), func(name string) bool { return slices.Contains(l.ForbidNotify, name) })
	}
}

// guards are the guards that limits demand: those that are named, and those
// that stand for another limit, which would be none if a repository could let
// its guard pass.
func (l LimitSettings) guards() map[string]bot.Verb {
	all := map[string]bot.Verb{}
	for name, limited := range map[string]bool{guardCap: l.PerDay != nil, guardAffected: l.MaxAffected != nil, guardMigration: len(l.Migrations) > 0} {
		if g, ok := builtIn(name); ok && limited {
			all[name] = g.boldest()
		}
	}
	for name, verb := range l.Guards {
		all[name] = verb
	}
	return all
}

func (l LimitSettings) clampGuards(p *bot.Policy) {
	limits := l.guards()
	if len(limits) == 0 {
		return
	}
	guards := maps.Clone(p.Guards)
	if guards == nil {
		guards = map[string]bot.Verb{}
	}
	for name, verb := range limits {
		if set, ok := guards[name]; ok {
			guards[name] = careful(set, verb)
		} else if g, _ := builtIn(name); verb.Before(g.boldest()) {
			guards[name] = verb
		}
	}
	p.Guards = guards
	p.Unforceable = slices.Compact(slices.Sorted(slices.Values(slices.Concat(p.Unforceable, sortedNames(limits)))))
}

func clampWord[T comparable](order []T, v *T, limit *T) {
	if limit != nil {
		*v = moreCareful(order, *v, *limit)
	}
}

func atMost[T int | time.Duration](v *T, limit *T) {
	if limit != nil {
		*v = min(*v, *limit)
	}
}
