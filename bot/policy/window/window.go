package window

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/backout-dev/backout/bot"
)

// The bounds of a window's length. What is shorter than a minute can't be meant
// for people; what is longer than a month is no window.
const (
	Shortest = time.Minute
	Longest  = 31 * 24 * time.Hour
)

// longestText bounds the texts of a freeze, in bytes: they come from a file
// that many may write.
const longestText = 200

// Window is a freeze window that was understood. The zero Window, which nobody
// understood, is always open.
type Window struct {
	zone  *time.Location
	days  days
	times []time.Duration // of a day, ascending, since midnight by the wall clock
	lasts time.Duration
}

// Parse reads a freeze. Its errors say what is wrong and what to write instead.
func Parse(f bot.Freeze) (Window, error) {
	zone, err := loadZone(f.Zone)
	if err != nil {
		return Window{}, err
	}
	if f.For < Shortest || f.For > Longest {
		return Window{}, fmt.Errorf("for: %s; a freeze lasts at least 1m and at most 744h (31 days)", f.For)
	}
	w := Window{zone: zone, lasts: f.For}
	if w.days, w.times, err = parseCron(f.Cron); err != nil {
		return Window{}, err
	}
	gap, ever := w.days.longestGap()
	if !ever {
		return Window{}, fmt.Errorf("cron: %q names a day that no calendar has, so the freeze would never begin", f.Cron)
	}
	if gap = max(w.longestPause(), gap-w.times[len(w.times)-1]+w.times[0]); f.For >= gap {
		return Window{}, fmt.Errorf("for: %s; the next freeze of cron %q always begins within %s, so this one would never end: make it shorter, or set the mode to observe", f.For, f.Cron, gap)
	}
	return w, nil
}

// Most bounds how many freezes a policy has.
const Most = 50

// ParseAll reads the freezes of a policy. Its error names each that is wrong by
// its place, counted from 0.
func ParseAll(fs []bot.Freeze) (Windows, error) {
	if len(fs) > Most {
		return nil, fmt.Errorf("%d freezes; a policy has at most %d", len(fs), Most)
	}
	var errs []error
	out := make(Windows, 0, len(fs))
	for i, f := range fs {
		w, err := Parse(f)
		if err != nil {
			err = fmt.Errorf("[%d].%w", i, err)
		}
		out, errs = append(out, w), append(errs, err)
	}
	return out, errors.Join(errs...)
}

// longestPause is the longest time between two starts of one day; 0 when there
// is one.
func (w Window) longestPause() time.Duration {
	var out time.Duration
	for i := 1; i < len(w.times); i++ {
		out = max(out, w.times[i]-w.times[i-1])
	}
	return out
}

func loadZone(name string) (*time.Location, error) {
	switch {
	case name == "":
		return time.UTC, nil
	case len(name) > longestText, strings.EqualFold(name, "local"):
		// "Local" would be another zone on each machine.
		return nil, fmt.Errorf("zone: %.40q is no IANA time zone, such as Europe/Zurich", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("zone: %q is no IANA time zone that is known here, such as Europe/Zurich", name)
	}
	return zone, nil
}

// fields is the cron dialect: five fields, no "@daily", no seconds.
var fields = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

func parseCron(text string) (days, []time.Duration, error) {
	const form = "write five fields: minute, hour, day of month, month, day of week (0 or SUN to 6 or SAT), such as \"0 22 * * FRI\""
	// The library reads "TZ=" before the fields, and panics when nothing
	// follows; the zone has its own key.
	if strings.Contains(text, "=") {
		return days{}, nil, fmt.Errorf("cron: %.40q holds a zone; it goes into the key zone", text)
	}
	if len(text) > longestText {
		return days{}, nil, errors.New("cron: it is too long; " + form)
	}
	parsed, err := fields.Parse(text)
	if err != nil {
		return days{}, nil, fmt.Errorf("cron: %q: %w; %s", text, err, form)
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return days{}, nil, fmt.Errorf("cron: %q; %s", text, form)
	}
	d := days{month: spec.Month, ofMonth: spec.Dom, ofWeek: spec.Dow}
	var times []time.Duration
	for m := range 24 * 60 {
		if has(spec.Hour, m/60) && has(spec.Minute, m%60) {
			times = append(times, time.Duration(m)*time.Minute)
		}
	}
	if len(times) == 0 {
		return days{}, nil, fmt.Errorf("cron: %q names no time of day; %s", text, form)
	}
	return d, times, nil
}
