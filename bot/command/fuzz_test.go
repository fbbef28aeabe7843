package command

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/backout-dev/backout/bot"
)

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"/rollback", "/rollback #12 --reason \"it broke\" --dry-run", "a\r\n/rollback\r\n", "> /rollback",
		"```\n/rollback\n```", "<details>\n\n/rollback\n\n</details>", "- a\n  /rollback", "/rollback “x", "\u200b/rollback",
		"/rollback\n---", "[a]:\n/rollback", "`a\n/rollback\n`", "/rollback approve rb-0123456789ab", "*a\n/rollback*",
		"/rollback --reason=`x` y", "|a|\n|-|\n/rollback", "<!--\n/rollback", "\\/rollback", "\t /rollback", "[^1]: /rollback",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		cmd, bad := Grammar{}.Parse(body)
		if cmd != nil && bad != nil {
			t.Fatalf("two answers: %+v, %+v", cmd, bad)
		}
		if (cmd != nil || bad != nil) && !Mentions(body) {
			t.Fatalf("found something that Mentions turns down: %+v, %v", cmd, bad)
		}
		if bad != nil && (bad.Line == "" || bad.Problem == "" || bad.Hint == "" || strings.Count(bad.Problem, "`")%2 != 0) {
			t.Fatalf("no help in %+v", bad)
		}
		if cmd == nil {
			return
		}
		if !strings.HasPrefix(strings.ToLower(cmd.Line), slash) {
			t.Fatalf("line %q does not begin with the word", cmd.Line)
		}
		if cmd.DryRun != (cmd.Verb == bot.CommandPlan) {
			t.Fatalf("%+v: dry run and plan are the same", cmd)
		}
		if cmd.SHA != "" && (cmd.PR != 0 || !shaForm.MatchString(cmd.SHA)) {
			t.Fatalf("target %+v", cmd)
		}
		if cmd.Rollback != "" && !rollbackForm.MatchString(string(cmd.Rollback)) {
			t.Fatalf("rollback %q", cmd.Rollback)
		}
		if utf8.RuneCountInString(cmd.Reason) > maxReason || strings.ContainsAny(cmd.Reason, "\r\n\u202e\u200b") {
			t.Fatalf("reason %q", cmd.Reason)
		}
		// A quotation never acts.
		if cmd, bad := (Grammar{}).Parse("> " + strings.ReplaceAll(newlines(body), "\n", "\n> ")); cmd != nil || bad != nil {
			t.Fatalf("found in a quotation: %+v, %+v", cmd, bad)
		}
		// What was understood says the same when it stands alone.
		again, bad := Grammar{}.Parse(cmd.Line)
		if again == nil || bad != nil || *again != *cmd {
			t.Fatalf("%q alone gives %+v, %+v; before %+v", cmd.Line, again, bad, cmd)
		}
	})
}
