package command

import (
	"strings"

	"github.com/backout-dev/backout/bot"
)

// maxBody is the longest comment, in bytes: GitHub allows 65,536 characters
// ("body is too long (maximum is 65536 characters)"), of four bytes at most.
const maxBody = 4 * 65536

// maxMarkdown is the longest comment in bytes that is read as Markdown. Reading
// is quadratic for the worst of texts, and on a public repository everybody may
// send one: at this length the worst that is known takes a quarter of a second.
const maxMarkdown = 16 << 10

// Grammar implements [bot.Grammar].
type Grammar struct{}

var _ bot.Grammar = Grammar{}

// Parse reads a comment. It returns a command when the comment gives exactly
// one, what is wrong when it was meant to and does not, and neither when it is
// mere talk.
func (Grammar) Parse(body string) (*bot.Command, *bot.Malformed) {
	if !Mentions(body) {
		return nil, nil
	}
	if len(body) > maxMarkdown {
		return nil, malformed("Give the command in a comment of its own.", "The comment is too long to look for a command in it.").in(slash)
	}
	var (
		found *bot.Command
		first int // the number of its line
		typo  *bot.Malformed
	)
	body = newlines(body)
	for _, l := range commandLines(body) {
		if opening(l.text) == openingTypo {
			if typo == nil {
				word := firstWord(l.text)
				typo = malformed("Did you mean `"+meant(word)+"`?", "%s is not a command of Backout.", quote(word)).in(l.text)
			}
			continue
		}
		c, m := parseLine(l.text)
		switch {
		case m != nil:
			return nil, m.in(l.text)
		case found == nil:
			found, first = &c, l.number
		case !same(*found, c):
			return nil, malformed("Give one command per comment.",
				"The comment gives two different commands, on lines %d and %d, and neither was carried out.", first, l.number).in(l.text)
		}
	}
	if found != nil {
		return found, nil // a misspelt line beside it is talk about it
	}
	return nil, typo
}

// same reports whether two lines ask for the same.
func same(c, d bot.Command) bool {
	c.Line = d.Line
	return c == d
}

// Mentions reports whether a comment could hold a command. It is cheap, knows
// no Markdown, and is never false where Parse would find a command or a
// malformed one: what it turns down need not be recorded.
func Mentions(body string) bool {
	if len(body) > maxBody || !strings.Contains(body, "/") {
		return false
	}
	for line := range strings.SplitSeq(newlines(body), "\n") {
		if opening(line) != openingNone {
			return true
		}
	}
	return false
}

// newlines makes every line ending a "\n". GitHub's web editor sends "\r\n".
func newlines(body string) string {
	if !strings.Contains(body, "\r") {
		return body
	}
	return strings.ReplaceAll(strings.ReplaceAll(body, "\r\n", "\n"), "\r", "\n")
}
