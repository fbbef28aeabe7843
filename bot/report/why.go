package report

import (
	"fmt"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// whys open the list of reasons, by what they led to.
var whys = map[bot.Verb]string{
	bot.VerbAct:     "Good to know",
	bot.VerbAsk:     "Why a second person must approve",
	bot.VerbPropose: "Why Backout does not merge this by itself",
	bot.VerbRefuse:  "Why Backout refuses",
	bot.VerbObserve: "Why Backout only observes",
}

// why shows the decision's reasons and the suspects with their evidence.
func why(v bot.View) string {
	var b strings.Builder
	if len(v.Decision.Reasons) > 0 {
		items := make([]string, 0, len(v.Decision.Reasons))
		for _, r := range v.Decision.Reasons {
			items = append(items, fmt.Sprintf("%s (%s)", prose(r.Text), r.Name))
		}
		fmt.Fprintf(&b, "**%s**\n\n%s\n", whys[v.Decision.Verb], list(items, "reasons"))
	}
	b.WriteString(suspects(v.Rollback))
	return b.String()
}

// shownSince is how many later commits are named for one conflict.
const shownSince = 3

// conflicts lists what keeps a change from being reverted by itself.
func conflicts(v bot.View) string {
	if len(v.Conflicts) == 0 {
		return ""
	}
	items := make([]string, 0, len(v.Conflicts))
	for _, c := range v.Conflicts {
		item := fmt.Sprintf("%s (%s)", code(c.Path), c.Kind)
		var since []string
		for _, s := range c.Since[:min(shownSince, len(c.Since))] {
			since = append(since, string(s))
		}
		if len(since) > 0 {
			item += ", changed since by " + strings.Join(since, ", ")
		}
		if more := len(c.Since) - shownSince; more > 0 {
			item += fmt.Sprintf(" and %d more", more)
		}
		items = append(items, item)
	}
	return "**Files in conflict**\n\n" + list(items, "conflicts") + "\n"
}

func notes(v bot.View) string {
	items := make([]string, 0, len(v.Notes))
	for _, n := range v.Notes {
		items = append(items, prose(n))
	}
	if len(items) == 0 {
		return ""
	}
	return "**Notes**\n\n" + list(items, "notes") + "\n"
}
