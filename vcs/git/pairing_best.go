package git

import (
	"context"
	"path"
	"sort"
)

// candidates is how many of the best sources git keeps for each target.
const candidates = 4

// candidate is a pair that may be a rename.
type candidate struct {
	source, target int
	score          int
	sameName       bool
}

// compareCandidates puts better ones first.
func compareCandidates(x, y candidate) int {
	switch {
	case x.score != y.score:
		return y.score - x.score
	case x.sameName == y.sameName:
		return 0
	case x.sameName:
		return -1
	}
	return 1
}

// best pairs what is most alike.
func (r *pairingRun) best(ctx context.Context) error {
	var from []int
	for _, i := range r.sourceOrder {
		if _, used := r.renames[i]; !used && r.sources[i].relevant {
			from = append(from, i)
		}
	}
	if len(from) == 0 {
		return nil
	}
	if len(from)*len(r.targets) > maxPairs {
		return errUnsure
	}
	var all []candidate
	for _, t := range r.targetOrder {
		if r.taken[t] {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		found, err := r.candidates(t, from)
		if err != nil {
			return err
		}
		all = append(all, found...)
	}
	sort.SliceStable(all, func(i, j int) bool { return compareCandidates(all[i], all[j]) < 0 })
	for _, c := range all {
		if _, used := r.renames[c.source]; !used && !r.taken[c.target] {
			r.pair(c.source, c.target)
		}
	}
	return nil
}

// candidates are the best sources for a target.
func (r *pairingRun) candidates(target int, from []int) ([]candidate, error) {
	var kept []candidate
	t := r.targets[target]
	for _, i := range from {
		s := r.sources[i]
		score, err := r.likeness.score(s.entry, t.entry)
		if err != nil {
			return nil, err
		}
		if score < scoreRename {
			continue
		}
		c := candidate{i, target, score, path.Base(s.path) == path.Base(t.path)}
		if len(kept) < candidates {
			kept = append(kept, c)
			continue
		}
		worst := 0
		for k := range kept {
			if compareCandidates(kept[k], kept[worst]) > 0 {
				worst = k
			}
		}
		if compareCandidates(kept[worst], c) > 0 {
			kept[worst] = c
		}
	}
	return kept, nil
}
