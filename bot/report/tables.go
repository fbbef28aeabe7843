package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
)

var stepMarks = map[string]string{"done": "✅", "now": "⏳", "failed": "❌", "skipped": "➖"}

// steps is the step table.
func steps(v bot.View) string {
	if len(v.Steps) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| | step | at (UTC) | took | |\n|---|---|---|---|---|\n")
	for _, s := range v.Steps[max(0, len(v.Steps)-2*shown):] {
		at, dur := "", ""
		if !s.Start.IsZero() {
			at = clock(s.Start)
		}
		if !s.Start.IsZero() && !s.End.IsZero() {
			dur = took(s.End.Sub(s.Start))
		}
		detail := s.Detail
		if word := decisions[detail]; s.Name == "decide" && word != "" {
			detail = word
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", stepMarks[s.State], prose(s.Name), at, dur, prose(detail))
	}
	b.WriteString("\n")
	return b.String()
}

// decisions say in a word what was decided.
var decisions = map[string]string{
	string(bot.VerbAct): "go ahead", string(bot.VerbAsk): "ask a second person", string(bot.VerbPropose): "propose only",
	string(bot.VerbRefuse): "refuse", string(bot.VerbObserve): "observe only",
}

var checkMarks = map[string]string{bot.CheckPass: "✅", bot.CheckFail: "❌", bot.CheckUnknown: "❔"}

// checks is the table of checks before and after. What is not well stands
// first, since a long table is cut; what is only advisory stands last.
func checks(v bot.View) string {
	if len(v.After) == 0 {
		return ""
	}
	before := map[string]bot.CheckResult{}
	for _, c := range v.Before {
		before[c.Name] = c
	}
	after := slices.Clone(v.After)
	slices.SortStableFunc(after, func(a, b bot.CheckResult) int { return cmp.Compare(urgency(a), urgency(b)) })
	var b strings.Builder
	b.WriteString("| | check | before | after |\n|---|---|---|---|\n")
	for i, c := range after {
		if i == 2*shown {
			fmt.Fprintf(&b, "| | and %d more checks | | |\n", len(after)-i)
			break
		}
		mark, name := checkMarks[c.Status], code(c.Name)
		if c.Advisory {
			name += " (advisory)"
			if c.Status == bot.CheckFail {
				mark = "⚠️"
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", mark, name, prose(before[c.Name].Detail), prose(c.Detail))
	}
	b.WriteString("\n")
	return b.String()
}

// urgency orders checks.
func urgency(c bot.CheckResult) int {
	switch {
	case c.Advisory:
		return 3
	case c.Status == bot.CheckFail:
		return 0
	case c.Status == bot.CheckPass:
		return 2
	}
	return 1
}
