package bot

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (h pastOf) Contains(_ context.Context, _ RepoName, tip, commit SHA) (bool, error) {
	known, ok := h.contains[tip]
	if !ok {
		return false, NewTrouble(TroubleNotFound, nil, "no commit %s", tip)
	}
	return slices.Contains(known, commit), nil
}

func (h pastOf) Diff(_ context.Context, _ RepoName, from, to SHA, _ []string) (out []FileChange, err error) {
	if h.files[from] == nil || h.files[to] == nil {
		return nil, NewTrouble(TroubleNotFound, nil, "history was rewritten")
	}
	for name, now := range h.files[to] {
		if before := h.files[from][name]; before != now {
			out = append(out, FileChange{Path: name, Before: []byte(before), After: []byte(now)})
		}
	}
	return out, nil
}

// words counts all but Markdown as in effect.
type words struct{ Ranker }

func (words) InEffect(f FileChange) bool { return !strings.HasSuffix(f.Path, ".md") }

// TestOwnDeployments: what can't change what runs is no deployment of the App.
func TestOwnDeployments(t *testing.T) {
	files := map[SHA]map[string]string{
		"1": {"a.yaml": "1"}, "2": {"a.yaml": "1"}, "3": {"a.yaml": "1", "a.md": "why"}, "4": {"a.yaml": "4", "a.md": "how"}, "5": {"a.yaml": "4", "a.md": "how"},
	}
	for _, tt := range []struct{ name, record, want string }{ // newest first
		{"another App's commit", "2 1", "1 1"},
		{"words only", "3 2", "2 2"},
		{"words beside a change", "4 3", "4 3"},
		{"all in a row", "5 4 4 3 2 1", "4 4 4 1 1 1"},
		{"health alone", "1 1", "1 1"},
		{"back again", "2 4 1", "2 4 1"},
		{"rewritten history counts", "2 lost 1", "2 lost 1"},
		{"none", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var record []Deployed
			for _, rev := range strings.Fields(tt.record) {
				record = append(record, Deployed{Revision: SHA(rev)})
			}
			kept := slices.Clone(record)
			f := NewFlow(Config{Ports: Ports{Ranker: words{}, History: pastOf{files: files}}})
			own, err := f.ownDeployments(t.Context(), "acme/fleet", Facts{Deployed: record})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range own {
				got = append(got, string(d.Revision))
			}
			if text := strings.Join(got, " "); text != tt.want {
				t.Errorf("%s becomes %s, want %s", tt.record, text, tt.want)
			}
			if diff := cmp.Diff(kept, record); diff != "" {
				t.Errorf("the record was changed:\n%s", diff)
			}
		})
	}
}

// TestRolledOut reads from the record when a commit came.
func TestRolledOut(t *testing.T) {
	fired := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return fired.Add(time.Duration(minutes) * time.Minute) }
	line := func(rev SHA, minutes int, h Health) Deployed {
		return Deployed{Revision: rev, At: at(minutes), Health: h}
	}
	has := map[SHA][]SHA{"new": {"c"}, "newer": {"c"}, "old": nil}
	tests := []struct {
		name   string
		record []Deployed // newest first
		want   Candidate
	}{
		{"the revision that brought it", []Deployed{line("newer", -5, ""), line("new", -9, HealthGood), line("new", -10, HealthProgressing), line("old", -90, HealthGood)},
			Candidate{RolledOut: at(-10), HealthBefore: HealthGood}},
		{"unwell before", []Deployed{line("new", -9, HealthGood), line("old", -80, HealthBad), line("old", -90, HealthGood)},
			Candidate{RolledOut: at(-9), HealthBefore: HealthBad}},
		{"the record begins with it", []Deployed{line("newer", -5, ""), line("new", -9, HealthGood)}, Candidate{}},
		{"no record", nil, Candidate{}},
		{"never seen running", []Deployed{line("old", -5, HealthGood)}, Candidate{Unseen: true}},
		{"somebody went back after the alert", []Deployed{line("old", 3, HealthGood), line("new", -9, HealthBad), line("old", -90, HealthGood)},
			Candidate{RolledOut: at(-9), HealthBefore: HealthGood}},
		{"back and forth: the last time counts", []Deployed{line("new", -2, ""), line("old", -5, HealthGood), line("new", -9, ""), line("old", -90, "")},
			Candidate{RolledOut: at(-2), HealthBefore: HealthGood}},
		{"history was rewritten", []Deployed{line("new", -2, ""), line("lost", -5, HealthGood)}, Candidate{RolledOut: at(-2), HealthBefore: HealthGood}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := NewFlow(Config{Ports: Ports{History: pastOf{contains: has}}})
			got := Candidate{Change: Change{Commits: []SHA{"c"}}}
			if err := f.rolledOut(t.Context(), "acme/fleet", &got, Facts{Fired: fired, Deployed: tt.record}); err != nil {
				t.Fatal(err)
			}
			got.Change = Change{}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("candidate (-want +got):\n%s", diff)
			}
		})
	}
}
