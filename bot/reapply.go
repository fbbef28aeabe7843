package bot

import (
	"context"
	"fmt"
	"strings"
)

// Reapply is what there is to tell about bringing back what was taken back.
type Reapply struct {
	// Revert is the change that took it back, and is taken back itself.
	Revert Change `json:"revert"`
	// Original is what comes back; nothing is known of it where somebody else
	// than Backout reverted it.
	Original Change `json:"original,omitzero"`
	// Rollback is the one that took it back; empty when it was none of ours.
	Rollback RollbackID `json:"rollback,omitempty"`
	Base     string     `json:"base"`
	Branch   string     `json:"branch"`
	By       string     `json:"by"`               // who asks for it
	Reason   string     `json:"reason,omitempty"` // their words, untrusted
	// Author is asked whether it is ready; empty when no account is known.
	Author string `json:"author,omitempty"`
	Onto   SHA    `json:"onto"`
	Tree   SHA    `json:"tree"`
	Server string `json:"server,omitempty"`
	// Standing is the number of the draft that is open already; 0 for none.
	Standing int `json:"standing,omitempty"`
	// Refusal is why there is nothing to open.
	Refusal *Answer `json:"refusal,omitempty"`
}

// ReapplyBranch names the branch: one for each revert, so that it is opened once.
func (r Reapply) ReapplyBranch() string { return "backout/reapply-" + r.Revert.Head().Short() }

// maxReapplies bounds how often a base that moves makes us compute again.
const maxReapplies = 5

// commandReapply takes a revert back: it opens a draft pull request and asks the
// author of what comes back. It never merges: a person thought it was bad.
func (f *Flow) commandReapply(ctx context.Context, j Journal, e Event, cmd Command, who authority) error {
	c := *e.Comment
	for try := 1; ; try++ {
		d, err := attemptUpTo(ctx, f, j, commandTries, "resolve reapply", func(ctx context.Context) (Reapply, error) {
			return f.reapply(ctx, c, cmd, who)
		})
		if err != nil {
			return err
		}
		if d.Trouble != nil {
			return f.answer(ctx, j, c, Answer{Kind: AnswerRefused, Command: cmd.Line, Detail: d.Trouble.Text, Advice: d.Trouble.Advice})
		}
		if d.Value.Refusal != nil {
			return f.answer(ctx, j, c, *d.Value.Refusal)
		}
		if d.Value.Standing != 0 {
			return f.answer(ctx, j, c, reapplied(cmd, fmt.Sprintf("#%d is open already and brings the change back.", d.Value.Standing)))
		}
		opened, err := attemptUpTo(ctx, f, j, commandTries, "open reapply", func(ctx context.Context) (RevertPull, error) {
			return f.openReapply(ctx, c.Repo, d.Value)
		})
		if err != nil {
			return err
		}
		if t := opened.Trouble; t != nil && t.Kind == TroubleStale && try < maxReapplies {
			continue
		}
		if t := opened.Trouble; t != nil {
			return f.answer(ctx, j, c, Answer{Kind: AnswerRefused, Command: cmd.Line, Detail: t.Text, Advice: t.Advice})
		}
		return f.tellReapply(ctx, j, c, cmd, d.Value, opened.Value)
	}
}

// tellReapply asks the author for a review, once, and answers.
func (f *Flow) tellReapply(ctx context.Context, j Journal, c Comment, cmd Command, r Reapply, pull RevertPull) error {
	if r.Author != "" {
		d, err := attemptUpTo(ctx, f, j, commandTries, "ask the author", func(ctx context.Context) (bool, error) {
			return true, f.Ports.Reverts.AskReview(ctx, c.Repo, pull.Number, []string{r.Author})
		})
		if err != nil {
			return err
		}
		if d.Trouble != nil {
			f.Log.WarnContext(ctx, "author could not be asked", "number", pull.Number, "trouble", d.Trouble.Text)
		}
	}
	return f.answer(ctx, j, c, reapplied(cmd, fmt.Sprintf("Opened #%d as a draft, which brings the change back.", pull.Number)))
}

