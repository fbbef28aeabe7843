package git

// The limits below are git's. They only matter for large inputs, but there they
// decide which comparison is chosen, so they are part of what must agree.
const (
	snakeLength    = 20   // a run this long counts as promising
	heuristicCost  = 256  // edit cost from which promising paths are taken early
	minGiveUpCost  = 256  // edit cost at which the search is cut off, at least
	promisingRatio = 4    // how far ahead of its cost a path must be
	maxFrequent    = 1024 // occurrences from which a line always counts as frequent
	noiseWindow    = 100  // lines looked at around a frequent line
	noiseRatio     = 4    // weight of unmatched lines against frequent ones
)

// myers compares two texts by the linear-space variant of Myers' O(ND) algorithm
// ("An O(ND) Difference Algorithm and Its Variations", 1986), with git's
// preparation: lines that can't match, and frequent lines amid such, are set
// aside as changed before the search.
func myers(a, b []int32, aChanged, bChanged []bool) {
	inA, inB := tally(a), tally(b)
	prefix := 0
	for prefix < min(len(a), len(b)) && a[prefix] == b[prefix] {
		prefix++
	}
	suffix := 0
	for suffix < min(len(a), len(b))-prefix && a[len(a)-1-suffix] == b[len(b)-1-suffix] {
		suffix++
	}
	s := &search{
		a: sift(a, prefix, len(a)-suffix, inB, aChanged),
		b: sift(b, prefix, len(b)-suffix, inA, bChanged),
	}
	n := len(s.a.lines) + len(s.b.lines) + 3
	s.giveUp = max(roughRoot(n), minGiveUpCost)
	s.forward, s.backward = make([]int, 2*n+2), make([]int, 2*n+2)
	s.origin = len(s.b.lines) + 1
	s.compare(0, len(s.a.lines), 0, len(s.b.lines), false)
}

func tally(lines []int32) map[int32]int {
	n := make(map[int32]int, len(lines))
	for _, l := range lines {
		n[l]++
	}
	return n
}

// roughRoot is a power of two near the square root of n, as git estimates it.
func roughRoot(n int) int {
	root := 1
	for ; n > 0; n >>= 2 {
		root <<= 1
	}
	return root
}

// sifted is what remains of a text after preparation: each line with its place in
// the original, where the search notes what changed.
type sifted struct {
	lines   []int32
	place   []int
	changed []bool
}

func (s *sifted) mark(lo, hi int) {
	for _, p := range s.place[lo:hi] {
		s.changed[p] = true
	}
}

// How a line fares on the other side.
const (
	unmatched = iota // never occurs there
	matched
	frequent // occurs so often that a match means little
)

func sift(lines []int32, lo, hi int, other map[int32]int, changed []bool) sifted {
	limit := min(roughRoot(len(lines)), maxFrequent)
	class := make([]byte, len(lines))
	for i := lo; i < hi; i++ {
		switch n := other[lines[i]]; {
		case n == 0:
			class[i] = unmatched
		case n >= limit:
			class[i] = frequent
		default:
			class[i] = matched
		}
	}
	s := sifted{changed: changed}
	for i := lo; i < hi; i++ {
		if class[i] == matched || class[i] == frequent && !noise(class, i, lo, hi) {
			s.lines = append(s.lines, lines[i])
			s.place = append(s.place, i)
		} else {
			changed[i] = true
		}
	}
	return s
}

// noise reports whether the frequent line i stands amid unmatched lines, so that
// matching it would only cut a change in two.
func noise(class []byte, i, lo, hi int) bool {
	lo, hi = max(lo, i-noiseWindow), min(hi-1, i+noiseWindow)
	gone, often := 0, 0
	for _, step := range []int{-1, +1} {
		missing := 0
		often++ // line i itself, once for each direction
		for k := i + step; k >= lo && k <= hi && class[k] != matched; k += step {
			if class[k] == unmatched {
				missing++
			} else {
				often++
			}
		}
		if missing == 0 {
			return false
		}
		gone += missing
	}
	return often*noiseRatio < often+gone
}
