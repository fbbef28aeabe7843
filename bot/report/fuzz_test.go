package report

import (
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

// FuzzViews puts one text of others into every place of everything that we
// write, whatever the verdict and the kind of answer.
func FuzzViews(f *testing.F) {
	verdicts := []bot.Verdict{
		"", bot.VerdictVerified, bot.VerdictNotFixed, bot.VerdictUnverified, bot.VerdictCancelled,
		bot.VerdictNeedsHuman, bot.VerdictProposed, bot.VerdictNothingToDo, bot.VerdictObserved,
	}
	answers := []bot.AnswerKind{
		bot.AnswerHelp, bot.AnswerMalformed, bot.AnswerForbidden, bot.AnswerRefused, bot.AnswerPlan, bot.AnswerStatus,
		bot.AnswerNoted, bot.AnswerNone, bot.AnswerNoApp, bot.AnswerLate, "a kind of the future",
	}
	f.Fuzz(func(t *testing.T, text string, choice uint) {
		v := hostileView(text)
		v.Verdict = verdicts[choice%uint(len(verdicts))]
		v.Rollback.Incident.Kind = bot.IncidentAlert
		if choice%2 == 0 {
			v.Rollback.Incident.Kind = bot.IncidentCommand
		}
		harmless(t, Teller{}.Sticky(v))
		title, body, message := Teller{}.Pull(v)
		harmlessLine(t, title)
		harmless(t, body)
		for line := range strings.Lines(message) {
			harmlessLine(t, strings.TrimSuffix(line, "\n"))
		}
		name, summary, _ := Teller{}.CheckRun(v)
		harmless(t, name)
		harmless(t, summary)
		for what, text := range map[string]string{"the comment": Teller{}.Sticky(v), "the pull request": body, "the check run": summary} {
			if len(text) > 65536 {
				t.Errorf("%s has %d bytes, which GitHub refuses", what, len(text))
			}
		}
		harmless(t, Teller{}.Reply(bot.Answer{
			Kind: answers[choice%uint(len(answers))], Command: text, Detail: text, Advice: text, Looked: []string{text}, View: &v,
			Records: []bot.Record{{Rollback: v.Rollback, View: &v}}, Seen: time.Unix(7200, 0),
		}))
	})
}
