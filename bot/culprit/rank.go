package culprit

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

// Ranker implements bot.Ranker.
type Ranker struct{}

var _ bot.Ranker = Ranker{}

// History ranks by what git alone tells, for where nothing is known of rollouts
// and health: candidates, what of them still stands, and the moment f.Now. The
// weights were fitted on what people really reverted; see [Model]. Documentation
// and comments stay among the suspects, far down, since what is live tells.
func (r Ranker) History(f bot.Facts) bot.Finding { return r.HistoryOf(f.Candidates, Measure(f)) }

// HistoryOf is History for candidates whose signs were read before.
func (Ranker) HistoryOf(candidates []bot.Candidate, signs []Signs) bot.Finding {
	w := weighing{candidates: candidates, signs: signs}
	m := fitted()
	ranked := m.Rank(w.signs)
	doubts := m.doubts(w.signs, ranked)
	if len(w.signs) > 0 && w.signs[ranked.Order[0]].Docs {
		doubts = append(doubts, "The first suspect changes nothing that runs.")
	}
	return w.finding(m, ranked, doubts)
}

// Rank implements bot.Ranker. It is History, with the same fitted weights on the
// same signs, and what the bot alone knows added in log-odds: live.go has those
// weights, which are judgement. What can't be guilty is no suspect: what changed
// nothing that runs, and what has been taken back.
//
// It is confident when History would be, had it seen the same, and when besides
// nothing that was seen live leaves a doubt.
func (r Ranker) Rank(f bot.Facts) bot.Finding {
	w := weighing{}
	for i, s := range Measure(dated(f)) {
		if c := f.Candidates[i]; !c.Undone && !s.Docs {
			w.candidates, w.signs = append(w.candidates, c), append(w.signs, s)
			w.live = append(w.live, witness(f, c))
		}
	}
	if len(w.signs) == 0 {
		return bot.Finding{None: 1, Doubts: []string{"No live change to what this App is built from was found."}}
	}
	m := fitted()
	past := m.Rank(w.signs)
	ranked := past.with(weights(w.live), nil)
	// What speaks for none depends on who comes first.
	none := w.elsewhere(f, ranked.Order[0])
	ranked = past.with(weights(w.live), none)
	find := w.finding(m, ranked, nil)
	find.NoneEvidence = append([]bot.Evidence{{Signal: "history", Detail: "what git alone tells of the first suspect, before the alert", Weight: logOdds(past.None)}}, none...)
	find.Doubts = append(m.doubts(w.signs, ranked), w.doubts(f, find, ranked.Order)...)
	find.Confident = len(find.Doubts) == 0
	return find
}

// Parts implements bot.Ranker.
func (Ranker) Parts(tree fs.FS, closure []string, w bot.Workload) (files, objects map[string]string) {
	p := PartsOf(tree, closure, w)
	return p.Files, p.Objects
}

// weighing is what is weighed: candidates, newest first, and what was seen of
// each.
type weighing struct {
	candidates []bot.Candidate
	signs      []Signs
	// live is what the bot alone knows of each; nil where git alone is asked.
	live [][]bot.Evidence
}

// finding tells the outcome to people and programs.
func (w weighing) finding(m Model, ranked Ranked, doubts []string) bot.Finding {
	find := bot.Finding{None: ranked.None, Weighed: len(w.candidates), Doubts: doubts, Confident: len(doubts) == 0}
	vectors := Vectors(w.signs)
	for _, i := range ranked.Order {
		c := w.candidates[i]
		s := bot.Suspect{
			Change: c.Change, RolledOut: c.RolledOut, HealthBefore: c.HealthBefore,
			TouchesFailing: w.signs[i].Bears == int(bears), Evidence: evidence(m, w.signs, i, vectors[i]),
		}
		if w.live != nil {
			s.Evidence = append(ageLive(s.Evidence, w.signs[i], c), w.live[i]...)
		}
		for _, e := range s.Evidence {
			s.Score += e.Weight
		}
		find.Suspects = append(find.Suspects, s)
	}
	for i, chance := range Chances(find) {
		find.Suspects[i].Chance = chance
	}
	return find
}

// ageLive says what an age was measured from.
func ageLive(all []bot.Evidence, s Signs, c bot.Candidate) []bot.Evidence {
	if i := slices.IndexFunc(all, func(e bot.Evidence) bool { return e.Signal == "age" }); i >= 0 {
		what := "committed"
		if !c.RolledOut.IsZero() {
			what = "rolled out"
		}
		all[i].Detail = fmt.Sprintf("%s %s before the alert", what, span(seconds(s.Age)))
	}
	return all
}

// tied is the difference of scores below which two suspects are equal.
const tied = 1e-9

// span is a length of time as people say it, to the two units that matter.
func span(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return strings.TrimSuffix(fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60), " 0 s")
	case d < 48*time.Hour:
		return strings.TrimSuffix(fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60), " 0 min")
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}
