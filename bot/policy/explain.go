package policy

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

// Place is where something is said: a path in the server's configuration
// ("policy.apps[0].alerts") or in the repository's file ("defaults.alerts").
type Place struct {
	Server bool
	Path   string
}

// Explained is one setting as it counts for an App, and why.
type Explained struct {
	Key   string // "alerts", "guards.stateful"
	Value string // JSON; "null" where there is none
	// From is where it was said; nil where it is built in.
	From *Place
	// Clamped are the limits that changed it, and Was what it would be without.
	Clamped []Place
	Was     string
}

// Explain tells where each setting of an App comes from. Keys are in one order.
func (r *Rules) Explain(id bot.AppID) []Explained {
	app := id.String()
	free := r.unlimited(app)
	said := values(free)
	by := map[string][]Place{}
	held := free
	for i, l := range r.limits {
		if !speaksOf(l.Match, app) {
			continue
		}
		before := values(held)
		l.clamp(&held)
		for key, now := range values(held) {
			if now != before[key] {
				by[key] = append(by[key], limitPlace(i, key))
			}
		}
	}
	counts := values(r.of(app))
	out := make([]Explained, 0, len(counts))
	for _, key := range sortedNames(counts) {
		e := Explained{Key: key, Value: counts[key], From: r.saidBy(app, key), Clamped: by[key]}
		if e.Value != said[key] {
			e.Was = said[key]
		}
		out = append(out, e)
	}
	return out
}

// limitPlace names a limit; the first entry of the list are those of all Apps.
func limitPlace(i int, key string) Place {
	at := "policy.limits"
	if i > 0 {
		at = fmt.Sprintf("policy.limits.apps[%d]", i-1)
	}
	if key == "notify" {
		key = "forbid_notify"
	}
	return Place{Server: true, Path: at + "." + key}
}

// saidBy is the last section that speaks of a key.
func (r *Rules) saidBy(app, key string) *Place {
	for _, l := range slices.Backward(r.layers) {
		if speaksOf(l.match, app) && l.says(key) {
			return &Place{Server: l.file == fromServer, Path: l.path + "." + key}
		}
	}
	return nil
}

// says reports whether the settings name a key.
func (s Settings) says(key string) bool {
	if name, ok := strings.CutPrefix(key, "guards."); ok {
		_, said := s.Guards[name]
		return said
	}
	v := reflect.ValueOf(s)
	for i := range v.NumField() {
		if name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ","); name == key {
			return !v.Field(i).IsNil()
		}
	}
	return false
}

// values are a policy's settings by their keys, as JSON, each guard by itself.
func values(p bot.Policy) map[string]string {
	out := map[string]string{}
	v := reflect.ValueOf(settingsOf(p))
	for i := range v.NumField() {
		if key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ","); key != "guards" {
			out[key] = text(v.Field(i).Interface())
		}
	}
	for _, g := range table {
		out["guards."+g.Name] = guardValue(p, g)
	}
	return out
}

// guardValue is how far a guard lets a decision go: for alerts and for commands,
// where that differs.
func guardValue(p bot.Policy, g Guard) string {
	alert, command := g.Alert, g.Command
	if set, ok := p.Guards[g.Name]; ok {
		if g.Override != "" {
			alert, command = set, set
		} else {
			alert, command = careful(alert, set), careful(command, set)
		}
	}
	if alert == command {
		return text(alert)
	}
	return fmt.Sprintf("%s for alerts, %s for commands", text(alert), text(command))
}

func text(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(b.String())
}

// settingsOf writes a policy as the settings that make it.
func settingsOf(p bot.Policy) Settings {
	d := func(v time.Duration) *Duration { return (*Duration)(&v) }
	return Settings{
		Alerts: &p.Alerts, Commands: &p.Commands, Hold: &p.Hold, Mitigate: &p.Mitigate, Unprotected: &p.Unprotected, Merge: &p.Merge,
		Commanders: p.Commanders, Approvers: p.Approvers, Guards: p.Guards,
		MaxAffected: &p.MaxAffected, PerDay: &p.PerDay, Cooldown: d(p.Cooldown), BreakAfter: &p.BreakAfter,
		BlameWindow: d(p.BlameWindow), HoldFor: d(p.HoldFor), ApproveWithin: d(p.ApproveWithin), MergeWithin: d(p.MergeWithin),
		SyncWithin: d(p.SyncWithin), VerifyWithin: d(p.VerifyWithin),
		Migrations: p.Migrations, Images: &p.Images, Notify: p.Notify,
		Checks: each(p.Checks, func(c bot.Check) CheckSetting {
			return CheckSetting{Name: c.Name, Query: c.Query, Operator: c.Operator, Threshold: c.Threshold, For: Duration(c.For), Advisory: c.Advisory}
		}),
		Freezes: each(p.Freezes, func(f bot.Freeze) FreezeSettings {
			return FreezeSettings{Cron: f.Cron, For: Duration(f.For), Zone: f.Zone, Reason: f.Reason}
		}),
		Custom: each(p.Custom, func(g bot.CustomGuard) CustomGuardSettings {
			return CustomGuardSettings{Name: g.Name, When: g.When, Verb: g.Verb, Text: g.Text, Override: g.Override}
		}),
	}
}
