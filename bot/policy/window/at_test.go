package window

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

func must(t *testing.T, cron, lasts, zone string) Window {
	t.Helper()
	d, err := time.ParseDuration(lasts)
	if err != nil {
		t.Fatal(err)
	}
	w, err := Parse(bot.Freeze{Cron: cron, For: d, Zone: zone})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	out, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestEdges gives each window with its first and its last moment, both by the
// zone's wall clock.
func TestEdges(t *testing.T) {
	const zurich = "Europe/Zurich" // 2026: 02:00+01 is 03:00+02 on 29 March, 03:00+02 is 02:00+01 on 25 October
	for _, tt := range []struct{ name, cron, lasts, zone, from, until string }{
		{"a night", "0 22 * * *", "8h", "", "2026-03-02T22:00:00Z", "2026-03-03T06:00:00Z"},
		{"a weekend", "0 18 * * FRI", "60h", zurich, "2026-01-09T18:00:00+01:00", "2026-01-12T06:00:00+01:00"},
		{"either day field, as in cron", "0 0 13 * FRI", "1h", "", "2026-05-13T00:00:00Z", "2026-05-13T01:00:00Z"},
		{"over the end of the year", "30 23 31 12 *", "1h", "", "2026-12-31T23:30:00Z", "2027-01-01T00:30:00Z"},
		{"29 February", "0 0 29 2 *", "24h", "", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"},
		{"before the clock is put forward", "30 1 * * *", "1h", zurich, "2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00"},
		{"in the skipped hour: at the jump", "30 2 * * *", "1h", zurich, "2026-03-29T03:00:00+02:00", "2026-03-29T04:00:00+02:00"},
		{"at the jump", "0 2 * * *", "30m", zurich, "2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00"},
		{"after the jump", "0 3 * * *", "30m", zurich, "2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00"},
		{"a night that is an hour shorter", "0 22 * * *", "8h", zurich, "2026-03-28T22:00:00+01:00", "2026-03-29T07:00:00+02:00"},
		{"before the clock is put back", "30 1 * * *", "1h", zurich, "2026-10-25T01:30:00+02:00", "2026-10-25T02:30:00+02:00"},
		{"in the doubled hour: the first time", "30 2 * * *", "45m", zurich, "2026-10-25T02:30:00+02:00", "2026-10-25T02:15:00+01:00"},
		{"after the doubled hour", "0 3 * * *", "30m", zurich, "2026-10-25T03:00:00+01:00", "2026-10-25T03:30:00+01:00"},
		{"a night that is an hour longer", "0 22 * * *", "8h", zurich, "2026-10-24T22:00:00+02:00", "2026-10-25T05:00:00+01:00"},
		{"half an hour skipped", "15 2 * * *", "1h", "Australia/Lord_Howe", "2026-10-04T02:30:00+11:00", "2026-10-04T03:30:00+11:00"},
		{"a whole day skipped", "0 12 30 12 *", "1h", "Pacific/Apia", "2011-12-31T00:00:00+14:00", "2011-12-31T01:00:00+14:00"},
		{"midnight skipped", "0 0 * * *", "1h", "Africa/Cairo", "2026-04-24T01:00:00+03:00", "2026-04-24T02:00:00+03:00"},
		{"put back over midnight", "30 23 * * *", "45m", "Africa/Cairo", "2026-10-29T23:30:00+03:00", "2026-10-29T23:15:00+02:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := must(t, tt.cron, tt.lasts, tt.zone)
			from, until := at(t, tt.from), at(t, tt.until)
			if _, frozen := w.At(from.Add(-1)); frozen {
				t.Errorf("open right before %s", tt.from)
			}
			for _, in := range []time.Time{from, until.Add(-1)} {
				if got, frozen := w.At(in); !frozen || !got.Equal(until) {
					t.Errorf("at %s it is open: %v, until %s; want until %s", in, frozen, got, until)
				}
			}
			if got, frozen := w.At(until); frozen || !got.IsZero() {
				t.Errorf("still open at its end, until %s", got)
			}
		})
	}
}

// TestDoubledHourCountsOnce: what began the first time does not begin again.
func TestDoubledHourCountsOnce(t *testing.T) {
	w := must(t, "30 2 * * *", "30m", "Europe/Zurich")
	if until, frozen := w.At(at(t, "2026-10-25T02:45:00+01:00")); frozen {
		t.Errorf("open the second time that it is 02:45, until %s", until)
	}
}

func TestOverlappingWindowsAreOne(t *testing.T) {
	for _, tt := range []struct {
		name      string
		ws        Windows
		at, until string
	}{
		{"of one freeze", Windows{must(t, "0 * * * MON", "90m", "")}, "2026-03-02T05:10:00Z", "2026-03-03T00:30:00Z"},
		{"that touch", Windows{must(t, "0 8 * * *", "2h", ""), must(t, "0 10 * * *", "1h", "")}, "2026-03-02T08:30:00Z", "2026-03-02T11:00:00Z"},
		{"of two zones", Windows{must(t, "0 22 * * *", "3h", "Europe/Zurich"), must(t, "0 18 * * *", "2h", "America/New_York")}, "2026-01-05T21:30:00Z", "2026-01-06T01:00:00Z"},
		{"one within another", Windows{must(t, "0 8 * * *", "4h", ""), must(t, "0 9 * * *", "1h", "")}, "2026-03-02T09:30:00Z", "2026-03-02T12:00:00Z"},
		{"not those with a minute between", Windows{must(t, "0 8 * * *", "2h", ""), must(t, "1 10 * * *", "1h", "")}, "2026-03-02T08:30:00Z", "2026-03-02T10:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if until, frozen := tt.ws.At(at(t, tt.at)); !frozen || !until.Equal(at(t, tt.until)) {
				t.Errorf("open: %v, until %s; want until %s", frozen, until, tt.until)
			}
		})
	}
	if until, frozen := (Windows)(nil).At(at(t, "2026-03-02T08:30:00Z")); frozen {
		t.Errorf("without a window it is frozen until %s", until)
	}
}

