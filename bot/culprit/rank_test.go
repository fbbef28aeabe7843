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

// change is a candidate that gave a Deployment a new image, rolled out at a
// time before noon.
func change(name, workload string, before time.Duration) bot.Candidate {
	return bot.Candidate{
		Change:    bot.Change{Commits: []bot.SHA{sha(name)}, Subject: name},
		Files:     []bot.FileChange{{Path: "apps/" + workload + ".yaml", Before: deployment(workload, "v1"), After: deployment(workload, name)}},
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
	wide.Apps = 20

	tests := []struct {
		name       string
		candidates []bot.Candidate
		want       []string
	}{
		{"none", nil, nil},
		{"the newest live change first", []bot.Candidate{change("b", "web", minutes(3)), change("a", "web", minutes(9))}, []string{"b", "a"}},
		{"the one that touches the failing object before newer ones", []bot.Candidate{change("b", "worker", minutes(3)), change("a", "web", minutes(9))}, []string{"a", "b"}},
		{"the one inside the blame window before a newer one after the onset", []bot.Candidate{change("b", "web", minutes(-3)), change("a", "web", minutes(9))}, []string{"a", "b"}},
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

func TestEvidence(t *testing.T) {
	old := change("old", "worker", minutes(400))
	old.HealthBefore, old.Apps, old.Change.IsRevert = bot.HealthBad, 3, true
	pending, unseen, after := change("p", "web", minutes(-2)), change("u", "web", 0), change("x", "web", minutes(-60))
	unseen.RolledOut, unseen.HealthBefore = time.Time{}, bot.HealthUnknown
	interval := bot.Onset{From: noon, To: noon.Add(minutes(15))}

	tests := []struct {
		name  string
		onset bot.Onset
		c     bot.Candidate
		want  []string
	}{
		{"the plain case", bot.Onset{}, change("a", "web", 4*time.Minute+12*time.Second), []string{
			"recency: the newest live change to this App (+1.0)",
			"rollout: rolled out 4 min 12 s before the trouble began (+1.7)",
			"object: changes image of Deployment web in `apps/web.yaml` (+2.0)",
			"health: the App was healthy on the revision before it (+0.5)",
		}},
		{"all that speaks against one", bot.Onset{}, old, []string{
			"recency: the newest live change to this App (+1.0)",
			"rollout: rolled out 6 h 40 min before the trouble began, longer than the blame window of 30 min (-0.5)",
			"object: changes nothing that Deployment shop/web is known to use (-1.5)",
			"health: the App was already degraded on the revision before it (-1.5)",
			"breadth: touches 3 Apps (-0.7)",
			"revert: is itself a revert (+0.0)",
		}},
		{"in the interval", interval, pending, []string{
			"recency: the newest live change to this App (+1.0)",
			"rollout: rolled out while the alert was pending, 13 min before it fired (-0.5)",
			"object: changes image of Deployment web in `apps/web.yaml` (+2.0)",
			"health: the App was healthy on the revision before it (+0.5)",
		}},
		{"after it", interval, after, []string{
			"recency: the newest live change to this App (+1.0)",
			"rollout: rolled out 45 min after the trouble began (-4.0)",
			"object: changes image of Deployment web in `apps/web.yaml` (+2.0)",
			"health: the App was healthy on the revision before it (+0.5)",
		}},
		{"not on record", interval, unseen, []string{
			"recency: the newest live change to this App (+1.0)",
			"rollout: when it was rolled out is not on record (+0.0)",
			"object: changes image of Deployment web in `apps/web.yaml` (+2.0)",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := facts(tt.c)
			if !tt.onset.To.IsZero() {
				f.Onset = tt.onset
			}
			s := Ranker{}.Rank(f).Suspects[0]
			var got []string
			sum := 0.0
			for _, e := range s.Evidence {
				got = append(got, fmt.Sprintf("%s: %s (%+.1f)", e.Signal, e.Detail, e.Weight))
				sum += e.Weight
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

func TestSecondSuspectSaysHowManyAreNewer(t *testing.T) {
	got := Ranker{}.Rank(facts(change("c", "web", minutes(1)), change("b", "web", minutes(2)), change("a", "web", minutes(3))))
	for i, want := range []string{"the newest live change to this App", "one live change to this App is newer", "2 live changes to this App are newer"} {
		if got := got.Suspects[i].Evidence[0].Detail; got != want {
			t.Errorf("evidence is %q, want %q", got, want)
		}
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
