package window

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // as in the binary: a container may have no zones

	"github.com/backout-dev/backout/bot"
)

// TestParseRefuses: each thing that can be wrong, and what its error must say.
func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, cron string
		lasts      time.Duration
		zone, says string
	}{
		{"nothing", "", time.Hour, "", "cron:"},
		{"words", "every friday", time.Hour, "", "five fields"},
		{"four fields", "0 22 * *", time.Hour, "", "five fields"},
		{"six fields", "0 0 22 * * *", time.Hour, "", "five fields"},
		{"a descriptor", "@daily", time.Hour, "", "five fields"},
		{"a zone among the fields", "CRON_TZ=UTC 0 22 * * *", time.Hour, "", "key zone"},
		{"a zone and no fields, at which the library panics", "TZ=UTC", time.Hour, "", "key zone"},
		{"hour 24", "0 24 * * *", time.Hour, "", "above maximum"},
		{"Sunday as 7", "0 0 * * 7", time.Hour, "", "0 or SUN"},
		{"a step of 0", "*/0 * * * *", time.Hour, "", "step"},
		{"backwards", "0 0 5-1 * *", time.Hour, "", "beyond end"},
		{"30 February", "0 0 30 2 *", time.Hour, "", "no calendar has"},
		{"too long a text", strings.Repeat("0,", 200) + "0 0 * * *", time.Hour, "", "too long"},
		{"no length", "0 22 * * *", 0, "", "for:"},
		{"a negative length", "0 22 * * *", -time.Hour, "", "for:"},
		{"a length of seconds", "0 22 * * *", 59 * time.Second, "", "for:"},
		{"a length of months", "0 0 1 1 *", 31*24*time.Hour + 1, "", "for:"},
		{"a day each day", "0 22 * * *", 24 * time.Hour, "", "never end"},
		{"an hour each hour", "0 * * * *", time.Hour, "", "never end"},
		{"each minute", "* * * * *", time.Minute, "", "never end"},
		{"over each weekend", "0 0 * * 1-5", 3 * 24 * time.Hour, "", "never end"},
		{"over each night", "0 8-20 * * *", 12 * time.Hour, "", "never end"},
		{"each month", "0 0 1 * *", 31 * 24 * time.Hour, "", "never end"},
		{"an unknown zone", "0 22 * * *", time.Hour, "Europe/Zuerich", "IANA"},
		{"the machine's zone", "0 22 * * *", time.Hour, "Local", "IANA"},
		{"the machine's zone in small letters", "0 22 * * *", time.Hour, "local", "IANA"},
		{"a way out of the zones", "0 22 * * *", time.Hour, "../../etc/passwd", "IANA"},
		{"a long zone", "0 22 * * *", time.Hour, strings.Repeat("x", 1000), "IANA"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, err := Parse(bot.Freeze{Cron: tt.cron, For: tt.lasts, Zone: tt.zone})
			if err == nil || !strings.Contains(err.Error(), tt.says) || len(err.Error()) > 500 {
				t.Fatalf("the error is %v; want it to say %q", err, tt.says)
			}
			if _, frozen := w.At(time.Now()); !frozen {
				t.Error("what could not be read is not frozen")
			}
		})
	}
}

// TestParseAcceptsJustBelow are the twins of what would never end.
func TestParseAcceptsJustBelow(t *testing.T) {
	for _, f := range []bot.Freeze{
		{Cron: "0 22 * * *", For: 24*time.Hour - time.Minute},
		{Cron: "0 * * * *", For: 59 * time.Minute},
		{Cron: "* * * * 1-6", For: time.Minute},
		{Cron: "0 0 * * 1-5", For: 3*24*time.Hour - time.Minute},
		{Cron: "0 8-20 * * *", For: 12*time.Hour - time.Minute},
		{Cron: "0 0 1 * *", For: 31*24*time.Hour - time.Minute},
		{Cron: "0 0 29 2 *", For: 31 * 24 * time.Hour},
		{Cron: "0 22 ? * Fri", For: time.Hour, Zone: "America/Argentina/Buenos_Aires"},
	} {
		if _, err := Parse(f); err != nil {
			t.Errorf("%+v: %v", f, err)
		}
	}
}

func TestParseAllNamesEach(t *testing.T) {
	ok := bot.Freeze{Cron: "0 22 * * *", For: time.Hour}
	ws, err := ParseAll([]bot.Freeze{ok, {}, ok, {Cron: "x", For: time.Hour}})
	if err == nil || !strings.Contains(err.Error(), "[1].for:") || !strings.Contains(err.Error(), "[3].cron:") {
		t.Errorf("the error is %v", err)
	}
	if _, frozen := ws.At(at(t, "2026-03-02T12:00:00Z")); !frozen {
		t.Error("freezes of which some could not be read are not frozen")
	}
	if _, err := ParseAll(make([]bot.Freeze, Most+1)); err == nil || !strings.Contains(err.Error(), "at most 50") {
		t.Errorf("too many freezes: %v", err)
	}
	if ws, err := ParseAll([]bot.Freeze{ok}); err != nil || len(ws) != 1 {
		t.Errorf("%v, %v", ws, err)
	}
}

// FuzzParse: whatever is parsed tells at once whether it is open, and until a
// moment that is still to come.
func FuzzParse(f *testing.F) {
	f.Add("0 22 * * FRI", int64(time.Hour), "Europe/Zurich", int64(1774746000))
	f.Add("*/7 0-3 29 2 *", int64(time.Minute), "Australia/Lord_Howe", int64(0))
	f.Add("TZ=", int64(1), "Local", int64(-1))
	f.Add("* * * 1-11 *", int64(31*24*time.Hour), "Pacific/Apia", int64(1325239200))
	f.Fuzz(func(t *testing.T, cron string, lasts int64, zone string, when int64) {
		w, err := Parse(bot.Freeze{Cron: cron, For: time.Duration(lasts), Zone: zone})
		now := time.Unix(when%(1<<36), 0)
		until, frozen := w.At(now)
		switch {
		case err != nil && (!frozen || !until.IsZero()):
			t.Errorf("%q was refused (%v) and is not frozen", cron, err)
		case err == nil && frozen != until.After(now):
			t.Errorf("frozen is %v until %s at %s", frozen, until, now)
		}
	})
}
