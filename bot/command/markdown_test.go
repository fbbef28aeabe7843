package command

import (
	"strings"
	"testing"
)

// TestWhatCountsAsTyped holds the rules of the package comment: one line for
// each way to write the word.
func TestWhatCountsAsTyped(t *testing.T) {
	tests := []struct {
		name string
		body string
		want int // the line of the command, 0 for none
	}{
		{"alone", "/rollback", 1},
		{"with spaces around", "   /rollback   ", 1},
		{"with a final newline", "/rollback\n", 1},
		{"in Windows lines", "It broke.\r\n\r\n/rollback\r\n", 3},
		{"in old Mac lines", "It broke.\r\r/rollback\r", 3},
		{"within a paragraph", "It broke.\n/rollback\nThanks!", 2},
		{"indented within a paragraph", "It broke.\n      /rollback", 2},
		{"after a rule", "---\n/rollback", 2},
		{"above a mail signature", "/rollback\n-- \nJoe", 1},
		{"above a rule that makes it a heading", "/rollback\n---\nmore", 1},
		{"above an underline of =", "/rollback\n===", 1},
		{"below a mail quotation", "> should I?\n\n/rollback", 3},
		{"below code", "```\n/rollback #1\n```\n/rollback", 4},
		{"below a list, after an empty line", "- a\n- b\n\n/rollback", 4},
		{"below closed details", "<details>\n\nlogs\n\n</details>\n\n/rollback", 7},
		{"below a table of HTML", "<table><tr><td>x</td></tr></table>\n\n/rollback", 3},
		{"below an HTML comment", "<!-- template: <details> -->\n/rollback", 2},
		{"after a line with emphasis", "It is *very* `broken`.\n/rollback", 2},
		{"with HTML that quotes nothing", "<b>Please</b>\n\n/rollback", 3},
		{"in other letters", "/RollBack", 1},
		{"after a no-break space", "\u00a0/rollback", 1},

		{"empty", "", 0},
		{"in a sentence", "please /rollback", 0},
		{"without the slash", "rollback", 0},
		{"twice the slash", "//rollback", 0},
		{"as part of a word", "/rollback-prod", 0},
		{"as part of a path", "/rollback/abc", 0},
		{"escaped", `\/rollback`, 0},
		{"as an entity", "&#47;rollback", 0},
		{"quoted", "> /rollback", 0},
		{"quoted, carried on lazily", "> a\n/rollback", 0},
		{"quoted twice", "> > /rollback", 0},
		{"in an alert box", "> [!NOTE]\n> /rollback", 0},
		{"fenced", "```\n/rollback\n```", 0},
		{"fenced with tildes", "~~~sh\n/rollback\n~~~", 0},
		{"fenced and never closed", "```\n/rollback", 0},
		{"indented as code", "    /rollback", 0},
		{"indented by a tab", "\t/rollback", 0},
		{"in a code span", "`/rollback`", 0},
		{"in a code span over lines", "`a\n/rollback\nb`", 0},
		{"in an HTML comment", "<!-- /rollback -->", 0},
		{"in an HTML comment over lines", "<!--\n/rollback\n-->", 0},
		{"in an HTML comment with empty lines", "<!--\n\n/rollback\n\n-->", 0},
		{"in an HTML comment within a paragraph", "a <!--\n/rollback\n--> b", 0},
		{"in an HTML comment never closed", "<!--\n\n/rollback", 0},
		{"in an HTML block", "<div>\n/rollback\n</div>", 0},
		{"in details", "<details><summary>log</summary>\n\n/rollback\n\n</details>", 0},
		{"in details with attributes", "<details open>\n\n/rollback\n\n</details>", 0},
		{"in details never closed", "<details>\n\n/rollback", 0},
		{"in a blockquote of HTML", "<blockquote>\n\n/rollback\n\n</blockquote>", 0},
		{"in nested details", "<details>\n<details>\n\n</details>\n\n/rollback\n\n</details>", 0},
		{"in deleted text of HTML", "a <del>b\n/rollback\nc</del>", 0},
		{"in a table of HTML", "<table><tr><td>\n\n/rollback\n\n</td></tr></table>", 0},
		{"in pre", "<pre>\n\n/rollback\n\n</pre>", 0},
		{"emphasised", "*/rollback*", 0},
		{"emphasised over lines", "*a\n/rollback\nb*", 0},
		{"struck out over lines", "~~a\n/rollback\nb~~", 0},
		{"as a heading", "# /rollback", 0},
		{"in a list", "- /rollback", 0},
		{"in a numbered list", "1. /rollback", 0},
		{"in a list, on its own line", "- a\n  /rollback", 0},
		{"in a list, carried on lazily", "- a\n/rollback", 0},
		{"in a list, as a paragraph", "- a\n\n  /rollback", 0},
		{"in a task", "- [ ] /rollback", 0},
		{"in a table", "| a |\n|---|\n| /rollback |", 0},
		{"in a table without bars at the edge", "a | b\n--|--\n/rollback | c", 0},
		{"in a footnote", "see[^1]\n\n[^1]: a\n/rollback", 0},
		{"as a link", "[/rollback](https://example.com)", 0},
		{"in a link text", "[a\n/rollback\nb](https://example.com)", 0},
		{"as a link's definition", "[a]:\n/rollback", 0},
		{"other slashes", "/lgtm\n/approve", 0},
		{"full-width slash", "／rollback", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := 0
			if lines := commandLines(newlines(tt.body)); len(lines) > 0 {
				got = lines[0].number
			}
			if got != tt.want {
				t.Errorf("found on line %d, want %d", got, tt.want)
			}
			cmd, bad := Grammar{}.Parse(tt.body)
			if bad != nil || (cmd != nil) != (tt.want > 0) {
				t.Errorf("command %+v, malformed %+v; want line %d", cmd, bad, tt.want)
			}
			if cmd != nil && cmd.Line != strings.TrimSpace(cmd.Line) {
				t.Errorf("line %q is not trimmed", cmd.Line)
			}
		})
	}
}

func TestMentions(t *testing.T) {
	tests := []struct {
		body string
		want bool
	}{
		{"/rollback", true},
		{"a\r\n/ROLLBACK status", true},
		{"```\n/rollback\n```", true}, // it knows no Markdown
		{"/rolback", true},
		{"/\u200brollback", true},
		{"\u202e/rollback", true},
		{"> /rollback", false},
		{"please /rollback", false},
		{"/rollbacking", false},
		{"/lgtm", false},
		{"/r", false},
		{"", false},
		{"/rollback" + strings.Repeat(" ", maxBody), false}, // longer than any comment
	}
	for _, tt := range tests {
		if got := Mentions(tt.body); got != tt.want {
			t.Errorf("Mentions(%.40q) = %v, want %v", tt.body, got, tt.want)
		}
	}
}

func TestLongCommentIsNotRead(t *testing.T) {
	cmd, bad := Grammar{}.Parse("/rollback\n\n" + strings.Repeat("log line\n", 2000))
	if cmd != nil || bad == nil || !strings.Contains(bad.Problem, "too long") || bad.Line == "" {
		t.Errorf("got %+v, %+v; want a word about the length", cmd, bad)
	}
	if cmd, bad = (Grammar{}).Parse(strings.Repeat("log line\n", 2000)); cmd != nil || bad != nil {
		t.Errorf("got %+v, %+v in a long comment without a command", cmd, bad)
	}
}