// TestNotUnderstoodIsFrozen: a Window that no Parse made is open for good, also
// among others.
func TestNotUnderstoodIsFrozen(t *testing.T) {
	now := at(t, "2026-03-02T12:00:00Z")
	for _, ws := range []Windows{{{}}, {must(t, "0 22 * * *", "1h", ""), {}}, {{zone: time.UTC}}} {
		if until, frozen := ws.At(now); !frozen || !until.IsZero() {
			t.Errorf("%v: frozen is %v until %s", ws, frozen, until)
		}
	}
}

// TestManyWindowsInARow: following them to the end is bounded, and what is told
// then is still in the future.
func TestManyWindowsInARow(t *testing.T) {
	w := must(t, "* * * 1-11 *", "1m", "")
	now := at(t, "2026-01-01T00:00:30Z")
	until, frozen := w.At(now)
	if !frozen || until.Before(now.Add(10*time.Hour)) || until.After(at(t, "2026-12-01T00:00:00Z")) {
		t.Errorf("frozen is %v until %s", frozen, until)
	}
}

// TestAgainstTheClock compares At with a clock that is watched minute by
// minute: a start is when it first shows what the cron expression says, or
// jumps over that.
func TestAgainstTheClock(t *testing.T) {
	changes := []struct{ zone, around string }{
		{"Europe/Zurich", "2026-03-29T01:00:00Z"}, {"Europe/Zurich", "2026-10-25T01:00:00Z"},
		{"America/St_Johns", "2006-10-29T02:31:00Z"}, {"America/St_Johns", "2007-03-11T03:31:00Z"},
		{"Australia/Lord_Howe", "2026-04-04T15:00:00Z"}, {"Australia/Lord_Howe", "2026-10-03T15:30:00Z"},
		{"Pacific/Apia", "2011-12-30T10:00:00Z"}, {"Africa/Cairo", "2026-10-29T21:00:00Z"},
		{"America/Sao_Paulo", "2018-11-04T03:00:00Z"}, {"Asia/Pyongyang", "2018-05-04T15:00:00Z"},
	}
	crons := []string{"30 2 * * *", "0 0 * * *", "*/7 0-3 * * *", "15 1,23 * * *", "59 23 * * SAT", "0 */2 29-31 * *"}
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, c := range changes {
		for _, cron := range crons {
			w := must(t, cron, (time.Duration(1+rnd.IntN(6)) * time.Minute).String(), c.zone)
			around := at(t, c.around)
			open := watch(w, around.Add(-30*time.Hour), around.Add(30*time.Hour))
			for i := around.Add(-3 * time.Hour); i.Before(around.Add(28 * time.Hour)); i = i.Add(time.Minute) {
				if _, frozen := w.At(i); frozen != open[i.Unix()] {
					t.Errorf("%s %q for %s at %s: frozen is %v", c.zone, cron, w.lasts, i.In(w.zone), frozen)
				}
			}
		}
	}
}

// watch tells at which minutes a window is open.
func watch(w Window, from, to time.Time) map[int64]bool {
	open := map[int64]bool{}
	var shown time.Time // the latest that the wall clock ever showed
	for i := from; i.Before(to); i = i.Add(time.Minute) {
		_, offset := i.In(w.zone).Zone()
		wall := i.Add(time.Duration(offset) * time.Second).UTC()
		if shown.IsZero() {
			shown = wall
		}
		for m := shown.Add(time.Minute); !m.After(wall); m = m.Add(time.Minute) {
			midnight := m.Truncate(24 * time.Hour)
			for _, tod := range w.times {
				if w.days.on(midnight) && midnight.Add(tod).Equal(m) {
					for j := i; j.Before(i.Add(w.lasts)); j = j.Add(time.Minute) {
						open[j.Unix()] = true
					}
				}
			}
			shown = m
		}
	}
	return open
}
