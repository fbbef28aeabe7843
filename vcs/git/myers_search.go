package git

import "math"

// search is the divide and conquer of one Myers comparison. A diagonal d holds
// the points (x, y) with x−y = d; forward and backward give, for each diagonal,
// how far x has come from either corner. They are indexed by origin+d.
type search struct {
	a, b              sifted
	giveUp            int
	forward, backward []int
	origin            int
}

// split is a point that the best path goes through, and whether each half must be
// searched without shortcuts.
type split struct {
	x, y           int
	exactA, exactB bool
}

func (s *search) compare(alo, ahi, blo, bhi int, exact bool) {
	a, b := s.a.lines, s.b.lines
	for alo < ahi && blo < bhi && a[alo] == b[blo] {
		alo++
		blo++
	}
	for alo < ahi && blo < bhi && a[ahi-1] == b[bhi-1] {
		ahi--
		bhi--
	}
	if alo == ahi || blo == bhi {
		s.a.mark(alo, ahi)
		s.b.mark(blo, bhi)
		return
	}
	p := s.middle(box{alo, ahi, blo, bhi}, exact)
	s.compare(alo, p.x, blo, p.y, p.exactA)
	s.compare(p.x, ahi, p.y, bhi, p.exactB)
}

// box is the rectangle under search: old lines [alo,ahi), new lines [blo,bhi).
type box struct{ alo, ahi, blo, bhi int }

// band is the range of diagonals that one direction has reached.
type band struct{ lo, hi int }

// widen grows the band by one diagonal each way. At the edge of the box it
// shrinks there instead, which keeps the parity that the search relies on. The
// cells just outside are set to beyond, so that they are never preferred.
func (w *band) widen(limit band, cells []int, origin, beyond int) {
	if w.lo > limit.lo {
		w.lo--
		cells[origin+w.lo-1] = beyond
	} else {
		w.lo++
	}
	if w.hi < limit.hi {
		w.hi++
		cells[origin+w.hi+1] = beyond
	} else {
		w.hi--
	}
}

func (w band) has(d int) bool { return w.lo <= d && d <= w.hi }

// middle searches from both corners until the two frontiers meet, or until one of
// git's limits calls for a shortcut.
func (s *search) middle(r box, exact bool) split {
	limit := band{r.alo - r.bhi, r.ahi - r.blo}
	start, end := r.alo-r.blo, r.ahi-r.bhi
	fwd, bwd := band{start, start}, band{end, end}
	odd := (start-end)&1 != 0
	s.forward[s.origin+start] = r.alo
	s.backward[s.origin+end] = r.ahi

	for cost := 1; ; cost++ {
		fwd.widen(limit, s.forward, s.origin, -1)
		p, met, snake := s.advance(r, fwd, bwd, odd)
		if met {
			return p
		}
		bwd.widen(limit, s.backward, s.origin, math.MaxInt)
		p, met, back := s.retreat(r, fwd, bwd, !odd)
		if met {
			return p
		}
		if exact {
			continue
		}
		if (snake || back) && cost > heuristicCost {
			if p, ok := s.promisingForward(r, fwd, start, cost); ok {
				return p
			}
			if p, ok := s.promisingBackward(r, bwd, end, cost); ok {
				return p
			}
		}
		if cost >= s.giveUp {
			return s.furthest(r, fwd, bwd)
		}
	}
}

// advance moves every forward path by one edit and along the matches that follow.
// It ends the search where a path meets the backward frontier, which is only
// looked for when meet is set: the parity says in which direction they can meet.
func (s *search) advance(r box, fwd, bwd band, meet bool) (at split, met, snake bool) {
	a, b, cells := s.a.lines, s.b.lines, s.forward[s.origin+fwd.lo-1:]
	for d := fwd.hi; d >= fwd.lo; d -= 2 {
		c := d - fwd.lo + 1
		x := cells[c+1]
		if cells[c-1] >= x {
			x = cells[c-1] + 1
		}
		from := x
		for x < r.ahi && x-d < r.bhi && a[x] == b[x-d] {
			x++
		}
		snake = snake || x-from > snakeLength
		cells[c] = x
		if meet && bwd.has(d) && s.backward[s.origin+d] <= x {
			return split{x, x - d, true, true}, true, snake
		}
	}
	return split{}, false, snake
}

