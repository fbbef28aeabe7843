package culprit

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// ConfidentAge is how old the first suspect may be for a confident finding:
// what has been running for longer is seldom what broke now, whatever its share.
const ConfidentAge = 24 * time.Hour

// Model is what was fitted on real histories. Each candidate has a score, the
// sum of its features times Weights; the shares of the candidates, if one of
// them is guilty, are those of a multinomial logit. Whether one is guilty at all
// is a logistic regression on the circumstances of the first.
type Model struct {
	// Weights are those for questions about an App, File those for questions about
	// one file, and Known those for questions about a failing object, where size
	// tells less. Where File or Known is nil, Weights hold.
	Weights, File, Known []float64
	// Object are the weights of what is known to bear on the failing object, and
	// of what is known not to; they count where the object is known.
	Object []float64
	// Guilt are the weights of the circumstances, the constant last. They hold
	// where half of all incidents have a guilty commit.
	Guilt []float64
	// Sure is the share among the candidates from which on the first suspect is
	// called confident.
	Sure float64
}

// Fitted is the model that Backout ships.
func Fitted() Model { return fitted() }

// Names are the names of the features, in the order of the weights.
func Names() []string {
	var out []string
	for _, f := range features() {
		out = append(out, f.signal+": "+f.name)
	}
	return out
}

// Vectors are the features of each candidate.
func Vectors(all []Signs) [][]float64 {
	c := context{all: all}
	fs, out := features(), make([][]float64, len(all))
	for c.i = range all {
		out[c.i] = make([]float64, len(fs))
		for k, f := range fs {
			out[c.i][k] = f.of(c)
		}
	}
	return out
}

// CircumstanceNames are the names of what Circumstances gives.
func CircumstanceNames() []string {
	return []string{"ln(hours of age)", "ln(age / median time between changes)", "share among the candidates", "a program", "a revert", "share of its lines still true"}
}

// Circumstances are what tells whether any candidate is guilty, given the first
// suspect and its share among the candidates.
func Circumstances(all []Signs, top int, share float64) []float64 {
	s := all[top]
	return []float64{
		lnHours(s.Age), math.Log((s.Age + 10*minute) / (rhythm(all) + 10*minute)), share, is(s.Automated), is(s.Revert), s.liveness(),
	}
}

// rhythm is the median time between changes to the App, in seconds; a month
// where there is none.
func rhythm(all []Signs) float64 {
	if len(all) < 2 {
		return 30 * day
	}
	var gaps []float64
	for _, s := range all[:len(all)-1] {
		gaps = append(gaps, s.Gap)
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2]
}

// Ranked is what a model says of some candidates.
type Ranked struct {
	// Order are the candidates, best first; ties stay newest first.
	Order []int
	// Scores and Shares are by candidate. The shares are those if one of them is
	// guilty; None is the chance that none is.
	Scores, Shares []float64
	None           float64
	Confident      bool
}

// Rank weighs candidates, newest first.
func (m Model) Rank(all []Signs) Ranked {
	r := Ranked{None: 1}
	top := math.Inf(-1)
	for i, x := range Vectors(all) {
		r.Order = append(r.Order, i)
		r.Scores = append(r.Scores, dot(m.For(all), x)+m.object(all[i]))
		top = max(top, r.Scores[i])
	}
	if len(all) == 0 {
		return r
	}
	total := 0.0
	for _, s := range r.Scores {
		r.Shares = append(r.Shares, math.Exp(s-top))
		total += math.Exp(s - top)
	}
	for i := range r.Shares {
		r.Shares[i] /= total
	}
	slices.SortStableFunc(r.Order, func(a, b int) int { return cmp.Compare(r.Scores[b], r.Scores[a]) })
	first := r.Order[0]
	if len(m.Guilt) > 0 {
		z := append(Circumstances(all, first, r.Shares[first]), 1)
		r.None = 1 / (1 + math.Exp(dot(m.Guilt, z)))
	}
	tie := len(r.Order) > 1 && r.Scores[first]-r.Scores[r.Order[1]] < tied
	r.Confident = !tie && r.None < 0.5 && r.Shares[first] >= m.Sure && all[first].Age <= ConfidentAge.Seconds()
	return r
}

// For are the weights for a question that has these candidates.
func (m Model) For(all []Signs) []float64 {
	switch {
	case m.Known != nil && len(all) > 0 && all[0].Bears >= 0:
		return m.Known
	case m.File != nil && AboutFile(all):
		return m.File
	}
	return m.Weights
}

// AboutFile reports whether a question is about one file.
func AboutFile(all []Signs) bool {
	return slices.ContainsFunc(all, func(s Signs) bool { return s.File })
}

// BearingNames are the names of what Bearing gives.
func BearingNames() []string { return []string{"bears on the failing object", "does not"} }

// Bearing are the features of what a candidate has to do with the failing object:
// it bears on it, or it surely does not.
func (s Signs) Bearing() []float64 {
	return []float64{is(s.Bears == int(bears)), is(s.Bears == int(bearsNot))}
}

func (m Model) object(s Signs) float64 {
	if s.Bears < 0 || m.Object == nil {
		return 0
	}
	return dot(m.Object, s.Bearing())
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
