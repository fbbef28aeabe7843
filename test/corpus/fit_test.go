package corpus

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/culprit"
)

// TestFitFindsTheWeights that choices were drawn by.
func TestFitFindsTheWeights(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	truth := []float64{1.5, -0.7, 0.4} // two features, none
	var choices []Choice
	for range 20000 {
		c := Choice{Weight: 1, Features: [][]float64{{rng.NormFloat64(), rng.NormFloat64()}, {rng.NormFloat64(), rng.NormFloat64()}, nil}}
		at, p := rng.Float64(), chances(c, truth)
		for c.Right = 0; at > p[c.Right] && c.Right < len(p)-1; c.Right++ {
			at -= p[c.Right]
		}
		choices = append(choices, c)
	}
	got, err := Fit(choices, 2, 0.01)
	if err != nil {
		t.Fatal(err)
	}
	for i := range truth {
		if math.Abs(got[i]-truth[i]) > 0.06 {
			t.Errorf("weights are %.2f, drawn by %.2f", got, truth)
			break
		}
	}
}

// TestThreshold is the lowest share that keeps the promise over all above it.
func TestThreshold(t *testing.T) {
	call := func(share float64, right bool) Call {
		return Call{Row: Row{Case: Case{Culprit: "x"}}, Share: share, Right: right}
	}
	calls := []Call{call(0.9, true), call(0.8, true), call(0.7, false), call(0.6, true), call(0.5, true)}
	for want, at := range map[float64]float64{1: 0.8, 0.8: 0.5, 0.75: 0.5, 0.99: 0.8} {
		if got := Threshold(calls, want); got != at {
			t.Errorf("for %.2f the threshold is %.2f, want %.2f", want, got, at)
		}
	}
	calls = append(calls, Call{Share: 1}) // a calm moment says nothing about precision
	if got := Threshold(calls, 1); got != 0.8 {
		t.Errorf("with a calm moment the threshold is %.2f", got)
	}
}

func TestExpected(t *testing.T) {
	n := Confidence{Cases: 100, Fired: 40, Right: 39, Calm: 100, CalmFired: 8}
	if got := n.Expected(0.6); math.Abs(got-0.234/0.272) > 1e-9 {
		t.Errorf("expected precision is %.4f", got)
	}
	if got := (Confidence{}).Expected(0.5); got != 0 {
		t.Errorf("without a case it is %.4f", got)
	}
}

// TestTrainIsDeterministic: the same rows give the same weights.
func TestTrainIsDeterministic(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var rows []Row
	for i := range 60 {
		r := Row{Case: Case{Repo: "a/b"}}
		for k := range 4 {
			r.Signs = append(r.Signs, culprit.Signs{Commit: sha(i, k), Age: float64(3600 * (k + 1)), Lines: 10, Live: rng.IntN(11), Files: 1, Paths: 1 + rng.IntN(3)})
		}
		if i%2 == 0 {
			r.Culprit = sha(i, rng.IntN(2))
		}
		rows = append(rows, r)
	}
	first, err := Train(rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := Train(rows, nil)
	for i := range first.Weights {
		if first.Weights[i] != again.Weights[i] || math.IsNaN(first.Weights[i]) {
			t.Fatalf("weight %d is %v, then %v", i, first.Weights[i], again.Weights[i])
		}
	}
}

func sha(i, k int) bot.SHA { return bot.SHA(fmt.Sprintf("%020d%020d", i, k)) }
