package bot

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// changeAt is the change that a commit belongs to: its pull request's when it
// came from one, else the commit itself.
func (f *Flow) changeAt(ctx context.Context, repo RepoName, sha SHA) (Change, error) {
	pull, ok, err := f.Ports.Pulls.PullOf(ctx, repo, sha)
	if err != nil {
		return Change{}, fmt.Errorf("look up the pull request of %s: %w", sha.Short(), err)
	}
	if ok && pull.Merged {
		ch, err := f.changeOf(ctx, repo, pull)
		// A commit inside a merged branch is not what first parents show; only
		// a commit that is part of the change stands for the whole.
		if err != nil || slices.Contains(ch.Commits, sha) {
			return ch, err
		}
	}
	commit, err := f.Ports.History.Commit(ctx, repo, sha)
	if err != nil {
		return Change{}, fmt.Errorf("read commit %s: %w", sha.Short(), err)
	}
	return changeFrom(commit), nil
}

// changeOf is the change that a merged pull request brought: a merge commit, a
// squash, or the commits of a rebase.
func (f *Flow) changeOf(ctx context.Context, repo RepoName, pull Pull) (Change, error) {
	merge, err := f.Ports.History.Commit(ctx, repo, pull.MergeCommit)
	if err != nil {
		return Change{}, fmt.Errorf("read merge commit of #%d: %w", pull.Number, err)
	}
	commits := []Commit{merge}
	if n := len(pull.Subjects); len(merge.Parents) == 1 && n > 1 {
		last, err := f.Ports.History.Log(ctx, LogQuery{Repo: repo, From: merge.SHA, Limit: n})
		if err != nil {
			return Change{}, fmt.Errorf("read commits of #%d: %w", pull.Number, err)
		}
		if rebased(last, pull.Subjects) {
			commits = last
		}
	}
	ch := changeFrom(commits...)
	ch.PR, ch.Author, ch.When = pull.Number, pull.Author, pull.MergedAt
	if len(commits) > 1 || len(merge.Parents) > 1 {
		ch.Subject = pull.Title
	}
	ch.IsRevert = ch.IsRevert || revertPull(pull)
	if len(merge.Parents) > 1 && !ch.IsRevert {
		// A merge commit tells nothing of what it merges.
		tip, err := f.Ports.History.Commit(ctx, repo, merge.Parents[1])
		if err != nil && !IsTrouble(err, TroubleNotFound) {
			return Change{}, fmt.Errorf("read the branch of #%d: %w", pull.Number, err)
		}
		ch.IsRevert = takesSomethingBack(tip.Message)
	}
	return ch, nil
}

// revertPull reports whether a pull request calls itself a revert: by a branch
// of ours, by one of GitHub's button ("revert-12-topic"), or by its title. A
// squash keeps none of its commits' messages.
func revertPull(p Pull) bool {
	return strings.HasPrefix(p.Head, "backout/") || buttonBranch.MatchString(p.Head) ||
		strings.HasPrefix(p.Title, `Revert "`) || strings.HasPrefix(p.Title, `Reapply "`)
}

var buttonBranch = regexp.MustCompile(`^revert-[0-9]+-`)

func takesSomethingBack(message string) bool {
	return strings.Contains(message, "This reverts commit ")
}

// rebased reports whether the newest first-parent commits are those of the
// pull request, one by one: then it was rebased, else squashed.
func rebased(newest []Commit, subjects []string) bool {
	if len(newest) != len(subjects) {
		return false
	}
	for i, c := range newest {
		if len(c.Parents) != 1 || c.Subject != subjects[len(subjects)-1-i] {
			return false
		}
	}
	return true
}

// changeFrom makes a change of commits, newest first.
func changeFrom(commits ...Commit) Change {
	first := commits[0]
	ch := Change{Subject: first.Subject, Author: first.Author, When: first.When}
	if len(first.Parents) > 1 {
		ch.Mainline = 1
	}
	for _, c := range commits {
		ch.Commits = append(ch.Commits, c.SHA)
		ch.Paths = append(ch.Paths, c.Paths...)
		ch.IsRevert = ch.IsRevert || takesSomethingBack(c.Message)
	}
	slices.Sort(ch.Paths)
	ch.Paths = slices.Compact(ch.Paths)
	return ch
}