// retreat is advance for the backward paths.
func (s *search) retreat(r box, fwd, bwd band, meet bool) (at split, met, snake bool) {
	a, b, cells := s.a.lines, s.b.lines, s.backward[s.origin+bwd.lo-1:]
	for d := bwd.hi; d >= bwd.lo; d -= 2 {
		c := d - bwd.lo + 1
		x := cells[c-1]
		if x >= cells[c+1] {
			x = cells[c+1] - 1
		}
		from := x
		for x > r.alo && x-d > r.blo && a[x-1] == b[x-d-1] {
			x--
		}
		snake = snake || from-x > snakeLength
		cells[c] = x
		if meet && fwd.has(d) && x <= s.forward[s.origin+d] {
			return split{x, x - d, true, true}, true, snake
		}
	}
	return split{}, false, snake
}

// promisingForward picks the forward path that is furthest ahead of its cost and
// has just come through a long run of matches.
func (s *search) promisingForward(r box, fwd band, start, cost int) (split, bool) {
	best, at := 0, split{exactA: true}
	for d := fwd.hi; d >= fwd.lo; d -= 2 {
		x := s.forward[s.origin+d]
		y := x - d
		lead := (x - r.alo) + (y - r.blo) - abs(d-start)
		if lead > promisingRatio*cost && lead > best &&
			r.alo+snakeLength <= x && x < r.ahi && r.blo+snakeLength <= y && y < r.bhi &&
			s.sameRun(x-snakeLength, y-snakeLength) {
			best, at.x, at.y = lead, x, y
		}
	}
	return at, best > 0
}

// promisingBackward is promisingForward for the backward paths.
func (s *search) promisingBackward(r box, bwd band, end, cost int) (split, bool) {
	best, at := 0, split{exactB: true}
	for d := bwd.hi; d >= bwd.lo; d -= 2 {
		x := s.backward[s.origin+d]
		y := x - d
		lead := (r.ahi - x) + (r.bhi - y) - abs(d-end)
		if lead > promisingRatio*cost && lead > best &&
			r.alo < x && x <= r.ahi-snakeLength && r.blo < y && y <= r.bhi-snakeLength &&
			s.sameRun(x, y) {
			best, at.x, at.y = lead, x, y
		}
	}
	return at, best > 0
}

// sameRun reports whether a snake starts at (x, y).
func (s *search) sameRun(x, y int) bool {
	for k := range snakeLength {
		if s.a.lines[x+k] != s.b.lines[y+k] {
			return false
		}
	}
	return true
}

// furthest gives up on the best path and takes whichever frontier has come
// further.
func (s *search) furthest(r box, fwd, bwd band) split {
	ahead, aheadX := -1, -1
	for d := fwd.hi; d >= fwd.lo; d -= 2 {
		x := min(s.forward[s.origin+d], r.ahi)
		if x-d > r.bhi {
			x = r.bhi + d
		}
		if ahead < x+x-d {
			ahead, aheadX = x+x-d, x
		}
	}
	behind, behindX := math.MaxInt, math.MaxInt
	for d := bwd.hi; d >= bwd.lo; d -= 2 {
		x := max(r.alo, s.backward[s.origin+d])
		if x-d < r.blo {
			x = r.blo + d
		}
		if x+x-d < behind {
			behind, behindX = x+x-d, x
		}
	}
	if r.ahi+r.bhi-behind < ahead-(r.alo+r.blo) {
		return split{aheadX, ahead - aheadX, true, false}
	}
	return split{behindX, behind - behindX, false, true}
}

func abs(n int) int { return max(n, -n) }
