package verify

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/backout-dev/backout/bot"
)

func samples(vs ...float64) []sample {
	out := make([]sample, len(vs))
	for i, v := range vs {
		out[i] = sample{value: v, at: time.Unix(1e9, 0), series: model.Metric{"pod": model.LabelValue('a' + rune(i))}}
	}
	return out
}

func TestJudge(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	tests := []struct {
		op        string
		threshold float64
		samples   []sample
		status    string
		value     string
	}{
		{"<", 1, samples(0.5), bot.CheckPass, "0.5"},
		{"<", 1, samples(1), bot.CheckFail, "1"},
		{"<", 1, samples(0.1, 0.9, 0.5), bot.CheckPass, "0.9"},
		{"<", 1, samples(0.1, 7, 0.5), bot.CheckFail, "7"},
		{"<=", 1, samples(1), bot.CheckPass, "1"},
		{"<=", 1, samples(1.25), bot.CheckFail, "1.25"},
		{">", 0.99, samples(0.999, 1), bot.CheckPass, "0.999"},
		{">", 0.99, samples(0.999, 0.5), bot.CheckFail, "0.5"},
		{">=", 3, samples(3, 4), bot.CheckPass, "3"},
		{">=", 3, samples(2), bot.CheckFail, "2"},
		{"==", 0, samples(0, 0), bot.CheckPass, "0"},
		{"==", 0, samples(0, -3, 1), bot.CheckFail, "-3"},
		{"==", inf, samples(inf), bot.CheckPass, "+Inf"},
		{"!=", 0, samples(5, 2), bot.CheckPass, "2"},
		{"!=", 0, samples(5, 0), bot.CheckFail, "0"},
		{"<", 1, samples(inf), bot.CheckFail, "+Inf"},
		{"<", 1, samples(math.Inf(-1)), bot.CheckPass, "-Inf"},

		{"<", 1, samples(nan), bot.CheckUnknown, "NaN"},
		{"!=", 1, samples(nan), bot.CheckUnknown, "NaN"},
		{"<", 1, samples(nan, 0.5), bot.CheckUnknown, "0.5"},
		{"<", 1, samples(nan, 2), bot.CheckFail, "2"}, // what is known to be bad is bad
		{"~", 1, samples(0), bot.CheckFail, "0"},      // never a pass by an unknown operator
	}
	for _, tt := range tests {
		c := bot.Check{Name: "n", Operator: tt.op, Threshold: tt.threshold, Advisory: true}
		got := judge(c, tt.samples)
		if got.Status != tt.status || got.Value != tt.value {
			t.Errorf("%v %s %v: %s with %s, want %s with %s", tt.samples, tt.op, tt.threshold, got.Status, got.Value, tt.status, tt.value)
		}
		if got.Name != "n" || !got.Advisory || got.Detail == "" || strings.HasSuffix(got.Detail, ".") {
			t.Errorf("result %+v: want the check's name and kind, and words without a full stop", got)
		}
	}
}

func TestJudgeSaysWhich(t *testing.T) {
	got := judge(bot.Check{Operator: "<", Threshold: 1}, samples(0, 3))
	if want := `3 for {pod="b"}, wanted < 1`; got.Detail != want {
		t.Errorf("detail %q, want %q", got.Detail, want)
	}
	got = judge(bot.Check{Operator: "<", Threshold: 1, For: 5 * time.Minute}, samples(3))
	if want := `3 at 01:46:40 UTC, wanted < 1 for 5m`; got.Detail != want {
		t.Errorf("detail %q, want %q", got.Detail, want)
	}
	got = judge(bot.Check{Operator: "<", Threshold: 1, For: 90 * time.Minute}, samples(0, 0.25))
	if want := `0.25 in the worst of 2 series, wanted < 1 for 1h30m`; got.Detail != want {
		t.Errorf("detail %q, want %q", got.Detail, want)
	}
}

// Label values are untrusted and may be long; a name is one short line.
func TestNameOfASeries(t *testing.T) {
	m := model.Metric{"__name__": "up", "a": "x\n\u202e\"", "b": model.LabelValue(strings.Repeat("y", 200)), "c": "z"}
	if got, want := name(m), `up{a="x\n\u202e\"", …}`; got != want {
		t.Errorf("name = %s, want %s", got, want)
	}
}

func TestNumber(t *testing.T) {
	tests := map[float64]string{
		0: "0", 1: "1", -3: "-3", 0.5: "0.5", 0.12345: "0.1235", 0.00012346: "0.0001235", 1.23456: "1.235", 12.3456: "12.35",
		1234.56: "1235", 123456789: "123456789", 99.999: "100", 0.99999: "1", 1e15: "1e+15", 1e-7: "1e-07",
		math.Inf(1): "+Inf", -0.25: "-0.25",
	}
	for v, want := range tests {
		if got := number(v); got != want {
			t.Errorf("number(%v) = %s, want %s", v, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	tests := map[time.Duration]string{
		5 * time.Minute: "5m", time.Hour: "1h", 90 * time.Second: "1m30s", 30 * time.Second: "30s", 90 * time.Minute: "1h30m",
		10 * time.Minute: "10m", 10 * time.Hour: "10h", time.Second / 2: "500ms",
	}
	for d, want := range tests {
		if got := short(d); got != want {
			t.Errorf("short(%v) = %s, want %s", d, got, want)
		}
	}
}

func TestStepOf(t *testing.T) {
	tests := map[time.Duration]time.Duration{
		time.Second:      time.Second,
		5 * time.Second:  time.Second,
		time.Minute:      12 * time.Second,
		5 * time.Minute:  15 * time.Second,
		15 * time.Minute: 15 * time.Second,
		time.Hour:        time.Minute,
		24 * time.Hour:   24 * time.Minute,
	}
	for last, want := range tests {
		if got := stepOf(last); got != want {
			t.Errorf("stepOf(%v) = %v, want %v", last, got, want)
		}
	}
}
