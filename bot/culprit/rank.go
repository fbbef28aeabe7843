package culprit

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
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
	weightMaybe    = 0.0  // changes what may shape the failing object
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
	slices.SortStableFunc(find.Suspects, func(a, b bot.Suspect) int { return cmp.Compare(b.Score, a.Score) })
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
	switch newer {
	case 0:
		see("recency", weightNewest, "the newest live change to this App")
	case 1:
		see("recency", weightOlder, "one live change to this App is newer")
	default:
		see("recency", weightOlder*float64(newer), "%d live changes to this App are newer", newer)
	}
	timing(f, c, see)
	if f.Failing != nil {
		what, b := touches(c.Files, f.App, *f.Failing)
		s.TouchesFailing = b == bears
		switch b {
		case bears:
			see("object", weightFailing, "changes %s", what)
		case bearsMaybe:
			see("object", weightMaybe, "changes %s, which may or may not shape %s", what, f.Failing)
		default:
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
	before := f.Onset.From.Sub(c.RolledOut)
	switch {
	case c.RolledOut.IsZero():
		see("rollout", 0, "when it was rolled out is not on record")
	case f.Onset.To.IsZero():
		see("rollout", 0, "when the trouble began is not known")
	case c.RolledOut.After(f.Onset.To):
		see("rollout", weightAfter, "rolled out %s after the trouble began", span(c.RolledOut.Sub(f.Onset.To)))
	case c.RolledOut.After(f.Onset.From):
		see("rollout", weightBefore, "rolled out while the alert was pending, %s before it fired", span(f.Onset.To.Sub(c.RolledOut)))
	case before <= f.BlameWindow:
		see("rollout", weightInWindow, "rolled out %s before the trouble began", span(before))
	default:
		see("rollout", weightBefore, "rolled out %s before the trouble began, longer than the blame window of %s", span(before), span(f.BlameWindow))
	}
}

// doubts lists every reason not to be confident in the first suspect: that
// another one, or none, may be guilty, and each fact that acting by itself
// needs and that is missing.
func doubts(f bot.Facts, suspects []bot.Suspect, share float64) []string {
	var out []string
	doubt := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	top := suspects[0]
	if share < confidentAt {
		doubt("The first suspect has %.0f %% of the weight; %.0f %% are needed.", math.Floor(100*share), 100*confidentAt)
	}
	switch {
	case f.Onset.To.IsZero():
		doubt("When the trouble began is not known.")
	case top.RolledOut.IsZero():
		doubt("When the first suspect was rolled out is not on record.")
	case top.RolledOut.After(f.Onset.From):
		doubt("The first suspect was rolled out when the trouble may have begun already.")
	case f.Onset.From.Sub(top.RolledOut) > f.BlameWindow:
		doubt("The first suspect had been running for longer than the blame window of %s.", span(f.BlameWindow))
	}
	switch {
	case f.Failing == nil:
		doubt("Which workload fails is not known.")
	case !top.TouchesFailing:
		doubt("The first suspect is not known to change what %s uses.", f.Failing)
	}
	if top.HealthBefore != bot.HealthGood {
		doubt("The App is not known to have been healthy before the first suspect.")
	}
	if len(suspects) > 1 && top.Score-suspects[1].Score < tied {
		doubt("The first two suspects are tied.")
	}
	fired := f.Onset.To
	if f.Fired.After(fired) {
		fired = f.Fired
	}
	for _, d := range rollouts(f.Deployed) {
		if d.At.After(f.Onset.From) && !d.At.After(fired) {
			doubt("Revision %s was rolled out between the beginning of the trouble and the alert.", d.Revision.Short())
		}
	}
	for _, s := range suspects[1:] {
		together := !top.RolledOut.IsZero() && s.RolledOut.Equal(top.RolledOut)
		if together && !(top.TouchesFailing && elsewhere(s)) {
			doubt("%s was rolled out together with the first suspect.", s.Change.Head().Short())
		}
	}
	return out
}

// elsewhere reports whether a suspect is known to change other objects only.
func elsewhere(s bot.Suspect) bool {
	return slices.ContainsFunc(s.Evidence, func(e bot.Evidence) bool { return e.Signal == "object" && e.Weight == weightElse })
}

// tied is the difference of scores below which two suspects are equal.
const tied = 1e-9

// rollouts keeps of a record, newest first, the lines where a revision first
// appears: health may change many times on one revision.
func rollouts(record []bot.Deployed) []bot.Deployed {
	var out []bot.Deployed
	// The oldest line only says where the record begins.
	for i := 0; i+1 < len(record); i++ {
		if record[i+1].Revision != record[i].Revision {
			out = append(out, record[i])
		}
	}
	return out
}

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
