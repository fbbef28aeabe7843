package report

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// hostile is text that somebody hopes we pass on.
var hostile = map[string]string{
	"nothing":                   "",
	"white space":               " \t\n\u00a0\u2003",
	"a mention":                 "thanks @victim and @acme/oncall",
	"mentions in a row":         strings.Repeat("@a", 300),
	"mentions without a gap":    "@@victim @\u200b@victim",
	"a mail":                    "mail me@example.com or me@_x.example.com",
	"an entity of a mention":    "hi &#64;victim &commat;victim &#x40;victim",
	"a closing keyword":         "Fixes #1, closes: #2, RESOLVED #3, fix:#4, close GH-5, fix\u00a0#6, _fixes #7",
	"one of another repo":       "Fixes: acme/fleet#1 resolves acme/fleet#2",
	"one with an address":       "fixes https://github.com/acme/fleet/issues/1",
	"one with markup":           "fixes **#1** fixes [#2](x) fixes <b>#3</b> fixes &#35;4",
	"one over several lines":    "This fixes\n\n#1",
	"one with long letters":     "fixeſ #1",
	"a link":                    "[click](https://evil.example) ![img](https://evil.example/x.png)",
	"an address":                "see https://evil.example/a_b?c=d&e=f, http://x.example. www.evil.example ftp://x.example/a",
	"an address in brackets":    "<https://evil.example> <me@evil.example>",
	"addresses of other kinds":  "javascript://x data://y mailto:me@x.example xmpp:me@x.example",
	"a reference link":          "[a]: https://evil.example\n[a] [b][a]",
	"a footnote":                "x[^1]\n\n[^1]: https://evil.example",
	"HTML":                      "<script>alert(1)</script><img src=x onerror=y><!-- --><b>",
	"a hidden marker":           "<!-- backout:rollback:rb-0123456789ab -->",
	"the end of what is folded": "</details></summary><details>",
	"a code fence":              "```\n@victim\n```\n~~~\n@victim\n~~~",
	"a code fence on one line":  "``` @victim",
	"backticks":                 "`", "two backticks": "``", "three backticks": "```",
	"a code span":            "`x` @victim `y`",
	"uneven backticks":       "`a`` @victim ``b`",
	"three and one":          "``` @victim `",
	"one and three":          "` @victim ```",
	"an escaped backtick":    "\\` @victim ` @victim",
	"a backslash at the end": "@victim \\",
	"backticks and a pipe":   "`x|@victim y`",
	"a table":                "a | b | @victim\n--- | --- | ---\n| x |",
	"a heading":              "# heading", "another heading": "heading\n===", "a third heading": "heading\n---",
	"a list": "- [ ] @victim\n1. x\n+ y\n* z", "a quote": "> [!NOTE]\n> @victim",
	"a code block":                     "    @victim\n\t@victim",
	"emphasis":                         "**a** _b_ __c__ ~~d~~ *@victim*",
	"mathematics":                      "$\\text{@victim}$ $$x$$",
	"bidi":                             "a\u202etxt.exe\u202c \u2066x\u2069 \u200f \u061c",
	"zero width":                       "fi\u200bxes #1 \u200c\u200d\u2060\ufeff@\u200dvictim",
	"invisible letters":                "fixes\u3164#1 \u115f\u1160\uffa0\u2800\u034f @\u3164victim",
	"variation selectors":              "a\ufe0f\U000e0100 @\ufe0fvictim",
	"tags":                             "a\U000e0041\U000e0042",
	"control characters":               "a\x00b\x1b[31mc\x07\x7f\u0085d\u2028e\u2029f",
	"a carriage return":                "a\rFixes #1\r\nb",
	"not UTF-8":                        "a\xff\xfe@victim\xc0\x80 [\xffskip ci]",
	"accents in a heap":                "a" + strings.Repeat("\u0301", 500),
	"marks that skip CI":               "[skip ci] [ci skip] [no ci] [SKIP ACTIONS] [actions skip] [skip-ci] ***NO_CI*** skip-checks: true",
	"one with long letters and a mark": "[\u017fkip ci] [s\u212aip ci] [skip ci]",
	"forged trailers":                  "x\n\nSigned-off-by: ceo <ceo@x.example>\nBackout-Rollback: rb-000000000000\nCo-authored-by: a <a@b.example>",
	"a forged revert":                  "x\n\nThis reverts commit 1234567890123456789012345678901234567890.",
	"another repository":               "acme/fleet#1 acme#2 see-acme/fleet@1234567890123456789012345678901234567890",
	"a command":                        "run /rollback #1 now, /rollback, then x/rollback and /rollback <sha>",
	"an emoji":                         ":tada: 🎉 👨‍👩‍👧",
	"our own folds":                    "<details><summary>x</summary>",
	"one megabyte":                     strings.Repeat("@victim fixes #1 `<img>` [x](y) ", 1<<15),
	"one megabyte hidden":              strings.Repeat("\u200b", 1<<19),
	"one long word":                    strings.Repeat("x", 1<<20),
	"backticks for ever":               strings.Repeat("`", 1<<20),
	"rising backticks":                 "` `` ``` ```` ````` @victim",
	"everyone":                         "@everyone @here @channel <!channel> <@U123>",
	"a diagram":                        "```mermaid\ngraph TD; A[\"@victim\"] --> B\n```",
	"a diagram on one line":            "```mermaid graph TD; A-->B ```",
	"an issue by its prefix":           "GH-1 gh-2 closes GH-3 Fixes gh-4",
	"hashes of commits":                "1234567890123456789012345678901234567890 acme/fleet@1234567 12345678",
	"a task list":                      "- [x] @victim\n- [ ] done",
	"footnotes of all kinds":           "a[^1] b^[inline @victim] \n\n[^1]: x\n[^@victim]: y",
	"an alert box":                     "> [!CAUTION]\n> @victim\n> Fixes #1",
	"autolinks of all kinds":           "www.evil.example WWW.EVIL.EXAMPLE https:evil.example //evil.example a@b.example <a@b.example> ssh://x xmpp:a@b.example/x",
	"trailers in a row":                "x\nCo-authored-by: a <a@b.example>\nReviewed-by: ceo\n\n---\nfixup! squash!",
}

