package git

import (
	"bytes"
	"slices"
)

// binaryWindow is how much of a file git looks at for a NUL byte.
const binaryWindow = 8000

// isBinary reports whether git takes content for binary, which it never merges.
func isBinary(content []byte) bool {
	return bytes.IndexByte(content[:min(len(content), binaryWindow)], 0) >= 0
}

// origin says whose lines a chunk of a merge takes.
type origin byte

const (
	fromOurs origin = iota
	fromTheirs
	contested
)

// chunk is one stretch of a merge: the lines it replaces in either side.
type chunk struct {
	from               origin
	oursLo, oursHi     int
	theirsLo, theirsHi int
}

// mergeContent merges two descendants of base line by line. ok is false when
// the changes overlap or touch. The result is byte for byte what git merge
// makes of the same three files.
func mergeContent(base, ours, theirs []byte) (merged []byte, ok bool) {
	book := newLineBook()
	baseLines, _ := book.split(base)
	oursLines, oursSpans := book.split(ours)
	theirsLines, theirsSpans := book.split(theirs)

	m := merger{ours: oursLines, theirs: theirsLines}
	m.merge(len(baseLines), compare(baseLines, oursLines, book), compare(baseLines, theirsLines, book))

	merged = make([]byte, 0, max(len(ours), len(theirs)))
	at := 0
	for _, c := range m.chunks {
		switch c.from {
		case fromOurs:
			continue
		case contested:
			if !m.agreed(c) {
				return nil, false
			}
			continue
		}
		merged = appendLines(merged, oursSpans[at:c.oursLo])
		merged = appendLines(merged, theirsSpans[c.theirsLo:c.theirsHi])
		at = c.oursHi
	}
	return appendLines(merged, oursSpans[at:]), true
}

func appendLines(to []byte, lines [][]byte) []byte {
	for _, l := range lines {
		to = append(to, l...)
	}
	return to
}

// merger lines up the hunks of two comparisons with the same base.
type merger struct {
	ours, theirs []int32
	chunks       []chunk
}

func (m *merger) merge(baseLines int, x, y []hunk) {
	for len(x) > 0 || len(y) > 0 {
		switch {
		case len(y) == 0 || len(x) > 0 && x[0].oldHi < y[0].oldLo:
			// How far theirs has drifted from base tells where our hunk lands there.
			drift := len(m.theirs) - baseLines
			if len(y) > 0 {
				drift = y[0].newLo - y[0].oldLo
			}
			m.add(chunk{fromOurs, x[0].newLo, x[0].newHi, x[0].oldLo + drift, x[0].oldHi + drift})
			x = x[1:]
		case len(x) == 0 || y[0].oldHi < x[0].oldLo:
			drift := len(m.ours) - baseLines
			if len(x) > 0 {
				drift = x[0].newLo - x[0].oldLo
			}
			m.add(chunk{fromTheirs, y[0].oldLo + drift, y[0].oldHi + drift, y[0].newLo, y[0].newHi})
			y = y[1:]
		default:
			if !m.same(x[0], y[0]) {
				m.add(contest(x[0], y[0]))
			}
			xEnd, yEnd := x[0].oldHi, y[0].oldHi
			if xEnd <= yEnd {
				x = x[1:]
			}
			if yEnd <= xEnd {
				y = y[1:]
			}
		}
	}
}

// same reports whether both sides made the very same change.
func (m *merger) same(x, y hunk) bool {
	return x.oldLo == y.oldLo && x.oldHi == y.oldHi &&
		slices.Equal(m.ours[x.newLo:x.newHi], m.theirs[y.newLo:y.newHi])
}

// contest is the stretch that covers both hunks, with the base lines between
// their edges added to whichever side left them alone.
func contest(x, y hunk) chunk {
	lo, hi := min(x.oldLo, y.oldLo), max(x.oldHi, y.oldHi)
	return chunk{
		contested,
		x.newLo - (x.oldLo - lo), x.newHi + (hi - x.oldHi),
		y.newLo - (y.oldLo - lo), y.newHi + (hi - y.oldHi),
	}
}

// add appends a chunk, or joins it to the last one when they touch on either
// side; joining different origins makes a contest.
func (m *merger) add(c chunk) {
	if n := len(m.chunks); n > 0 {
		if last := &m.chunks[n-1]; c.oursLo <= last.oursHi || c.theirsLo <= last.theirsHi {
			if c.from != last.from {
				last.from = contested
			}
			last.oursHi, last.theirsHi = c.oursHi, c.theirsHi
			return
		}
	}
	m.chunks = append(m.chunks, c)
}

// agreed reports whether a contest ends in the same lines on both sides, which is
// no conflict. As in git, a side with no lines left always is one.
func (m *merger) agreed(c chunk) bool {
	return c.oursLo < c.oursHi && slices.Equal(m.ours[c.oursLo:c.oursHi], m.theirs[c.theirsLo:c.theirsHi])
}
