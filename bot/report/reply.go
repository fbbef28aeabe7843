package report

import (
	"fmt"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// help is the answer to /rollback help.
const help = "Comment one of these on a pull request, on a line of its own:\n\n" +
	"| command | what it does |\n|---|---|\n" +
	"| `/rollback` | takes back this merged pull request |\n" +
	"| `/rollback <sha>` or `/rollback #<number>` | takes back that commit or pull request |\n" +
	"| `/rollback plan` | shows what would happen, and does nothing (so does `--dry-run`) |\n" +
	"| `/rollback approve` | a second person's word, where one is asked for |\n" +
	"| `/rollback cancel` | stops a rollback that has not merged yet |\n" +
	"| `/rollback status` | shows the rollbacks of this pull request |\n\n" +
	"`--reason \"…\"` adds why. You need write permission on the repository.\n"

// Reply implements bot.Teller.
func (Teller) Reply(a bot.Answer) string {
	to := "@" + a.To + " "
	switch a.Kind {
	case bot.AnswerHelp:
		return help
	case bot.AnswerMalformed:
		return fmt.Sprintf("%sI did not understand %s. %s\n\n%s\n\n<details><summary>Commands</summary>\n\n%s\n</details>\n", to, code(a.Command), prose(a.Detail), prose(a.Advice), help)
	case bot.AnswerForbidden:
		return to + "Rolling back needs write permission on this repository, and you do not have it. Ask somebody who has.\n"
	case bot.AnswerPlan:
		return plan(a)
	case bot.AnswerStatus:
		return status(a)
	default:
		s := to + prose(a.Detail)
		if a.Advice != "" {
			s += "\n\n" + prose(a.Advice)
		}
		if len(a.Looked) > 0 {
			escaped := make([]string, 0, len(a.Looked))
			for _, l := range a.Looked {
				escaped = append(escaped, prose(l))
			}
			s += "\n\nLooked for:\n\n" + list(escaped)
		}
		return cut(s + "\n")
	}
}

// verbs say what a decision would do.
var verbs = map[bot.Verb]string{
	bot.VerbRefuse: "refuse", bot.VerbObserve: "record it and write nothing", bot.VerbPropose: "open the revert and leave the merge to people",
	bot.VerbAsk: "ask a second person, then act", bot.VerbAct: "revert, merge, sync and verify",
}

func plan(a bot.Answer) string {
	v := *a.View
	var b strings.Builder
	b.WriteString("### 🔎 Plan\n\nNothing was changed. ")
	switch {
	case len(v.Conflicts) > 0:
		b.WriteString("The revert does **not** apply cleanly; a person has to solve the conflicts below.\n\n")
	default:
		fmt.Fprintf(&b, "Backout would **%s**.\n\n", verbs[v.Decision.Verb])
	}
	b.WriteString(summary(v) + "\n\n")
	b.WriteString(why(v))
	b.WriteString(details(v))
	return cut(b.String())
}

func status(a bot.Answer) string {
	if len(a.Records) == 0 {
		return "@" + a.To + " There is no rollback in this repository.\n"
	}
	var b strings.Builder
	b.WriteString("| rollback | change | began (UTC) | state |\n|---|---|---|---|\n")
	for _, r := range a.Records {
		state := "under way"
		switch {
		case r.End != nil:
			state = fmt.Sprintf("**%s**: %s", r.End.Verdict, prose(r.End.Summary))
		case r.View != nil && r.View.Waiting != "":
			state = prose(r.View.Waiting)
		case r.View != nil && r.View.Now != "":
			state = r.View.Now
		}
		ref := string(r.Culprit.Head().Short())
		if r.Culprit.PR != 0 {
			ref = fmt.Sprintf("#%d", r.Culprit.PR)
		}
		fmt.Fprintf(&b, "| %s | %s %s | %s | %s |\n", r.ID, ref, code(r.Culprit.Subject), r.Begun.UTC().Format("2006-01-02 15:04:05"), state)
	}
	return cut(b.String())
}
