package git

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// patchContext is how many unchanged lines stand around a change.
const patchContext = 3

// Patch is the change of one file as git diff writes it, without colours, in lines
// that each end in a newline. Git apply reads it, unless the file is binary.
func Patch(f bot.FileChange) string {
	var b strings.Builder
	before, after := "a/"+f.Path, "b/"+f.Path
	if f.BeforeMode != "" && f.AfterMode != "" && kindOf(f.BeforeMode) != kindOf(f.AfterMode) {
		gone, come := f, f
		gone.AfterMode, gone.After = "", nil
		come.BeforeMode, come.Before = "", nil
		return Patch(gone) + Patch(come)
	}
	fmt.Fprintf(&b, "diff --git %s %s\n", quoteName(before), quoteName(after))
	switch {
	case f.BeforeMode == "":
		fmt.Fprintf(&b, "new file mode %s\n", f.AfterMode)
		before = "/dev/null"
	case f.AfterMode == "":
		fmt.Fprintf(&b, "deleted file mode %s\n", f.BeforeMode)
		after = "/dev/null"
	case f.BeforeMode != f.AfterMode:
		fmt.Fprintf(&b, "old mode %s\nnew mode %s\n", f.BeforeMode, f.AfterMode)
	}
	switch {
	case bytes.Equal(f.Before, f.After):
	case isBinary(f.Before) || isBinary(f.After):
		fmt.Fprintf(&b, "Binary files %s and %s differ\n", quoteName(before), quoteName(after))
	default:
		fmt.Fprintf(&b, "--- %s\n+++ %s\n", tabbed(before), tabbed(after))
		patchLines(&b, f)
	}
	return b.String()
}

// kindOf is the part of a mode that says what a thing is.
func kindOf(mode string) string { return mode[:min(3, len(mode))] }

// tabbed is a name on a --- or +++ line: a tab ends one with blanks in it.
func tabbed(name string) string {
	if q := quoteName(name); q != name || !strings.Contains(name, " ") {
		return q
	}
	return name + "\t"
}

// Lines are how many lines a change adds and removes; binary files have none.
func Lines(f bot.FileChange) (added, removed int, binary bool) {
	if isBinary(f.Before) || isBinary(f.After) {
		return 0, 0, true
	}
	book := newLineBook()
	x, _ := book.split(f.Before)
	y, _ := book.split(f.After)
	for _, h := range compare(x, y, book) {
		removed += h.oldHi - h.oldLo
		added += h.newHi - h.newLo
	}
	return added, removed, false
}

// patchLines writes the hunks.
func patchLines(b *strings.Builder, f bot.FileChange) {
	book := newLineBook()
	x, old := book.split(f.Before)
	y, fresh := book.split(f.After)
	all := compare(x, y, book)
	for len(all) > 0 {
		n := 1 // hunks whose surroundings touch
		for n < len(all) && all[n].oldLo-all[n-1].oldHi <= 2*patchContext {
			n++
		}
		first, last := all[0], all[n-1]
		lead := min(patchContext, first.oldLo)
		trail := min(patchContext, len(old)-last.oldHi)
		fmt.Fprintf(b, "@@ -%s +%s @@\n",
			span(first.oldLo-lead, last.oldHi+trail), span(first.newLo-lead, last.newHi+trail))
		at := first.oldLo - lead
		for _, h := range all[:n] {
			patchSide(b, ' ', old[at:h.oldLo])
			patchSide(b, '-', old[h.oldLo:h.oldHi])
			patchSide(b, '+', fresh[h.newLo:h.newHi])
			at = h.oldHi
		}
		patchSide(b, ' ', old[at:last.oldHi+trail])
		all = all[n:]
	}
}

func patchSide(b *strings.Builder, mark byte, lines [][]byte) {
	for _, l := range lines {
		b.WriteByte(mark)
		b.Write(l)
		if !bytes.HasSuffix(l, []byte{'\n'}) {
			b.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

// span is a range of lines in a hunk's head, where counting starts at 1.
func span(lo, hi int) string {
	switch hi - lo {
	case 0:
		return fmt.Sprintf("%d,0", lo)
	case 1:
		return fmt.Sprint(lo + 1)
	}
	return fmt.Sprintf("%d,%d", lo+1, hi-lo)
}

// quoteName puts a name with unusual characters in quotes, as git does. What people
// write in other scripts stays readable.
func quoteName(name string) string {
	if !strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == '"' || c == '\\' || c == 0x7f || c == '\uFFFD' }) {
		return name
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(name) {
		switch c := name[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
