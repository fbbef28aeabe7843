package culprit

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/backout-dev/backout/bot"
)

// past is a candidate as git alone tells of it, committed at a time before noon,
// whose change to an image still stands.
func past(name, workload string, before time.Duration) bot.Candidate {
	c := change(name, workload, before)
	c.RolledOut, c.HealthBefore = time.Time{}, ""
	c.Change.When = noon.Add(-before)
	return c
}

func pastFacts(cs ...bot.Candidate) bot.Facts {
	return bot.Facts{Now: noon, App: bot.App{Source: bot.Source{Paths: []string{"apps"}}}, Closure: []string{"apps"}, Candidates: cs}
}

func TestMeasure(t *testing.T) {
	old, newer := past("old", "web", 3*time.Hour), past("new", "web", time.Hour)
	old.Current["apps/web.yaml"] = []byte("kind: Deployment\n") // the image was replaced
	newer.TakesBack, newer.Change.IsRevert, newer.Automated = []bot.SHA{sha("old")}, true, true
	docs := past("docs", "web", 2*time.Hour)
	docs.Files = []bot.FileChange{{Path: "apps/README.md", After: []byte("hello\n")}}
	got := Measure(pastFacts(newer, docs, old))
	want := []Signs{
		{Commit: sha("new"), Age: 3600, Gap: 3600, Lines: 2, Live: 2, Files: 1, Paths: 1, Revert: true, Automated: true, Author: "new", Bears: -1},
		{Commit: sha("docs"), Age: 7200, Gap: 3600, Paths: 1, Docs: true, Author: "docs", Bears: -1},
		{Commit: sha("old"), Age: 10800, Lines: 2, Live: 1, Files: 1, Paths: 1, Undone: true, Author: "old", Bears: -1},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Signs{})); diff != "" {
		t.Errorf("signs (-want +got):\n%s", diff)
	}
}

// TestLiveness counts by lines, those that stand elsewhere in the file apart.
func TestLiveness(t *testing.T) {
	for _, tt := range []struct {
		name, before, after, now string
		lines, live              int
	}{
		{"all stands", "a: 1\n", "a: 2\n", "a: 2\n", 2, 2},
		{"taken back", "a: 1\n", "a: 2\n", "a: 1\n", 2, 0},
		{"changed again", "a: 1\n", "a: 2\n", "a: 3\n", 2, 1},
		{"the file is gone", "a: 1\n", "a: 2\n", "", 2, 1},
		{"a line that also stands elsewhere", "x: 1\nb: 2\n", "x: 1\nb: 2\nx: 1\n", "x: 1\nb: 2\n", 1, 0},
		{"indented anew", "a:\n  b: 1\n", "a:\n  b: 2\n", "a:\n    b: 2\n", 2, 2},
		{"a new file", "", "a: 1\nb: 2\n", "b: 2\n", 2, 1},
		{"a file taken out", "a: 1\n", "", "", 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s Signs
			s.count(bot.FileChange{Before: []byte(tt.before), After: []byte(tt.after)}, []byte(tt.now))
			if s.Lines != tt.lines || s.Live != tt.live {
				t.Errorf("%d of %d lines are live, want %d of %d", s.Live, s.Lines, tt.live, tt.lines)
			}
		})
	}
}

func TestHistoryOrder(t *testing.T) {
	revert := past("revert", "web", minutes(5))
	revert.Change.IsRevert, revert.TakesBack = true, []bot.SHA{sha("bad")}
	undone := past("bad", "web", minutes(40))
	undone.Current = map[string][]byte{"apps/web.yaml": undone.Files[0].Before}
	wide := past("wide", "web", minutes(50))
	for i := range 200 {
		wide.Change.Paths = append(wide.Change.Paths, fmt.Sprintf("other/%d.yaml", i))
	}
	readme := past("readme", "web", minutes(5))
	readme.Files = []bot.FileChange{{Path: "apps/README.md", After: []byte("x")}}
	tests := []struct {
		name       string
		candidates []bot.Candidate
		want       string
	}{
		{"the newest first", []bot.Candidate{past("b", "web", minutes(30)), past("a", "web", minutes(3000))}, "b a"},
		{"behind a revert of minutes ago, past what it took back", []bot.Candidate{revert, undone, past("a", "web", minutes(90))}, "a revert bad"},
		{"a narrow one before a wide one", []bot.Candidate{wide, past("a", "web", minutes(70))}, "a wide"},
		{"documentation breaks nothing", []bot.Candidate{readme, past("a", "web", minutes(90))}, "a readme"},
		{"none", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Ranker{}.History(pastFacts(tt.candidates...))
			if names := strings.Join(subjects(got), " "); names != tt.want {
				t.Errorf("suspects are %q, want %q", names, tt.want)
			}
			if (len(got.Doubts) == 0) != got.Confident || tt.want == "" && (got.Confident || got.None != 1) {
				t.Errorf("confident %v with doubts %q, none %v", got.Confident, got.Doubts, got.None)
			}
		})
	}
}

// TestHistoryConfidence: a young change far ahead of the others, and no other.
func TestHistoryConfidence(t *testing.T) {
	rest := past("z", "web", 40*24*time.Hour)
	readme := past("readme", "web", minutes(40))
	readme.Files = []bot.FileChange{{Path: "apps/README.md", After: []byte("x")}}
	for _, tt := range []struct {
		name  string
		facts bot.Facts
		doubt string // empty means confident
	}{
		{"words only", pastFacts(readme), "nothing that runs"},
		{"young and far ahead", pastFacts(past("a", "web", minutes(40)), rest), ""},
		{"two of the same hour", pastFacts(past("b", "web", minutes(40)), past("a", "web", minutes(45)), rest), "are needed"},
		{"older than a day", pastFacts(past("a", "web", 25*time.Hour), rest), "older than 24 h"},
		{"much older", pastFacts(rest), "likelier than not"},
		{"nothing", pastFacts(), "No change"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Ranker{}.History(tt.facts)
			doubts := strings.Join(got.Doubts, " ")
			if got.Confident != (tt.doubt == "") || !strings.Contains(doubts, tt.doubt) {
				t.Errorf("confident %v, doubts %q, want %q", got.Confident, doubts, tt.doubt)
			}
		})
	}
}

// TestHistoryAddsUp: scores are the sum of the evidence, chances that of all.
func TestHistoryAddsUp(t *testing.T) {
	got := Ranker{}.History(pastFacts(past("b", "web", minutes(4)), past("a", "web", minutes(45)), past("z", "web", 40*24*time.Hour)))
	sum := got.None
	for i, chance := range Chances(got) {
		sum += chance
		score := 0.0
		for _, e := range got.Suspects[i].Evidence {
			if score += e.Weight; e.Detail == "" {
				t.Errorf("%s weighs %v and says nothing", e.Signal, e.Weight)
			}
		}
		if score != got.Suspects[i].Score {
			t.Errorf("the score is %v, the evidence adds up to %v", got.Suspects[i].Score, score)
		}
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("the chances add up to %v", sum)
	}
}

// TestFittedFits: the generated weights belong to the features that there are.
func TestFittedFits(t *testing.T) {
	m := fitted()
	if len(m.Weights) != len(Names()) || len(m.File) != len(Names()) || len(m.Known) != len(Names()) || len(m.Guilt) != len(CircumstanceNames())+1 || m.Sure <= 0.5 || m.Sure >= 1 {
		t.Errorf("%d and %d weights for %d features, %d for %d circumstances, sure at %v: run test/corpus/fit", len(m.Weights), len(m.File), len(Names()), len(m.Guilt), len(CircumstanceNames()), m.Sure)
	}
}
