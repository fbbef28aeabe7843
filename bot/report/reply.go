package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

// help is the answer to /rollback help.
const help = "Comment one of these on a pull request, on a line of its own:\n\n" +
	"| command | what it does |\n|---|---|\n" +
	"| `/rollback` | takes back this merged pull request |\n" +
	"| `/rollback <sha>` or `/rollback #<number>` | takes back that commit or pull request |\n" +
	"| `/rollback plan` | shows what would happen, and does nothing (so does `--dry-run`) |\n" +
	"| `/rollback approve` | approves, as a second person, what waits for one |\n" +
	"| `/rollback cancel` | stops a rollback that has not merged yet |\n" +
	"| `/rollback status` | shows the rollbacks of this pull request, and what stops Backout |\n" +
	"| `/reapply` | brings back what was taken back: opens a draft, and merges nothing |\n" +
	"| `/rollback freeze` (`--for 2h`), `/rollback unfreeze` | stops Backout in this repository, and lets it go on; for admins |\n\n" +
	"`--reason \"…\"` adds why. `--force` passes the guards that may be passed; it takes maintain or admin permission. " +
	"All else takes write permission on the repository, or that its policy names you.\n"

// Reply implements bot.Teller.
func (Teller) Reply(a bot.Answer) string {
	to := ""
	if login(a.To) != "" {
		to = "@" + clip(login(a.To), maxLogin) + " "
	}
	switch a.Kind {
	case bot.AnswerHelp:
		return help
	case bot.AnswerMalformed:
		return cut(fmt.Sprintf("%sNothing was done: I did not understand %s. %s\n\n%s\n\n<details><summary>Commands</summary>\n\n%s\n</details>\n",
			to, code(a.Command), prose(a.Detail), prose(a.Advice), help))
	case bot.AnswerForbidden:
		s := to + "Nothing was done: rolling back needs write permission on this repository, and you do not have it. Ask somebody who has it to comment the same.\n"
		if a.Detail != "" {
			s += "\nWhether the policy lets you command could not be read. " + prose(a.Detail) + "\n"
		}
		return s
	case bot.AnswerLate:
		return cut(fmt.Sprintf("%sNothing was done: you commented %s at %s UTC, and Backout saw it only %s later. "+
			"What is older than an hour is not obeyed, since much may have changed meanwhile.\n\n"+
			"Comment the same again if you still want it.\n",
			to, code(a.Command), a.Asked.UTC().Format("2006-01-02 15:04"), took(a.Seen.Sub(a.Asked))))
	case bot.AnswerPlan:
		return plan(a)
	case bot.AnswerStatus:
		return status(to, a)
	}
	s := to + prose(a.Detail)
	if a.Advice != "" {
		s += "\n\n" + prose(a.Advice)
	}
	if len(a.Looked) > 0 {
		escaped := make([]string, 0, len(a.Looked))
		for _, l := range a.Looked {
			escaped = append(escaped, prose(l))
		}
		s += "\n\nLooked for:\n\n" + list(escaped, "places")
	}
	return cut(strings.TrimRight(s, "\n") + "\n")
}

// maxLogin is longer than any login on GitHub.
const maxLogin = 100

// login keeps of a name what GitHub allows in one
// (https://docs.github.com/enterprise-cloud@latest/admin/managing-iam/iam-configuration-reference/username-considerations-for-external-authentication).
func login(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return -1
	}, s)
}

// verbs say what a decision would do.
var verbs = map[bot.Verb]string{
	bot.VerbRefuse:  "refuse",
	bot.VerbObserve: "record it and write nothing",
	bot.VerbPropose: "open the revert and leave the merge to people",
	bot.VerbAsk:     "wait for a second person's approval, then revert, merge, sync and verify",
	bot.VerbAct:     "revert, merge, sync and verify",
}

func plan(a bot.Answer) string {
	v := *a.View
	var b strings.Builder
	b.WriteString("### 🔎 Plan\n\nNothing was changed. ")
	switch {
	case len(v.Conflicts) > 0:
		b.WriteString("The revert does **not** apply cleanly: a person has to solve the conflicts below.\n\n")
	case len(v.Changed) == 0:
		b.WriteString("There is **nothing to take back**.\n\n")
	default:
		fmt.Fprintf(&b, "Backout would **%s**.\n\n", verbs[v.Decision.Verb])
	}
	b.WriteString(facts(v) + conflicts(v) + notes(v) + why(v))
	v.Verdict = bot.VerdictObserved // nothing is under way that could be stopped
	b.WriteString(details(v))
	return cut(b.String())
}

func status(to string, a bot.Answer) string {
	var b strings.Builder
	records := a.Records
	if a.Frozen != "" {
		fmt.Fprintf(&b, "**Backout does not act here now.** %s\n\n", prose(a.Frozen))
	}
	if len(records) == 0 {
		return to + b.String() + "There is no rollback in this repository.\n"
	}
	b.WriteString("| rollback | change | began (UTC) | state |\n|---|---|---|---|\n")
	for i, r := range records {
		if i == shown {
			fmt.Fprintf(&b, "| | and %d more | | |\n", len(records)-i)
			break
		}
		state := "under way"
		switch {
		case r.End != nil:
			state = fmt.Sprintf("**%s**: %s", r.End.Verdict, prose(r.End.Summary))
		case r.View != nil && r.View.Waiting != "":
			state = prose(r.View.Waiting)
		case r.View != nil && stages[r.View.Now] != "":
			state = stages[r.View.Now]
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.ID, change(r.Culprit), r.Begun.UTC().Format(time.DateTime), state)
	}
	return cut(b.String())
}
