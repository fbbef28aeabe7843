package culprit

import (
	"fmt"
	"math"

	"github.com/backout-dev/backout/bot"
)

// confidentAt is the chance that the first suspect needs, no change of ours
// being one of the others. It is judgement, and comes on top of the share among
// the suspects, which is fitted.
const confidentAt = 0.8

// doubts lists every reason that was seen live not to be confident in the first
// suspect: what muddies the evidence, and each fact that acting by itself needs
// and that is missing.
func (w weighing) doubts(f bot.Facts, find bot.Finding, order []int) []string {
	var out []string
	doubt := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	top := find.Suspects[0]
	if top.Chance < confidentAt {
		doubt("The chance that it was the first suspect is %.0f %%; %.0f %% are needed.", math.Floor(100*top.Chance), 100*confidentAt)
	}
	switch {
	case f.Onset.To.IsZero():
		doubt("When the trouble began is not known.")
	case w.candidates[order[0]].Unseen:
		doubt("The first suspect was never seen running.")
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
	for _, d := range rollouts(f.Deployed) {
		if d.At.After(f.Onset.From) && !d.At.After(fired(f)) {
			doubt("Revision %s was rolled out between the beginning of the trouble and the alert.", d.Revision.Short())
		}
	}
	for place, s := range find.Suspects[1:] {
		together := !top.RolledOut.IsZero() && s.RolledOut.Equal(top.RolledOut)
		other := w.signs[order[place+1]].Bears == int(bearsNot)
		if together && !(top.TouchesFailing && other) {
			doubt("%s was rolled out together with the first suspect.", s.Change.Head().Short())
		}
	}
	return out
}

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
