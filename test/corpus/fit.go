package corpus

import (
	"errors"
	"math"
)

// Choice is one incident as the fit sees it: the features of each alternative
// and which one is right. An alternative with a nil vector is no change of ours.
type Choice struct {
	Features [][]float64
	Right    int
	Weight   float64
}

// Fit maximises the likelihood of the right alternatives under a multinomial
// logit, less ridge/2 times the squares of the weights, by Newton's method from
// zero. The last weight is the constant of no change of ours, which is not drawn
// to zero. It is deterministic.
func Fit(choices []Choice, features int, ridge float64) ([]float64, error) {
	n := features + 1
	w := make([]float64, n)
	value := objective(choices, w, ridge)
	for range 60 {
		gradient, hessian := slopes(choices, w, ridge)
		step, err := solve(hessian, gradient)
		if err != nil {
			return nil, err
		}
		next, size := make([]float64, n), 1.0
		better := value
		for range 30 { // halve a step that overshoots
			for i := range w {
				next[i] = w[i] + size*step[i]
			}
			if better = objective(choices, next, ridge); better >= value {
				break
			}
			size /= 2
		}
		gain := better - value
		copy(w, next)
		value = better
		if gain < 1e-9 {
			return w, nil
		}
	}
	return w, nil
}

// score of an alternative; what has no vector is none.
func score(w, x []float64) float64 {
	if x == nil {
		return w[len(w)-1]
	}
	sum := 0.0
	for i, v := range x {
		sum += w[i] * v
	}
	return sum
}

func chances(c Choice, w []float64) []float64 {
	p, top := make([]float64, len(c.Features)), math.Inf(-1)
	for i, x := range c.Features {
		p[i] = score(w, x)
		top = max(top, p[i])
	}
	total := 0.0
	for i := range p {
		p[i] = math.Exp(p[i] - top)
		total += p[i]
	}
	for i := range p {
		p[i] /= total
	}
	return p
}

func objective(choices []Choice, w []float64, ridge float64) float64 {
	sum := 0.0
	for _, c := range choices {
		sum += c.Weight * math.Log(max(1e-300, chances(c, w)[c.Right]))
	}
	for _, v := range w[:len(w)-1] {
		sum -= ridge / 2 * v * v
	}
	return sum
}

// slopes are the gradient of the objective and its negated second derivative.
func slopes(choices []Choice, w []float64, ridge float64) ([]float64, [][]float64) {
	n := len(w)
	g, h := make([]float64, n), make([][]float64, n)
	for i := range h {
		h[i] = make([]float64, n)
		h[i][i] = 1e-9
		if i < n-1 {
			g[i], h[i][i] = -ridge*w[i], ridge
		}
	}
	at := func(x []float64, i int) float64 {
		switch {
		case x == nil:
			return float64(i / (n - 1))
		case i == n-1:
			return 0
		}
		return x[i]
	}
	for _, c := range choices {
		p, mean := chances(c, w), make([]float64, n)
		for k, x := range c.Features {
			for i := range mean {
				mean[i] += p[k] * at(x, i)
			}
		}
		for k, x := range c.Features {
			for i := range n {
				d := at(x, i) - mean[i]
				if k == c.Right {
					g[i] += c.Weight * d
				}
				if d == 0 || p[k] < 1e-12 {
					continue
				}
				for j := range i + 1 {
					h[i][j] += c.Weight * p[k] * d * (at(x, j) - mean[j])
				}
			}
		}
	}
	for i := range n {
		for j := range i {
			h[j][i] = h[i][j]
		}
	}
	return g, h
}

// solve is Gauss elimination for a symmetric positive matrix.
func solve(a [][]float64, b []float64) ([]float64, error) {
	n := len(b)
	m := make([][]float64, n)
	for i := range m {
		m[i] = append(append([]float64{}, a[i]...), b[i])
	}
	for i := range n {
		pivot := i
		for r := i + 1; r < n; r++ {
			if math.Abs(m[r][i]) > math.Abs(m[pivot][i]) {
				pivot = r
			}
		}
		if math.Abs(m[pivot][i]) < 1e-12 {
			return nil, errors.New("fit: a feature never varies and nothing draws it to zero")
		}
		m[i], m[pivot] = m[pivot], m[i]
		for r := i + 1; r < n; r++ {
			q := m[r][i] / m[i][i]
			for k := i; k <= n; k++ {
				m[r][k] -= q * m[i][k]
			}
		}
	}
	x := make([]float64, n)
	for i := n - 1; i >= 0; i-- {
		x[i] = m[i][n]
		for k := i + 1; k < n; k++ {
			x[i] -= m[i][k] * x[k]
		}
		x[i] /= m[i][i]
	}
	return x, nil
}