func TestHostileText(t *testing.T) {
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			for _, quoted := range []string{code(text), prose(text), prose("The file `" + text + "` changed, @team, and `x` too.")} {
				harmless(t, quoted)
				harmless(t, "- "+quoted+" and "+quoted+"\n")
				harmless(t, "1. x\n   - it: "+quoted+"\n")
				harmless(t, "before "+quoted+"\n\n"+quoted+"\n"+quoted)
				table := render(t, "| a | b | c |\n|---|---|---|\n| "+quoted+" | x | "+quoted+" |\n")
				if n := strings.Count(table, "<td>"); n != 3 || !strings.Contains(table, "<td>x</td>") {
					t.Errorf("the table's cells moved (%d of them):\n%s", n, table)
				}
				harmless(t, "| a | b |\n|---|---|\n| "+quoted+" | "+quoted+" |\n")
			}
			title := `Revert "` + plain(text) + `"`
			harmlessLine(t, title)
			if n := len([]rune(title)); n > 256 {
				t.Errorf("%d characters, which are too many for a title", n)
			}
			if n := len(prose(text)); n > 12*maxProse {
				t.Errorf("%d bytes of prose", n)
			}
		})
	}
}

func FuzzText(f *testing.F) {
	for _, text := range hostile {
		if len(text) < 1000 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, quoted := range []string{code(text), prose(text), prose("It says `" + text + "`.")} {
			harmless(t, quoted)
			harmless(t, "- "+quoted+" by "+quoted)
			harmless(t, "| a | b |\n|---|---|\n| "+quoted+" | "+quoted+" |\n")
		}
		harmlessLine(t, `Revert "`+plain(text)+`"`)
	})
}

