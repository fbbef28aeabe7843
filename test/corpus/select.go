package corpus

import (
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/backout-dev/backout/bot/culprit"
)

// Select fits the weights of the ranking with those optional features that help.
// Beginning with none, it adds those by which the culprits of each repository
// become likeliest, ranked with weights fitted on all other repositories among the
// rows, as long as that is by more than the standard error of it. Rows that are
// kept apart to judge the outcome must not be among them.
func Select(rows []Row) ([]float64, error) {
	keep := plain()
	best, err := unseen(rows, keep)
	if err != nil {
		return nil, err
	}
	for {
		pick, gain, found := []int(nil), 0.0, best
		for _, group := range culprit.Optional() {
			if keep[group[0]] {
				continue
			}
			value, err := unseen(rows, with(keep, group))
			if err != nil {
				return nil, err
			}
			if more := grown(best, value); more > gain {
				pick, gain, found = group, more, value
			}
		}
		if pick == nil {
			return trainRanking(rows, keep)
		}
		keep, best = with(keep, pick), found
	}
}

// plain keeps no optional feature.
func plain() []bool {
	keep := make([]bool, len(culprit.Names()))
	for i := range keep {
		keep[i] = true
	}
	for _, group := range culprit.Optional() {
		for _, i := range group {
			keep[i] = false
		}
	}
	return keep
}

func with(keep []bool, group []int) []bool {
	keep = slices.Clone(keep)
	for _, i := range group {
		keep[i] = true
	}
	return keep
}

// grown is by how much the sum of some values grew; 0 where that is within its
// standard error.
func grown(before, after []float64) float64 {
	more, square := 0.0, 0.0
	for i := range before {
		d := after[i] - before[i]
		more += d
		square += d * d
	}
	if more <= math.Sqrt(square) {
		return 0
	}
	return more
}

// unseen are the log-likelihoods of the culprits, each under weights fitted on the
// other repositories. With one repository alone there is nothing to compare.
func unseen(rows []Row, keep []bool) ([]float64, error) {
	repos, out := repositories(rows), make([]float64, len(rows))
	if len(repos) < 2 {
		return out, nil
	}
	var all errgroup.Group
	for _, repo := range repos {
		all.Go(func() error {
			w, err := trainRanking(without(rows, repo), keep)
			w = append(w, 0)
			for i, r := range rows {
				if right := r.right(); err == nil && r.Repo == repo && right >= 0 {
					p := chances(Choice{Features: culprit.Vectors(r.Signs)}, w)[right]
					out[i] = math.Log(max(1e-300, p))
				}
			}
			return err
		})
	}
	return out, all.Wait()
}

// masked leaves out features that are not kept.
func masked(vectors [][]float64, keep []bool) [][]float64 {
	for _, x := range vectors {
		for i := range x {
			if !keep[i] {
				x[i] = 0
			}
		}
	}
	return vectors
}

// incidents are the rows with a culprit.
func incidents(rows []Row) []Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return r.Culprit == "" })
}
