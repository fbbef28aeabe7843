package github

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// secrets are the shapes of what must never be shown: GitHub's tokens by
// their prefixes, JWTs, and user information in an address
// (https://docs.github.com/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats).
var secrets = regexp.MustCompile(`gh[a-z]_\w+|github_pat_\w+|v\d+\.[0-9a-f]{40}|` +
	`eyJ[\w-]+\.[\w-]+\.[\w-]+|(?i:bearer|token|basic)\s+[\w.=+/-]{16,}|://[^/\s@]+@`)

// maxSaid is how much of somebody else's text an error quotes.
const maxSaid = 300

// tidy makes foreign text safe to quote: one short line, no secrets, no
// control or invisible characters.
func tidy(s string) string {
	s = secrets.ReplaceAllStringFunc(s, func(m string) string {
		if strings.HasPrefix(m, "://") {
			return "://***@"
		}
		return "***"
	})
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, unicode.Is(unicode.Cf, r):
			return -1
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, s)
	return clip(strings.Join(strings.Fields(s), " "), maxSaid, "…")
}

// clip cuts s to at most limit UTF-16 units, which is how GitHub counts
// characters, tail included.
func clip(s string, limit int, tail string) string {
	if len(s) <= limit || units(s) <= limit {
		return s
	}
	room := limit - units(tail)
	for i, r := range s {
		if room -= utf16.RuneLen(r); room < 0 {
			return s[:i] + tail
		}
	}
	return s
}

func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}