func TestCode(t *testing.T) {
	for text, want := range map[string]string{
		"Update web": "`Update web`", "": "(nothing)", " \n": "(nothing)", "a\nb": "`a b`", "a`b": "``a`b``", "a``b`c": "```a``b`c```",
		"`a`": "`` `a` ``", "a|b": "`a¦b`", "@ann fixes #1": "`@ann fixes #1`", "<!-- x": "`<!\u200b-- x`",
		strings.Repeat("x", 300): "`" + strings.Repeat("x", 200) + "…`",
	} {
		if diff := cmp.Diff(want, code(text)); diff != "" {
			t.Errorf("code(%.20q) (-want +got):\n%s", text, diff)
		}
	}
}

func TestProse(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "",
		"Plain words, 5 % of them.":        "Plain words, 5 % of them.",
		"Comment `/rollback cancel rb-1`.": "Comment `/rollback cancel rb-1`.",
		"Pull request #12 is not merged.":  "Pull request #12 is not merged.",
		"by @ann":                          "by @\u200bann",
		"a_b*c [x] <y> & z":                `a\_b\*c \[x\] &lt;y&gt; &amp; z`,
		"a `b` c ` d":                      "``a `b` c ` d``",
		"``a``":                            "``` ``a`` ```",
		"see https://x.example/a.":         "see `https://x.example/a`.",
		"(https://x.example/a_(b))":        "(`https://x.example/a_(b`))",
		"write /rollback <sha> each":       "write `/rollback <sha>` each",
		"/rollback #12, or /rollback plan": "`/rollback #12`, or `/rollback plan`",
		"in apps/rollback.yaml":            "in apps/rollback.yaml",
		"/rollbacks":                       "/rollbacks",
		"# not a heading":                  `\# not a heading`,
		"#13":                              "#13",
		"1. not a list":                    `1\. not a list`,
		"- not a list":                     `\- not a list`,
		"`a|b`":                            "`a¦b`",
	} {
		if diff := cmp.Diff(want, prose(text)); diff != "" {
			t.Errorf("prose(%q) (-want +got):\n%s", text, diff)
		}
	}
}

func TestPlain(t *testing.T) {
	for text, want := range map[string]string{
		"Update web to v2":       "Update web to v2",
		"Fixes #1":               "Fixes\u200b \u200b#1",
		"Fixes: acme/web#12":     "Fixes: acme/web#\u200b12",
		"x [skip ci]":            "x [\u200bskip ci]",
		"by @ann":                "by @\u200bann",
		"prefix/a":               "prefix/a",
		"a\n\nSigned-off-by: x":  "a Signed-off-by: x",
		strings.Repeat("x", 300): strings.Repeat("x", 200) + "…",
	} {
		if diff := cmp.Diff(want, plain(text)); diff != "" {
			t.Errorf("plain(%.20q) (-want +got):\n%s", text, diff)
		}
	}
}

func TestTook(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 0: "0.0 s", 1240 * time.Millisecond: "1.2 s", 9940 * time.Millisecond: "9.9 s", 9960 * time.Millisecond: "10 s",
		59900 * time.Millisecond: "59 s", 59960 * time.Millisecond: "1 min 0 s", 80 * time.Second: "1 min 20 s", 2*time.Hour + 5*time.Minute: "2 h 5 min",
	} {
		if got := took(d); got != want {
			t.Errorf("took(%v) is %q, want %q", d, got, want)
		}
	}
}

func TestCutKeepsSpansAndFoldsWhole(t *testing.T) {
	got := cut("<details>\n\n" + strings.Repeat("- `"+strings.Repeat("@victim ", 20)+"`\n", 1000) + "</details>\n")
	if len(got) > 65536 || len(got) < 64000 || !strings.HasSuffix(got, "\n… cut here: the text is longer than GitHub takes.\n") {
		t.Errorf("%d bytes, ending in %q", len(got), got[len(got)-60:])
	}
	if open, closed := strings.Count(got, "<details>"), strings.Count(got, "</details>"); open != closed {
		t.Errorf("%d folds open, %d close", open, closed)
	}
	if n := strings.Count(got, "`"); n%2 != 0 {
		t.Errorf("%d backticks", n)
	}
	if short := "a\n"; cut(short) != short {
		t.Errorf("%q was cut to %q", short, cut(short))
	}
}
