package model

import (
	"context"
	"fmt"

	"github.com/backout-dev/backout/bot"
)

// Warm implements bot.Reverts.
func (w *World) Warm(context.Context, bot.RepoName) error {
	_, err := reading(w, func() (bool, error) { return true, nil })
	return err
}

// Open implements bot.Reverts. The branch is the lock: what stands on it decides.
func (w *World) Open(_ context.Context, r bot.RevertRequest) (bot.RevertPull, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.reach(); err != nil {
		return bot.RevertPull{}, err
	}
	tip := w.repo.head(r.Branch)
	p := w.standing(r, tip)
	if p == nil && tip != nil && !is(tip, r) {
		return bot.RevertPull{}, bot.NewTrouble(bot.TroubleInvalid, nil, "branch %s holds commit %s by %q, which is not this revert", r.Branch, tip.SHA.Short(), tip.Author)
	}
	if p != nil {
		return w.opened(p, r, true), nil
	}
	err := w.write("opens the revert on "+r.Branch, func() error {
		if tip == nil {
			n := w.write3(r)
			if n.Tree != r.Tree {
				return bot.NewTrouble(bot.TroubleInvalid, nil, "the commit is not the revert that was computed")
			}
			w.repo.heads[r.Branch] = n.SHA
		}
		p = w.pullRequest(botLogin, r.Title, r.Branch)
		w.note("  bot: it is #%d", p.number)
		return nil
	})
	if err != nil {
		return bot.RevertPull{}, err
	}
	if w.repo.heads[trunk] != r.Onto {
		if err := w.write("deletes "+r.Branch+", made on an old base", func() error { w.setHead(r.Branch, ""); return nil }); err != nil {
			return bot.RevertPull{}, err
		}
		return bot.RevertPull{}, bot.NewTrouble(bot.TroubleStale, nil, "main moved meanwhile")
	}
	if change := w.change; change != nil {
		w.change = nil
		change()
	}
	return w.opened(p, r, false), nil
}

// write3 makes the commit of a revert from its files.
func (w *World) write3(r bot.RevertRequest) *node {
	onto := w.repo.nodes[r.Onto]
	change := map[string]string{}
	for _, f := range r.Files {
		change[f.Path] = string(f.After)
	}
	return w.repo.commit(onto.files.with(change), botLogin, r.Message, w.now(), onto)
}

func is(n *node, r bot.RevertRequest) bool {
	return n.Tree == r.Tree && len(n.Parents) == 1 && n.Parents[0] == r.Onto
}

// standing is the pull request that stands for a request already: the oldest
// from the branch with its head, or a merged one whose branch is gone.
func (w *World) standing(r bot.RevertRequest, tip *node) *pull {
	for _, p := range w.pulls {
		if p.branch != r.Branch || !is(w.repo.nodes[p.head], r) {
			continue
		}
		if tip != nil && p.head == tip.SHA || p.merged {
			return p
		}
	}
	return nil
}

func (w *World) opened(p *pull, r bot.RevertRequest, found bool) bot.RevertPull {
	g := w.gate(p)
	g.Checks, g.State = nil, "UNKNOWN" // which checks are required is not known yet
	return bot.RevertPull{Number: p.number, URL: w.url(p), Branch: r.Branch, Head: p.head, Tree: r.Tree, Found: found, Gate: g}
}

// Standing implements bot.Reverts.
func (w *World) Standing(_ context.Context, _ bot.RepoName, _, branch string) (out bot.RevertPull, ok bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.reach(); err != nil {
		return out, false, err
	}
	for _, p := range w.pulls {
		if p.open && p.branch == branch && p.author == botLogin {
			return bot.RevertPull{Number: p.number, URL: w.url(p), Branch: branch, Head: p.head}, true, nil
		}
	}
	return out, false, nil
}

// Gate implements bot.Reverts.
func (w *World) Gate(_ context.Context, _ bot.RepoName, number int) (bot.Gate, error) {
	return reading(w, func() (bot.Gate, error) {
		p, err := w.pull(number)
		if err != nil {
			return bot.Gate{}, err
		}
		return w.gate(p), nil
	})
}