func reapplied(cmd Command, detail string) Answer {
	return Answer{Kind: AnswerNoted, Command: cmd.Line, Detail: detail, Advice: "Backout does not merge it: mark it ready and merge it once the cause is mended."}
}

// reapply finds the revert that a command means and computes its revert on the
// base as it is now.
func (f *Flow) reapply(ctx context.Context, c Comment, cmd Command, who authority) (Reapply, error) {
	no := func(advice, format string, args ...any) Reapply {
		return Reapply{Refusal: refused(cmd, advice, format, args...).Refusal}
	}
	if f.Observe {
		return no("", "Backout runs with --observe and writes nowhere."), nil
	}
	if err := f.Ports.History.Fetch(ctx, c.Repo); err != nil {
		return Reapply{}, fmt.Errorf("fetch %s: %w", c.Repo, err)
	}
	r, ok, err := f.revertMeant(ctx, c, cmd)
	if err != nil {
		return r, err
	}
	if !ok {
		return no("Name the revert: `/reapply #<number>` or `/reapply <sha>`.", "No merged revert is known here that could be taken back."), nil
	}
	r.By, r.Reason, r.Server = c.Author, cmd.Reason, f.Server
	r.Branch = r.ReapplyBranch()
	if r.Original.PR != 0 {
		r.Author = r.Original.Author // of a pull request: an account
	}
	if why, err := f.mayReapply(ctx, c, r, who); why != "" || err != nil {
		return no("", "%s", why), err
	}
	standing, ok, err := f.Ports.Reverts.Standing(ctx, c.Repo, r.Base, r.Branch)
	if err != nil {
		return r, fmt.Errorf("look for an open reapply: %w", err)
	}
	if ok {
		r.Standing = standing.Number // on an older base perhaps, or somebody works on it
		return r, nil
	}
	if r.Onto, err = f.Ports.History.Resolve(ctx, c.Repo, r.Base); err != nil {
		return r, fmt.Errorf("resolve branch %s: %w", r.Base, err)
	}
	rv, err := f.Ports.History.Revert(ctx, c.Repo, r.Onto, r.Revert)
	if err != nil {
		return r, fmt.Errorf("compute the reapply: %w", err)
	}
	r.Tree = rv.Tree
	short := r.Revert.Head().Short()
	switch rv.Status {
	case RevertClean:
		return r, nil
	case RevertAlready:
		return no("", "The revert %s is taken back already, by %s.", short, rv.By.Short()), nil
	case RevertEmpty:
		return no("", "Nothing of the revert %s is left on %s.", short, r.Base), nil
	}
	var paths []string
	for _, x := range rv.Conflicts {
		paths = append(paths, x.Path)
	}
	return no(fmt.Sprintf("On a branch from %s: `git revert %s`, solve the conflicts, and open a pull request.", r.Base, revertArgs(r.Revert)),
		"Later commits changed the same lines, so the change can't be brought back by itself: %s.", strings.Join(paths[:min(len(paths), 10)], ", ")), nil
}

// mayReapply says why nothing may be opened.
func (f *Flow) mayReapply(ctx context.Context, c Comment, r Reapply, who authority) (string, error) {
	if why, on := f.halted(ctx, c.Repo); on {
		return why.Text, nil
	}
	head, err := f.Ports.History.Resolve(ctx, c.Repo, r.Base)
	if err != nil {
		return "", fmt.Errorf("resolve branch %s: %w", r.Base, err)
	}
	apps, err := f.targets(ctx, c.Repo, r.Base, head, r.Revert)
	if err != nil {
		return "", err
	}
	rules, _, err := f.rules(ctx, c.Repo)
	if err != nil {
		return "", fmt.Errorf("read the policy: %w", err)
	}
	p := rules.Policy(apps...)
	if p.Commands == ModeObserve {
		return "The policy of what this change touches lets Backout observe only.", nil
	}
	if who.Permission.AtLeast(PermissionWrite) {
		return "", nil
	}
	via, lacks, err := f.listed(ctx, c.Repo, p.Commanders, c.Author)
	if via == "" && err == nil {
		return strings.TrimSpace("You may not write to this repository, and the policy of what this change touches does not let you command. " + lacks), nil
	}
	return "", err
}

