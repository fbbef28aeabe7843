package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

// The bounds of what people are shown of a finding: suspects, and lines of
// evidence on each.
const (
	shownSuspects = 5
	shownEvidence = 8
)

// suspects is, folded, the table of suspects, with no change of ours as one of
// them, then the evidence on each and what leaves doubt.
func suspects(r bot.Rollback) string {
	f := r.Finding
	if f == nil || len(f.Suspects) == 0 {
		return ""
	}
	var b strings.Builder
	sure := "certain"
	if !f.Confident {
		sure = "not certain"
	}
	fmt.Fprintf(&b, "<details><summary>How Backout found the change (%s; chance that it was no change of ours: %s)</summary>\n\n", sure, percent(f.None))
	b.WriteString(suspectTable(f, r.Incident.Onset))
	b.WriteString(proof(f))
	if len(f.Doubts) > 0 {
		items := make([]string, 0, len(f.Doubts))
		for _, d := range f.Doubts {
			items = append(items, prose(d))
		}
		fmt.Fprintf(&b, "What leaves doubt:\n\n%s\n", list(items, "doubts"))
	}
	b.WriteString("</details>\n\n")
	return b.String()
}

// suspectTable has one row for each suspect, and one for no change of ours.
func suspectTable(f *bot.Finding, onset bot.Onset) string {
	var b strings.Builder
	b.WriteString("| | chance | change | rolled out (UTC) | author | subject |\n|---|---|---|---|---|---|\n")
	for i, s := range f.Suspects[:min(shownSuspects, len(f.Suspects))] {
		chance := percent(s.Chance)
		if f.Weighed == 0 { // a finding of an earlier version
			chance = ""
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", place(f.Suspects, i), chance, reference(s.Change), rolledOut(s, onset), code(s.Change.Author), code(s.Change.Subject))
	}
	fmt.Fprintf(&b, "| | %s | no change of ours | | | |\n\n", percent(f.None))
	if n := max(f.Weighed, len(f.Suspects)) - shownSuspects; n > 0 {
		fmt.Fprintf(&b, "Backout weighed %d more.\n\n", n)
	}
	return b.String()
}

// proof is the evidence on each suspect that is shown, and on none.
func proof(f *bot.Finding) string {
	var b strings.Builder
	b.WriteString("The evidence, in log-odds: +0.7 doubles the odds, -0.7 halves them. What git tells weighs against the other suspects, with weights that " +
		"were fitted on what people reverted in public histories. What is marked judged was seen live; it also weighs against no change of ours, and its weight is judgement.\n\n")
	for i, s := range f.Suspects[:min(shownSuspects, len(f.Suspects))] {
		if len(s.Evidence) == 0 {
			continue
		}
		fmt.Fprintf(&b, "- %s (%s):\n%s", place(f.Suspects, i), reference(s.Change), evidence(s.Evidence))
	}
	if len(f.NoneEvidence) > 0 {
		fmt.Fprintf(&b, "- no change of ours:\n%s", evidence(f.NoneEvidence))
	}
	return b.String() + "\n"
}

// evidence is what was seen: live first, since only that is of this incident,
// then what weighs most.
func evidence(all []bot.Evidence) string {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b bot.Evidence) int {
		switch {
		case a.Judged && !b.Judged:
			return -1
		case b.Judged && !a.Judged:
			return 1
		}
		return cmp.Compare(math.Abs(b.Weight), math.Abs(a.Weight))
	})
	var b strings.Builder
	for _, e := range all[:min(shownEvidence, len(all))] {
		judged := ""
		if e.Judged {
			judged = ", judged"
		}
		fmt.Fprintf(&b, "  - %s: %s (%+.1f%s)\n", e.Signal, prose(line(e.Detail, maxQuoted)), e.Weight, judged)
	}
	if n := len(all) - shownEvidence; n > 0 {
		fmt.Fprintf(&b, "  - and %d that weigh less\n", n)
	}
	return b.String()
}

// tied is the difference of scores below which suspects are equal.
const tied = 1e-9

// place is the place of a suspect, from 1; those that are tied share theirs.
func place(all []bot.Suspect, i int) string {
	first, last := i, i
	for first > 0 && all[first-1].Score-all[first].Score < tied {
		first--
	}
	for last+1 < len(all) && all[last].Score-all[last+1].Score < tied {
		last++
	}
	if first == last {
		return fmt.Sprint(first + 1)
	}
	return fmt.Sprintf("%d, tied", first+1)
}

// percent is a chance as people say it: none is certain.
func percent(p float64) string {
	switch {
	case p < 0.01:
		return "under 1 %"
	case p > 0.99:
		return "over 99 %"
	}
	return fmt.Sprintf("%.0f %%", 100*p)
}

// reference is the shortest name of a change that people can follow.
func reference(c bot.Change) string {
	if c.PR != 0 {
		return fmt.Sprintf("#%d", c.PR)
	}
	return string(c.Head())
}

// rolledOut says when a suspect was rolled out, else how old it is.
func rolledOut(s bot.Suspect, onset bot.Onset) string {
	switch {
	case !s.RolledOut.IsZero():
		return moment(s.RolledOut, onset.To)
	case s.Change.When.IsZero():
		return "not on record"
	}
	return "not on record; committed " + moment(s.Change.When, onset.To)
}

// moment is a point in time, with its day where that is another one.
func moment(t, now time.Time) string {
	if t.UTC().Format(time.DateOnly) == now.UTC().Format(time.DateOnly) {
		return clock(t)
	}
	return t.UTC().Format("2006-01-02 15:04")
}
