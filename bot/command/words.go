package command

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// word is one word of a command line.
type word struct {
	text       string // without quotes
	quoted     bool   // it began with a quotation mark, so it is never a flag
	start, end int    // byte offsets in the line
}

// closers tells by which marks a quotation ends. Phones make curly quotes of
// straight ones. Backticks mark a commit as code, and quote nothing.
func closers(open rune) string {
	switch open {
	case '"':
		return `"`
	case '\'':
		return `'`
	case '“', '”', '„':
		return `”“`
	case '‘':
		return `’`
	case '«':
		return `»`
	case '`':
		return "`"
	}
	return ""
}

// split cuts a line into words at spaces outside of quotation marks; a
// quotation starts a word or follows the "=" of a flag. closed is false when
// one does not end. In straight double quotes, a backslash keeps a quotation
// mark or a backslash.
func split(s string) (words []word, closed bool) {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if unicode.IsSpace(r) {
			i += size
			continue
		}
		w := word{start: i}
		var b strings.Builder
		for i < len(s) {
			r, size = utf8.DecodeRuneInString(s[i:])
			if unicode.IsSpace(r) {
				break
			}
			if ends := closers(r); ends != "" && (i == w.start || strings.HasSuffix(b.String(), "=")) {
				w.quoted = w.quoted || (i == w.start && r != '`')
				text, n, ok := quotation(s[i+size:], ends)
				if !ok {
					return nil, false
				}
				b.WriteString(text)
				i += size + n
				continue
			}
			b.WriteString(s[i : i+size])
			i += size
		}
		w.text, w.end = b.String(), i
		words = append(words, w)
	}
	return words, true
}

// quotation reads up to one of the closing marks and returns what stood before
// it and how many bytes both took.
func quotation(s, ends string) (text string, n int, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case ends == `"` && r == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			b.WriteByte(s[i+1])
			i += 2
			continue
		case strings.ContainsRune(ends, r):
			return b.String(), i + size, true
		}
		b.WriteString(s[i : i+size])
		i += size
	}
	return "", 0, false
}