// revertMeant finds the merged revert that a command means: one of ours by its
// own number or that of what it took back, else a change that is a revert.
func (f *Flow) revertMeant(ctx context.Context, c Comment, cmd Command) (Reapply, bool, error) {
	number := c.Number
	if cmd.PR != 0 {
		number = cmd.PR
	}
	q := RollbackQuery{Repo: c.Repo, Number: number}
	var sha SHA
	if cmd.SHA != "" {
		var err error
		if sha, err = f.Ports.History.Resolve(ctx, c.Repo, cmd.SHA); IsTrouble(err, TroubleNotFound) || IsTrouble(err, TroubleInvalid) {
			return Reapply{}, false, nil
		} else if err != nil {
			return Reapply{}, false, fmt.Errorf("resolve %s: %w", cmd.SHA, err)
		}
		q = RollbackQuery{Repo: c.Repo, Culprit: sha}
	}
	records, err := f.Ports.Ledger.Find(ctx, q)
	if err != nil {
		return Reapply{}, false, fmt.Errorf("look for the rollback: %w", err)
	}
	for _, rec := range records {
		if rec.View == nil || rec.View.Merge == nil || rec.View.Merge.Commit == "" {
			continue
		}
		ch, err := f.changeAt(ctx, c.Repo, rec.View.Merge.Commit)
		return Reapply{Revert: ch, Original: rec.Culprit, Rollback: rec.ID, Base: rec.Base}, err == nil, err
	}
	return f.anyRevert(ctx, c.Repo, number, sha)
}

// anyRevert is a merged revert by whomever.
func (f *Flow) anyRevert(ctx context.Context, repo RepoName, number int, sha SHA) (Reapply, bool, error) {
	var r Reapply
	var err error
	if sha == "" {
		pull, err := f.Ports.Pulls.Pull(ctx, repo, number)
		if IsTrouble(err, TroubleNotFound) || err == nil && !pull.Merged {
			return r, false, nil
		}
		if err != nil {
			return r, false, fmt.Errorf("read pull request %d: %w", number, err)
		}
		r.Base = pull.Base
		r.Revert, err = f.changeOf(ctx, repo, pull)
		return r, err == nil && r.Revert.IsRevert, err
	}
	if r.Base, err = f.Ports.History.Default(ctx, repo); err != nil {
		return r, false, fmt.Errorf("find the default branch: %w", err)
	}
	r.Revert, err = f.changeAt(ctx, repo, sha)
	return r, err == nil && r.Revert.IsRevert, err
}

// openReapply opens the draft. The branch is the lock: what stands there
// already is taken for ours only if it is the very same.
func (f *Flow) openReapply(ctx context.Context, repo RepoName, r Reapply) (RevertPull, error) {
	rv, err := f.Ports.History.Revert(ctx, repo, r.Onto, r.Revert)
	if err != nil {
		return RevertPull{}, fmt.Errorf("compute the reapply: %w", err)
	}
	if rv.Status != RevertClean || rv.Tree != r.Tree {
		return RevertPull{}, NewTrouble(TroubleStale, nil, "The reapply computed now is not the one that was decided upon.")
	}
	title, body, message := f.Ports.Teller.Reapply(r)
	pull, err := f.Ports.Reverts.Open(ctx, RevertRequest{
		Repo: repo, Base: r.Base, Branch: r.Branch, Onto: r.Onto, Tree: r.Tree, Files: rv.Files,
		Title: title, Body: body, Message: message, Draft: true,
	})
	if err == nil {
		f.freeImages(ctx, r.Rollback)
	}
	return pull, err
}
