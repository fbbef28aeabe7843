package git

// maxOccurrences is how often a line may occur in a stretch of the old text and
// still serve as an anchor; the value is git's.
const maxOccurrences = 64

// histogram compares two texts by anchoring at the longest common run that holds
// the rarest line, then doing the same left and right of it. It is the algorithm
// that git's default merge strategy uses whatever diff.algorithm says (git help
// merge, "diff-algorithm"); JGit's HistogramDiff is its origin. Ties are broken as
// git breaks them.
type histogram struct {
	a, b *text
	// first and count describe, for the stretch under comparison, where a line
	// occurs first in a and how often; they are indexed by line number. next links
	// the occurrences in a, upwards; -1 ends a chain.
	first, count, next []int32
}

func newHistogram(a, b *text, distinct int) *histogram {
	return &histogram{
		a: a, b: b,
		first: make([]int32, distinct), count: make([]int32, distinct),
		next: make([]int32, len(a.lines)),
	}
}

// compare marks what changed between a[alo:ahi] and b[blo:bhi].
func (h *histogram) compare(alo, ahi, blo, bhi int) {
	for alo < ahi && blo < bhi {
		at, found, common := h.anchor(alo, ahi, blo, bhi)
		switch {
		case found:
			h.compare(alo, at.oldLo, blo, at.newLo)
			alo, blo = at.oldHi, at.newHi
		case common:
			// Every common line is too frequent to anchor at.
			myers(h.a.lines[alo:ahi], h.b.lines[blo:bhi], h.a.changed[alo:ahi], h.b.changed[blo:bhi])
			return
		default:
			h.a.mark(alo, ahi)
			h.b.mark(blo, bhi)
			return
		}
	}
	h.a.mark(alo, ahi)
	h.b.mark(blo, bhi)
}

// anchor finds the common run to split at. common reports whether the stretches
// share any line at all.
func (h *histogram) anchor(alo, ahi, blo, bhi int) (best hunk, found, common bool) {
	h.index(alo, ahi)
	defer h.forget(alo, ahi)

	rarest := int32(maxOccurrences + 1)
	for j := blo; j < bhi; {
		line := h.b.lines[j]
		following := j + 1
		switch n := h.count[line]; {
		case n == 0:
		case n > rarest:
			common = true
		default:
			common = true
			for i := h.first[line]; i >= 0; {
				run, rarity := h.grow(int(i), j, alo, ahi, blo, bhi)
				following = max(following, run.newHi)
				if !found || best.oldHi-best.oldLo < run.oldHi-run.oldLo || rarity < rarest {
					best, rarest, found = run, rarity, true
				}
				// Occurrences inside the run would only find it again.
				for i = h.next[i]; i >= 0 && int(i) < run.oldHi; {
					i = h.next[i]
				}
			}
		}
		j = following
	}
	// A line one over the limit is looked at, as git does, but is no anchor.
	return best, found && rarest <= maxOccurrences, common
}

// grow extends the match of a[i] with b[j] both ways and tells how rare the
// rarest line of the run is.
func (h *histogram) grow(i, j, alo, ahi, blo, bhi int) (run hunk, rarity int32) {
	a, b := h.a.lines, h.b.lines
	rarity = h.count[a[i]]
	run = hunk{i, i + 1, j, j + 1}
	for run.oldLo > alo && run.newLo > blo && a[run.oldLo-1] == b[run.newLo-1] {
		run.oldLo--
		run.newLo--
		rarity = min(rarity, h.count[a[run.oldLo]])
	}
	for run.oldHi < ahi && run.newHi < bhi && a[run.oldHi] == b[run.newHi] {
		rarity = min(rarity, h.count[a[run.oldHi]])
		run.oldHi++
		run.newHi++
	}
	return run, rarity
}

// index counts the lines of a[alo:ahi].
func (h *histogram) index(alo, ahi int) {
	for i := ahi - 1; i >= alo; i-- {
		line := h.a.lines[i]
		if h.count[line] == 0 {
			h.first[line] = -1
		}
		h.next[i] = h.first[line]
		h.first[line] = int32(i)
		h.count[line]++
	}
}

func (h *histogram) forget(alo, ahi int) {
	for _, line := range h.a.lines[alo:ahi] {
		h.count[line] = 0
	}
}
