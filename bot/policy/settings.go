package policy

import (
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/backout-dev/backout/bot"
)

// Settings is a bot.Policy with every field optional, so that an App's entry
// changes only what it names.
type Settings struct {
	Alerts        *bot.Mode      `json:"alerts,omitempty"`
	Commands      *bot.Mode      `json:"commands,omitempty"`
	Hold          *string        `json:"hold,omitempty"`
	Unprotected   *string        `json:"unprotected,omitempty"`
	MaxAffected   *int           `json:"max_affected,omitempty"`
	PerDay        *int           `json:"per_day,omitempty"`
	BlameWindow   *Duration      `json:"blame_window,omitempty"`
	HoldFor       *Duration      `json:"hold_for,omitempty"`
	ApproveWithin *Duration      `json:"approve_within,omitempty"`
	MergeWithin   *Duration      `json:"merge_within,omitempty"`
	SyncWithin    *Duration      `json:"sync_within,omitempty"`
	VerifyWithin  *Duration      `json:"verify_within,omitempty"`
	Checks        []CheckSetting `json:"checks,omitempty"`
}

// CheckSetting is one check as it is written in the configuration.
type CheckSetting struct {
	Name      string   `json:"name"`
	Query     string   `json:"query"`
	Operator  string   `json:"operator"`
	Threshold float64  `json:"threshold"`
	For       Duration `json:"for,omitempty"`
	Advisory  bool     `json:"advisory,omitempty"`
}

// Duration is a time.Duration written as "30m".
type Duration time.Duration

// UnmarshalJSON implements json.Unmarshaler.
func (d *Duration) UnmarshalJSON(b []byte) error {
	text := string(b)
	if len(text) < 2 || text[0] != '"' {
		return fmt.Errorf("%s is not a duration: write it like \"30m\" or \"90s\"", text)
	}
	v, err := time.ParseDuration(text[1 : len(text)-1])
	if err != nil || v < 0 {
		return fmt.Errorf("%s is not a duration: write it like \"30m\" or \"90s\"", text)
	}
	*d = Duration(v)
	return nil
}

// AppSettings are settings for the Apps whose ID matches a glob
// ("prod/Kustomization/flux-system/*"); later entries win.
type AppSettings struct {
	Match string `json:"match"`
	Settings
}

// Default is the policy of an App that nothing else is said about (DESIGN §8).
func Default() bot.Policy {
	return bot.Policy{
		Alerts: bot.ModePropose, Commands: bot.ModeAuto,
		Hold: "auto", Unprotected: "commands", MaxAffected: 5, PerDay: 20,
		BlameWindow: 30 * time.Minute, HoldFor: 30 * time.Minute,
		ApproveWithin: 24 * time.Hour, MergeWithin: time.Hour,
		SyncWithin: 15 * time.Minute, VerifyWithin: 10 * time.Minute,
	}
}

// Rules are the policies of a server.
type Rules struct {
	defaults bot.Policy
	apps     []AppSettings
}

var _ bot.Judge = (*Rules)(nil)

// New checks the settings. Its errors name the entry and what is allowed.
func New(defaults Settings, apps []AppSettings) (*Rules, error) {
	r := &Rules{defaults: Default(), apps: apps}
	if err := defaults.check("policy.defaults"); err != nil {
		return nil, err
	}
	defaults.apply(&r.defaults)
	for i, a := range apps {
		where := fmt.Sprintf("policy.apps[%d]", i)
		if _, err := path.Match(a.Match, "x"); err != nil || a.Match == "" {
			return nil, fmt.Errorf("%s.match: %q is not a glob over cluster/Kind/namespace/name", where, a.Match)
		}
		if err := a.check(where); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Policy implements bot.Judge. Of several Apps broken by one commit, the most
// careful setting counts in all that decides; the checks are those of the
// first, since each App's own are sampled App by App.
func (r *Rules) Policy(ids ...bot.AppID) bot.Policy {
	if len(ids) == 0 {
		return r.of(bot.AppID{})
	}
	p := r.of(ids[0])
	for _, id := range ids[1:] {
		q := r.of(id)
		p.Alerts, p.Commands = moreCareful(p.Alerts, q.Alerts), moreCareful(p.Commands, q.Commands)
		p.MaxAffected, p.PerDay = min(p.MaxAffected, q.MaxAffected), min(p.PerDay, q.PerDay)
		p.BlameWindow = min(p.BlameWindow, q.BlameWindow)
		if q.Unprotected == "none" || p.Unprotected == "all" {
			p.Unprotected = q.Unprotected
		}
		if q.Hold == "never" {
			p.Hold = q.Hold
		}
	}
	return p
}

// modes in order, most careful first.
var modes = []bot.Mode{bot.ModeObserve, bot.ModePropose, bot.ModeApprove, bot.ModeAuto}

func moreCareful(a, b bot.Mode) bot.Mode {
	return modes[min(slices.Index(modes, a), slices.Index(modes, b))]
}

// of is the policy of one App.
func (r *Rules) of(id bot.AppID) bot.Policy {
	p := r.defaults
	p.Checks = slices.Clone(p.Checks)
	for _, a := range r.apps {
		if ok, err := path.Match(a.Match, id.String()); ok && err == nil {
			a.apply(&p)
		}
	}
	return p
}

func (s Settings) check(where string) error {
	for name, m := range map[string]*bot.Mode{"alerts": s.Alerts, "commands": s.Commands} {
		if m != nil && !slices.Contains(modes, *m) {
			return fmt.Errorf("%s.%s: %q is none of observe, propose, approve, auto", where, name, *m)
		}
	}
	if s.Hold != nil && !slices.Contains([]string{"auto", "always", "never"}, *s.Hold) {
		return fmt.Errorf("%s.hold: %q is none of auto, always, never", where, *s.Hold)
	}
	if s.Unprotected != nil && !slices.Contains([]string{"commands", "all", "none"}, *s.Unprotected) {
		return fmt.Errorf("%s.unprotected: %q is none of commands, all, none", where, *s.Unprotected)
	}
	for i, c := range s.Checks {
		switch {
		case c.Name == "" || c.Query == "":
			return fmt.Errorf("%s.checks[%d]: a check needs name and query", where, i)
		case !slices.Contains([]string{"<", "<=", ">", ">=", "==", "!="}, c.Operator):
			return fmt.Errorf("%s.checks[%d].operator: %q is none of < <= > >= == !=", where, i, c.Operator)
		}
	}
	return nil
}

func (s Settings) apply(p *bot.Policy) {
	set(&p.Alerts, s.Alerts)
	set(&p.Commands, s.Commands)
	set(&p.Hold, s.Hold)
	set(&p.Unprotected, s.Unprotected)
	set(&p.MaxAffected, s.MaxAffected)
	set(&p.PerDay, s.PerDay)
	for to, from := range map[*time.Duration]*Duration{
		&p.BlameWindow: s.BlameWindow, &p.HoldFor: s.HoldFor, &p.ApproveWithin: s.ApproveWithin,
		&p.MergeWithin: s.MergeWithin, &p.SyncWithin: s.SyncWithin, &p.VerifyWithin: s.VerifyWithin,
	} {
		set(to, (*time.Duration)(from))
	}
	if s.Checks != nil {
		p.Checks = nil
	}
	for _, c := range s.Checks {
		p.Checks = append(p.Checks, bot.Check{
			Name: c.Name, Query: c.Query, Operator: c.Operator, Threshold: c.Threshold,
			For: time.Duration(c.For), Advisory: c.Advisory,
		})
	}
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}
