package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/culprit"
	"github.com/backout-dev/backout/vcs/git"
)

// foundJSON is what backout find says to programs. Fields may be added.
type foundJSON struct {
	Suspects  []suspectJSON `json:"suspects"` // best first
	Confident bool          `json:"confident"`
	Doubts    []string      `json:"doubts,omitempty"`
	// None is the weight, 0 to 1, of no change of ours.
	None float64 `json:"none"`
	// Walked is how many commits were looked at.
	Walked int    `json:"walked"`
	Error  string `json:"error,omitempty"`
}

type suspectJSON struct {
	Commit  bot.SHA `json:"commit"`
	Subject string  `json:"subject"`
	Author  string  `json:"author"`
	// When it was committed.
	When  time.Time `json:"when"`
	Score float64   `json:"score"`
	// Chance that it is the culprit, 0 to 1; with None they add up to 1.
	Chance   float64        `json:"chance"`
	Evidence []bot.Evidence `json:"evidence"`
}

func writeFound(w io.Writer, f found) error {
	out := foundJSON{Suspects: []suspectJSON{}, Confident: f.finding.Confident, Doubts: f.finding.Doubts, None: f.finding.None, Walked: f.walked}
	for i, chance := range culprit.Chances(f.finding) {
		s := f.finding.Suspects[i]
		out.Suspects = append(out.Suspects, suspectJSON{s.Change.Head(), s.Change.Subject, s.Change.Author, s.Change.When, s.Score, chance, s.Evidence})
	}
	return writeLine(w, out)
}

func writeLine(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// findLines answers each line of the input with one of the output.
func findLines(ctx context.Context, repo *git.Repository, limit int, in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	for ctx.Err() == nil {
		line, err := lines.ReadString('\n')
		if line == "" && errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the input: %w", err)
		}
		q, err := lineQuestion(repo, strings.TrimRight(line, "\r\n"))
		var f found
		if err == nil {
			q.limit = limit
			f, err = q.ask(ctx, repo)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			err = writeFound(out, f)
		} else {
			err = writeLine(out, foundJSON{Suspects: []suspectJSON{}, None: 1, Error: strings.ReplaceAll(advised(err).Error(), "\n", ". ")})
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// lineQuestion reads "head TAB unix_time TAB path".
func lineQuestion(repo *git.Repository, text string) (q question, err error) {
	col := strings.Split(text, "\t")
	if len(col) != 3 {
		return q, fmt.Errorf("a line has %d columns, not head, time and path", len(col))
	}
	n, err := strconv.ParseInt(col[1], 10, 64)
	if err != nil {
		return q, fmt.Errorf("%q is no Unix time", col[1])
	}
	q.at = time.Unix(n, 0).UTC()
	if q.paths, err = cleaned(col[2:]); err != nil {
		return q, err
	}
	q.head, err = repo.Resolve(col[0])
	return q, err
}

// shown is how many suspects people are shown.
const shown = 10

// tellFound writes the suspects for people.
func tellFound(w io.Writer, f found, explain bool) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "CHANCE\tSCORE\tCOMMIT\tAGE\tAUTHOR\tSUBJECT\tWHY")
	chances := culprit.Chances(f.finding)
	for i, s := range f.finding.Suspects[:min(shown, len(f.finding.Suspects))] {
		why := ""
		if !explain {
			why = strongest(s.Evidence)
		}
		fmt.Fprintf(tw, "%.0f %%\t%.1f\t%s\t%s\t%s\t%s\t%s\n", 100*chances[i], s.Score, s.Change.Head().Short(), age(f.at.Sub(s.Change.When)),
			clip(s.Change.Author, 20), clip(s.Change.Subject, 60), why)
		if explain {
			for _, e := range s.Evidence {
				fmt.Fprintf(tw, "\t%+.1f\t%s\t\t\t%s\t\n", e.Weight, e.Signal, e.Detail)
			}
		}
	}
	fmt.Fprintf(tw, "%.0f %%\t\tnone\t\t\tno change of ours\t\n", 100*f.finding.None)
	if err := tw.Flush(); err != nil {
		return err
	}
	verdict := "Confident in the first suspect."
	if !f.finding.Confident {
		verdict = "Not confident. " + strings.Join(f.finding.Doubts, " ")
	}
	_, err := fmt.Fprintf(w, "\n%s\n%d commits were looked at.\n", verdict, f.walked)
	return err
}

// strongest is what weighs most, for or against.
func strongest(all []bot.Evidence) string {
	if len(all) == 0 {
		return ""
	}
	e := slices.MaxFunc(all, func(a, b bot.Evidence) int { return int(1000 * (abs(a.Weight) - abs(b.Weight))) })
	return e.Detail
}

func abs(x float64) float64 { return max(x, -x) }

func age(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(max(0, d).Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// clip shortens a text to n characters, without what would break the table or
// speak to the terminal.
func clip(s string, n int) string {
	r := []rune(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s))
	if len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return string(r)
}
