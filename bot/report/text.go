package report

import (
	"regexp"
	"strings"
	"unicode"
)

// The bounds of one piece of untrusted text, of one sentence of ours with what
// it quotes, and of a title, in runes. GitHub takes titles of 256.
const (
	maxQuoted = 200
	maxProse  = 1000
	maxTitle  = 240
)

// zwsp is a zero-width space: it breaks a word apart without showing.
const zwsp = "\u200b"

var (
	// closing matches GitHub's closing keywords before a reference
	// (https://docs.github.com/issues/tracking-your-work-with-issues/linking-a-pull-request-to-an-issue).
	// It is broader than what is documented: GitHub's own pattern is not public.
	closing = regexp.MustCompile(`(?i)(close[sd]?|fix(?:e[sd])?|resolve[sd]?)(\s*:?\s*)(#|gh-|https?://)`)
	// skipCI matches the marks that make CI skip a commit, those of GitHub
	// (https://docs.github.com/actions/how-tos/manage-workflow-runs/skip-workflow-runs)
	// and of others.
	skipCI = regexp.MustCompile(`(?i)\[(?:skip|no)[ -][a-z -]+\]|\[[a-z -]+[ -]skip\]|\*\*\*no_ci\*\*\*|skip-checks:`)
	// elsewhere matches what comes before the number of an issue in another
	// repository, where GitHub would leave a note. A bare #1 is one of our own
	// repository, and useful.
	elsewhere = regexp.MustCompile(`([\w.-])#`)
	// prefixed matches the other form of a reference. It is broken wherever it
	// stands: a sentence of ours may end in "fixed:" right before it.
	prefixed = regexp.MustCompile(`(?i)(gh)-(\d)`)
)

// line makes untrusted text one line without control, invisible and
// bidirectional characters, cut to limit runes.
func line(s string, limit int) string {
	var b strings.Builder
	n, read, marks := 0, 0, 0
	for _, r := range s {
		// What is left out costs time, too.
		if read++; read > 20*limit {
			b.WriteRune('…')
			break
		}
		switch {
		case unicode.IsSpace(r):
			r = ' '
		case !unicode.IsGraphic(r), unicode.Is(unicode.Cf, r), blank(r):
			continue
		}
		if marks++; !unicode.Is(unicode.M, r) {
			marks = 0
		}
		if marks > maxMarks {
			continue
		}
		if n++; n > limit {
			b.WriteRune('…')
			break
		}
		b.WriteRune(r)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// maxMarks is how many accents may stand on one letter: no language needs more,
// and heaps of them run over the lines around.
const maxMarks = 4

// blank reports whether a rune counts as graphic and shows nothing.
func blank(r rune) bool {
	switch r {
	case '\u034f', '\u115f', '\u1160', '\u17b4', '\u17b5', '\u2800', '\u3164', '\uffa0':
		return true
	}
	return unicode.Is(unicode.Variation_Selector, r)
}

// plain is untrusted text for a title or a commit message, where there is no
// code span to hide in.
func plain(s string) string { return clip(disarm(line(s, maxQuoted)), maxTitle) }

// clip cuts what disarming made longer.
func clip(s string, limit int) string {
	for i := range s {
		if limit--; limit < 0 {
			return s[:i] + "…"
		}
	}
	return s
}

// disarm breaks mentions, closing keywords, references to other repositories
// and marks that skip CI.
func disarm(s string) string {
	s = closing.ReplaceAllString(s, "${1}"+zwsp+"${2}"+zwsp+"${3}")
	s = skipCI.ReplaceAllStringFunc(s, func(m string) string { return m[:1] + zwsp + m[1:] })
	s = elsewhere.ReplaceAllString(s, "${1}#"+zwsp)
	s = prefixed.ReplaceAllString(s, "${1}"+zwsp+"-${2}")
	return strings.ReplaceAll(s, "@", "@"+zwsp)
}

// code is untrusted text as a Markdown code span: GitHub resolves nothing in
// it. The fence is longer than any run of backticks inside.
func code(s string) string {
	s = line(s, maxQuoted)
	if s == "" {
		return "(nothing)" // an empty span would pair with the next backtick
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + inSpan.Replace(s) + fence
}

// inSpan takes away what has power even inside a code span: a pipe ends a table
// cell, and the opening of an HTML comment could forge our hidden markers.
var inSpan = strings.NewReplacer("|", "¦", "<!--", "<!"+zwsp+"--")

// prose is a sentence of ours that may quote untrusted text inside backticks:
// what stands outside them loses its power, too. Backticks that do not pair one
// by one were not ours: then the whole is code.
func prose(s string) string {
	s = line(s, maxProse)
	parts := strings.Split(s, "`")
	if len(parts)%2 == 0 || strings.Contains(s, "``") {
		return code(s)
	}
	for i := range parts {
		if i%2 == 0 {
			parts[i] = outside(parts[i])
		} else {
			parts[i] = inSpan.Replace(parts[i])
		}
	}
	return blockStart.ReplaceAllString(strings.Join(parts, "`"), `${1}\${2}`)
}

// literal matches what is shown as code wherever it stands: addresses, which
// would become links, and our own commands.
var literal = regexp.MustCompile(`(?i)(?:[a-z][a-z0-9+.-]*://|www\.)\S*[^\s.,;:!?)"']|` +
	`\B/(?:rollback|reapply)\b(?: (?:(?:plan|approve|cancel|status|help|reapply|freeze|unfreeze|#\d+|[0-9a-f]{7,40}|rb-[0-9a-f]{12})\b|<sha>|#<number>))*`)

// outside escapes text that stands outside code.
func outside(s string) string {
	var b strings.Builder
	end := 0
	for _, at := range literal.FindAllStringIndex(s, -1) {
		b.WriteString(markup.Replace(disarm(s[end:at[0]])))
		b.WriteString(code(s[at[0]:at[1]]))
		end = at[1]
	}
	b.WriteString(markup.Replace(disarm(s[end:])))
	return b.String()
}

// markup takes away what Markdown and HTML would make of plain text. The
// ampersand is among it: an entity would bring a mention back.
var markup = strings.NewReplacer(
	`\`, `\\`, "&", "&amp;", "<", "&lt;", ">", "&gt;", "[", `\[`, "]", `\]`, "|", `\|`, "*", `\*`, "_", `\_`, "~", `\~`, "$", `\$`,
)

// blockStart matches what would make a line a heading, a list or a rule.
var blockStart = regexp.MustCompile(`^(\d{0,9})(#+(?:\s|$)|[+=.)-])`)
