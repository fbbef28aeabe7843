package culprit

import (
	"fmt"
	"math"
	"slices"

	"github.com/backout-dev/backout/bot"
)

// Chances are how likely each suspect of a finding is the culprit; together with
// the weight of none they add up to 1.
func Chances(f bot.Finding) []float64 {
	out, total := make([]float64, len(f.Suspects)), 0.0
	for i, s := range f.Suspects {
		out[i] = math.Exp(s.Score - f.Suspects[0].Score)
		total += out[i]
	}
	for i := range out {
		out[i] *= (1 - f.None) / total
	}
	return out
}

// evidence is one line for each signal that was seen, with what it weighs.
func evidence(m Model, all []Signs, i int, x []float64) []bot.Evidence {
	var out []bot.Evidence
	weights := m.For(all)
	for k, f := range features() {
		at := slices.IndexFunc(out, func(e bot.Evidence) bool { return e.Signal == f.signal })
		if at < 0 {
			at, out = len(out), append(out, bot.Evidence{Signal: f.signal})
		}
		out[at].Weight += weights[k] * x[k]
	}
	if all[i].Bears >= 0 {
		out = append(out, bot.Evidence{Signal: "object", Weight: m.object(all[i])})
	}
	seen := out[:0]
	for _, e := range out {
		if e.Detail = detail(e.Signal, all, i); e.Detail != "" || e.Weight != 0 {
			seen = append(seen, e)
		}
	}
	return seen
}

// detail says what was seen; empty when there is nothing to see.
func detail(signal string, all []Signs, i int) string {
	s, c := all[i], context{all: all, i: i}
	switch signal {
	case "recency":
		return newerChanges(i)
	case "age":
		return "committed " + span(seconds(s.Age)) + " before"
	case "live":
		if s.Docs {
			return "changes only documentation, comments or formatting"
		}
		return fmt.Sprintf("%d of %s it changed are still so", s.Live, count(s.Lines, "line"))
	case "breadth":
		return fmt.Sprintf("changes %s in effect here, %s in the whole repository", count(s.Files, "file"), count(s.Paths, "file"))
	case "revert":
		switch n := c.newerReverts(); {
		case s.Revert:
			return "is itself a revert"
		case n > 0:
			return count(n, "newer revert") + " of changes to this App"
		}
	case "undone":
		if s.Undone {
			return "a newer change says that it takes this one back"
		}
	case "author":
		text := fmt.Sprintf("its author made %.0f %% of the changes looked at", 100*c.authorShare())
		if c.chained() {
			text += ", also the next newer one"
		}
		return text
	case "object":
		switch bearing(s.Bears) {
		case bears:
			return "changes " + s.what
		case bearsMaybe:
			return "changes " + s.what + ", which may or may not shape the failing object"
		case bearsNot:
			return "changes nothing that the failing object is known to be made of"
		}
	case "merge":
		if s.Merge {
			return "is a merge"
		}
	case "files":
		if s.Files > 0 && s.Added == s.Files {
			return "adds new files only"
		}
	}
	return ""
}

func newerChanges(n int) string {
	switch n {
	case 0:
		return "the newest change to this App"
	case 1:
		return "one change to this App is newer"
	}
	return fmt.Sprintf("%d changes to this App are newer", n)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// doubts lists the reasons not to be confident.
func (m Model) doubts(all []Signs, r Ranked) []string {
	if len(r.Order) == 0 {
		return []string{"No change to what this App is built from was found."}
	}
	var out []string
	doubt := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	first := r.Order[0]
	if r.None >= 0.5 {
		doubt("That no change of ours is guilty is likelier than not (%.0f %%).", 100*r.None)
	}
	if r.Shares[first] < m.Sure {
		doubt("If a change is guilty, it is the first suspect in %.0f %% of such cases; %.0f %% are needed.", math.Floor(100*r.Shares[first]), 100*m.Sure)
	}
	if all[first].Age > ConfidentAge.Seconds() {
		doubt("The first suspect is older than %s.", span(ConfidentAge))
	}
	if len(r.Order) > 1 && r.Scores[first]-r.Scores[r.Order[1]] < tied {
		doubt("The first two suspects are tied.")
	}
	return out
}
