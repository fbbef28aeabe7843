package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	Merge         *string        `json:"merge,omitempty"`
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
	if string(b) == "null" {
		return nil // as if the key were not there
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("%s is not a duration: write it like \"30m\" or \"90s\"", b)
	}
	v, err := time.ParseDuration(text)
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a duration: write it like \"30m\" or \"90s\"", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// AppSettings are settings for the Apps whose ID matches a glob
// ("prod/Kustomization/flux-system/*"); later entries win.
type AppSettings struct {
	Match string `json:"match"`
	Settings
}

// Default is the policy of an App that nothing else is said about.
func Default() bot.Policy {
	return bot.Policy{
		Alerts: bot.ModePropose, Commands: bot.ModeAuto,
		Hold: "auto", Unprotected: "commands", Merge: "backout", MaxAffected: 5, PerDay: 20,
		BlameWindow: 30 * time.Minute, HoldFor: 30 * time.Minute,
		ApproveWithin: 24 * time.Hour, MergeWithin: time.Hour,
		SyncWithin: 15 * time.Minute, VerifyWithin: 10 * time.Minute,
	}
}

// The words that the settings take, most careful first.
var (
	modes       = []bot.Mode{bot.ModeObserve, bot.ModePropose, bot.ModeApprove, bot.ModeAuto}
	holds       = []string{"never", "auto", "always"}
	unprotected = []string{"none", "commands", "all"}
	merges      = []string{"backout", autoMerge}
	operators   = []string{"<", "<=", ">", ">=", "==", "!="}
)

// check finds every problem; where names the entry.
func (s Settings) check(where string) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(where+format, args...)) }
	oneOf(bad, "alerts", s.Alerts, modes)
	oneOf(bad, "commands", s.Commands, modes)
	oneOf(bad, "hold", s.Hold, holds)
	oneOf(bad, "unprotected", s.Unprotected, unprotected)
	oneOf(bad, "merge", s.Merge, merges)
	if s.MaxAffected != nil && *s.MaxAffected < 0 {
		bad(".max_affected: %d; it can't be less than 0", *s.MaxAffected)
	}
	if s.PerDay != nil && *s.PerDay < 0 {
		bad(".per_day: %d; it can't be less than 0 (0 means to propose only)", *s.PerDay)
	}
	seen := map[string]bool{}
	for i, c := range s.Checks {
		switch {
		case c.Name == "" || strings.TrimSpace(c.Query) == "":
			bad(".checks[%d]: a check needs name and query", i)
		case seen[c.Name]:
			bad(".checks[%d].name: %q is used twice", i, c.Name)
		}
		seen[c.Name] = true
		oneOf(bad, fmt.Sprintf("checks[%d].operator", i), &c.Operator, operators)
	}
	return errors.Join(errs...)
}

func oneOf[T ~string](bad func(string, ...any), key string, v *T, allowed []T) {
	if v == nil || slices.Contains(allowed, *v) {
		return
	}
	words := make([]string, 0, len(allowed))
	for _, a := range allowed {
		words = append(words, string(a))
	}
	bad(".%s: %q is none of %s", key, *v, strings.Join(words, ", "))
}

func (s Settings) apply(p *bot.Policy) {
	set(&p.Alerts, s.Alerts)
	set(&p.Commands, s.Commands)
	set(&p.Hold, s.Hold)
	set(&p.Unprotected, s.Unprotected)
	set(&p.Merge, s.Merge)
	set(&p.MaxAffected, s.MaxAffected)
	set(&p.PerDay, s.PerDay)
	set(&p.BlameWindow, (*time.Duration)(s.BlameWindow))
	set(&p.HoldFor, (*time.Duration)(s.HoldFor))
	set(&p.ApproveWithin, (*time.Duration)(s.ApproveWithin))
	set(&p.MergeWithin, (*time.Duration)(s.MergeWithin))
	set(&p.SyncWithin, (*time.Duration)(s.SyncWithin))
	set(&p.VerifyWithin, (*time.Duration)(s.VerifyWithin))
	if s.Checks == nil {
		return
	}
	// A list replaces the one before it; an empty one takes it away.
	p.Checks = nil
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
