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
			fmt.Fprintf(&b, ", a merge,\nagainst its parent %d", c.Mainline)
		}
		b.WriteString(".\n")
	}
	return b.String()
}

func trailers(v bot.View) string {
	t := fmt.Sprintf("Backout-Rollback: %s\n", v.Rollback.ID)
	if r := plain(v.Rollback.Incident.Requester); r != "" {
		t += fmt.Sprintf("Backout-Requested-By: %s\n", r)
	}
	return t
}

// merging says who merges, by the decision.
func merging(v bot.View) string {
	const hands = "Do not push to this branch: it would no longer be what was verified, and Backout would stop.\n\n"
	switch v.Decision.Verb {
	case bot.VerbAct:
		return "Backout merges this by itself once all gates are green. " + hands
	case bot.VerbAsk:
		return "A second person approved this, so Backout merges it by itself once all gates are green. " + hands
	case bot.VerbPropose:
		return fmt.Sprintf("Backout does not merge this by itself. Merge it when you agree, or comment `/rollback approve %s` to let Backout do it.\n\n", v.Rollback.ID)
	}
	return ""
}

func pullBody(v bot.View) string {
	var b strings.Builder
	b.WriteString("### What happened\n\n")
	b.WriteString(happened(v))
	b.WriteString("### What this takes back\n\n")
	c := v.Rollback.Culprit
	fmt.Fprintf(&b, "%s:\n\n", change(c))
	commits := make([]string, 0, len(c.Commits))
	for _, sha := range c.Commits {
		commits = append(commits, "commit "+string(sha))
	}
	b.WriteString(list(commits, "commits") + "\nFiles that go back:\n\n")
	b.WriteString(list(codes(v.Changed), "files") + "\n")
	b.WriteString(why(v))
	b.WriteString("### Before you merge by hand\n\n")
	boxes := []string{"[ ] The files above are what should go back", "[ ] No migration ran with the change that going back would break"}
	for _, id := range v.Rollback.Affected {
		boxes = append(boxes, "[ ] "+code(id.String())+" changes, too")
	}
	b.WriteString(list(boxes, "Apps that change, too") + "\n")
	b.WriteString(merging(v))
	fmt.Fprintf(&b, "To see where it stands, comment `/rollback status`. To stop it, comment `/rollback cancel %s`.\n", v.Rollback.ID)
	return cut(b.String())
}

// happened tells who asked, or which alerts fired and what they say.
func happened(v bot.View) string {
	i := v.Rollback.Incident
	where := ""
	if v.Rollback.ReportTo != 0 {
		where = fmt.Sprintf(" on #%d", v.Rollback.ReportTo)
	}
	if i.Kind == bot.IncidentCommand {
		s := fmt.Sprintf("A person, %s, asked%s to take this change back.\n\n", code(i.Requester), where)
		if i.Reason != "" {
			s += fmt.Sprintf("Their reason: %s\n\n", code(i.Reason))
		}
		return s
	}
	s := fmt.Sprintf("Production broke, and this change is the first suspect: %s%s.\n\n", alerts(i), began(i.Onset))
	var summaries []string
	for _, a := range i.Alerts {
		if text := a.Annotations["summary"]; text != "" {
			summaries = append(summaries, code(text))
		}
	}
	if len(summaries) > 0 {
		s += list(summaries, "alerts") + "\n"
	}
	if from := sources(i); len(from) > 0 {
		s += "Where the alerts come from:\n\n" + list(from, "alerts") + "\n"
	}
	return s
}
