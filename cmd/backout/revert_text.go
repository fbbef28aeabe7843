package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/vcs/git"
)

// telling tells a revert to a person: the result on out, everything about it on
// notes, so that out can be piped into git apply.
type telling struct {
	out, notes io.Writer
	repo       *git.Repository
	terminal   bool
	colour     bool
}

func (t telling) tell(ctx context.Context, taken *git.TakenBack, smallest []bot.SHA, branch string, tip bot.SHA) error {
	for _, m := range taken.Merges {
		fmt.Fprintf(t.notes, "%s is a merge: taken back against its parent number %d.\n", t.name(m), taken.Mainline)
	}
	switch taken.Status {
	case bot.RevertConflict:
		t.conflict(taken.Conflicts, smallest)
		return nil
	case bot.RevertEmpty:
		fmt.Fprintln(t.notes, "Nothing is left to take back.")
		return nil
	case bot.RevertAlready:
		fmt.Fprintf(t.notes, "It was taken back already, by %s.\n", t.name(taken.By))
		return nil
	}
	files, err := taken.Contents(ctx)
	if err != nil {
		return err
	}
	t.stat(files)
	fmt.Fprintln(t.out)
	for _, f := range files {
		t.patch(git.Patch(f))
	}
	if tip != "" {
		fmt.Fprintf(t.notes, "Branch %s is at %s.\n", branch, tip.Short())
	}
	return nil
}

// conflict says what is in the way.
func (t telling) conflict(conflicts []bot.Conflict, smallest []bot.SHA) {
	for _, c := range conflicts {
		fmt.Fprintf(t.out, "%s %s\n", t.paint(red, "conflict ("+c.Kind+")"), printable(c.Path))
		for _, sha := range c.Since {
			fmt.Fprintf(t.out, "    since touched by %s\n", t.name(sha))
		}
	}
	if len(smallest) == 0 {
		return
	}
	fmt.Fprintf(t.out, "\nTaken back together, these %d commits revert cleanly:\n", len(smallest))
	args := make([]string, len(smallest))
	for i, sha := range smallest {
		fmt.Fprintf(t.out, "    %s\n", t.name(sha))
		args[i] = sha.Short()
	}
	fmt.Fprintf(t.out, "  backout revert %s\n", strings.Join(args, " "))
}

// name is a commit with its subject.
func (t telling) name(sha bot.SHA) string {
	subject, err := t.repo.Subject(sha)
	if err != nil {
		return sha.Short()
	}
	return t.paint(yellow, sha.Short()) + " " + printable(subject)
}

// statWidth is how many signs the longest bar of a diffstat has.
const statWidth = 40

// stat writes a diffstat.
func (t telling) stat(files []bot.FileChange) {
	widest, most := 0, 1
	for _, f := range files {
		added, removed, _ := git.Lines(f)
		widest, most = max(widest, len([]rune(printable(f.Path)))), max(most, added+removed)
	}
	var adds, removes int
	for _, f := range files {
		added, removed, binary := git.Lines(f)
		adds, removes = adds+added, removes+removed
		path := printable(f.Path)
		fmt.Fprintf(t.out, " %s%s | ", path, strings.Repeat(" ", widest-len([]rune(path))))
		if binary {
			fmt.Fprintln(t.out, "binary")
			continue
		}
		plus, minus := bar(added, most), bar(removed, most)
		fmt.Fprintf(t.out, "%4d %s%s\n", added+removed, t.paint(green, strings.Repeat("+", plus)), t.paint(red, strings.Repeat("-", minus)))
	}
	fmt.Fprintf(t.out, " %s changed, %s, %s\n", count(len(files), "file"), count(adds, "insertion")+"(+)", count(removes, "deletion")+"(-)")
}

// bar is the length for n of at most most; something is never shown as nothing.
func bar(n, most int) int {
	if most <= statWidth || n == 0 {
		return n
	}
	return max(1, n*statWidth/most)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// The colours of git diff.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
	bold   = "1"
)

func (t telling) paint(colour, s string) string {
	if !t.colour || s == "" {
		return s
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}

// patch writes a diff. On a terminal it is coloured, and what would steer the
// terminal is shown instead of sent.
func (t telling) patch(text string) {
	if !t.colour && !t.terminal {
		io.WriteString(t.out, text) //nolint:errcheck // as with any print
		return
	}
	head := true
	for line := range strings.Lines(text) {
		line = printable(strings.TrimSuffix(line, "\n"))
		colour := ""
		switch {
		case strings.HasPrefix(line, "diff --git "):
			head, colour = true, bold
		case strings.HasPrefix(line, "@@ "):
			head, colour = false, cyan
		case head:
			colour = bold
		case strings.HasPrefix(line, "+"):
			colour = green
		case strings.HasPrefix(line, "-"):
			colour = red
		}
		if colour != "" {
			line = t.paint(colour, line)
		}
		fmt.Fprintln(t.out, line)
	}
}

// printable shows what would steer a terminal as �.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c != '\t' && !unicode.IsPrint(c) {
			return unicode.ReplacementChar
		}
		return c
	}, s)
}
