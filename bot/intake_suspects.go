package bot

import (
	"context"
	"fmt"
	"slices"
)

// The bounds of what a finding tells: how many suspects are kept, how many are
// looked at twice since people are shown them, and how many are named by their
// pull request, which costs GitHub a request each.
const (
	keptSuspects  = 10
	shownSuspects = 5
	namedSuspects = 3
)

// rank asks for the suspects. A change of which a revert would take nothing back
// is no suspect; those that people are shown are tried, which costs less than to
// try all.
func (f *Flow) rank(ctx context.Context, repo RepoName, facts Facts) (Finding, error) {
	tried := make(map[SHA]bool)
	for {
		find := f.Ports.Ranker.Rank(facts)
		again := false
		for _, s := range find.Suspects[:min(shownSuspects, len(find.Suspects))] {
			if tried[s.Change.Head()] {
				continue
			}
			tried[s.Change.Head()] = true
			rv, err := f.Ports.History.Revert(ctx, repo, facts.Ran, s.Change)
			if err != nil {
				return find, fmt.Errorf("look whether %s is still in effect: %w", s.Change.Head().Short(), err)
			}
			if rv.Status == RevertEmpty || rv.Status == RevertAlready {
				i := slices.IndexFunc(facts.Candidates, func(c Candidate) bool { return c.Change.Head() == s.Change.Head() })
				facts.Candidates[i].Undone, again = true, true
			}
		}
		if !again {
			return find, nil
		}
	}
}

// nameSuspects replaces commits by the pull requests they came from, for the
// first suspects.
func (f *Flow) nameSuspects(ctx context.Context, repo RepoName, suspects []Suspect) error {
	for i := range suspects[:min(namedSuspects, len(suspects))] {
		ch, err := f.namedChange(ctx, repo, suspects[i].Change.Head())
		if err != nil {
			return fmt.Errorf("name suspect %s: %w", suspects[i].Change.Head().Short(), err)
		}
		suspects[i].Change = ch
	}
	return nil
}
