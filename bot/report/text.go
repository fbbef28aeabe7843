package report

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// maxQuoted bounds one piece of untrusted text, in runes.
const maxQuoted = 200

// zwsp is a zero-width space: it breaks a keyword apart without showing.
const zwsp = "\u200b"

var (
	// closing matches GitHub's closing keywords before a reference
	// (https://docs.github.com/issues/tracking-your-work-with-issues/linking-a-pull-request-to-an-issue).
	closing = regexp.MustCompile(`(?i)\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?)(:?\s+)(#|gh-|[\w.-]+/[\w.-]+#|https?://)`)
	// skipCI matches the marks that make CI skip a commit.
	skipCI = regexp.MustCompile(`(?i)\[(skip ci|ci skip|no ci|skip actions|actions skip)\]|skip-checks:\s*true`)
	// mention matches what GitHub takes for a person or a team.
	mention = regexp.MustCompile(`@([A-Za-z0-9])`)
)

// line makes untrusted text one line without control and bidirectional
// characters, cut to limit runes.
func line(s string, limit int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if unicode.IsSpace(r) {
			r = ' '
		} else if !unicode.IsGraphic(r) || unicode.Is(unicode.Cf, r) {
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

// plain is untrusted text for a title or a commit message, where there is no
// code span to hide in.
func plain(s string) string { return disarm(line(s, maxQuoted)) }

// disarm breaks mentions, closing keywords and marks that skip CI.
func disarm(s string) string {
	s = closing.ReplaceAllString(s, "${1}"+zwsp+"${2}"+zwsp+"${3}")
	s = skipCI.ReplaceAllStringFunc(s, func(m string) string { return m[:2] + zwsp + m[2:] })
	return mention.ReplaceAllString(s, "@"+zwsp+"${1}")
}

// code is untrusted text as a Markdown code span: GitHub resolves nothing in
// it. The fence is longer than any run of backticks inside.
func code(s string) string {
	s = line(s, maxQuoted)
	if s == "" {
		return "``"
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	// A pipe would end a table cell even inside code.
	return fence + strings.ReplaceAll(s, "|", "¦") + fence
}

// maxProse bounds a sentence of ours with what it quotes, in runes.
const maxProse = 1000

// prose is a sentence of ours that may quote untrusted text inside backticks:
// whatever stands outside them loses its power, too.
func prose(s string) string {
	parts := strings.Split(line(s, maxProse), "`")
	if len(parts)%2 == 0 {
		return code(s)
	}
	for i := range parts {
		if i%2 == 0 {
			parts[i] = markup.Replace(disarm(parts[i]))
		}
	}
	return strings.Join(parts, "`")
}

// markup disarms what Markdown and HTML would make of plain text.
var markup = strings.NewReplacer("<", "&lt;", ">", "&gt;", "[", "\\[", "]", "\\]", "|", "\\|", "*", "\\*", "_", "\\_")

// took is a duration as people say it: "4 s", "1 min 20 s", "2 h 5 min".
func took(d time.Duration) string {
	switch d = d.Round(100 * time.Millisecond); {
	case d < 0:
		return "0 s"
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05") }

// list joins lines as a Markdown list.
func list(items []string) string {
	var b strings.Builder
	for _, it := range items {
		fmt.Fprintf(&b, "- %s\n", it)
	}
	return b.String()
}
