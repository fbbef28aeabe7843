package culprit

import (
	"math"
	"time"
)

// feature is one number that the model weighs. The signal is the line of
// evidence that it adds to; several features may make one signal.
type feature struct {
	signal, name string
	of           func(c context) float64
}

// Optional are the places of features that were tried without knowing whether they
// help, by what they look at. The fit keeps those that do on repositories it has
// not seen, separately for questions about an App and about one file. The weights
// of the others are 0.
func Optional() [][]int {
	n := len(features())
	return [][]int{{n - 4, n - 3}, {n - 2}, {n - 1}}
}

// context is one candidate among the others, newest first.
type context struct {
	all []Signs
	i   int
}

func (c context) self() Signs { return c.all[c.i] }

func is(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

const (
	minute = 60.0
	hour   = 60 * minute
	day    = 24 * hour
)

// features are what the model looks at, in the order of its weights.
func features() []feature {
	younger := func(limit float64) func(context) float64 {
		return func(c context) float64 { return is(c.self().Age < limit) }
	}
	return []feature{
		{"recency", "ln(place)", func(c context) float64 { return math.Log(float64(c.i + 1)) }},
		{"recency", "ln(age / age of the newest)", func(c context) float64 { return lnHours(c.self().Age) - lnHours(c.all[0].Age) }},
		{"age", "younger than 10 min", younger(10 * minute)},
		{"age", "younger than 8 h", younger(8 * hour)},
		{"age", "younger than 3 days", younger(3 * day)},
		{"live", "share of its lines still true", func(c context) float64 { return c.self().liveness() }},
		{"live", "less than half", func(c context) float64 { return is(c.self().liveness() < 0.5) }},
		{"breadth", "ln(files in the repository)", func(c context) float64 { return math.Log(math.Max(1, float64(c.self().Paths))) }},
		{"breadth", "ln(1 + files of the App)", func(c context) float64 { return math.Log1p(float64(c.self().Files)) }},
		{"revert", "a revert, less than an hour ago", func(c context) float64 { return is(c.self().Revert && c.self().Age < hour) }},
		{"revert", "a revert, less than four hours ago", func(c context) float64 { return is(c.self().Revert && c.self().Age < 4*hour) }},
		{"revert", "newer reverts, two at most", func(c context) float64 { return math.Min(2, float64(c.newerReverts())) }},
		{"undone", "a newer one says so", func(c context) float64 { return is(c.self().Undone) }},
		{"undone", "and nothing of it is left", func(c context) float64 { return is(c.self().Undone && c.self().Live == 0) }},
		{"author", "share of the App's changes", func(c context) float64 { return c.authorShare() }},
		{"merge", "a merge", func(c context) float64 { return is(c.self().Merge) }},
		{"files", "new ones only", func(c context) float64 { return is(c.self().Files > 0 && c.self().Added == c.self().Files) }},

		{"live", "ln(1 + lines still true)", func(c context) float64 { return math.Log1p(float64(c.self().Live)) }},
		{"live", "ln(1 + lines no longer true)", func(c context) float64 { return math.Log1p(float64(c.self().Lines - c.self().Live)) }},
		{"author", "the next newer one is by the same author", func(c context) float64 { return is(c.chained()) }},
		{"revert", "a revert of any age", func(c context) float64 { return is(c.self().Revert) }},
	}
}

// lnHours is the logarithm of an age in hours, flat below some minutes.
func lnHours(age float64) float64 { return math.Log(age/hour + 0.2) }

func (c context) newerReverts() int {
	n := 0
	for _, s := range c.all[:c.i] {
		if s.Revert {
			n++
		}
	}
	return n
}

func (c context) chained() bool { return c.i > 0 && c.all[c.i-1].Author == c.self().Author }

func (c context) authorShare() float64 {
	n := 0.0
	for _, s := range c.all {
		n += is(s.Author == c.self().Author)
	}
	return n / float64(len(c.all))
}

// liveness is the share of the changed lines that is still true; 0 where no
// line changed.
func (s Signs) liveness() float64 { return float64(s.Live) / math.Max(1, float64(s.Lines)) }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
