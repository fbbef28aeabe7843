package policy

import (
	"maps"
	"slices"
	"time"

	"github.com/backout-dev/backout/bot"
)

// apply changes what the settings name. A list replaces the one before it, and
// an empty one takes it away; of the guards each is replaced by itself.
func (s Settings) apply(p *bot.Policy) {
	set(&p.Alerts, s.Alerts)
	set(&p.Commands, s.Commands)
	set(&p.Hold, s.Hold)
	set(&p.Mitigate, s.Mitigate)
	set(&p.Unprotected, s.Unprotected)
	set(&p.Merge, s.Merge)
	set(&p.MaxAffected, s.MaxAffected)
	set(&p.PerDay, s.PerDay)
	set(&p.BreakAfter, s.BreakAfter)
	set(&p.Cooldown, (*time.Duration)(s.Cooldown))
	set(&p.BlameWindow, (*time.Duration)(s.BlameWindow))
	set(&p.HoldFor, (*time.Duration)(s.HoldFor))
	set(&p.ApproveWithin, (*time.Duration)(s.ApproveWithin))
	set(&p.MergeWithin, (*time.Duration)(s.MergeWithin))
	set(&p.SyncWithin, (*time.Duration)(s.SyncWithin))
	set(&p.VerifyWithin, (*time.Duration)(s.VerifyWithin))
	set(&p.Images, s.Images)
	setList(&p.Commanders, s.Commanders)
	setList(&p.Approvers, s.Approvers)
	setList(&p.Migrations, s.Migrations)
	setList(&p.Notify, s.Notify)
	setList(&p.Checks, each(s.Checks, CheckSetting.check))
	setList(&p.Freezes, each(s.Freezes, FreezeSettings.freeze))
	setList(&p.Custom, each(s.Custom, CustomGuardSettings.guard))
	if len(s.Guards) > 0 {
		p.Guards = maps.Clone(p.Guards)
		if p.Guards == nil {
			p.Guards = map[string]bot.Verb{}
		}
		maps.Copy(p.Guards, s.Guards)
	}
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func setList[T any](to *[]T, from []T) {
	if from != nil {
		*to = slices.Clone(from)
		if len(from) == 0 {
			*to = nil
		}
	}
}

// each converts a list; nil stays nil, which is no list and not an empty one.
func each[S, T any](in []S, as func(S) T) []T {
	if in == nil {
		return nil
	}
	out := make([]T, 0, len(in))
	for _, s := range in {
		out = append(out, as(s))
	}
	return out
}

func (c CheckSetting) check() bot.Check {
	return bot.Check{
		Name: c.Name, Query: c.Query, Operator: c.Operator, Threshold: c.Threshold,
		For: time.Duration(c.For), Advisory: c.Advisory,
	}
}

func (f FreezeSettings) freeze() bot.Freeze {
	return bot.Freeze{Cron: f.Cron, For: time.Duration(f.For), Zone: f.Zone, Reason: f.Reason}
}

func (g CustomGuardSettings) guard() bot.CustomGuard {
	return bot.CustomGuard{Name: g.Name, When: g.When, Verb: g.Verb, Text: g.Text, Override: g.Override}
}
