package culprit

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// noon is when the trouble begins in these tests.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

var web = bot.Workload{Cluster: "prod", Kind: "Deployment", Namespace: "shop", Name: "web"}

// sha is a commit ID that begins with a name, so that failures can be read.
func sha(name string) bot.SHA { return bot.SHA(name + strings.Repeat("0", 40-len(name))) }

// deployment is a manifest of a Deployment with one image.
func deployment(name, image string) []byte {
	return fmt.Appendf(nil, "kind: Deployment\nmetadata: {name: %s}\nspec: {template: {spec: {containers: [{image: %q}]}}}\n", name, image)
}

// change is a candidate that gave a Deployment a new image, which stands still,
// rolled out at a time before noon.
func change(name, workload string, before time.Duration) bot.Candidate {
	file := "apps/" + workload + ".yaml"
	return bot.Candidate{
		Change: bot.Change{
			Commits: []bot.SHA{sha(name)}, Subject: name, Author: name, Paths: []string{file},
			When: noon.Add(-before - minutes(1)),
		},
		Files:     []bot.FileChange{{Path: file, Before: deployment(workload, "v1"), After: deployment(workload, name)}},
		Current:   map[string][]byte{file: deployment(workload, name)},
		RolledOut: noon.Add(-before), HealthBefore: bot.HealthGood,
	}
}

// facts are those of an alert on web that began at noon exactly and fired five
// minutes later; the record has what the candidates brought.
func facts(cs ...bot.Candidate) bot.Facts {
	f := bot.Facts{
		App:   bot.App{ID: bot.AppID{Cluster: "prod", Kind: bot.KindKustomization, Namespace: "flux-system", Name: "shop"}},
		Onset: bot.Onset{From: noon, To: noon}, Fired: noon.Add(minutes(5)), Now: noon.Add(minutes(6)),
		Candidates: cs, Failing: &web, BlameWindow: minutes(30),
	}
	for _, c := range cs {
		f.Deployed = append(f.Deployed, bot.Deployed{Revision: c.Change.Head(), At: c.RolledOut, Health: bot.HealthGood})
	}
	f.Deployed = append(f.Deployed, bot.Deployed{Revision: sha("old"), At: noon.Add(-minutes(6000)), Health: bot.HealthGood})
	return f
}

func subjects(f bot.Finding) []string {
	var out []string
	for _, s := range f.Suspects {
		out = append(out, s.Change.Subject)
	}
	return out
}

func TestRankOrder(t *testing.T) {
	comment := change("comment", "web", minutes(1))
	comment.Files[0].After = append([]byte("# why\n"), comment.Files[0].Before...)
	space := change("space", "web", minutes(1))
	space.Files = []bot.FileChange{{Path: "apps/web/init.sh", Before: []byte("true\n"), After: []byte("true\n\n"), BeforeMode: "100644", AfterMode: "100644"}}
	docs := change("docs", "web", minutes(1))
	docs.Files = []bot.FileChange{{Path: "apps/web/README.md", After: []byte("x")}}
	undone := change("undone", "web", minutes(1))
	undone.Undone = true
	root := change("root", "web", minutes(1))
	root.Files = nil
	mixed := change("mixed", "web", minutes(1))
	mixed.Files = append(mixed.Files, docs.Files...)
	wide := change("wide", "web", minutes(3))
	for i := range 40 {
		wide.Change.Paths = append(wide.Change.Paths, fmt.Sprintf("other/%d.yaml", i))
	}
	never := change("never", "web", minutes(3))
	never.RolledOut, never.Unseen = time.Time{}, true

	tests := []struct {
		name       string
		candidates []bot.Candidate
		want       []string
	}{
		{"none", nil, nil},
		{"the newest live change first", []bot.Candidate{change("b", "web", minutes(3)), change("a", "web", minutes(9))}, []string{"b", "a"}},
		{"the one that touches the failing object before newer ones", []bot.Candidate{change("b", "worker", minutes(3)), change("a", "web", minutes(9))}, []string{"a", "b"}},
		{"the one inside the blame window before a newer one after the onset", []bot.Candidate{change("b", "web", minutes(-3)), change("a", "web", minutes(9))}, []string{"a", "b"}},
		{"one that runs before one that never ran", []bot.Candidate{never, change("a", "web", minutes(9))}, []string{"a", "never"}},
		{"an undone change is none", []bot.Candidate{undone, change("a", "web", minutes(9))}, []string{"a"}},
		{"a comment is no change", []bot.Candidate{comment, change("a", "web", minutes(9))}, []string{"a"}},
		{"white space is none", []bot.Candidate{space, change("a", "web", minutes(9))}, []string{"a"}},
		{"documentation is none", []bot.Candidate{docs, change("a", "web", minutes(9))}, []string{"a"}},
		{"a commit that changed nothing here is none", []bot.Candidate{root}, nil},
		{"a change beside documentation is one", []bot.Candidate{mixed}, []string{"mixed"}},
		{"a narrow change before a wide one", []bot.Candidate{wide, change("a", "web", minutes(9))}, []string{"a", "wide"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Ranker{}.Rank(facts(tt.candidates...))
			if diff := cmp.Diff(tt.want, subjects(got)); diff != "" {
				t.Errorf("suspects (-want +got):\n%s", diff)
			}
			if len(tt.want) == 0 && (got.Confident || len(got.Doubts) == 0 || got.None != 1) {
				t.Errorf("without a suspect: %+v", got)
			}
		})
	}
}

// TestCandidatesAreLeftAlone: the facts belong to the caller.
func TestCandidatesAreLeftAlone(t *testing.T) {
	f := facts(change("a", "web", minutes(3)))
	f.Candidates[0].Files = append([]bot.FileChange{{Path: "README.md"}}, f.Candidates[0].Files...)
	Ranker{}.Rank(f)
	if got := f.Candidates[0].Files; len(got) != 2 || got[0].Path != "README.md" || got[1].Path != "apps/web.yaml" {
		t.Errorf("files were changed: %v", got)
	}
}

