package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/vcs/git"
)

// revertFlags are the flags of backout revert.
type revertFlags struct {
	repo, onto, branch string
	mainline           int
	json, stdin        bool
}

func revert() *cobra.Command {
	var f revertFlags
	cmd := &cobra.Command{
		Use:   "revert [--repo DIR] [--onto REV] [--mainline N] [--branch NAME] [--json] COMMIT|A..B...",
		Short: "Take commits back, without touching a work tree",
		Long: `Compute what takes commits back from a branch: exactly what git would make, in
process, from any clone, worktree or bare repository. Nothing is changed, unless
--branch names a branch to create, with one commit for each that is taken back.

  backout revert 1f2e3d4                what would change: diffstat and diff
  backout revert main~3..main           a range, newest first
  backout revert --branch undo 1f2e3d4  the same, as a branch
  backout revert --onto release 1f2e3d4

Several commits are taken back in the order given, those of a range newest
first, along first parents. A merge is taken back against its first parent
unless --mainline says otherwise.

A conflict says which paths, what kind, and which later commits touched them,
and names the smallest set of commits that reverts cleanly, if it finds one.
The exit status is 0 when the revert is clean or nothing is left to take back,
else 1.

With --stdin each line of the input is "ONTO<tab>COMMIT<tab>MAINLINE" (the
parent's number or SHA; 0: not a merge, or its first parent) and is answered with one line of JSON, in order. A
bad line is answered with an error; the rest goes on.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.stdin && len(args) > 0 || f.stdin && f.branch != "" {
				return errors.New("--stdin takes neither commits nor --branch")
			}
			if !f.stdin && len(args) == 0 {
				return errors.New("name a commit to take back, or a range A..B")
			}
			if f.mainline < 0 {
				return fmt.Errorf("--mainline %d: parents are counted from 1", f.mainline)
			}
			repo, err := git.Open(f.repo)
			if err == nil {
				defer repo.Close() //nolint:errcheck // only read from
			}
			if f.stdin {
				if err != nil {
					return advised(err)
				}
				return revertLines(cmd.Context(), repo, cmd.InOrStdin(), cmd.OutOrStdout())
			}
			if err == nil {
				err = revertOnce(cmd, repo, f, args)
			}
			if f.json && err != nil && !errors.Is(err, errConflict) {
				return errors.Join(writeAnswer(cmd.OutOrStdout(), failed(err)), advised(err))
			}
			return advised(err)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.repo, "repo", ".", "`folder` of the repository, or below it")
	flags.StringVar(&f.onto, "onto", "HEAD", "take back from this `revision`")
	flags.IntVar(&f.mainline, "mainline", 0, "parent of a merge that it is taken back against (default 1)")
	flags.StringVar(&f.branch, "branch", "", "create this branch with the result")
	flags.BoolVar(&f.json, "json", false, "print one JSON object")
	flags.BoolVar(&f.stdin, "stdin", false, "answer lines of ONTO<tab>COMMIT<tab>MAINLINE")
	return cmd
}

// errConflict is the end of a revert that was told as a conflict.
var errConflict = errors.New("the revert conflicts; nothing was changed")

// advised adds what to do to an error.
func advised(err error) error {
	var t *bot.Trouble
	if errors.As(err, &t) && t.Advice != "" {
		return fmt.Errorf("%w\n%s", err, t.Advice)
	}
	return err
}

// revertOnce takes back what the command line names.
func revertOnce(cmd *cobra.Command, repo *git.Repository, f revertFlags, args []string) error {
	ctx := cmd.Context()
	onto, err := repo.Resolve(f.onto)
	if err != nil {
		return err
	}
	change := bot.Change{Mainline: f.mainline}
	for _, arg := range args {
		commits, err := repo.Range(ctx, arg)
		if err != nil {
			return err
		}
		change.Commits = append(change.Commits, commits...)
	}
	taken, err := repo.Revert(ctx, onto, change)
	if err != nil {
		return err
	}
	smallest, err := taken.Smallest(ctx)
	if err != nil {
		return err
	}
	var tip bot.SHA
	if f.branch != "" && taken.Status == bot.RevertClean {
		if tip, err = taken.Commit(f.branch); err != nil {
			return err
		}
	}
	if f.json {
		a := answered(taken)
		a.Commit, a.Smallest = tip, smallest
		err = writeAnswer(cmd.OutOrStdout(), a)
	} else {
		told := telling{out: cmd.OutOrStdout(), notes: cmd.ErrOrStderr(), repo: repo, terminal: isTerminal(cmd.OutOrStdout())}
		told.colour = told.terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" // no-color.org
		err = told.tell(ctx, taken, smallest, f.branch, tip)
	}
	if err == nil && taken.Status == bot.RevertConflict {
		err = errConflict
	}
	return err
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
