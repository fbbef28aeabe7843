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
	b.WriteString(suspects(v.Rollback.Finding))
	return b.String()
}

// shownSuspects is how many suspects people are shown.
const shownSuspects = 3

func suspects(f *bot.Finding) string {
	if f == nil || len(f.Suspects) == 0 {
		return ""
	}
	var b strings.Builder
	sure := "certain"
	if !f.Confident {
		sure = "not certain"
	}
	fmt.Fprintf(&b, "<details><summary>How Backout found the change (%s; chance that no change of yours did it: %.0f %%)</summary>\n\n", sure, 100*f.None)
	for i, s := range f.Suspects[:min(shownSuspects, len(f.Suspects))] {
		fmt.Fprintf(&b, "%d. %s, score %.1f\n", i+1, change(s.Change), s.Score)
		for _, e := range s.Evidence {
			fmt.Fprintf(&b, "   - %s: %s (%+.1f)\n", e.Signal, prose(e.Detail), e.Weight)
		}
	}
	if n := len(f.Suspects) - shownSuspects; n > 0 {
		fmt.Fprintf(&b, "\nBackout weighed %d more.\n", n)
	}
	if len(f.Doubts) > 0 {
		items := make([]string, 0, len(f.Doubts))
		for _, d := range f.Doubts {
			items = append(items, prose(d))
		}
		fmt.Fprintf(&b, "\nWhat leaves doubt:\n\n%s", list(items, "doubts"))
	}
	b.WriteString("\n</details>\n\n")
	return b.String()
}

// conflicts lists what keeps a change from being reverted by itself.
func conflicts(v bot.View) string {
	if len(v.Conflicts) == 0 {
		return ""
	}
	items := make([]string, 0, len(v.Conflicts))
	for _, c := range v.Conflicts {
		item := fmt.Sprintf("%s (%s)", code(c.Path), c.Kind)
		var since []string
		for _, s := range c.Since[:min(shownSuspects, len(c.Since))] {
			since = append(since, string(s))
		}
		if len(since) > 0 {
			item += ", changed since by " + strings.Join(since, ", ")
		}
		if more := len(c.Since) - shownSuspects; more > 0 {
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
