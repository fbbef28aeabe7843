package culprit

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// TestOneEngine: the bot weighs what git tells exactly as backout find does, and
// what only the bot saw stands apart.
func TestOneEngine(t *testing.T) {
	wide := change("b", "worker", minutes(9))
	wide.Change.Paths = append(wide.Change.Paths, "x.yaml", "y.yaml")
	f := facts(change("c", "web", minutes(4)), wide, change("a", "web", minutes(3000)))
	live, past := Ranker{}.Rank(f), Ranker{}.History(dated(f))
	fitted := map[string][]bot.Evidence{}
	for _, s := range past.Suspects {
		fitted[s.Change.Subject] = s.Evidence
	}
	for _, s := range live.Suspects {
		var got []bot.Evidence
		for _, e := range s.Evidence {
			if !e.Judged {
				got = append(got, e)
			}
		}
		want := fitted[s.Change.Subject]
		for i := range want {
			if want[i].Signal == "age" { // said from the rollout
				got[i].Detail = want[i].Detail
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("fitted evidence on %s (-find +bot):\n%s", s.Change.Subject, diff)
		}
	}
	if live.Weighed != 3 || len(live.Suspects) != 3 {
		t.Errorf("%d weighed, %d suspects", live.Weighed, len(live.Suspects))
	}
}

// TestAges: up to the alert, whenever the bot comes to look, and from the
// rollout, whatever a commit says of its date.
func TestAges(t *testing.T) {
	for _, tt := range []struct {
		name  string
		facts func(*bot.Facts)
		want  time.Duration
	}{
		{"from the rollout to the alert", func(*bot.Facts) {}, minutes(9)},
		{"the bot looks late", func(f *bot.Facts) { f.Now = noon.Add(6 * time.Hour) }, minutes(9)},
		{"a forged date", func(f *bot.Facts) { f.Candidates[0].Change.When = noon.Add(-9000 * time.Hour) }, minutes(9)},
		{"when it fired is not known", func(f *bot.Facts) { f.Fired = time.Time{} }, minutes(4)},
		{"neither is the onset", func(f *bot.Facts) { f.Fired, f.Onset = time.Time{}, bot.Onset{} }, minutes(10)},
		{"no rollout on record", func(f *bot.Facts) {
			f.Candidates[0].RolledOut, f.Deployed = time.Time{}, nil
		}, minutes(10)},
		{"it ran when our record began", func(f *bot.Facts) {
			f.Candidates[0].RolledOut, f.Deployed = time.Time{}, f.Deployed[1:]
		}, minutes(6005)},
		{"it never ran", func(f *bot.Facts) {
			f.Candidates[0].RolledOut, f.Candidates[0].Unseen, f.Deployed = time.Time{}, true, f.Deployed[1:]
		}, minutes(10)},
		{"rolled out after the alert", func(f *bot.Facts) { f.Candidates[0].RolledOut = noon.Add(minutes(7)) }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := facts(change("a", "web", minutes(4)))
			tt.facts(&f)
			when := f.Candidates[0].Change.When
			if got := seconds(Measure(dated(f))[0].Age); got != tt.want {
				t.Errorf("the age is %v, want %v", got, tt.want)
			}
			if got := (Ranker{}).Rank(f).Suspects[0].Change.When; !got.Equal(when) || !f.Candidates[0].Change.When.Equal(when) {
				t.Errorf("the date of the commit became %v", got)
			}
		})
	}
}

// TestWith is Bayes' rule, by hand.
func TestWith(t *testing.T) {
	// Chances of 0.48, 0.12 and, for none, 0.4.
	r := Ranked{Order: []int{0, 1}, Scores: []float64{math.Log(4), 0}, Shares: []float64{0.8, 0.2}, None: 0.4}
	for _, tt := range []struct {
		name          string
		live          []float64
		none          float64
		first         int
		share0, wants float64
	}{
		{"nothing seen", []float64{0, 0}, 0, 0, 0.8, 0.4},
		{"twice as likely by both", []float64{math.Log(2), math.Log(2)}, 0, 0, 0.8, 0.4 / 1.6},
		{"sixteen times by the second", []float64{0, math.Log(16)}, 0, 1, 0.2, 0.4 / (0.48 + 0.12*16 + 0.4)},
		{"four times by none", []float64{0, 0}, math.Log(4), 0, 0.8, 1.6 / 2.2},
		{"a tie stays newest first", []float64{0, math.Log(4)}, 0, 0, 0.5, 0.4 / 1.36},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := r.with(tt.live, []bot.Evidence{{Weight: tt.none}})
			if got.Order[0] != tt.first || math.Abs(got.Shares[0]-tt.share0) > 1e-9 || math.Abs(got.None-tt.wants) > 1e-9 {
				t.Errorf("first %d, share of 0 %v, none %v; want %d, %v, %v", got.Order[0], got.Shares[0], got.None, tt.first, tt.share0, tt.wants)
			}
		})
	}
}

// TestNoneEvidence: no change of ours is a hypothesis with evidence of its own.
func TestNoneEvidence(t *testing.T) {
	for _, tt := range []struct {
		name  string
		facts bot.Facts
		want  []string
	}{
		{"it changes the failing object", facts(change("a", "web", minutes(4))), []string{"history", "alerts +0.85", "object -0.70"}},
		{"it changes another", facts(change("a", "worker", minutes(4))), []string{"history", "alerts +0.85", "object +1.50"}},
		{"nothing is known of what fails", func() bot.Facts {
			f := facts(change("a", "web", minutes(4)))
			f.Failing = nil
			return f
		}(), []string{"history", "alerts +0.85"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			find := Ranker{}.Rank(tt.facts)
			var got []string
			odds := 0.0 // of none against the one suspect
			for _, e := range find.NoneEvidence {
				if odds += e.Weight; e.Judged {
					got = append(got, fmt.Sprintf("%s %+.2f", e.Signal, e.Weight))
				} else {
					got = append(got, e.Signal)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("evidence for none (-want +got):\n%s", diff)
			}
			for _, e := range find.Suspects[0].Evidence {
				if e.Judged {
					odds -= e.Weight
				}
			}
			if math.Abs(logOdds(find.None)-odds) > 1e-9 {
				t.Errorf("the log-odds of none are %v, its evidence adds up to %v", logOdds(find.None), odds)
			}
		})
	}
}
