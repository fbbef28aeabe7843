package command

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

func TestForceReapplyAndFreeze(t *testing.T) {
	for _, tt := range []struct {
		line string
		want bot.Command
	}{
		{"/rollback --force", bot.Command{Verb: bot.CommandRollback, Force: true}},
		{"/rollback #12 --force --reason \"it burns\"", bot.Command{Verb: bot.CommandRollback, PR: 12, Force: true, Reason: "it burns"}},
		{"/rollback plan --force", bot.Command{Verb: bot.CommandPlan, DryRun: true, Force: true}},
		{"/reapply", bot.Command{Verb: bot.CommandReapply}},
		{"/Reapply.", bot.Command{Verb: bot.CommandReapply}},
		{"/reapply #12", bot.Command{Verb: bot.CommandReapply, PR: 12}},
		{"/reapply abcdef1 --reason fixed in #9", bot.Command{Verb: bot.CommandReapply, SHA: "abcdef1", Reason: "fixed in #9"}},
		{"/rollback reapply #12", bot.Command{Verb: bot.CommandReapply, PR: 12}},
		{"/rollback freeze", bot.Command{Verb: bot.CommandFreeze}},
		{"/rollback freeze --for 2h", bot.Command{Verb: bot.CommandFreeze, For: 2 * time.Hour}},
		{"/rollback freeze --for=3d.", bot.Command{Verb: bot.CommandFreeze, For: 72 * time.Hour}},
		{"/rollback freeze --reason \"the big sale\" --for 90m", bot.Command{Verb: bot.CommandFreeze, For: 90 * time.Minute, Reason: "the big sale"}},
		{"/rollback freeze --reason the big sale --for 90m", bot.Command{Verb: bot.CommandFreeze, For: 90 * time.Minute, Reason: "the big sale"}},
		{"/rollback unfreeze", bot.Command{Verb: bot.CommandUnfreeze}},
	} {
		t.Run(tt.line, func(t *testing.T) {
			tt.want.Line = tt.line
			got, bad := Grammar{}.Parse(tt.line)
			if bad != nil || got == nil {
				t.Fatalf("command %+v, malformed %+v", got, bad)
			}
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Errorf("command (-want +got):\n%s", diff)
			}
			if !Mentions(tt.line) {
				t.Error("the cheap look turns it down")
			}
		})
	}
}

// TestOrdersThatAreNotClear: nothing is done, and the answer helps.
func TestOrdersThatAreNotClear(t *testing.T) {
	for _, tt := range []struct{ line, problem, hint string }{
		{"/rollback --force=yes", "no value", "alone"},
		{"/rollback --force --force", "twice", ""},
		{"/rollback approve --force", "does not take", ""},
		{"/reapply?", "question mark", "/rollback plan"},
		{"/reapply --force", `"--force"`, "`--reason`"},
		{"/reapply #1 #2", "two targets", ""},
		{"/reapply please", `"please"`, ""},
		{"/reaply", `"/reaply"`, "`/reapply`?"},
		{"/rollback freeze?", "question mark", ""},
		{"/rollback freeze 2h", `"2h"`, "--for 2h"},
		{"/rollback freeze #12", `"#12"`, "all of the repository"},
		{"/rollback freeze --for", `""`, "--for 2h"},
		{"/rollback freeze --for ever", `"ever"`, "--for 2h"},
		{"/rollback freeze --for -2h", `"-2h"`, "more than nothing"},
		{"/rollback freeze --for 0s", `"0s"`, "more than nothing"},
		{"/rollback freeze --for 31d", `"31d"`, "at most 30 days"},
		{"/rollback freeze --until 2h", `"--until"`, "`--for`, `--reason`"},
		{"/rollback freeze --for 1h --for 2h", "twice", ""},
		{"/rollback unfreeze now", "does not take", ""},
		{"/rollback unfreze", `"unfreze"`, "`/rollback unfreeze`?"},
		{"/rollback thaw", `"thaw"`, "`/rollback unfreeze`?"},
		{"/rollback\n/reapply", "lines 1 and 2", "one command"},
	} {
		t.Run(tt.line, func(t *testing.T) {
			cmd, bad := Grammar{}.Parse(tt.line)
			if bad == nil || cmd != nil {
				t.Fatalf("got %+v, %+v; want it malformed", cmd, bad)
			}
			if !strings.Contains(bad.Problem, tt.problem) || !strings.Contains(bad.Hint, tt.hint) {
				t.Errorf("problem %q, hint %q; want %q, %q", bad.Problem, bad.Hint, tt.problem, tt.hint)
			}
		})
	}
}

// TestReapplyIsTypedLikeRollback: what is talk about one is talk about the other.
func TestReapplyIsTypedLikeRollback(t *testing.T) {
	for _, body := range []string{"> /reapply", "```\n/reapply\n```", "`/reapply`", "- /reapply", "please /reapply", "/reapplying", "<!-- /reapply -->", "/reply"} {
		if cmd, bad := (Grammar{}).Parse(body); cmd != nil || bad != nil {
			t.Errorf("%q: got %+v, %+v", body, cmd, bad)
		}
	}
}