// TestNone: a change must have something that speaks for it to be likelier
// than no change at all.
func TestNone(t *testing.T) {
	none := func(c bot.Candidate) float64 { return Ranker{}.Rank(facts(c)).None }
	strong, weak, after := none(change("a", "web", minutes(4))), none(change("a", "worker", minutes(400))), none(change("a", "worker", minutes(-1)))
	if !(strong < 0.05 && strong < weak && weak < after && weak >= 0.5 && after > 0.95) {
		t.Errorf("none weighs %.2f against a strong suspect, %.2f against a weak one, %.2f against one after the onset", strong, weak, after)
	}
}

// TestLiveEvidence: what the bot alone sees is told apart from what git tells.
func TestLiveEvidence(t *testing.T) {
	old := change("old", "worker", minutes(400))
	old.HealthBefore, old.Apps, old.Change.IsRevert = bot.HealthBad, 3, true
	pending, unseen, after := change("p", "web", minutes(-2)), change("u", "web", 0), change("x", "web", minutes(-60))
	unseen.RolledOut, unseen.HealthBefore = time.Time{}, bot.HealthUnknown
	never := unseen
	never.Unseen = true
	interval := bot.Onset{From: noon, To: noon.Add(minutes(15))}

	turned := change("t", "web", minutes(4))
	tests := []struct {
		name  string
		facts func(*bot.Facts)
		want  []string // by weights of judgement
	}{
		{"the plain case", func(f *bot.Facts) { *f = facts(change("a", "web", 4*time.Minute+12*time.Second)) }, []string{
			"rollout: rolled out 4 min 12 s before the trouble began (+1.1)",
			"health: the App was healthy on the revision before it (+0.5)",
		}},
		{"all that speaks against one", func(f *bot.Facts) { *f = facts(old) }, []string{
			"rollout: rolled out 6 h 40 min before the trouble began, longer than the blame window of 30 min (-1.3)",
			"health: the App was already degraded on the revision before it (-1.5)",
			"Apps: touches 3 Apps (+0.0)",
		}},
		{"in the interval", func(f *bot.Facts) { *f = facts(pending); f.Onset = interval }, []string{
			"rollout: rolled out while the alert was pending, 13 min before it fired (+0.0)",
			"health: the App was healthy on the revision before it (+0.5)",
		}},
		{"after it", func(f *bot.Facts) { *f = facts(after); f.Onset = interval }, []string{
			"rollout: rolled out 45 min after the trouble began (-8.0)",
			"health: the App was healthy on the revision before it (+0.5)",
		}},
		{"not on record", func(f *bot.Facts) { *f = facts(unseen); f.Onset = interval }, []string{
			"rollout: when it was rolled out is not on record (+0.0)",
		}},
		{"never ran", func(f *bot.Facts) { *f = facts(never) }, []string{
			"rollout: no revision on record contains it: it was never seen running (-8.0)",
		}},
		{"no onset", func(f *bot.Facts) { f.Onset = bot.Onset{} }, []string{
			"rollout: when the trouble began is not known (+0.0)",
			"health: the App was healthy on the revision before it (+0.5)",
		}},
		{"degraded ever since", func(f *bot.Facts) {
			*f = facts(turned)
			f.Deployed = append([]bot.Deployed{{Revision: sha("t"), At: noon, Health: bot.HealthBad}, {Revision: sha("t"), At: noon.Add(-minutes(2)), Health: bot.HealthProgressing}}, f.Deployed...)
		}, []string{
			"rollout: rolled out 4 min before the trouble began (+1.1)",
			"health: the App was healthy on the revision before it, and degraded ever since (+1.5)",
		}},
		{"degraded, but healthy for a while", func(f *bot.Facts) {
			*f = facts(turned)
			f.Deployed = append([]bot.Deployed{{Revision: sha("t"), At: noon, Health: bot.HealthBad}, {Revision: sha("t"), At: noon.Add(-minutes(2)), Health: bot.HealthGood}}, f.Deployed...)
		}, []string{
			"rollout: rolled out 4 min before the trouble began (+1.1)",
			"health: the App was healthy on the revision before it (+0.5)",
		}},
		{"degraded after the alert", func(f *bot.Facts) {
			*f = facts(turned)
			f.Deployed = append([]bot.Deployed{{Revision: sha("t"), At: noon.Add(minutes(6)), Health: bot.HealthBad}}, f.Deployed...)
		}, []string{
			"rollout: rolled out 4 min before the trouble began (+1.1)",
			"health: the App was healthy on the revision before it (+0.5)",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := facts(change("a", "web", minutes(4)))
			tt.facts(&f)
			s := Ranker{}.Rank(f).Suspects[0]
			var got []string
			sum := 0.0
			for _, e := range s.Evidence {
				if sum += e.Weight; e.Judged {
					got = append(got, fmt.Sprintf("%s: %s (%+.1f)", e.Signal, e.Detail, e.Weight))
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("evidence (-want +got):\n%s", diff)
			}
			if sum != s.Score {
				t.Errorf("the score is %v, the evidence adds up to %v", s.Score, sum)
			}
		})
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 1500 * time.Millisecond: "2 s", 59 * time.Second: "59 s", time.Minute: "1 min", 61 * time.Second: "1 min 1 s",
		time.Hour: "1 h", 90 * time.Minute: "1 h 30 min", 47 * time.Hour: "47 h", 72 * time.Hour: "3 days",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%v) is %q, want %q", d, got, want)
		}
	}
}
