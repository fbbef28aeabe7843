package culprit

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/backout-dev/backout/bot"
)

// The weights of what the bot alone sees, in log-odds. They are judgement and
// not fitted: no public history tells when a change was deployed or an alert
// began. Each is the logarithm of how much more often one would see this if the
// change were guilty than if no change of ours were. They add to the fitted
// weights, so they count only what those do not know.
const (
	// The fitted weights know an age up to the moment of a human's revert. 26 % of
	// the reverted changes in the public histories were younger than half an hour
	// then; of guilty rollouts, so the judgement, 80 % show within the blame
	// window. Hence ln(0.80/0.26) and ln(0.20/0.74).
	weightInWindow = 1.1
	weightBefore   = -1.3
	// The trouble began before it was there. What is rolled out then is as a rule
	// an answer to the trouble, and clocks are seldom off: ln(0.01/0.15), and
	// besides what the fitted weights make of its youth, about 5, is taken back.
	weightAfter = -8.0
	// The trouble began somewhen in an interval, before or after the rollout.
	weightPending = 0.0
	// No revision that we saw running contains it: as good as impossible, but our
	// record may have gaps.
	weightNever = -8.0

	weightHealthy = 0.5  // the App was healthy on the revision before
	weightTurned  = 1.5  // and has been degraded ever since
	weightUnwell  = -1.5 // it was unwell before, too

	// What holds for any change. The fitted weights hold where half of all
	// incidents have a guilty change; of alerts, so the judgement, three in ten
	// have one. The first suspect of a guilty change mostly bears on what fails
	// (the fitted weights tell the suspects apart by that, but not from none).
	weightAlerts  = -0.85 // ln(0.3/0.7)
	weightFailing = 0.7   // ln(0.8/0.4)
	weightElse    = -1.5  // ln(0.1/0.45)
)

// dated are the facts with ages as the fitted weights take them: up to the
// moment at which people learn of the trouble, which is nearest to that of a
// human's revert, and from the rollout. What waited for its rollout harmed
// nobody, and commit dates can be forged. The time until the bot comes to look
// does not count.
func dated(f bot.Facts) bot.Facts {
	switch {
	case !f.Fired.IsZero():
		f.Now = f.Fired
	case !f.Onset.To.IsZero():
		f.Now = f.Onset.To
	}
	f.Candidates = slices.Clone(f.Candidates)
	for i := range f.Candidates {
		c := &f.Candidates[i]
		n := len(f.Deployed)
		switch {
		case !c.RolledOut.IsZero():
			c.Change.When = c.RolledOut
		case n > 0 && !c.Unseen && c.Change.When.After(f.Deployed[n-1].At):
			c.Change.When = f.Deployed[n-1].At // it ran when our record began
		}
	}
	return f
}

// witness is the live evidence on one candidate.
func witness(f bot.Facts, c bot.Candidate) []bot.Evidence {
	var out []bot.Evidence
	see := func(signal string, weight float64, format string, args ...any) {
		out = append(out, bot.Evidence{Signal: signal, Detail: fmt.Sprintf(format, args...), Weight: weight, Judged: true})
	}
	before := f.Onset.From.Sub(c.RolledOut)
	switch {
	case c.Unseen:
		see("rollout", weightNever, "no revision on record contains it: it was never seen running")
	case c.RolledOut.IsZero():
		see("rollout", 0, "when it was rolled out is not on record")
	case f.Onset.To.IsZero():
		see("rollout", 0, "when the trouble began is not known")
	case c.RolledOut.After(f.Onset.To):
		see("rollout", weightAfter, "rolled out %s after the trouble began", span(c.RolledOut.Sub(f.Onset.To)))
	case c.RolledOut.After(f.Onset.From):
		see("rollout", weightPending, "rolled out while the alert was pending, %s before it fired", span(f.Onset.To.Sub(c.RolledOut)))
	case before <= f.BlameWindow:
		see("rollout", weightInWindow, "rolled out %s before the trouble began", span(before))
	default:
		see("rollout", weightBefore, "rolled out %s before the trouble began, longer than the blame window of %s", span(before), span(f.BlameWindow))
	}
	switch {
	case c.HealthBefore == bot.HealthGood && turned(f, c):
		see("health", weightTurned, "the App was healthy on the revision before it, and degraded ever since")
	case c.HealthBefore == bot.HealthGood:
		see("health", weightHealthy, "the App was healthy on the revision before it")
	case c.HealthBefore == bot.HealthBad:
		see("health", weightUnwell, "the App was already degraded on the revision before it")
	}
	if c.Apps > 1 {
		see("Apps", 0, "touches %d Apps", c.Apps)
	}
	return out
}

