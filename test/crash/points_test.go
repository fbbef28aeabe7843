package crash

import (
	"slices"
	"strings"
)

// point is one run of the matrix: a story, and where its processes are killed,
// one after the other.
type point struct {
	story story
	plan  []kill
}

func (p point) String() string {
	names := make([]string, 0, len(p.plan))
	for _, k := range p.plan {
		names = append(names, k.String())
	}
	return strings.Join(names, ", then ")
}

// class is what a point has in common with those of other stories.
func (p point) class() string {
	first, _, _ := strings.Cut(p.String(), " prod/")
	return first
}

// maxRepeats bounds how many of several equal requests of one story are struck.
const maxRepeats = 2

// pointsOf makes the kills of a story from what was recorded of it.
func pointsOf(s story, d *director) []point {
	var out []point
	add := func(plan ...kill) { out = append(out, point{s, plan}) }
	for _, effect := range d.order {
		switch {
		case strings.HasPrefix(effect, "answer "):
			add(kill{effect, 1, after})
		case isLocal(effect):
			add(kill{effect, 1, before})
			add(kill{effect, 1, after})
			// The process that comes back dies of its first request as well.
			add(kill{effect, 1, before}, kill{"", 1, inside})
		default:
			for n := range min(d.count[effect], maxRepeats) {
				for _, m := range outside {
					add(kill{effect, n + 1, m})
				}
			}
			add(kill{effect, 1, inside}, kill{"", 1, before})
			add(kill{effect, 1, inside}, kill{"", 1, inside}, kill{"", 1, after})
			add(kill{effect, 1, late}, kill{"", 1, inside})
		}
	}
	return out
}

// isLocal tells effects on the bot's own record from requests.
func isLocal(effect string) bool {
	for _, prefix := range []string{"accept ", "record ", "ledger ", "start "} {
		if strings.HasPrefix(effect, prefix) {
			return true
		}
	}
	return false
}

// mix puts the stories' points in one row: one of each in turn, so that what
// runs at once differs. Commits that are the same in several stories are struck
// twice in one of them only.
func mix(recorded [][]point) []point {
	var out []point
	twice := map[string]bool{}
	for s := range recorded {
		recorded[s] = slices.DeleteFunc(recorded[s], func(p point) bool {
			again := len(p.plan) > 1 && isLocal(p.plan[0].Effect) && twice[p.class()]
			twice[p.class()] = true
			return again
		})
	}
	for i := 0; ; i++ {
		n := len(out)
		for s := range recorded {
			// Each story begins elsewhere.
			if k := len(recorded[s]); i < k {
				out = append(out, recorded[s][(i+s*k/len(recorded))%k])
			}
		}
		if len(out) == n {
			return out
		}
	}
}

// sample takes n points: of every class one before any class has two, and of
// the classes an even choice.
func sample(points []point, n int) []point {
	seen := map[string]bool{}
	var first, rest []point
	for _, p := range points {
		if c := p.class(); !seen[c] {
			seen[c] = true
			first = append(first, p)
		} else {
			rest = append(rest, p)
		}
	}
	if len(first) < n {
		return append(first, spread(rest, n-len(first))...)
	}
	return spread(first, n)
}

// spread takes n of the points, evenly.
func spread(points []point, n int) []point {
	if n >= len(points) {
		return points
	}
	out := make([]point, 0, n)
	for i := range n {
		out = append(out, points[i*len(points)/n])
	}
	return out
}
