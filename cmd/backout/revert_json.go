package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/vcs/git"
)

// answer is what backout revert says to programs. Fields may be added.
type answer struct {
	// Status is clean, conflict, empty, already-reverted or error.
	Status string `json:"status"`
	// Tree is the resulting root tree; also when nothing was left to take back.
	Tree bot.SHA `json:"tree,omitempty"`
	// Commit is the tip of the branch that was made.
	Commit bot.SHA `json:"commit,omitempty"`
	// By is the commit that took the change back before.
	By        bot.SHA    `json:"by,omitempty"`
	Changed   []string   `json:"changed"`
	Conflicts []conflict `json:"conflicts"`
	// Smallest is a set that reverts cleanly, newest first.
	Smallest []bot.SHA `json:"smallest,omitempty"`
	Error    string    `json:"error,omitempty"`
}

// conflict is a bot.Conflict with all its fields, empty or not.
type conflict struct {
	Path  string    `json:"path"`
	Kind  string    `json:"kind"`
	Since []bot.SHA `json:"since"`
}

func answered(t *git.TakenBack) answer {
	a := answer{Status: string(t.Status), Tree: t.Tree, By: t.By, Changed: t.Changed}
	for _, c := range t.Conflicts {
		a.Conflicts = append(a.Conflicts, conflict{c.Path, c.Kind, append([]bot.SHA{}, c.Since...)})
	}
	return a
}

func failed(err error) answer {
	return answer{Status: "error", Error: strings.ReplaceAll(advised(err).Error(), "\n", ". ")}
}

// writeAnswer writes one line.
func writeAnswer(w io.Writer, a answer) error {
	if a.Changed == nil {
		a.Changed = []string{}
	}
	if a.Conflicts == nil {
		a.Conflicts = []conflict{}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(a)
}

// maxLine is the longest line of input, in bytes.
const maxLine = 1 << 16

// revertLines answers each line of in, in order, before it reads the next.
func revertLines(ctx context.Context, repo *git.Repository, in io.Reader, out io.Writer) error {
	lines := bufio.NewReaderSize(in, maxLine)
	buffered := bufio.NewWriter(out)
	for ctx.Err() == nil {
		line, err := lines.ReadString('\n')
		if line == "" && errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the input: %w", err)
		}
		a, err := revertLine(ctx, repo, strings.TrimRight(line, "\r\n"))
		if err != nil {
			a = failed(err)
		}
		if err := errors.Join(writeAnswer(buffered, a), buffered.Flush()); err != nil {
			return fmt.Errorf("write an answer: %w", err)
		}
	}
	return ctx.Err()
}

func revertLine(ctx context.Context, repo *git.Repository, line string) (answer, error) {
	f := strings.Split(line, "\t")
	if len(f) != 3 {
		return answer{}, fmt.Errorf("a line has three fields between tabs: onto, commit, mainline; this has %d", len(f))
	}
	onto, err := repo.Resolve(f[0])
	if err != nil {
		return answer{}, err
	}
	culprit, err := repo.Resolve(f[1])
	if err != nil {
		return answer{}, err
	}
	mainline, err := mainlineOf(repo, culprit, f[2])
	if err != nil {
		return answer{}, err
	}
	taken, err := repo.Revert(ctx, onto, bot.Change{Commits: []bot.SHA{culprit}, Mainline: mainline})
	if err != nil {
		return answer{}, err
	}
	return answered(taken), nil
}

// mainlineOf reads the third field: a parent's number, 0 for none, or its SHA.
func mainlineOf(repo *git.Repository, culprit bot.SHA, field string) (int, error) {
	if sha := bot.SHA(field); sha.Valid() {
		return repo.Mainline(culprit, sha)
	}
	n, err := strconv.Atoi(field)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("mainline %q is neither a number nor a parent's SHA", field)
	}
	return n, nil
}
