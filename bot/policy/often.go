package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/backout-dev/backout/bot"
)

// often applies what bounds how often alerts are acted on.
func (v *verdict) often(c bot.Case, p bot.Policy) {
	if e, app, ok := cooling(c, p.Cooldown); ok {
		v.lower(bot.VerbPropose, "cooldown", "Rollback %s of %s %s ended only %s ago; within %s of that Backout does not act on alerts.",
			e.ID, app.Kind, app.Name, short(c.Now.Sub(e.At)), short(p.Cooldown))
	}
	if n := failures(c.Ended, c.Now); p.BreakAfter > 0 && n >= p.BreakAfter {
		last := "The last rollback of this repository"
		if n > 1 {
			last = fmt.Sprintf("Each of the last %d rollbacks of this repository", n)
		}
		v.lower(bot.VerbPropose, "circuit-breaker", "%s ended without being verified; until one is, or a day has passed, Backout does not act on alerts.", last)
	}
}

// cooling finds the last Rollback of a target App that ended less than a cooldown
// ago. One that ended in the future, by a clock that was wrong, counts.
func cooling(c bot.Case, cooldown time.Duration) (bot.Ended, bot.AppID, bool) {
	for _, e := range c.Ended {
		for _, app := range c.Target {
			if slices.Contains(e.Apps, app.ID) && c.Now.Sub(e.At) < cooldown {
				return e, app.ID, true
			}
		}
	}
	return bot.Ended{}, bot.AppID{}, false
}

// breaks are how long failures count.
const breaks = 24 * time.Hour

// failures counts the newest Rollbacks in a row that did not end verified. What
// people cancelled, or were only shown, says nothing about how well Backout does.
func failures(ended []bot.Ended, now time.Time) int {
	n := 0
	for _, e := range ended {
		switch {
		case e.Verdict == bot.VerdictVerified || now.Sub(e.At) >= breaks:
			return n
		case e.Verdict == bot.VerdictCancelled, e.Verdict == bot.VerdictProposed, e.Verdict == bot.VerdictObserved, e.Verdict == bot.VerdictNothingToDo:
		default:
			n++
		}
	}
	return n
}