// turned reports whether the App was degraded, and nothing else, from when the
// candidate was rolled out until the alert fired. The moment of the rollout
// itself does not tell what the revision is like.
func turned(f bot.Facts, c bot.Candidate) bool {
	bad := false
	for _, d := range f.Deployed {
		if c.RolledOut.IsZero() || !d.At.After(c.RolledOut) || d.At.After(f.Fired) || d.Health == bot.HealthProgressing {
			continue
		}
		if d.Health != bot.HealthBad {
			return false
		}
		bad = true
	}
	return bad
}

// elsewhere is the evidence that speaks for no change of ours, whichever would
// be the guilty one.
func (w weighing) elsewhere(f bot.Facts, first int) []bot.Evidence {
	out := []bot.Evidence{{Signal: "alerts", Detail: "most alerts have another cause than a change", Weight: -weightAlerts, Judged: true}}
	if f.Failing == nil {
		return out
	}
	switch bearing(w.signs[first].Bears) {
	case bears:
		return append(out, bot.Evidence{Signal: "object", Detail: fmt.Sprintf("the first suspect changes what %s is made of", f.Failing), Weight: -weightFailing, Judged: true})
	case bearsNot:
		return append(out, bot.Evidence{Signal: "object", Detail: fmt.Sprintf("the first suspect changes nothing that %s is known to use", f.Failing), Weight: -weightElse, Judged: true})
	}
	return out
}

// with is a ranking after more was seen. Each weight of live is the log-odds by
// which it is likelier if that candidate is guilty than if none is; none holds
// what speaks for none. It is Bayes' rule; what is confident is for the caller
// to say.
func (r Ranked) with(live []float64, none []bot.Evidence) Ranked {
	var out Ranked
	seen := 0.0 // how much likelier it is what was seen, if one of them is guilty
	for i, share := range r.Shares {
		out.Order = append(out.Order, i)
		out.Scores = append(out.Scores, r.Scores[i]+live[i])
		out.Shares = append(out.Shares, share*math.Exp(live[i]))
		seen += out.Shares[i]
	}
	for i := range out.Shares {
		out.Shares[i] /= seen
	}
	odds := logOdds(r.None) - math.Log(seen)
	for _, e := range none {
		odds += e.Weight
	}
	out.None = 1 / (1 + math.Exp(-odds))
	slices.SortStableFunc(out.Order, func(a, b int) int { return cmp.Compare(out.Scores[b], out.Scores[a]) })
	return out
}

// logOdds are those of a chance; nothing is impossible, and nothing certain.
func logOdds(p float64) float64 {
	p = min(max(p, 1e-9), 1-1e-9)
	return math.Log(p) - math.Log(1-p)
}

// weights are the sums of the evidence on each candidate.
func weights(live [][]bot.Evidence) []float64 {
	out := make([]float64, len(live))
	for i, all := range live {
		for _, e := range all {
			out[i] += e.Weight
		}
	}
	return out
}

// fired is when the alert fired; where that is not known, the end of the onset.
func fired(f bot.Facts) time.Time {
	if f.Fired.After(f.Onset.To) {
		return f.Fired
	}
	return f.Onset.To
}
