package bot

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// inOrder ranks candidates as they come, without those that are undone.
type inOrder struct{ Ranker }

func (inOrder) Rank(f Facts) (find Finding) {
	for _, c := range f.Candidates {
		if !c.Undone {
			find.Suspects = append(find.Suspects, Suspect{Change: c.Change})
		}
	}
	return find
}

// pastOf answers from tables: what a revert of a commit would come to, which
// revisions contain which commits, and which files they have by name.
type pastOf struct {
	History
	reverts  map[SHA]RevertStatus
	tried    *[]SHA
	contains map[SHA][]SHA
	files    map[SHA]map[string]string
}

func (h pastOf) Revert(_ context.Context, _ RepoName, onto SHA, c Change) (Revert, error) {
	*h.tried = append(*h.tried, c.Head())
	if onto != "ran" {
		return Revert{}, fmt.Errorf("reverted onto %s", onto)
	}
	return Revert{Status: h.reverts[c.Head()]}, nil
}

// TestWhatIsUndoneIsNoSuspect: none that people are shown is, and no more are
// tried than that takes.
func TestWhatIsUndoneIsNoSuspect(t *testing.T) {
	facts := Facts{Ran: "ran"}
	for i := range 9 {
		facts.Candidates = append(facts.Candidates, Candidate{Change: Change{Commits: []SHA{SHA(fmt.Sprint(i))}}})
	}
	tests := []struct {
		name                string
		reverts             map[SHA]RevertStatus
		suspects, wantTried []SHA
	}{
		{"all stand", nil, []SHA{"0", "1", "2", "3", "4", "5", "6", "7", "8"}, []SHA{"0", "1", "2", "3", "4"}},
		{"the first is undone", map[SHA]RevertStatus{"0": RevertEmpty}, []SHA{"1", "2", "3", "4", "5", "6", "7", "8"}, []SHA{"0", "1", "2", "3", "4", "5"}},
		{
			"some are, and one that comes up in their place", map[SHA]RevertStatus{"1": RevertAlready, "4": RevertEmpty, "5": RevertEmpty, "2": RevertConflict},
			[]SHA{"0", "2", "3", "6", "7", "8"}, []SHA{"0", "1", "2", "3", "4", "5", "6", "7"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var tried []SHA
			mine := facts
			mine.Candidates = slices.Clone(facts.Candidates)
			f := NewFlow(Config{Ports: Ports{Ranker: inOrder{}, History: pastOf{reverts: tt.reverts, tried: &tried}}})
			find, err := f.rank(t.Context(), "acme/fleet", mine)
			if err != nil {
				t.Fatal(err)
			}
			var got []SHA
			for _, s := range find.Suspects {
				got = append(got, s.Change.Head())
			}
			if diff := cmp.Diff(tt.suspects, got); diff != "" {
				t.Errorf("suspects (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.wantTried, tried); diff != "" {
				t.Errorf("reverts tried (-want +got):\n%s", diff)
			}
		})
	}
}
