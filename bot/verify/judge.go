package verify

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/backout-dev/backout/bot"
)

// sample is one value of one series at one moment.
type sample struct {
	series model.Metric
	at     time.Time
	value  float64
}

// holds compares a value with the check's threshold. NaN never holds.
func holds(c bot.Check, v float64) bool {
	switch c.Operator {
	case "<":
		return v < c.Threshold
	case "<=":
		return v <= c.Threshold
	case ">":
		return v > c.Threshold
	case ">=":
		return v >= c.Threshold
	case "==":
		return v == c.Threshold
	case "!=":
		return v != c.Threshold && !math.IsNaN(v)
	}
	return false
}

// badness orders values by how far they are from what the check wants: more is
// worse.
func badness(c bot.Check, v float64) float64 {
	switch c.Operator {
	case "<", "<=":
		return v
	case ">", ">=":
		return -v
	case "==":
		if v == c.Threshold {
			return 0 // also when both are the same infinity
		}
		return math.Abs(v - c.Threshold)
	}
	return -math.Abs(v - c.Threshold)
}

// judge compares every sample. One that breaks the check fails it, whatever the
// others are; without one, a NaN leaves it open; and the worst value is shown.
func judge(c bot.Check, samples []sample) bot.CheckResult {
	r := bot.CheckResult{Name: c.Name, Advisory: c.Advisory, Status: bot.CheckPass}
	var worst *sample
	nan := false
	series := map[model.Fingerprint]bool{}
	for i := range samples {
		s := &samples[i]
		series[s.series.Fingerprint()] = true
		if math.IsNaN(s.value) {
			nan = true
			continue
		}
		if worst == nil || badness(c, s.value) > badness(c, worst.value) {
			worst = s
		}
		if !holds(c, s.value) {
			r.Status = bot.CheckFail
		}
	}
	if worst == nil {
		r.Status, r.Value = bot.CheckUnknown, "NaN"
		r.Detail = "the query returns NaN, which is no number: often zero divided by zero, for want of traffic"
		return r
	}
	r.Value = number(worst.value)
	if nan && r.Status == bot.CheckPass {
		r.Status, r.Detail = bot.CheckUnknown, "a part of the query's samples is NaN, which is no number; the others hold"
		return r
	}
	r.Detail = fmt.Sprintf("%s%s, wanted %s %s", r.Value, place(c, *worst, len(series), r.Status), c.Operator, number(c.Threshold))
	if c.For > 0 {
		r.Detail += " for " + short(c.For)
	}
	return r
}

// place says which of many values is shown. Label values are untrusted text.
func place(c bot.Check, s sample, series int, status string) string {
	var where string
	switch {
	case status == bot.CheckFail && series > 1:
		where = " for " + name(s.series)
	case series > 1:
		where = fmt.Sprintf(" in the worst of %d series", series)
	case status == bot.CheckPass && c.For > 0:
		where = " at worst"
	}
	if status == bot.CheckFail && c.For > 0 {
		where += " at " + s.at.UTC().Format("15:04:05 UTC")
	}
	return where
}

// name is a series as PromQL writes it, without what is too long to read.
func name(m model.Metric) string {
	names := make([]string, 0, len(m))
	for n := range m {
		if n != model.MetricNameLabel {
			names = append(names, string(n))
		}
	}
	sort.Strings(names)
	var parts []string
	length := 0
	for _, n := range names {
		part := n + "=" + strconv.Quote(string(m[model.LabelName(n)]))
		if length += len(part); length > 150 {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, part)
	}
	return string(m[model.MetricNameLabel]) + "{" + strings.Join(parts, ", ") + "}"
}

// number is a value as people write it: four digits that count, no exponent
// unless it is needed.
func number(v float64) string {
	a := math.Abs(v)
	switch {
	case math.IsNaN(v), math.IsInf(v, 0), a != 0 && (a < 1e-4 || a >= 1e15):
		return strconv.FormatFloat(v, 'g', 4, 64)
	case a >= 1000 || v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	digits := 3 - int(math.Floor(math.Log10(a)))
	s := strconv.FormatFloat(v, 'f', digits, 64)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}

// short is a duration without empty parts: "5m", not "5m0s".
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
