package crash

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// workers is how many runs go on at once. Each is a world and a process, and
// waits most of the time.
const workers = 4

// shortRuns is how many runs with kills the short form has.
const shortRuns = 60

// wanted is how many runs are asked for: by BACKOUT_CRASH a number or "all".
func wanted(t *testing.T, all int) int {
	switch v := os.Getenv("BACKOUT_CRASH"); v {
	case "":
		return shortRuns
	case "all":
		return all
	default:
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			t.Fatalf("BACKOUT_CRASH is %q: want a number of runs, or all", v)
		}
		return n
	}
}

// TestCrash is the matrix.
func TestCrash(t *testing.T) {
	began, all := time.Now(), stories()
	recorded := make([][]point, len(all))
	each(len(all), func(i int) {
		t.Run("record/"+all[i].name, func(t *testing.T) {
			d := tell(t, all[i])
			recorded[i] = pointsOf(all[i], d)
			t.Logf("%d effects, %d runs:\n\t%s", len(d.order), len(recorded[i]), strings.Join(d.recorded(), "\n\t"))
		})
	})
	if t.Failed() {
		return
	}
	points := mix(recorded)
	n := wanted(t, len(points))
	t.Logf("%d runs of %d follow", min(n, len(points)), len(points))
	if n < len(points) {
		points = sample(points, n)
	}
	board := newTally()
	each(len(points), func(i int) {
		p := points[i]
		t.Run(p.story.name+"/"+p.String(), func(t *testing.T) { board.add(p, strike(t, p), t.Failed()) })
	})
	// Not to the test's log, which go test shows only with -v.
	fmt.Printf("%s\n%d stories told once without a kill, in all %s\n", board, len(all), time.Since(began).Round(time.Second))
}

// each calls do for 0 to n-1, a few at once.
func each(n int, do func(i int)) {
	var g errgroup.Group
	g.SetLimit(workers)
	for i := range n {
		g.Go(func() error { do(i); return nil })
	}
	_ = g.Wait() // do reports by itself
}

// strike tells a story with kills. In which order things come that go on side
// by side is not always the same: a story whose first kill found no place is
// told again, and must not go without for ever.
func strike(t *testing.T, p point) *director {
	for try := 1; ; try++ {
		d := tell(t, p.story, p.plan...)
		if t.Failed() || len(d.left()) < len(p.plan) {
			// A second kill may have found nothing left to do.
			return d
		}
		if try == maxTries {
			t.Errorf("in %d tries there was no %q", maxTries, p.plan[0])
			return d
		}
	}
}

const maxTries = 3
