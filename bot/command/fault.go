package command

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/backout-dev/backout/bot"
)

// fault is what is wrong with a line: sentences for people, in which untrusted
// text stands quoted.
type fault struct{ problem, hint string }

func malformed(hint, problem string, args ...any) *fault {
	return &fault{problem: fmt.Sprintf(problem, args...), hint: hint}
}

// in says in which line the fault is.
func (f *fault) in(line string) *bot.Malformed {
	return &bot.Malformed{Line: line, Problem: f.problem, Hint: f.hint}
}

var (
	hexForm   = regexp.MustCompile(`^[0-9a-f]*[0-9][0-9a-f]*$`) // with a digit: "bad" and "decade" are words
	pullURL   = regexp.MustCompile(`^https?://[^/\s]+/[^/\s]+/[^/\s]+/pull/([1-9][0-9]{0,9})\b`)
	commitURL = regexp.MustCompile(`^https?://\S+/commits?/([0-9a-f]{7,40})\b`)
)

// unknownWord says what is wrong with a word that is neither verb nor target.
func unknownWord(text string) *fault {
	lower := strings.ToLower(text)
	if m := pullURL.FindStringSubmatch(lower); m != nil {
		return malformed(fmt.Sprintf("For a pull request of this repository, write `#%s`.", m[1]), "A command takes no links.")
	}
	if m := commitURL.FindStringSubmatch(lower); m != nil {
		return malformed(fmt.Sprintf("For a commit of this repository, write `%s`.", m[1]), "A command takes no links.")
	}
	if _, err := strconv.ParseUint(text, 10, 32); err == nil {
		return malformed(fmt.Sprintf("For a pull request, write `#%s`.", text), "%s is not a commit or a pull request.", quote(text))
	}
	if hexForm.MatchString(lower) && len(lower) < 7 {
		return malformed("Give at least 7 digits of the commit.", "%s is too short for a commit.", quote(text))
	}
	if hexForm.MatchString(lower) {
		return malformed("A commit has at most 40 digits.", "%s is too long for a commit.", quote(text))
	}
	meant := map[string]bot.CommandVerb{
		"stop": bot.CommandCancel, "abort": bot.CommandCancel, "preview": bot.CommandPlan, "dry-run": bot.CommandPlan, "dryrun": bot.CommandPlan,
		"confirm": bot.CommandApprove, "approved": bot.CommandApprove, "lgtm": bot.CommandApprove,
		"redo": bot.CommandReapply, "pause": bot.CommandFreeze, "lock": bot.CommandFreeze, "unlock": bot.CommandUnfreeze, "thaw": bot.CommandUnfreeze,
	}
	near := string(meant[lower])
	if near == "" {
		near = nearest(lower, verbs())
	}
	if near != "" {
		return malformed(fmt.Sprintf("Did you mean `/rollback %s`?", near), "%s is not a word that `/rollback` knows.", quote(text))
	}
	return malformed("The form is `"+usage+"`; `/rollback help` tells more.", "%s is not a word that `/rollback` knows.", quote(text))
}

// quote shows untrusted text in a sentence: short, on one line, with nothing
// invisible and no backtick, which would set the sentence in code.
func quote(s string) string {
	const most = 40
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > most {
			b.WriteString("…")
			break
		}
		switch {
		case r == '`':
			r = '\''
		case invisible(r) || !unicode.IsPrint(r):
			r = unicode.ReplacementChar
		}
		b.WriteRune(r)
	}
	return `"` + b.String() + `"`
}
