package report

import (
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

const (
	revertSHA  = bot.SHA("1111111111111111111111111111111111111111")
	culpritSHA = bot.SHA("2222222222222222222222222222222222222222")
)

func reapply() bot.Reapply {
	return bot.Reapply{
		Revert:   bot.Change{Commits: []bot.SHA{revertSHA}, PR: 8, Subject: `Revert "Update web" (#8)`, Author: "backout[bot]"},
		Original: bot.Change{Commits: []bot.SHA{culpritSHA}, PR: 7, Subject: "Update web (#7)", Author: "bob"},
		Rollback: "rb-0123456789ab", By: "ann", Reason: "it is mended", Author: "bob",
	}
}

// TestReapply: git and people recognise what comes back, and its author is asked.
func TestReapply(t *testing.T) {
	title, body, message := Teller{}.Reapply(reapply())
	if title != `Reapply "Update web (#7)"` {
		t.Errorf("title %q", title)
	}
	if want := title + "\n\nThis reverts commit " + string(revertSHA) + ".\n\nBackout-Reapplies: rb-0123456789ab\n"; message != want {
		t.Errorf("message %q, want %q", message, want)
	}
	for _, want := range []string{"@bob, you wrote it", "`ann` asked", "`it is mended`", "rb-0123456789ab", "#7", "#8", "draft"} {
		if !strings.Contains(body, want) {
			t.Errorf("the body lacks %q:\n%s", want, body)
		}
	}
}

// TestReapplyCallsNobodyElse: one mention, of an account that GitHub named, and
// none that a person's words could bring in.
func TestReapplyCallsNobodyElse(t *testing.T) {
	for author, mentions := range map[string]int{"bob": 1, "": 0, "renovate[bot]": 0, "Bob B.": 0, "bob @everyone": 0, "acme/sre": 0} {
		r := reapply()
		r.Author, r.Reason, r.By = author, "ask @everyone\n@acme/sre Fixes #1 <!-- backout:reply:1 -->", "ann"
		r.Original.Subject = "Update @everyone (closes #1)"
		title, body, message := Teller{}.Reapply(r)
		outside := body
		for strings.Contains(outside, "`") { // what stands in code calls nobody
			before, rest, _ := strings.Cut(outside, "`")
			_, after, _ := strings.Cut(rest, "`")
			outside = before + after
		}
		if n := strings.Count(outside, "@"); n != mentions {
			t.Errorf("author %q: %d mentions in\n%s", author, n, body)
		}
		for _, text := range []string{title, message} {
			if strings.Contains(text, "@e") || strings.Contains(text, "closes #1") {
				t.Errorf("author %q: %q calls or closes", author, text)
			}
		}
		if strings.Contains(body, "<!--") {
			t.Errorf("a hidden marker in\n%s", body)
		}
	}
}

// TestReapplyOfAStranger: of a revert that was none of ours, its own title tells.
func TestReapplyOfAStranger(t *testing.T) {
	r := reapply()
	r.Original, r.Rollback, r.Author = bot.Change{}, "", ""
	r.Revert.Subject = `Revert "Update web"`
	title, _, message := Teller{}.Reapply(r)
	if title != `Reapply "Update web"` || strings.Contains(message, "Backout-Reapplies") {
		t.Errorf("%q, %q", title, message)
	}
}

// TestWhatStopsBackoutIsInItsStatus, with rollbacks and without.
func TestWhatStopsBackoutIsInItsStatus(t *testing.T) {
	for _, records := range [][]bot.Record{nil, {{Rollback: bot.Rollback{ID: "rb-0123456789ab"}}}} {
		text := Teller{}.Reply(bot.Answer{Kind: bot.AnswerStatus, Records: records, Frozen: "@carol froze acme/fleet."})
		if !strings.Contains(text, "does not act here now") || strings.Contains(text, "@carol") {
			t.Errorf("%s", text)
		}
		if text := (Teller{}).Reply(bot.Answer{Kind: bot.AnswerStatus, Records: records}); strings.Contains(text, "does not act") {
			t.Errorf("%s", text)
		}
	}
}

// TestWhoIsForbiddenLearnsWhatCouldNotBeRead.
func TestWhoIsForbiddenLearnsWhatCouldNotBeRead(t *testing.T) {
	text := Teller{}.Reply(bot.Answer{Kind: bot.AnswerForbidden, To: "dan", Detail: "Team acme/sre can't be read. Grant it."})
	if !strings.Contains(text, "Team acme/sre can't be read") {
		t.Errorf("%s", text)
	}
}
