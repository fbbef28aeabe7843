package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/culprit"
	"github.com/backout-dev/backout/vcs/git"
)

// findFlags are the flags of backout find.
type findFlags struct {
	repo, head, at, good, workload string
	limit                          int
	json, explain, stdin           bool
}

func find() *cobra.Command {
	var f findFlags
	cmd := &cobra.Command{
		Use:   "find [--repo DIR] [--head REV] [--at TIME] [--good REV] [--workload KIND/NAME] [--json] PATH...",
		Short: "Name the change that may have broken an app",
		Long: `Rank the changes that may have broken what is built from some paths, at a
moment, by what git alone tells: how new each is, what of it still stands, how
wide it is, whether it takes another one back. What the paths reference in the
repository (kustomizations, charts, values) counts as well. Nothing is written.

  backout find apps/web                         now, at HEAD
  backout find --at 2026-03-02T12:00:00Z apps/web
  backout find --good v41 apps/web              only what came after v41
  backout find --workload Deployment/web apps   a failing object
  backout find --explain apps/web               with the whole evidence

Most incidents have no guilty commit: the weight of "no change of ours" is said
too. It holds where half of all incidents have one.

With --stdin each line of the input is "HEAD<tab>UNIX_TIME<tab>PATH" and is
answered with one line of JSON, in order. A bad line is answered with an error;
the rest goes on.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.stdin == (len(args) > 0) {
				return errors.New("name the paths of an app, or give --stdin and no path")
			}
			if f.limit < 1 {
				return fmt.Errorf("--limit %d: at least one change must be looked at", f.limit)
			}
			repo, err := git.Open(f.repo)
			if err != nil {
				return advised(err)
			}
			defer repo.Close() //nolint:errcheck // only read from
			if f.stdin {
				return findLines(cmd.Context(), repo, f.limit, cmd.InOrStdin(), cmd.OutOrStdout())
			}
			q, err := f.question(cmd.Context(), repo, args, cmd.Flags().Changed("head"))
			if err != nil {
				return advised(err)
			}
			found, err := q.ask(cmd.Context(), repo)
			if err != nil {
				return advised(err)
			}
			if f.json {
				return writeFound(cmd.OutOrStdout(), found)
			}
			return tellFound(cmd.OutOrStdout(), found, f.explain)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.repo, "repo", ".", "`folder` of the repository, or below it")
	flags.StringVar(&f.head, "head", "HEAD", "the `revision` that was deployed")
	flags.StringVar(&f.at, "at", "", "the `time` of the trouble, as 2026-03-02T12:00:00Z or Unix seconds (default now)")
	flags.StringVar(&f.good, "good", "", "a `revision` that was good: only what came after it is looked at")
	flags.StringVar(&f.workload, "workload", "", "the failing object, as `KIND/NAME`")
	flags.IntVar(&f.limit, "limit", bot.MaxCandidates, "how many changes are looked at")
	flags.BoolVar(&f.json, "json", false, "print one JSON object")
	flags.BoolVar(&f.explain, "explain", false, "print all evidence")
	flags.BoolVar(&f.stdin, "stdin", false, "answer lines of HEAD<tab>UNIX_TIME<tab>PATH")
	return cmd
}

// question is one question to the ranking.
type question struct {
	head, good bot.SHA
	at         time.Time
	paths      []string
	failing    *bot.Workload
	limit      int
}

// question reads what the command line says. A moment without a head means what
// was the head then.
func (f findFlags) question(ctx context.Context, repo *git.Repository, paths []string, headGiven bool) (q question, err error) {
	q = question{at: time.Now(), limit: f.limit}
	if q.paths, err = cleaned(paths); err != nil {
		return q, err
	}
	if q.failing, err = workloadOf(f.workload); err != nil {
		return q, err
	}
	if q.head, err = repo.Resolve(f.head); err != nil {
		return q, err
	}
	if f.good != "" {
		if q.good, err = repo.Resolve(f.good); err != nil {
			return q, err
		}
	}
	if f.at == "" {
		return q, nil
	}
	if q.at, err = moment(f.at); err != nil || headGiven {
		return q, err
	}
	head, err := repo.Before(ctx, q.head, q.at)
	if err == nil && head == "" {
		err = fmt.Errorf("%s has no commit as old as %s", f.head, q.at.Format(time.RFC3339))
	}
	q.head = head
	return q, err
}

func moment(text string) (time.Time, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(n, 0).UTC(), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("%q is not a time: write it as 2026-03-02T12:00:00Z, or as Unix seconds", text)
	}
	return t, nil
}

// cleaned makes paths relative to the root of the repository.
func cleaned(paths []string) ([]string, error) {
	var out []string
	for _, p := range paths {
		c := path.Clean(strings.TrimSuffix(p, "/"))
		if p == "" || path.IsAbs(c) || !fs.ValidPath(c) {
			return nil, fmt.Errorf("%q is not a path below the root of the repository", p)
		}
		out = append(out, c)
	}
	return out, nil
}

func workloadOf(text string) (*bot.Workload, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // none was named
	}
	kind, name, ok := strings.Cut(text, "/")
	if !ok || kind == "" || name == "" || strings.Contains(name, "/") {
		return nil, fmt.Errorf("%q is not a workload: write it as Deployment/web", text)
	}
	return &bot.Workload{Kind: kind, Name: name}, nil
}

// found is an answer with what it rests on.
type found struct {
	finding bot.Finding
	at      time.Time
	walked  int
}

// ask gathers the facts and ranks them.
func (q question) ask(ctx context.Context, repo *git.Repository) (found, error) {
	out := found{at: q.at}
	plain, err := repo.Tree(q.head)
	if err == nil {
		err = q.ordered(ctx, repo)
	}
	if err != nil {
		return out, err
	}
	tree, ranker := &watched{FS: plain, repo: repo}, culprit.Ranker{}
	facts := bot.Facts{Now: q.at, Failing: q.failing, App: bot.App{Source: bot.Source{Paths: q.paths}}, Closure: ranker.Closure(tree, q.paths)}
	if tree.failed != nil {
		return out, tree.failed
	}
	commits, walked, err := repo.Log(ctx, git.PastQuery{From: q.head, Good: q.good, Paths: facts.Closure, Limit: q.limit})
	if err != nil {
		return out, err
	}
	out.walked = walked
	if len(commits) == 0 && q.good == "" {
		return out, bot.NewTrouble(bot.TroubleNotFound, nil, "%s never existed on the way to %s", strings.Join(q.paths, ", "), q.head.Short()).
			WithAdvice("Paths are relative to the root of the repository.")
	}
	if q.failing != nil {
		parts := culprit.PartsOf(tree, facts.Closure, *q.failing)
		if len(parts.Files) == 0 {
			return out, bot.NewTrouble(bot.TroubleNotFound, nil, "no manifest below %s has %s %s", strings.Join(facts.Closure, ", "), q.failing.Kind, q.failing.Name).
				WithAdvice("Where a chart or a program writes it, ask without --workload.")
		}
		facts.PartFiles, facts.PartObjects = parts.Files, parts.Objects
	}
	diff := func(ctx context.Context, from, to bot.SHA) ([]bot.FileChange, error) {
		return repo.Diff(ctx, from, to, facts.Closure)
	}
	seen := culprit.NewMeasuring(facts)
	for _, c := range commits {
		cand, err := bot.Examine(ctx, c, tree, diff)
		if err != nil {
			return out, err
		}
		seen.Add(cand)
		cand.Files, cand.Current = nil, nil // only the contents of one at a time
		facts.Candidates = append(facts.Candidates, cand)
	}
	out.finding = ranker.HistoryOf(facts.Candidates, seen.Signs())
	return out, tree.failed
}

// ordered refuses a good revision that is on another line than the head: what came
// after it can't be said then. One that the head is a part of leaves nothing to
// look at.
func (q question) ordered(ctx context.Context, repo *git.Repository) error {
	if q.good == "" {
		return nil
	}
	for _, line := range [][2]bot.SHA{{q.good, q.head}, {q.head, q.good}} {
		if is, err := repo.Contains(ctx, line[0], line[1]); is || err != nil && line[0] == q.head {
			return err
		}
	}
	return bot.NewTrouble(bot.TroubleInvalid, nil, "%s is not an ancestor of %s", q.good.Short(), q.head.Short()).
		WithAdvice("Name as --good a revision that was deployed before --head.")
}
