package corpus

import (
	"cmp"
	"slices"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/culprit"
)

// Call is what the model says of one row: how sure it is of its first suspect,
// and whether that one is right.
type Call struct {
	Row
	Share, None float64 // of the first suspect among the candidates, and of no change of ours
	Age         float64 // of the first suspect, in seconds
	Right       bool
}

// Calls asks for each row the model of its repository.
func Calls(rows []Row, of map[bot.RepoName]culprit.Model) []Call {
	var out []Call
	for _, r := range rows {
		ranked := of[r.Repo].Rank(r.Signs)
		c := Call{Row: r, None: ranked.None}
		if len(ranked.Order) > 0 {
			top := ranked.Order[0]
			c.Share, c.Age, c.Right = ranked.Shares[top], r.Signs[top].Age, r.Signs[top].Commit == r.Culprit
		}
		out = append(out, c)
	}
	return out
}

// sure reports whether a call is confident.
func (c Call) sure(threshold float64) bool {
	return c.Share >= threshold && c.None < 0.5 && c.Age <= culprit.ConfidentAge.Seconds()
}

// Threshold is the lowest share of the first suspect from which on, among
// incidents that have a culprit, the first suspect is right at least this often.
func Threshold(calls []Call, precision float64) float64 {
	calls = slices.DeleteFunc(slices.Clone(calls), func(c Call) bool { return c.Culprit == "" || !c.sure(0) })
	slices.SortFunc(calls, func(a, b Call) int { return cmp.Compare(b.Share, a.Share) })
	best, right := 1.0, 0
	for i, c := range calls {
		if c.Right {
			right++
		}
		if float64(right) >= precision*float64(i+1) {
			best = c.Share
		}
	}
	return best
}

// Confidence counts confident calls.
type Confidence struct{ Cases, Fired, Right, Calm, CalmFired int }

// Judge counts the confident calls, each by the threshold of its repository.
func Judge(calls []Call, threshold func(bot.RepoName) float64) (all Confidence, each map[bot.RepoName]*Confidence) {
	each = map[bot.RepoName]*Confidence{}
	for _, c := range calls {
		if each[c.Repo] == nil {
			each[c.Repo] = &Confidence{}
		}
		for _, n := range []*Confidence{&all, each[c.Repo]} {
			n.add(c, c.sure(threshold(c.Repo)))
		}
	}
	return all, each
}

func (n *Confidence) add(c Call, sure bool) {
	if c.Culprit == "" {
		n.Calm++
		if sure {
			n.CalmFired++
		}
		return
	}
	n.Cases++
	if sure {
		n.Fired++
		if c.Right {
			n.Right++
		}
	}
}

// Precision, Coverage and False are shares, 0 to 1: of confident calls that are
// right where there is a culprit, of such incidents with a confident call, and
// of calm points with one.
func (n Confidence) Precision() float64 { return ratio(n.Right, n.Fired) }

// Coverage is the share of incidents with a confident call.
func (n Confidence) Coverage() float64 { return ratio(n.Fired, n.Cases) }

// False is the share of calm points with a confident call.
func (n Confidence) False() float64 { return ratio(n.CalmFired, n.Calm) }

// Expected is the share of confident calls that are right when this share of
// all incidents has a guilty commit.
func (n Confidence) Expected(guilty float64) float64 {
	hit := guilty * ratio(n.Right, n.Cases)
	all := guilty*n.Coverage() + (1-guilty)*n.False()
	if all == 0 {
		return 0
	}
	return hit / all
}

func ratio(a, b int) float64 { return float64(a) / float64(max(1, b)) }

// Thresholds are, by repository, those that the calls of all others ask for.
func Thresholds(calls []Call, precision float64) map[bot.RepoName]float64 {
	out := map[bot.RepoName]float64{}
	for _, c := range calls {
		if _, ok := out[c.Repo]; !ok {
			out[c.Repo] = Threshold(slices.DeleteFunc(slices.Clone(calls), func(o Call) bool { return o.Repo == c.Repo }), precision)
		}
	}
	return out
}
