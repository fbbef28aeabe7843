package corpus

import (
	"maps"
	"math"
	"slices"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/culprit"
)

// Tally counts how far down the culprits stand.
type Tally struct{ Cases, First, Three, Ten int }

func (t *Tally) add(rank int) {
	t.Cases++
	if rank == 1 {
		t.First++
	}
	if rank >= 1 && rank <= 3 {
		t.Three++
	}
	if rank >= 1 && rank <= 10 {
		t.Ten++
	}
}

// Shares are the three counts in percent.
func (t Tally) Shares() (first, three, ten float64) {
	n := float64(max(1, t.Cases)) / 100
	return float64(t.First) / n, float64(t.Three) / n, float64(t.Ten) / n
}

// Ranking is a way to order the candidates of a row, best first.
type Ranking func(Row) []int

// Recency leaves the candidates newest first.
func Recency(r Row) []int {
	order := make([]int, len(r.Signs))
	for i := range order {
		order[i] = i
	}
	return order
}

// By orders by a model's scores.
func By(m culprit.Model) Ranking {
	return func(r Row) []int { return m.Rank(r.Signs).Order }
}

// Measure ranks the rows, each by the ranking for its repository.
func Measure(rows []Row, of func(bot.RepoName) Ranking) (all Tally, each map[bot.RepoName]*Tally) {
	each = map[bot.RepoName]*Tally{}
	rankings := map[bot.RepoName]Ranking{}
	for _, r := range rows {
		if each[r.Repo] == nil {
			each[r.Repo], rankings[r.Repo] = &Tally{}, of(r.Repo)
		}
		rank := r.rank(rankings[r.Repo](r))
		each[r.Repo].add(rank)
		all.add(rank)
	}
	return all, each
}

// repositories of some rows, sorted.
func repositories(rows []Row) []bot.RepoName {
	seen := map[bot.RepoName]bool{}
	for _, r := range rows {
		seen[r.Repo] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// without are the rows of all other repositories.
func without(rows []Row, repo bot.RepoName) []Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return r.Repo == repo })
}

// ridge draws weights to zero, so that what is rare does not weigh much.
const ridge = 1

// Train fits a model: the ranking on the incidents whose culprit is among the
// candidates, for questions about an App and for those about one file, each with
// the optional features that help there, and for those about an object without
// them; and then, on all rows, whether there is a
// culprit at all. Files are the same incidents asked about one file. Each
// repository weighs as much as the square root of its number of rows, so that the
// largest does not speak for all.
func Train(rows, files []Row) (m culprit.Model, err error) {
	if m.Weights, err = Select(incidents(rows)); err != nil {
		return m, err
	}
	if m.Known, err = trainRanking(incidents(rows), plain()); err != nil {
		return m, err
	}
	// What is asked about an App tells of files, too: more cases are better.
	if len(files) > 0 {
		if m.File, err = Select(slices.Concat(incidents(rows), incidents(files))); err != nil {
			return m, err
		}
	}
	weights := balance(rows)
	var choices []Choice
	for _, r := range rows {
		if len(r.Signs) == 0 {
			continue
		}
		ranked := m.Rank(r.Signs)
		top := ranked.Order[0]
		c := Choice{Features: [][]float64{culprit.Circumstances(r.Signs, top, ranked.Shares[top]), nil}, Weight: weights[r.Repo]}
		if r.Culprit == "" {
			c.Right = 1
		}
		choices = append(choices, c)
	}
	n := len(culprit.CircumstanceNames())
	if m.Guilt, err = Fit(choices, n, ridge); err == nil {
		m.Guilt[n] *= -1 // there it is the score of none
	}
	return m, err
}

// trainRanking fits the weights of the ranking. Features that are not kept weigh 0.
func trainRanking(rows []Row, keep []bool) ([]float64, error) {
	weights := balance(rows)
	choices := make([]Choice, 0, len(rows))
	for _, r := range rows {
		if right := r.right(); right >= 0 {
			choices = append(choices, Choice{Features: masked(culprit.Vectors(r.Signs), keep), Right: right, Weight: weights[r.Repo]})
		}
	}
	n := len(culprit.Names())
	w, err := Fit(choices, n, ridge)
	if err != nil {
		return nil, err
	}
	return w[:n], nil
}

func balance(rows []Row) map[bot.RepoName]float64 {
	out := map[bot.RepoName]float64{}
	for _, r := range rows {
		out[r.Repo]++
	}
	mean := float64(len(rows)) / float64(max(1, len(out)))
	for repo, n := range out {
		out[repo] = math.Sqrt(mean / n)
	}
	return out
}

// TrainObject adds the weights of the failing object to a model, fitted on rows in
// which it is known with the others left as they are.
func TrainObject(m culprit.Model, rows []Row) (culprit.Model, error) {
	weights := balance(rows)
	var choices []Choice
	m.Object = nil
	for _, r := range rows {
		c := Choice{Right: slices.IndexFunc(r.Signs, func(s culprit.Signs) bool { return s.Commit == r.Culprit }), Weight: weights[r.Repo]}
		scores := m.Rank(r.Signs).Scores
		for i, s := range r.Signs {
			c.Features = append(c.Features, append([]float64{scores[i]}, s.Bearing()...))
		}
		if c.Right >= 0 {
			choices = append(choices, c)
		}
	}
	n := len(culprit.BearingNames())
	w, err := Fit(choices, 1+n, ridge)
	if err == nil {
		for _, v := range w[1 : 1+n] {
			m.Object = append(m.Object, v/w[0])
		}
	}
	return m, err
}

// Cross trains one model for each repository, on all the others.
func Cross(rows, files []Row) (map[bot.RepoName]culprit.Model, error) {
	out := map[bot.RepoName]culprit.Model{}
	for _, repo := range repositories(rows) {
		m, err := Train(without(rows, repo), without(files, repo))
		if err != nil {
			return nil, err
		}
		out[repo] = m
	}
	return out, nil
}
