package git

import "bytes"

// text is one side of a line comparison. Lines are numbers: two lines are equal
// exactly when their numbers are, including the newline, so a last line without
// one differs from the same line with one, as it does for git.
type text struct {
	lines   []int32
	changed []bool // set by a comparison: deleted in the old text, added in the new
}

func (t *text) mark(lo, hi int) {
	for i := lo; i < hi; i++ {
		t.changed[i] = true
	}
}

// lineBook gives every distinct line a number, starting at 0. All texts of one
// merge share a book.
type lineBook struct {
	numbers map[string]int32
}

func newLineBook() *lineBook {
	return &lineBook{}
}

// split cuts content after each newline and numbers the lines; spans are the
// lines themselves, sharing memory with content.
func (b *lineBook) split(content []byte) (lines []int32, spans [][]byte) {
	n := bytes.Count(content, []byte{'\n'}) + 1
	lines, spans = make([]int32, 0, n), make([][]byte, 0, n)
	if len(b.numbers) == 0 {
		b.numbers = make(map[string]int32, n) // the other texts are much the same
	}
	for len(content) > 0 {
		end := bytes.IndexByte(content, '\n') + 1
		if end == 0 {
			end = len(content)
		}
		line := content[:end]
		content = content[end:]
		number, known := b.numbers[string(line)]
		if !known {
			number = int32(len(b.numbers))
			b.numbers[string(line)] = number
		}
		lines = append(lines, number)
		spans = append(spans, line)
	}
	return lines, spans
}

// size is how many distinct lines the book holds.
func (b *lineBook) size() int { return len(b.numbers) }

// hunk is one stretch where two texts differ: lines [oldLo,oldHi) became
// [newLo,newHi). One of the two may be empty.
type hunk struct {
	oldLo, oldHi int
	newLo, newHi int
}

// compare lists the hunks that lead from old to changed text, in order, exactly
// as git's merge sees them: histogram comparison, then each hunk shifted to its
// canonical place. Which of several equally short comparisons is chosen decides
// which hunks touch, and so what conflicts; that is why none of this may be
// "improved" without asking git (see merge_test.go).
func compare(oldLines, newLines []int32, book *lineBook) []hunk {
	a := &text{oldLines, make([]bool, len(oldLines))}
	b := &text{newLines, make([]bool, len(newLines))}
	newHistogram(a, b, book.size()).compare(0, len(a.lines), 0, len(b.lines))
	settle(a, b)
	settle(b, a)
	return hunks(a, b)
}

// hunks reads the marks of two compared texts.
func hunks(a, b *text) []hunk {
	var all []hunk
	i, j := 0, 0
	for i < len(a.lines) || j < len(b.lines) {
		h := hunk{oldLo: i, newLo: j}
		for i < len(a.lines) && a.changed[i] {
			i++
		}
		for j < len(b.lines) && b.changed[j] {
			j++
		}
		if h.oldHi, h.newHi = i, j; h.oldHi > h.oldLo || h.newHi > h.newLo {
			all = append(all, h)
			continue
		}
		i++
		j++
	}
	return all
}
