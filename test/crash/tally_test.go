package crash

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// tally counts runs for the table.
type tally struct {
	mu     sync.Mutex
	runs   int
	deaths int
	cells  map[string]map[string]int // runs by first effect, and column
	bad    map[string]int            // failed runs by first effect
	calls  map[string]int            // requests by effect, over all runs
	in     map[string]int            // runs in which an effect was asked for
}

func newTally() *tally {
	return &tally{cells: map[string]map[string]int{}, bad: map[string]int{}, calls: map[string]int{}, in: map[string]int{}}
}

// columns are the moments of the first kill of runs with one; those with more
// are counted apart.
var columns = []string{"before", "inside", "after", "late", "later", "2 kills", "3 kills"}

// add counts a run.
func (t *tally) add(p point, d *director, failed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	t.runs++
	t.deaths += len(d.done)
	effect, column := p.plan[0].Effect, string(p.plan[0].When)
	if n := len(p.plan); n > 1 {
		column = fmt.Sprintf("%d kills", n)
	}
	if t.cells[effect] == nil {
		t.cells[effect] = map[string]int{}
	}
	t.cells[effect][column]++
	if failed {
		t.bad[effect]++
	}
	for _, effect := range d.order {
		if !isLocal(effect) && !strings.HasPrefix(effect, "answer ") {
			t.calls[effect] += d.all[string(before)+" "+effect]
			t.in[effect]++
		}
	}
}

// String is the table: what was struck, and how often the bot asked for an
// effect in how many runs. That what it asked for again changed nothing, the
// check of each run has found.
func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-62s", "effect")
	for _, c := range columns {
		fmt.Fprintf(&b, "%8s", c)
	}
	fmt.Fprintf(&b, "%8s%8s", "asked", "in runs")
	var names []string
	for name := range t.cells {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "\n%-62s", name)
		for _, c := range columns {
			fmt.Fprintf(&b, "%8s", orDot(t.cells[name][c]))
		}
		fmt.Fprintf(&b, "%8s%8s", orDot(t.calls[name]), orDot(t.in[name]))
		if n := t.bad[name]; n > 0 {
			fmt.Fprintf(&b, "  %d FAILED", n)
		}
	}
	fmt.Fprintf(&b, "\n%d effects, %d runs, %d kills", len(t.cells), t.runs, t.deaths)
	return b.String()
}

func orDot(n int) string {
	if n == 0 {
		return "."
	}
	return fmt.Sprint(n)
}
