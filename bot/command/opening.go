package command

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const slash = "/rollback"

// How a line opens.
type openingKind int

const (
	openingNone    openingKind = iota
	openingCommand             // with our word
	openingTypo                // with a word one slip away from it
)

// opening tells how a line opens once invisible characters are out of the way:
// a line that looks like a command must not be passed over in silence because
// of a character that nobody sees.
func opening(line string) openingKind {
	if !strings.Contains(line, "/") {
		return openingNone
	}
	word := firstWord(line)
	switch {
	case word == slash:
		return openingCommand
	case strings.HasPrefix(word, "/r") && len(word) <= len(slash)+1 && distance(word, slash) == 1:
		return openingTypo
	}
	return openingNone
}

// firstWord is the first word of a line in lower case, without invisible
// characters and punctuation after it. It reads no further than our own word
// can reach.
func firstWord(line string) string {
	var b strings.Builder
	for _, r := range line {
		switch {
		case unicode.IsSpace(r): // some of it is invisible, too
			if b.Len() == 0 {
				continue
			}
			return trimStop(b.String())
		case invisible(r):
			continue
		case b.Len() == 0 && r != '/':
			return ""
		case r >= utf8.RuneSelf || b.Len() > len(slash)+4:
			return "" // longer than ours, or of other letters
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return trimStop(b.String())
}

// trimStop cuts punctuation that ends a sentence.
func trimStop(word string) string { return strings.TrimRight(word, ".,;:!?") }

// invisible reports whether a character shows nothing, or changes the order in
// which others show. Ordinary space is not among them; control characters are.
func invisible(r rune) bool {
	switch r {
	case '\t', ' ':
		return false
	case '\u034f', '\u115f', '\u1160', '\u2800', '\u3164', '\uffa0':
		// Combining grapheme joiner, Hangul fillers, empty Braille: blank
		// without being of a class that says so.
		return true
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs)
}
