package corpus

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// quiet is for how long nothing of a path may be taken back after a calm point,
// in seconds.
const quiet = 7 * 24 * 3600

// calmPoints draws n points for one repository: a moment at random between the
// first and the last of its cases, the commit that was the head then, and the
// path of one of its cases, when that path had a history by then and nothing of
// it was taken back in the week that followed. The same cases give the same
// points.
func calmPoints(ctx context.Context, t *trail, cases []Case, n int) ([]Case, error) {
	var paths []string
	first, last := cases[0], cases[0]
	for _, c := range cases {
		paths = append(paths, c.Path)
		if c.At < first.At {
			first = c
		}
		if c.At > last.At {
			last = c
		}
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	var line []*bot.Commit // newest first
	err := t.walk(ctx, last.Head, func(c *bot.Commit) bool {
		line = append(line, c)
		return c.When.Unix() >= first.At-400*24*3600
	})
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(uint64(n), uint64(first.At))) //nolint:gosec // the same each time is what is wanted
	var out []Case
	for try := 0; len(out) < n && try < 40*n; try++ {
		at := first.At + rng.Int64N(max(1, last.At-first.At-quiet))
		p := paths[rng.IntN(len(paths))]
		i := slices.IndexFunc(line, func(c *bot.Commit) bool { return c.When.Unix() <= at })
		if i >= 0 && known(line[i:], p) && !takenBack(line[:i], p, at) {
			out = append(out, Case{Repo: t.repo, Head: line[i].SHA, At: at, Path: p})
		}
	}
	return out, nil
}

func known(line []*bot.Commit, p string) bool {
	return slices.ContainsFunc(line, func(c *bot.Commit) bool { return touches(c.Paths, []string{p}) })
}

// takenBack reports whether a commit within a week after a moment takes
// something of the path back.
func takenBack(newer []*bot.Commit, p string, at int64) bool {
	for i := len(newer) - 1; i >= 0 && newer[i].When.Unix() <= at+quiet; i-- {
		text := strings.ToLower(newer[i].Message)
		if (strings.Contains(text, "revert") || strings.Contains(text, "roll back") || strings.Contains(text, "rollback")) && touches(newer[i].Paths, []string{p}) {
			return true
		}
	}
	return false
}

// Calm draws as many calm points as there are cases, by repository.
func Calm(ctx context.Context, h bot.History, cases []Case) ([]Case, error) {
	var all []Case
	for len(cases) > 0 {
		n := slices.IndexFunc(cases, func(c Case) bool { return c.Repo != cases[0].Repo })
		if n < 0 {
			n = len(cases)
		}
		points, err := calmPoints(ctx, newTrail(h, cases[0].Repo), cases[:n], n)
		if err != nil {
			return nil, err
		}
		all, cases = append(all, points...), cases[n:]
	}
	return all, nil
}