// Merge implements bot.Reverts.
func (w *World) Merge(_ context.Context, r bot.MergeRequest) (out bot.Merged, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, err := w.pull(r.Number)
	if err != nil {
		return out, err
	}
	if ambush := w.ambush; ambush != nil {
		w.ambush = nil
		ambush(p)
	}
	if w.trap > 0 {
		w.away, w.trap = w.now().Add(w.trap), 0
		w.note("  ! GitHub goes away right before the merge")
	}
	if err := w.reach(); err != nil {
		return out, err
	}
	switch state := w.state(p); {
	case p.merged && p.head == r.Head:
		return bot.Merged{Merged: true, Commit: p.commit}, nil
	case p.merged:
		return bot.Merged{Refusal: "it was merged already, with another head", Stale: true}, nil
	case !p.open:
		return bot.Merged{Refusal: "the pull request is closed"}, nil
	case r.Head != "" && p.head != r.Head:
		return bot.Merged{Refusal: "Head branch was modified. Review and try the merge again.", Stale: true}, nil
	case state != "CLEAN" && state != "UNSTABLE":
		return bot.Merged{Refusal: "Pull Request is not mergeable"}, nil
	}
	err = w.write(fmt.Sprintf("merges #%d", p.number), func() error {
		main, head := w.repo.head(trunk), w.repo.nodes[p.head]
		after, _ := merge3(base(main, head).files, main.files, head.files)
		w.onMerge(p, after)
		w.bring(p, r.Method, botLogin)
		return nil
	})
	return bot.Merged{Merged: err == nil, Commit: p.commit}, err
}

// Enqueue implements bot.Reverts: there is no merge queue.
func (w *World) Enqueue(context.Context, bot.MergeRequest) (bot.Queued, error) {
	return bot.Queued{Refusal: "there is no merge queue"}, nil
}

// Arm implements bot.Reverts: auto-merge is not allowed here.
func (w *World) Arm(context.Context, bot.MergeRequest) (bot.Queued, error) {
	return bot.Queued{Refusal: "auto-merge is not allowed for this repository"}, nil
}

// Dequeue implements bot.Reverts.
func (w *World) Dequeue(context.Context, bot.RepoName, int) error { return nil }

// Disarm implements bot.Reverts.
func (w *World) Disarm(context.Context, bot.RepoName, int) error { return nil }

// AskReview implements bot.Reverts.
func (w *World) AskReview(context.Context, bot.RepoName, int, []string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.write("asks for reviews", func() error { return nil })
}

// Update implements bot.Reverts.
func (w *World) Update(_ context.Context, _ bot.RepoName, number int, head bot.SHA) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, err := w.pull(number)
	if err != nil {
		return err
	}
	now := w.repo.nodes[p.head]
	switch {
	case len(now.Parents) == 2 && now.Parents[0] == head:
		return w.reach()
	case p.head != head || !p.open:
		return bot.NewTrouble(bot.TroubleStale, nil, "the head moved")
	}
	main := w.repo.head(trunk)
	tree, conflicts := merge3(base(main, now).files, main.files, now.files)
	if len(conflicts) > 0 {
		return bot.NewTrouble(bot.TroubleInvalid, nil, "merge conflict between base and head")
	}
	return w.write(fmt.Sprintf("brings main into #%d", number), func() error {
		w.setHead(p.branch, w.repo.commit(tree, botLogin, "Merge main", w.now(), now, main).SHA)
		return nil
	})
}

// Abandon implements bot.Reverts: two effects, with a crash in between possible.
func (w *World) Abandon(_ context.Context, _ bot.RepoName, number int, branch string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, err := w.pull(number)
	if err != nil {
		return err
	}
	if p.open {
		if err := w.write(fmt.Sprintf("closes #%d", number), func() error { p.open = false; return nil }); err != nil {
			return err
		}
	}
	return w.dropBranch(branch)
}

// DeleteBranch implements bot.Reverts.
func (w *World) DeleteBranch(_ context.Context, _ bot.RepoName, branch string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dropBranch(branch)
}

func (w *World) dropBranch(branch string) error {
	if _, ok := w.repo.heads[branch]; !ok {
		return w.reach()
	}
	return w.write("deletes "+branch, func() error { w.setHead(branch, ""); return nil })
}
