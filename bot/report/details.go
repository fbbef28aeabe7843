package report

import (
	"fmt"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// details are what few need at a glance: Apps, paths, holds, where the alerts
// come from, and how to stop.
func details(v bot.View) string {
	var b strings.Builder
	section := func(title string, items []string, more string) {
		if len(items) > 0 {
			fmt.Fprintf(&b, "%s:\n\n%s\n", title, list(items, more))
		}
	}
	section("Must be healthy afterwards", ids(v.Rollback.Apps), "Apps")
	section("Also changed by the revert", ids(v.Rollback.Affected), "Apps")
	section("Files that go back", codes(v.Changed), "files")
	var held, released []string
	for _, h := range v.Holds {
		if h.Placed {
			held = append(held, code(h.App.String()))
		} else {
			released = append(released, code(h.App.String()))
		}
	}
	section("Held still, so that nothing else is applied", held, "Apps")
	section("Released again", released, "Apps")
	section("Where the alerts come from", sources(v.Rollback.Incident), "alerts")
	if v.Verdict == "" {
		fmt.Fprintf(&b, "To stop it, comment `/rollback cancel %s`.\n\n", v.Rollback.ID)
	}
	return b.String()
}

func ids(apps []bot.AppID) []string {
	out := make([]string, 0, len(apps))
	for _, id := range apps {
		out = append(out, code(id.String()))
	}
	return out
}

func codes(texts []string) []string {
	out := make([]string, 0, len(texts))
	for _, t := range texts {
		out = append(out, code(t))
	}
	return out
}

// sources are where the alerts say they come from. Anybody who may post alerts
// wrote them, so they are shown and not linked.
func sources(i bot.Incident) []string {
	var out []string
	for _, a := range i.Alerts {
		if a.GeneratorURL != "" {
			out = append(out, code(a.GeneratorURL))
		}
	}
	return out
}
