package window

import "time"

// days are the days that a cron expression names, each field a set of bits.
type days struct{ month, ofMonth, ofWeek uint64 }

// star marks a field that was written as a star: the library's own bit.
const star = 63

func has(set uint64, n int) bool { return set&(1<<n) != 0 }

// on reports whether a date is named. Where both day fields are restricted,
// either may match, as cron has it.
func (d days) on(date time.Time) bool {
	if !has(d.month, int(date.Month())) {
		return false
	}
	ofMonth, ofWeek := has(d.ofMonth, date.Day()), has(d.ofWeek, int(date.Weekday()))
	if has(d.ofMonth, star) || has(d.ofWeek, star) {
		return ofMonth && ofWeek
	}
	return ofMonth || ofWeek
}

// longestGap is the longest time from one named day to the next, by the wall
// clock; ever is false when there is no such day. Nine years hold each date and
// a gap without a 29 February; weekdays and dates meet in many ways within
// them, so what they don't show is a rare gap that is longer still.
func (d days) longestGap() (gap time.Duration, ever bool) {
	const day = 24 * time.Hour
	first := time.Date(2096, 1, 1, 0, 0, 0, 0, time.UTC)
	last := time.Time{}
	for date := first; date.Year() < 2106; date = date.Add(day) {
		if !d.on(date) {
			continue
		}
		if !last.IsZero() {
			gap = max(gap, date.Sub(last))
		}
		last, ever = date, true
	}
	return gap, ever
}
