package git

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// TestBoundaries looks, in a history whose dates are worthless, for where first
// parents enter a good commit's history, and where they no longer hold a culprit.
func TestBoundaries(t *testing.T) {
	t.Parallel()
	b, open := local(t)
	all := randomHistory(b, rand.New(rand.NewPCG(9, 9)), 150)
	s, err := open().read(context.Background(), testRepo)
	if err != nil {
		t.Fatal(err)
	}
	lines, ancestors := make(map[bot.SHA][]string), make(map[bot.SHA][]string)
	for _, sha := range all {
		lines[sha] = b.lines("rev-list", "--first-parent", string(sha))
		ancestors[sha] = b.lines("rev-list", string(sha))
	}
	rnd := rand.New(rand.NewPCG(10, 10))
	for range 2000 {
		from, mark := all[rnd.IntN(len(all))], all[rnd.IntN(len(all))]
		line := lines[from]
		newer, met, err := s.beyond(context.Background(), toHash(from), toHash(mark))
		if err != nil {
			t.Fatal(err)
		}
		n := slices.IndexFunc(line, func(sha string) bool { return slices.Contains(ancestors[mark], sha) })
		if met != (n >= 0) {
			t.Fatalf("%s is met from %s: %v", mark, from, met)
		}
		if n < 0 {
			n = len(line)
		}
		if diff := cmp.Diff(line[:n], names(newer)); diff != "" {
			t.Fatalf("on the way from %s to %s:\n%s", from, mark, diff)
		}

		later, err := (&revert{store: s, onto: toHash(from), steps: []step{{commit: toHash(mark)}}}).later(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		n = slices.IndexFunc(line, func(sha string) bool { return !slices.Contains(ancestors[bot.SHA(sha)], string(mark)) })
		if at := slices.Index(line, string(mark)); at >= 0 {
			n = at
		} else if n < 0 {
			n = len(line)
		} else {
			n = max(n-1, 0)
		}
		if diff := cmp.Diff(line[:n], names(later)); diff != "" {
			t.Fatalf("after %s on %s:\n%s", mark, from, diff)
		}
	}
}

func names(all []hash) []string {
	shas := make([]string, 0, len(all))
	for _, h := range all {
		shas = append(shas, h.String())
	}
	return shas
}
