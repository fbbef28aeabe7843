package culprit

import (
	"math"
	"slices"
	"time"
)

// ConfidentAge is how old the first suspect may be for a confident finding.
const ConfidentAge = 24 * time.Hour

// Model weighs candidates by their features: each has a score, no change of ours
// has the score None, and the shares are those of a multinomial logit.
type Model struct {
	Weights []float64
	None    float64
}

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

// rhythm is the median time between changes to the App; a month where there is
// none.
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

// Scores are the scores of each candidate.
func (m Model) Scores(all []Signs) []float64 {
	var out []float64
	for _, x := range Vectors(all) {
		out = append(out, dot(m.Weights, x))
	}
	return out
}

// Shares turns scores into the shares of candidates and of none, which add up
// to 1.
func (m Model) Shares(scores []float64) (shares []float64, none float64) {
	top := m.None
	for _, s := range scores {
		top = max(top, s)
	}
	none = math.Exp(m.None - top)
	total := none
	for _, s := range scores {
		shares = append(shares, math.Exp(s-top))
		total += shares[len(shares)-1]
	}
	for i := range shares {
		shares[i] /= total
	}
	return shares, none / total
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
