package report

import (
	"strings"

	"github.com/backout-dev/backout/bot"
)

// conclusions are the check run's conclusions
// (https://docs.github.com/rest/checks/runs), by verdict; neutral for others.
var conclusions = map[bot.Verdict]string{
	bot.VerdictVerified: "success", bot.VerdictNotFixed: "failure", bot.VerdictFailed: "failure",
	bot.VerdictCancelled: "cancelled", bot.VerdictNeedsHuman: "action_required",
}

// stages say what is under way, by the stage's name.
var stages = map[string]string{
	"decide": "deciding", "approve": "waiting for an approval", "hold": "holding the Apps still", "open revert": "opening the revert",
	"merge": "waiting for the merge", "release": "releasing the Apps", "sync": "delivering the revert", "verify": "checking production",
}

// CheckRun implements bot.Teller.
func (Teller) CheckRun(v bot.View) (title, summary, conclusion string) {
	title = "Rolling back"
	if stage := stages[v.Now]; stage != "" {
		title += ": " + stage
	}
	if v.Verdict != "" {
		title = strings.TrimSpace(strings.TrimLeftFunc(headline(v), func(r rune) bool { return r > 127 }))
		if conclusion = conclusions[v.Verdict]; conclusion == "" {
			conclusion = "neutral"
		}
	}
	var b strings.Builder
	if v.Verdict != "" {
		b.WriteString(prose(v.Summary) + "\n\n")
	} else if v.Waiting != "" {
		b.WriteString(prose(v.Waiting) + "\n\n")
	}
	b.WriteString(todo(v) + facts(v) + steps(v) + checks(v))
	return title, cut(b.String()), conclusion
}
