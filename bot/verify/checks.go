package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/backout-dev/backout/bot"
)

// Validate says what is wrong with a check as it is configured, nil when it can
// be asked. It does not know PromQL: that is Prometheus' to judge.
func Validate(c bot.Check) error {
	switch {
	case c.Name == "":
		return errors.New("a check has no name: give it one, since people read it")
	case strings.TrimSpace(c.Query) == "":
		return fmt.Errorf("check %q has no query: give it a PromQL expression", c.Name)
	case !slices.Contains([]string{"<", "<=", ">", ">=", "==", "!="}, c.Operator):
		return fmt.Errorf("check %q has the operator %q: use one of < <= > >= == !=", c.Name, c.Operator)
	case math.IsNaN(c.Threshold):
		return fmt.Errorf("check %q has a threshold that is no number", c.Name)
	case c.For < 0:
		return fmt.Errorf("check %q has a negative for: give a duration such as 5m", c.Name)
	}
	_, why := expand(c.Query, values(bot.App{Namespace: "default"}))
	if why != "" {
		return fmt.Errorf("check %q can't be asked: %s", c.Name, why)
	}
	return nil
}

// Run asks Prometheus whether a check holds for an App now and, where the check
// says so, whether it has held without a break. It implements [bot.Checks].
//
// What keeps it from knowing is part of the result; the error is only that of a
// cancelled context.
func (m *Monitoring) Run(ctx context.Context, c bot.Check, app bot.App) (bot.CheckResult, error) {
	unknown := func(why string) (bot.CheckResult, error) {
		return bot.CheckResult{Name: c.Name, Advisory: c.Advisory, Status: bot.CheckUnknown, Detail: why}, nil
	}
	if m.prometheus == nil {
		return unknown("no Prometheus is configured to ask")
	}
	if err := Validate(c); err != nil {
		m.log.WarnContext(ctx, "check is misconfigured", "check", c.Name, "err", err)
		return unknown("the check is not configured right; the log says how")
	}
	query, why := expand(c.Query, values(app))
	if why != "" {
		return unknown(string(why))
	}
	log := m.log.With("check", c.Name, "app", app.ID.String())
	samples, moments, warnings, err := m.ask(ctx, query, c.For)
	if ctx.Err() != nil {
		return bot.CheckResult{}, fmt.Errorf("run check %s: %w", c.Name, context.Cause(ctx))
	}
	if err != nil {
		t := trouble("Prometheus", m.timeout, err)
		log.WarnContext(ctx, "check got no answer", "query", query, "err", err)
		return unknown(t.Text)
	}
	if moments.with == 0 {
		return unknown("the query returns no data; if that is good news, end it with `or vector(0)`")
	}
	r := judge(c, samples)
	switch {
	case r.Status != bot.CheckPass:
	case moments.with < moments.all:
		r.Status = bot.CheckUnknown
		r.Detail = fmt.Sprintf("the query returns data for only %d of %d moments of the last %s; those hold", moments.with, moments.all, short(c.For))
	case len(warnings) > 0:
		// A store that did not answer may be the one that has the bad news.
		log.WarnContext(ctx, "check was answered with warnings", "query", query, "warnings", warnings)
		r.Status = bot.CheckUnknown
		r.Detail = "Prometheus warns that its answer may not be complete; what it returned holds"
	}
	return r, nil
}

// moments counts at how many moments a query was evaluated, and at how many it
// had data.
type moments struct{ all, with int }

// ask evaluates a query now, or over a time that ends now.
func (m *Monitoring) ask(ctx context.Context, query string, last time.Duration) ([]sample, moments, []string, error) {
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	var (
		v        model.Value
		warnings promv1.Warnings
		err      error
		n        = 1
		end      = m.now().Truncate(time.Millisecond) // Prometheus' resolution
	)
	if last == 0 {
		v, warnings, err = m.prometheus.Query(ctx, query, end, promv1.WithTimeout(m.timeout))
	} else {
		step := stepOf(last)
		n = int((last+step-1)/step) + 1
		start := end.Add(-time.Duration(n-1) * step)
		v, warnings, err = m.prometheus.QueryRange(ctx, query, promv1.Range{Start: start, End: end, Step: step}, promv1.WithTimeout(m.timeout))
	}
	if err != nil {
		return nil, moments{}, nil, err
	}
	samples, err := samplesOf(v, last > 0)
	if err != nil {
		return nil, moments{}, nil, err
	}
	seen := map[time.Time]bool{}
	for _, s := range samples {
		seen[s.at] = true
	}
	return samples, moments{all: n, with: len(seen)}, serious(warnings), nil
}

// stepOf is how far apart the moments of a sustained check are: as far as
// scrapes usually are, so that a short break is not stepped over, but at most
// about sixty moments, at least five, and no closer than a second.
func stepOf(last time.Duration) time.Duration {
	const scrape = 15 * time.Second
	step := max(last/60, min(scrape, last/5), time.Second)
	return step.Round(time.Millisecond)
}

// serious leaves out the remarks that PromQL makes on style
// ("PromQL info: metric might not be a counter").
func serious(warnings []string) []string {
	return slices.DeleteFunc(slices.Clone(warnings), func(w string) bool {
		return strings.HasPrefix(w, "PromQL info:")
	})
}

// samplesOf flattens what a query returned.
func samplesOf(v model.Value, ranged bool) ([]sample, error) {
	histogram := &promv1.Error{Type: promv1.ErrExec, Msg: "the query returns histograms, not numbers"}
	switch v := v.(type) {
	case *model.Scalar:
		return []sample{{at: v.Timestamp.Time(), value: float64(v.Value)}}, nil
	case model.Vector:
		out := make([]sample, 0, len(v))
		for _, s := range v {
			if s.Histogram != nil {
				return nil, histogram
			}
			out = append(out, sample{series: s.Metric, at: s.Timestamp.Time(), value: float64(s.Value)})
		}
		return out, nil
	case model.Matrix:
		if !ranged {
			return nil, &promv1.Error{Type: promv1.ErrExec, Msg: "the query returns a range, not a value: wrap it in a function such as max_over_time"}
		}
		var out []sample
		for _, series := range v {
			if len(series.Histograms) > 0 {
				return nil, histogram
			}
			for _, s := range series.Values {
				out = append(out, sample{series: series.Metric, at: s.Timestamp.Time(), value: float64(s.Value)})
			}
		}
		return out, nil
	}
	return nil, &promv1.Error{Type: promv1.ErrExec, Msg: fmt.Sprintf("the query returns a %s, not a number", v.Type())}
}
