package corpus

import "fmt"

// The bars: the shares of incidents, in percent, in which the culprit must come
// first, among the first three and among the first ten.
var bars = []struct {
	set               string
	first, three, ten float64
}{
	{"app", 80.5, 94, 98.5},
	{"file", 89.5, 98, 0},
	{"object", 89.5, 0, 0},
}

// The bars of confidence. On repositories that were never seen, three points less
// are expected than where the threshold was chosen; which these are the tables do
// not tell.
const (
	wantUnseen   = WantPrecision - 0.03
	wantCoverage = 0.40
	wantFalse    = 0.08
)

// Faults are the bars that a report is under. Sets without a case are not judged.
func (r Report) Faults() []string {
	var out []string
	for _, bar := range bars {
		for _, how := range []string{", shipped", ", not seen"} {
			n := r.Section(bar.set + how)
			first, three, ten := n.Shares()
			if n.Cases > 0 && (first < bar.first || three < bar.three || ten < bar.ten) {
				out = append(out, fmt.Sprintf("%s%s: %.2f, %.2f, %.2f %%; at least %.1f, %.1f, %.1f are wanted", bar.set, how, first, three, ten, bar.first, bar.three, bar.ten))
			}
		}
	}
	for name, n := range map[string]Confidence{"shipped": r.Shipped, "not seen": r.Sure} {
		if n.Cases > 0 && (n.Precision() < wantUnseen || n.Coverage() < wantCoverage || n.False() > wantFalse) {
			out = append(out, fmt.Sprintf("confident, %s: right in %.1f %%, in %.1f %% of cases and %.1f %% of calm moments; %.1f, %.1f and %.1f are wanted", name,
				100*n.Precision(), 100*n.Coverage(), 100*n.False(), 100*wantUnseen, 100*wantCoverage, 100*wantFalse))
		}
	}
	return out
}
