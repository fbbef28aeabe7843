package corpus

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/culprit"
)

// WantPrecision is how often a confident call must be right, where there is a
// culprit.
const WantPrecision = 0.975

// Sets are the rows of all questions.
type Sets struct{ App, Calm, File, Object []Row }

// Report is what a ranking reaches on repositories that it was not fitted on.
type Report struct {
	Sections []Section
	// Shipped are the confident calls of the model that Backout ships. Sure are
	// those of models that have not seen the repository, each by the threshold that
	// all other repositories ask for; Once are those by one threshold for all.
	Shipped, Sure, Once Confidence
	sureEach            map[bot.RepoName]*Confidence
	stated              []stated
}

// Section is one table of the report.
type Section struct {
	Name string
	All  Tally
	Each map[bot.RepoName]*Tally
}

// stated is how often none was guilty where none was said to be so likely.
type stated struct {
	said, was float64
	n         int
}

// Assess judges the model that Backout ships and, where there are several
// repositories, the procedure that made it: each repository is ranked with weights
// fitted on all others.
func Assess(s Sets) (Report, error) {
	var r Report
	all := slices.Concat(s.App, s.Calm)
	recency := func(bot.RepoName) Ranking { return Recency }
	shipped := func(bot.RepoName) Ranking { return By(culprit.Fitted()) }
	for _, set := range []struct {
		name string
		rows []Row
	}{{"app", s.App}, {"file", s.File}, {"object", s.Object}} {
		r.add(set.name+", newest first", set.rows, recency)
		r.add(set.name+", shipped", set.rows, shipped)
	}
	r.Shipped, r.sureEach = Judge(CallsOf(all, culprit.Fitted()), func(bot.RepoName) float64 { return culprit.Fitted().Sure })
	if len(repositories(s.App)) < 2 {
		return r, nil
	}
	return r, r.cross(s, all)
}

// cross adds what models reach on repositories that they were not fitted on.
func (r *Report) cross(s Sets, all []Row) error {
	cross, err := Cross(all, s.File)
	if err != nil {
		return err
	}
	fitted := func(repo bot.RepoName) Ranking { return By(cross[repo]) }
	r.add("app, not seen", s.App, fitted)
	r.add("file, not seen", s.File, fitted)
	withObject := map[bot.RepoName]culprit.Model{}
	for _, repo := range repositories(s.Object) {
		if withObject[repo], err = TrainObject(cross[repo], without(s.Object, repo)); err != nil {
			return err
		}
	}
	r.add("object, as if not known", s.Object, fitted)
	r.add("object, not seen", s.Object, func(repo bot.RepoName) Ranking { return By(withObject[repo]) })
	calls := Calls(all, cross)
	at := Thresholds(calls, WantPrecision)
	r.Sure, r.sureEach = Judge(calls, func(repo bot.RepoName) float64 { return at[repo] })
	once := Threshold(calls, WantPrecision)
	r.Once, _ = Judge(calls, func(bot.RepoName) float64 { return once })
	r.stated = calibration(calls)
	return nil
}

func (r *Report) add(name string, rows []Row, of func(bot.RepoName) Ranking) {
	all, each := Measure(rows, of)
	r.Sections = append(r.Sections, Section{name, all, each})
}

// Repositories of the report, sorted.
func (r Report) Repositories() []bot.RepoName {
	return slices.Sorted(maps.Keys(r.Sections[0].Each))
}

// Section by its name.
func (r Report) Section(name string) Tally {
	for _, s := range r.Sections {
		if s.Name == name {
			return s.All
		}
	}
	return Tally{}
}

func calibration(calls []Call) []stated {
	out := make([]stated, 10)
	for _, c := range calls {
		s := &out[min(9, int(10*c.None))]
		s.n++
		s.said += c.None
		if c.Culprit == "" {
			s.was++
		}
	}
	return out
}

// String is the report as people read it.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-44s %5s %6s %6s %6s\n", "culprit stands, %", "cases", "first", "in 3", "in 10")
	for _, s := range r.Sections {
		line(&b, s.Name, s.All)
		for _, repo := range r.Repositories() {
			if n := s.Each[repo]; n != nil {
				line(&b, "  "+string(repo), *n)
			}
		}
	}
	fmt.Fprintf(&b, "\n%-44s %5s %6s %6s %6s %6s  right when 10/30/60 %% are guilty\n", "confident, %", "cases", "right", "fires", "calm", "fires")
	sure(&b, "shipped", r.Shipped)
	if r.Sure.Cases > 0 {
		sure(&b, "not seen", r.Sure)
	}
	for _, repo := range r.Repositories() {
		if n := r.sureEach[repo]; n != nil {
			sure(&b, "  "+string(repo), *n)
		}
	}
	if r.Sure.Cases == 0 {
		return b.String()
	}
	sure(&b, "not seen, one threshold", r.Once)
	b.WriteString("\nno change of ours: said, was, cases and calm moments\n")
	for _, s := range r.stated {
		n := float64(max(1, s.n))
		fmt.Fprintf(&b, "  %.2f  %.2f  %d\n", s.said/n, s.was/n, s.n)
	}
	return b.String()
}

func line(b *strings.Builder, name string, t Tally) {
	first, three, ten := t.Shares()
	fmt.Fprintf(b, "%-44s %5d %6.1f %6.1f %6.1f\n", name, t.Cases, first, three, ten)
}

func sure(b *strings.Builder, name string, n Confidence) {
	fmt.Fprintf(b, "%-44s %5d %6.1f %6.1f %6d %6.1f  %.1f %.1f %.1f\n", name, n.Cases, 100*n.Precision(), 100*n.Coverage(), n.Calm, 100*n.False(),
		100*n.Expected(0.1), 100*n.Expected(0.3), 100*n.Expected(0.6))
}

// CallsOf asks one model for all rows.
func CallsOf(rows []Row, m culprit.Model) []Call {
	of := map[bot.RepoName]culprit.Model{}
	for _, repo := range repositories(rows) {
		of[repo] = m
	}
	return Calls(rows, of)
}
