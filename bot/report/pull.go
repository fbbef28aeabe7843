package report

import (
	"fmt"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// Pull implements bot.Teller: title and body of the revert's pull request and
// the message of its commit, which reads as git's own.
func (Teller) Pull(v bot.View) (title, body, commitMessage string) {
	c := v.Rollback.Culprit
	title = `Revert "` + plain(c.Subject) + `"`
	return title, pullBody(v), title + "\n\n" + reverts(c) + "\n" + trailers(v)
}

// reverts is the sentence by which git and people recognise a revert.
func reverts(c bot.Change) string {
	var b strings.Builder
	for i, sha := range c.Commits {
		fmt.Fprintf(&b, "This reverts commit %s", sha)
		if c.Mainline > 0 && i == 0 {
			b.WriteString(", a merge,\nagainst its first parent")
		}
		b.WriteString(".\n")
	}
	return b.String()
}

func trailers(v bot.View) string {
	t := fmt.Sprintf("Backout-Rollback: %s\n", v.Rollback.ID)
	if r := v.Rollback.Incident.Requester; r != "" {
		t += fmt.Sprintf("Backout-Requested-By: %s\n", plain(r))
	}
	return t
}

func pullBody(v bot.View) string {
	var b strings.Builder
	c := v.Rollback.Culprit
	b.WriteString("### What happened\n\n")
	if i := v.Rollback.Incident; i.Kind == bot.IncidentCommand {
		fmt.Fprintf(&b, "%s asked to take this change back.\n\n", code(i.Requester))
		if i.Reason != "" {
			fmt.Fprintf(&b, "Reason: %s\n\n", code(i.Reason))
		}
	} else {
		fmt.Fprintf(&b, "Production broke: %s.\n\n", asker(i))
		for n, a := range i.Alerts {
			if n == 5 {
				break
			}
			if s := a.Annotations["summary"]; s != "" {
				fmt.Fprintf(&b, "- %s\n", code(s))
			}
		}
		if !i.Onset.To.IsZero() {
			fmt.Fprintf(&b, "\nThe trouble began %s.\n\n", onset(i.Onset))
		}
	}
	b.WriteString("### What this takes back\n\n")
	if c.PR != 0 {
		fmt.Fprintf(&b, "#%d ", c.PR)
	}
	fmt.Fprintf(&b, "%s by %s", code(c.Subject), code(c.Author))
	for _, sha := range c.Commits {
		fmt.Fprintf(&b, "\n- %s", sha)
	}
	b.WriteString("\n\n")
	for i, p := range v.Changed {
		if i == shownPaths {
			fmt.Fprintf(&b, "- %d more files\n", len(v.Changed)-i)
			break
		}
		fmt.Fprintf(&b, "- %s\n", code(p))
	}
	b.WriteString("\n")
	b.WriteString(why(v))
	b.WriteString("### Before you merge by hand\n\n")
	b.WriteString("- [ ] The files above are what should go back\n")
	b.WriteString("- [ ] No migration ran with the change that going back would break\n")
	for _, id := range v.Rollback.Affected {
		fmt.Fprintf(&b, "- [ ] %s may change, too\n", code(id.String()))
	}
	fmt.Fprintf(&b, "\nRollback `%s`. `/rollback status`, `/rollback cancel %s`.\n", v.Rollback.ID, v.Rollback.ID)
	return cut(b.String())
}

func onset(o bot.Onset) string {
	if o.Exact() {
		return "at " + clock(o.To) + " UTC"
	}
	return fmt.Sprintf("between %s and %s UTC", clock(o.From), clock(o.To))
}

// conclusions are the check run's conclusions
// (https://docs.github.com/rest/checks/runs), by verdict.
var conclusions = map[bot.Verdict]string{
	bot.VerdictVerified: "success", bot.VerdictNotFixed: "failure", bot.VerdictFailed: "failure",
	bot.VerdictCancelled: "cancelled", bot.VerdictNeedsHuman: "action_required",
}

// CheckRun implements bot.Teller.
func (Teller) CheckRun(v bot.View) (title, summaryText, conclusion string) {
	title = "Rolling back"
	if v.Now != "" {
		title = "Rolling back: " + v.Now
	}
	if v.Verdict != "" {
		title = strings.TrimSpace(strings.TrimLeftFunc(headlines[v.Verdict], func(r rune) bool { return r > 127 }))
		if conclusion = conclusions[v.Verdict]; conclusion == "" {
			conclusion = "neutral"
		}
	}
	return title, cut(summary(v) + "\n\n" + steps(v) + checks(v)), conclusion
}
