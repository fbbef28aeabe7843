package window

import (
	"sort"
	"time"
)

// At reports whether the window is open at t, and until when. Windows that
// overlap or touch are one.
//
// until may be early where very many windows hang together: ask again then. It
// is zero when the window is closed, and when nobody can tell, as for the zero
// Window.
func (w Window) At(t time.Time) (until time.Time, frozen bool) {
	return Windows{w}.At(t)
}

// Windows are all the windows of a policy, seen as one.
type Windows []Window

// manyWindows bounds how many windows are followed to where the last one ends.
const manyWindows = 1000

// At reports whether any of the windows is open at t, and until when; see [Window.At].
func (ws Windows) At(t time.Time) (until time.Time, frozen bool) {
	until = t
	for range manyWindows {
		further := until
		for _, w := range ws {
			if w.zone == nil || len(w.times) == 0 {
				return time.Time{}, true
			}
			// One that begins where another ends leaves no moment between.
			if start, ok := w.latest(until); ok && start.Add(w.lasts).After(further) {
				further = start.Add(w.lasts)
			}
		}
		if !further.After(until) {
			break
		}
		until = further
	}
	if !until.After(t) {
		return time.Time{}, false
	}
	return until, true
}

// latest is the last start at or before t, if it may still matter at t.
func (w Window) latest(t time.Time) (start time.Time, ok bool) {
	y, m, d := t.In(w.zone).Date()
	// Days are counted in UTC, where each has 24 hours. Where the clock is put
	// back over midnight, the day after may have begun already.
	for date := time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC); ; date = date.AddDate(0, 0, -1) {
		// A day, and two more for how far a zone can be from UTC.
		if date.Add(3*24*time.Hour + w.lasts).Before(t) {
			return time.Time{}, false
		}
		if !w.days.on(date) {
			continue
		}
		after := sort.Search(len(w.times), func(i int) bool { return w.instant(date.Add(w.times[i])).After(t) })
		if after > 0 {
			return w.instant(date.Add(w.times[after-1])), true
		}
	}
}

// instant is the first moment at which the zone's wall clock shows wall (given
// as if it were UTC) or, where it jumps over that, the jump.
func (w Window) instant(wall time.Time) time.Time {
	// No zone is a day away from UTC, so the clock does not show wall yet.
	t := wall.Add(-26 * time.Hour).In(w.zone)
	for {
		_, offset := t.Zone()
		_, end := t.ZoneBounds()
		at := wall.Add(-time.Duration(offset) * time.Second).In(w.zone)
		switch {
		case at.Before(t):
			return t // the jump at which this offset began leapt over it
		case end.IsZero() || at.Before(end):
			return at
		}
		t = end
	}
}
