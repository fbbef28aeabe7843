package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// took is a duration as people say it: "4 s", "1 min 20 s", "2 h 5 min".
func took(d time.Duration) string {
	switch d = d.Round(100 * time.Millisecond); {
	case d < 0:
		return "0 s"
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Truncate(time.Second).Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
}

func clock(t time.Time) string { return t.UTC().Format(time.TimeOnly) }

// list joins lines as a Markdown list, no longer than shown. Empty ones are left
// out: a lone dash would make a heading of the line before.
func list(items []string, more string) string {
	items = slices.DeleteFunc(items, func(s string) bool { return s == "" })
	var b strings.Builder
	for i, it := range items {
		if i == shown {
			fmt.Fprintf(&b, "- and %d more %s\n", len(items)-i, more)
			break
		}
		fmt.Fprintf(&b, "- %s\n", it)
	}
	return b.String()
}

// shown bounds every list and table: a text longer than GitHub takes would be
// cut where it matters most.
const shown = 20

// maxText is GitHub's limit for a comment, a pull request and a check run's
// summary, less what the caller puts around it
// (https://docs.github.com/graphql: body is too long, maximum is 65536).
const maxText = 65000

// cut keeps a text below GitHub's limit and says that it was cut. It cuts
// between lines, since half a code span would let out what it holds, and closes
// what is folded.
func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	s = s[:strings.LastIndexByte(s[:maxText], '\n')+1]
	for range strings.Count(s, "<details>") - strings.Count(s, "</details>") {
		s += "\n</details>\n"
	}
	return s + "\n… cut here: the text is longer than GitHub takes.\n"
}
