package git

import (
	"context"
	"slices"

	"github.com/backout-dev/backout/bot"
)

// Bounds on the search for commits to take back together.
const (
	maxTogether  = 30  // commits of one set
	maxAttempts  = 300 // sets that are tried
	maxSearchAll = 3   // up to so many more commits, every choice is tried
)

// smallest finds the smallest set of commits that contains the culprits and
// reverts cleanly, newest first; nil when none is found. Candidates are later
// commits that touched what conflicts. Up to three more commits the answer is the
// smallest there is among them; larger sets are only such that no single commit
// can be left out.
func (r *revert) smallest(ctx context.Context, conflicts []bot.Conflict) ([]hash, error) {
	chain, err := r.later(ctx)
	if err != nil {
		return nil, err
	}
	s := &setSearch{revert: r, age: make(map[hash]int)}
	for i, h := range chain {
		s.age[h] = i
	}
	for i, st := range r.steps {
		if _, ok := s.age[st.commit]; !ok {
			s.age[st.commit] = len(chain) + i
		}
	}
	first := s.candidates(conflicts)
	for size := 1; size <= min(maxSearchAll, len(first)); size++ {
		if found, err := s.choose(ctx, first, nil, size); found != nil || err != nil {
			return found, err
		}
	}
	return s.grow(ctx, first)
}

// setSearch is one search for commits to take back together.
type setSearch struct {
	*revert
	age      map[hash]int // 0 is the newest
	attempts int
}

// candidates are the commits that conflicts name, newest first.
func (s *setSearch) candidates(conflicts []bot.Conflict) []hash {
	var all []hash
	for _, c := range conflicts {
		for _, sha := range c.Since {
			all = append(all, toHash(sha))
		}
	}
	slices.SortFunc(all, func(a, b hash) int { return s.age[a] - s.age[b] })
	return slices.Compact(all)
}

// choose tries all choices of n further candidates.
func (s *setSearch) choose(ctx context.Context, from, chosen []hash, n int) ([]hash, error) {
	if n == 0 {
		set, conflicts, err := s.try(ctx, chosen)
		if err != nil || set == nil || len(conflicts) > 0 {
			return nil, err
		}
		return set, nil
	}
	for i := 0; i+n <= len(from); i++ {
		found, err := s.choose(ctx, from[i+1:], append(chosen[:len(chosen):len(chosen)], from[i]), n-1)
		if found != nil || err != nil {
			return found, err
		}
	}
	return nil, nil
}

// grow takes in whatever conflicts name until nothing does, then leaves out what
// it can.
func (s *setSearch) grow(ctx context.Context, with []hash) ([]hash, error) {
	s.attempts = 0
	for {
		set, conflicts, err := s.try(ctx, with)
		if err != nil || set == nil {
			return nil, err
		}
		if len(conflicts) == 0 {
			return s.shrink(ctx, with, set)
		}
		size := len(with)
		for _, h := range s.candidates(conflicts) {
			if !slices.Contains(with, h) {
				with = append(with, h)
			}
		}
		if len(with) == size || len(with) > maxTogether {
			return nil, nil
		}
	}
}

// shrink leaves out one commit after the other, oldest first, while it stays clean.
func (s *setSearch) shrink(ctx context.Context, with, set []hash) ([]hash, error) {
	for i := len(with) - 1; i >= 0; i-- {
		fewer := slices.Delete(slices.Clone(with), i, i+1)
		found, conflicts, err := s.try(ctx, fewer)
		if err != nil {
			return nil, err
		}
		if found != nil && len(conflicts) == 0 {
			with, set = fewer, found
		}
	}
	return set, nil
}

// try takes the culprits and some more back. The set is nil when enough was tried.
func (s *setSearch) try(ctx context.Context, with []hash) (set []hash, conflicts []bot.Conflict, err error) {
	if s.attempts++; s.attempts > maxAttempts {
		return nil, nil, nil
	}
	r := &revert{store: s.store, onto: s.onto, steps: slices.Clone(s.steps), lines: s.lines}
	for _, h := range with {
		if err := r.takeBack(h, 0); err != nil {
			return nil, nil, err
		}
	}
	slices.SortStableFunc(r.steps, func(a, b step) int { return s.age[a.commit] - s.age[b.commit] })
	for _, st := range r.steps {
		set = append(set, st.commit)
	}
	onto, err := s.store.commit(s.onto)
	if err != nil {
		return nil, nil, err
	}
	_, found, err := r.merge(ctx, newOverlay(s.store), onto.TreeHash)
	if err == nil && len(found) > 0 {
		conflicts, err = r.explain(ctx, found)
	}
	return set, conflicts, err
}
