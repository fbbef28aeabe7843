package command

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

const sha = "1234567890abcdef1234567890abcdef12345678"

func TestCommands(t *testing.T) {
	tests := []struct {
		line string
		want bot.Command
	}{
		{"/rollback", bot.Command{Verb: bot.CommandRollback}},
		{"/ROLLBACK", bot.Command{Verb: bot.CommandRollback}},
		{"/rollback.", bot.Command{Verb: bot.CommandRollback}},
		{"/rollback!!", bot.Command{Verb: bot.CommandRollback}},
		{"/rollback !", bot.Command{Verb: bot.CommandRollback}},
		{"/rollback\t#12", bot.Command{Verb: bot.CommandRollback, PR: 12}},
		{"/rollback #12.", bot.Command{Verb: bot.CommandRollback, PR: 12}},
		{"/rollback #12 #12", bot.Command{Verb: bot.CommandRollback, PR: 12}},
		{"/rollback abcdef1", bot.Command{Verb: bot.CommandRollback, SHA: "abcdef1"}},
		{"/rollback 1234567", bot.Command{Verb: bot.CommandRollback, SHA: "1234567"}},
		{"/rollback " + strings.ToUpper(sha), bot.Command{Verb: bot.CommandRollback, SHA: sha}},
		{"/rollback `abcdef1`", bot.Command{Verb: bot.CommandRollback, SHA: "abcdef1"}},
		{"/rollback\u00a0abcdef1", bot.Command{Verb: bot.CommandRollback, SHA: "abcdef1"}},

		{`/rollback --reason "it broke"`, bot.Command{Verb: bot.CommandRollback, Reason: "it broke"}},
		{`/rollback --reason="it broke"`, bot.Command{Verb: bot.CommandRollback, Reason: "it broke"}},
		{`/rollback --reason 'it broke'`, bot.Command{Verb: bot.CommandRollback, Reason: "it broke"}},
		{`/rollback --reason “it broke”`, bot.Command{Verb: bot.CommandRollback, Reason: "it broke"}},
		{`/rollback --reason „es brennt“`, bot.Command{Verb: bot.CommandRollback, Reason: "es brennt"}},
		{`/rollback —reason “it broke”`, bot.Command{Verb: bot.CommandRollback, Reason: "it broke"}},
		{`/rollback --Reason "it broke"`, bot.Command{Verb: bot.CommandRollback, Reason: "it broke"}},
		{`/rollback --reason "a \"b\" \\ c"`, bot.Command{Verb: bot.CommandRollback, Reason: `a "b" \ c`}},
		{`/rollback --reason "see #9 and abcdef1?"`, bot.Command{Verb: bot.CommandRollback, Reason: "see #9 and abcdef1?"}},
		{`/rollback --reason "--dry-run"`, bot.Command{Verb: bot.CommandRollback, Reason: "--dry-run"}},
		{`/rollback --reason=--dry-run`, bot.Command{Verb: bot.CommandRollback, Reason: "--dry-run"}},
		{`/rollback --reason it's broken, why?`, bot.Command{Verb: bot.CommandRollback, Reason: "it's broken, why?"}},
		{`/rollback --reason 500s  since noon - all of them.`, bot.Command{Verb: bot.CommandRollback, Reason: "500s  since noon - all of them."}},
		{"/rollback --reason `kubectl` says no", bot.Command{Verb: bot.CommandRollback, Reason: "`kubectl` says no"}},
		{"/rollback --reason=`kubectl` says no", bot.Command{Verb: bot.CommandRollback, Reason: "`kubectl` says no"}},
		{`/rollback --reason=#12`, bot.Command{Verb: bot.CommandRollback, Reason: "#12"}},
		{`/rollback --reason=it broke`, bot.Command{Verb: bot.CommandRollback, Reason: "it broke"}},
		{`/rollback #12 --reason worse than #9`, bot.Command{Verb: bot.CommandRollback, PR: 12, Reason: "worse than #9"}},
		{`/rollback --reason "it broke" #12`, bot.Command{Verb: bot.CommandRollback, PR: 12, Reason: "it broke"}},
		{`/rollback --reason "it broke" #12.`, bot.Command{Verb: bot.CommandRollback, PR: 12, Reason: "it broke"}},

		{"/rollback --dry-run", bot.Command{Verb: bot.CommandPlan, DryRun: true}},
		{"/rollback --dry-run.", bot.Command{Verb: bot.CommandPlan, DryRun: true}},
		{"/rollback --reason it broke --dry-run", bot.Command{Verb: bot.CommandPlan, DryRun: true, Reason: "it broke"}},
		{"/rollback plan", bot.Command{Verb: bot.CommandPlan, DryRun: true}},
		{"/rollback plan?", bot.Command{Verb: bot.CommandPlan, DryRun: true}},
		{"/rollback PLAN #12", bot.Command{Verb: bot.CommandPlan, DryRun: true, PR: 12}},
		{"/rollback plan --dry-run abcdef1", bot.Command{Verb: bot.CommandPlan, DryRun: true, SHA: "abcdef1"}},

		{"/rollback approve", bot.Command{Verb: bot.CommandApprove}},
		{"/rollback approve!", bot.Command{Verb: bot.CommandApprove}},
		{"/rollback approve rb-0123456789ab", bot.Command{Verb: bot.CommandApprove, Rollback: "rb-0123456789ab"}},
		{"/rollback approve RB-0123456789AB.", bot.Command{Verb: bot.CommandApprove, Rollback: "rb-0123456789ab"}},
		{"/rollback cancel", bot.Command{Verb: bot.CommandCancel}},
		{"/rollback cancel `rb-0123456789ab`", bot.Command{Verb: bot.CommandCancel, Rollback: "rb-0123456789ab"}},
		{"/rollback status rb-0123456789ab", bot.Command{Verb: bot.CommandStatus, Rollback: "rb-0123456789ab"}},
		{"/rollback status", bot.Command{Verb: bot.CommandStatus}},
		{"/rollback status?", bot.Command{Verb: bot.CommandStatus}},
		{"/rollback help", bot.Command{Verb: bot.CommandHelp}},
		{"/rollback help me, please?", bot.Command{Verb: bot.CommandHelp}},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			tt.want.Line = tt.line
			got, bad := Grammar{}.Parse(tt.line)
			if bad != nil || got == nil {
				t.Fatalf("command %+v, malformed %+v", got, bad)
			}
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Errorf("command (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMalformed holds what is never carried out, and that the answer helps.
func TestMalformed(t *testing.T) {
	tests := []struct {
		body    string
		problem string // part of it
		hint    string
	}{
		{"/rollback?", "question mark", "/rollback plan"},
		{"/rollback #12?", "question mark", "/rollback plan"},
		{"/rollback !?", "question mark", "/rollback plan"},
		{"/rollback --dry-run?", "question mark", "/rollback plan"},
		{"/rollback approve?", "question mark", ""},
		{"/rollback cancel ?", "question mark", ""},

		{"/rollback please", `"please"`, "/rollback help"},
		{"/rollback cancle", `"cancle"`, "`/rollback cancel`?"},
		{"/rollback aprove", `"aprove"`, "`/rollback approve`?"},
		{"/rollback paln", `"paln"`, "`/rollback plan`?"},
		{"/rollback stop", `"stop"`, "`/rollback cancel`?"},
		{"/rollback LGTM", `"LGTM"`, "`/rollback approve`?"},
		{"/rollback because it broke", `"because"`, "--reason"},
		{`/rollback "plan"`, `"plan"`, ""},

		{"/rollback 12", `"12"`, "#12"},
		{"/rollback abc12", "too short", "at least 7"},
		{"/rollback " + sha + "0", "too long", "at most 40"},
		{"/rollback #0", `"#0"`, ""},
		{"/rollback #12345678901", `"#12345678901"`, ""},
		{"/rollback o/r#12", `"o/r#12"`, ""},
		{"/rollback https://github.com/o/r/pull/12/files", "no links", "#12"},
		{"/rollback https://github.com/o/r/commit/" + sha, "no links", sha},
		{"/rollback <https://github.com/o/r/pull/12>", "https", ""},
		{"/rollback #12 #13", "two targets", "one command per change"},
		{"/rollback #12 abcdef1", "two targets", ""},
		{"/rollback HEAD~1", `"HEAD~1"`, ""},
		{"/rollback $(id)", `"$(id)"`, ""},

		{"/rollback --dryrun", `"--dryrun"`, "`--dry-run`?"},
		{"/rollback --resaon x", `"--resaon"`, "`--reason`?"},
		{"/rollback --now", `"--now"`, "`--reason`, `--dry-run`, `--force`"},
		{"/rollback -f", `"-f"`, ""},
		{"/rollback --dry-run=false", "no value", ""},
		{"/rollback --dry-run --dry-run", "twice", ""},
		{`/rollback --reason "a" --reason "b"`, "twice", ""},
		{"/rollback --reason", "without a text", ""},
		{"/rollback --reason=", "without a text", ""},
		{`/rollback --reason ""`, "without a text", ""},
		{"/rollback --reason --dry-run", "without a text", ""},
		{`/rollback --reason "it broke`, "not closed", ""},
		{`/rollback --reason “it broke`, "not closed", ""},
		{"/rollback --reason " + strings.Repeat("x", maxReason+1), "longer", ""},
		// Whose target would be lost in the reason.
		{"/rollback --reason it broke #12", "not clear", "quotation marks"},
		{"/rollback --reason it broke abcdef1.", "not clear", "quotation marks"},

		{"/rollback approve #12", `"#12"`, "rb-"},
		{"/rollback approve rb-12", `"rb-12"`, "rb-"},
		{"/rollback approve rb-0123456789ab rb-0123456789ac", "does not take", ""},
		{"/rollback cancel --reason x", "does not take", ""},
		{"/rollback status #12", `"#12"`, "rb-"},
		{"/rollback status all of it", `"all"`, "rb-"},

		{"/rollback #1\u200b2", "U+200B", "by hand"},
		{"\ufeff/rollback", "U+FEFF", "by hand"},
		{"/roll\u00adback", "U+00AD", ""},
		{"/rollback --reason \"a\u202eb\"", "U+202E", ""},
		{"/rollback --reason \"a\u2066b\"", "U+2066", ""},
		{"/rollback\u2028#12", "U+2028", ""},
		{"/rollback\v#12", "U+000B", ""},
		{"/rollback \U000e0041", "U+E0041", ""},

		{"/rolback", `"/rolback"`, "`/rollback`?"},
		{"/rollbakc #12", `"/rollbakc"`, "`/rollback`?"},
		{"/roll-back", `"/roll-back"`, "`/rollback`?"},
		{"/rollbacks", `"/rollbacks"`, "`/rollback`?"},

		{"/rollback\n/rollback #12", "lines 1 and 2", "one command"},
		{"/rollback cancel\n\n/rollback", "lines 1 and 3", "one command"},
		{"/rollback\n/rollback please", `"please"`, ""},
		{"/rollback pleas\n/rollback", `"pleas"`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.body, func(t *testing.T) {
			cmd, bad := Grammar{}.Parse(tt.body)
			if bad == nil || cmd != nil {
				t.Fatalf("got %+v, %+v; want it malformed", cmd, bad)
			}
			if !strings.Contains(bad.Problem, tt.problem) {
				t.Errorf("problem %q does not speak of %q", bad.Problem, tt.problem)
			}
			if !strings.Contains(bad.Hint, tt.hint) {
				t.Errorf("hint %q does not speak of %q", bad.Hint, tt.hint)
			}
			for _, s := range []string{bad.Problem, bad.Hint} {
				if s == "" || !strings.ContainsAny(s[len(s)-1:], ".?") {
					t.Errorf("%q is not a sentence", s)
				}
			}
			if !strings.Contains(tt.body, bad.Line) || bad.Line == "" {
				t.Errorf("line %q is not one of the comment's", bad.Line)
			}
			if strings.Count(bad.Problem+bad.Hint, "`")%2 != 0 {
				t.Errorf("backticks in %q, %q do not pair", bad.Problem, bad.Hint)
			}
		})
	}
}

func TestTheSameTwiceIsOnce(t *testing.T) {
	got, bad := Grammar{}.Parse("/rollback #12\n\nas I said:\n/Rollback  #12.")
	if bad != nil || got == nil || got.PR != 12 || got.Line != "/rollback #12" {
		t.Errorf("got %+v, %+v; want the first line's command", got, bad)
	}
}

// A slip beside a good command is talk about it; alone it gets an answer.
func TestTypoBesideACommand(t *testing.T) {
	got, bad := Grammar{}.Parse("/rolback was wrong, so:\n/rollback")
	if bad != nil || got == nil || got.Line != "/rollback" {
		t.Errorf("got %+v, %+v; want the second line's command", got, bad)
	}
}

// What the comment says is quoted short and printable.
func TestProblemQuotesSafely(t *testing.T) {
	_, bad := Grammar{}.Parse("/rollback " + strings.Repeat("a", 39) + "z" + strings.Repeat("b", 1000))
	if bad == nil || len(bad.Problem) > 120 {
		t.Fatalf("got %v; want a short problem", bad)
	}
	if got := quote("a\nb\u202e`"); got != `"a`+"\ufffd"+`b`+"\ufffd"+`'"` {
		t.Errorf("quote = %q", got)
	}
}

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "ab", 2}, {"plan", "plan", 0}, {"paln", "plan", 1},
		{"pln", "plan", 1}, {"plaan", "plan", 1}, {"plxn", "plan", 1},
		{"cancle", "cancel", 1}, {"abc", "cab", 2}, {"kitten", "sitting", 3},
	}
	for _, tt := range tests {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := distance(tt.b, tt.a); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.b, tt.a, got, tt.want)
		}
	}
}
