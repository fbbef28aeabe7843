package culprit

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/backout-dev/backout/bot"
)

// Ranker implements bot.Ranker.
type Ranker struct{}

var _ bot.Ranker = Ranker{}

// The weights, in log-odds. "None" has weight zero: a change must have
// something that speaks for it to be likelier than no change at all.
const (
	weightNewest   = 1.0
	weightOlder    = -0.7 // per newer candidate before it
	weightInWindow = 1.7  // rolled out within the blame window before the onset
	weightBefore   = -0.5 // rolled out before the onset, but longer ago
	weightAfter    = -4.0 // rolled out after the trouble began
	weightFailing  = 2.0  // changes the failing object or what it uses
	weightElse     = -1.5 // changes other objects only
	weightHealthy  = 0.5  // the App was healthy on the revision before
	weightUnwell   = -1.5 // the App was unwell before it, too
	weightBreadth  = -0.6 // per natural logarithm of Apps touched
)

// confidentAt is the share of the whole weight that the first suspect needs.
const confidentAt = 0.8

// Rank implements bot.Ranker.
func (r Ranker) Rank(f bot.Facts) bot.Finding {
	var find bot.Finding
	for _, c := range f.Candidates {
		effective := slices.DeleteFunc(slices.Clone(c.Files), func(file bot.FileChange) bool { return !r.InEffect(file) })
		if c.Undone || len(effective) == 0 {
			continue
		}
		c.Files = effective
		find.Suspects = append(find.Suspects, suspect(f, c, len(find.Suspects)))
	}
	slices.SortStableFunc(find.Suspects, func(a, b bot.Suspect) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	total := 1.0 // exp(0), the weight of none
	for _, s := range find.Suspects {
		total += math.Exp(s.Score)
	}
	find.None = 1 / total
	if len(find.Suspects) == 0 {
		find.Doubts = []string{"No live change to what this App is built from was found."}
		return find
	}
	find.Doubts = doubts(f, find.Suspects, math.Exp(find.Suspects[0].Score)/total)
	find.Confident = len(find.Doubts) == 0
	return find
}

// suspect weighs one candidate; newer is how many suspects are newer.
func suspect(f bot.Facts, c bot.Candidate, newer int) bot.Suspect {
	s := bot.Suspect{Change: c.Change, RolledOut: c.RolledOut, HealthBefore: c.HealthBefore}
	see := func(signal string, weight float64, format string, args ...any) {
		s.Score += weight
		s.Evidence = append(s.Evidence, bot.Evidence{Signal: signal, Detail: fmt.Sprintf(format, args...), Weight: weight})
	}
	if newer == 0 {
		see("recency", weightNewest, "the newest live change to this App")
	} else {
		see("recency", weightOlder*float64(newer), "%d newer live changes to this App", newer)
	}
	timing(f, c, see)
	if f.Failing != nil {
		what, hit := touches(c.Files, *f.Failing)
		s.TouchesFailing = hit
		if hit {
			see("object", weightFailing, "changes %s", what)
		} else {
			see("object", weightElse, "changes nothing that %s is known to use", f.Failing)
		}
	}
	switch c.HealthBefore {
	case bot.HealthGood:
		see("health", weightHealthy, "the App was healthy on the revision before it")
	case bot.HealthBad:
		see("health", weightUnwell, "the App was already degraded on the revision before it")
	}
	if c.Apps > 1 {
		see("breadth", weightBreadth*math.Log(float64(c.Apps)), "touches %d Apps", c.Apps)
	}
	if c.Change.IsRevert {
		see("revert", 0, "is itself a revert")
	}
	return s
}

// timing weighs when a candidate was rolled out against the onset.
func timing(f bot.Facts, c bot.Candidate, see func(string, float64, string, ...any)) {
	switch {
	case c.RolledOut.IsZero():
		see("rollout", 0, "when it was rolled out is not on record")
	case c.RolledOut.After(f.Onset.To):
		see("rollout", weightAfter, "rolled out %s after the trouble began", ago(c.RolledOut.Sub(f.Onset.To)))
	case c.RolledOut.After(f.Onset.From):
		see("rollout", weightBefore, "rolled out while the alert was pending, %s before it fired", ago(f.Onset.To.Sub(c.RolledOut)))
	case f.Onset.From.Sub(c.RolledOut) <= f.BlameWindow:
		see("rollout", weightInWindow, "rolled out %s before the trouble began", ago(f.Onset.From.Sub(c.RolledOut)))
	default:
		see("rollout", weightBefore, "rolled out %s before the trouble began, longer than the blame window of %s", ago(f.Onset.From.Sub(c.RolledOut)), f.BlameWindow)
	}
}

// doubts lists every reason not to be confident in the first suspect.
func doubts(f bot.Facts, suspects []bot.Suspect, share float64) []string {
	var out []string
	top := suspects[0]
	if share < confidentAt {
		out = append(out, fmt.Sprintf("The first suspect has %.0f %% of the weight; %.0f %% are needed.", 100*share, 100*confidentAt))
	}
	if top.RolledOut.IsZero() {
		out = append(out, "When the first suspect was rolled out is not on record.")
	}
	if top.Score == second(suspects) {
		out = append(out, "The first two suspects are tied.")
	}
	for _, d := range rollouts(f.Deployed) {
		if d.At.After(f.Onset.From) && !d.At.After(f.Fired) {
			out = append(out, fmt.Sprintf("Revision %s was rolled out between the beginning of the trouble and the alert.", d.Revision.Short()))
		}
	}
	for _, s := range suspects[1:] {
		together := !top.RolledOut.IsZero() && s.RolledOut.Equal(top.RolledOut)
		if together && (s.TouchesFailing || f.Failing == nil) {
			out = append(out, fmt.Sprintf("%s was rolled out together with the first suspect.", s.Change.Head().Short()))
		}
	}
	return out
}

func second(suspects []bot.Suspect) float64 {
	if len(suspects) < 2 {
		return math.Inf(-1)
	}
	return suspects[1].Score
}

// rollouts keeps of a record, newest first, the lines where a revision first
// appears: health may change many times on one revision.
func rollouts(record []bot.Deployed) []bot.Deployed {
	var out []bot.Deployed
	for i, d := range record {
		if i+1 == len(record) || record[i+1].Revision != d.Revision {
			out = append(out, d)
		}
	}
	// The oldest line only says where the record begins.
	if len(out) > 0 {
		out = out[:len(out)-1]
	}
	return out
}

func ago(d time.Duration) string { return d.Round(time.Second).String() }
