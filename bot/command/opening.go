package command

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The words that open a command.
const (
	slash   = "/rollback"
	reapply = "/reapply" // short for "/rollback reapply"
)

// How a line opens.
type openingKind int

const (
	openingNone    openingKind = iota
	openingCommand             // with one of our words
	openingTypo                // with a word one slip away from one
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
	case word == slash, word == reapply:
		return openingCommand
	case meant(word) != "":
		return openingTypo
	}
	return openingNone
}

// meant is the word of ours that is one slip away from a word; "" when none is.
func meant(word string) string {
	if !strings.HasPrefix(word, "/r") {
		return ""
	}
	for _, ours := range []string{slash, reapply} {
		if len(word) <= len(ours)+1 && distance(word, ours) == 1 {
			return ours
		}
	}
	return ""
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
