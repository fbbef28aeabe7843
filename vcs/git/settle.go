package git

// settle moves each run of changed lines in t to its canonical place. A run may
// slide where the line before it equals its last line, or the line after it its
// first, without changing what the comparison means; runs that meet while sliding
// become one. A run that can line up with changed lines on the other side goes to
// the last such place, any other goes as far down as it can. This is git's rule
// without the indent heuristic, which git diff uses and git merge does not.
func settle(t, other *text) {
	r, o := firstRun(t), firstRun(other)
	for {
		if !r.empty() {
			r.settle(&o)
		}
		if !r.next() {
			return
		}
		o.next()
	}
}

// run is a stretch of changed lines [lo,hi) between two unchanged ones, possibly
// empty: the n-th run of one text and the n-th of the other stand between the same
// pair of common lines, so two cursors that move together stay aligned.
type run struct {
	t      *text
	lo, hi int
}

func firstRun(t *text) run {
	r := run{t: t}
	r.reachDown()
	return r
}

func (r *run) empty() bool { return r.lo == r.hi }

// reachDown extends the run over changed lines that follow.
func (r *run) reachDown() {
	for r.hi < len(r.t.changed) && r.t.changed[r.hi] {
		r.hi++
	}
}

// reachUp extends the run over changed lines before it.
func (r *run) reachUp() {
	for r.lo > 0 && r.t.changed[r.lo-1] {
		r.lo--
	}
}

// next moves to the run after the unchanged line that follows; false at the end.
func (r *run) next() bool {
	if r.hi == len(r.t.lines) {
		return false
	}
	r.lo, r.hi = r.hi+1, r.hi+1
	r.reachDown()
	return true
}

// previous is next in the other direction.
func (r *run) previous() {
	r.lo, r.hi = r.lo-1, r.lo-1
	r.reachUp()
}

// up slides the run by one line and takes in changed lines that it meets.
func (r *run) up() bool {
	if r.lo == 0 || r.t.lines[r.lo-1] != r.t.lines[r.hi-1] {
		return false
	}
	r.lo--
	r.hi--
	r.t.changed[r.lo], r.t.changed[r.hi] = true, false
	r.reachUp()
	return true
}

// down is up in the other direction.
func (r *run) down() bool {
	if r.hi == len(r.t.lines) || r.t.lines[r.lo] != r.t.lines[r.hi] {
		return false
	}
	r.t.changed[r.lo], r.t.changed[r.hi] = false, true
	r.lo++
	r.hi++
	r.reachDown()
	return true
}

// settle slides a run that is not empty to its place; o is the run opposite.
func (r *run) settle(o *run) {
	var aligned bool // some place has changed lines opposite
	var highest int  // hi of the highest place
	for size := -1; size != r.hi-r.lo; {
		size = r.hi - r.lo
		for r.up() {
			o.previous()
		}
		highest, aligned = r.hi, !o.empty()
		for r.down() {
			o.next()
			aligned = aligned || !o.empty()
		}
	}
	if r.hi == highest || !aligned {
		return
	}
	for o.empty() {
		r.up()
		o.previous()
	}
}
