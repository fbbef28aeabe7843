package model

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

// pull is a pull request into main.
type pull struct {
	number   int
	title    string
	author   string
	branch   string
	head     bot.SHA
	open     bool
	merged   bool
	by       string // who merged it
	at       time.Time
	commit   bot.SHA   // what merging put on main
	onMain   []bot.SHA // all that it put there, newest first
	subjects []string
	ci       map[bot.SHA]string
	approved map[string]bool
	against  bool
	lag      int
}

// pullRequest opens a pull request from a branch.
func (w *World) pullRequest(author, title, branch string) *pull {
	p := &pull{
		number: len(w.pulls) + 1, title: title, author: author, branch: branch, open: true,
		ci: map[bot.SHA]string{}, approved: map[string]bool{},
	}
	for _, n := range w.repo.firstParents(w.repo.head(branch)) {
		if w.repo.head(trunk).past[n.SHA] != nil {
			break
		}
		p.subjects = append([]string{n.Subject}, p.subjects...)
	}
	w.pulls = append(w.pulls, p)
	w.moved(p)
	return p
}

// moved takes in that a pull request's head or base moved.
func (w *World) moved(p *pull) {
	if !p.open {
		return
	}
	if head := w.repo.heads[p.branch]; head != "" && head != p.head {
		p.head = head
		p.ci[head] = w.rules.ci
	}
	if w.slow {
		p.lag = 1
	}
}

// setHead moves a branch; "" deletes it and closes its pull request.
func (w *World) setHead(branch string, to bot.SHA) {
	w.repo.heads[branch] = to
	if to == "" {
		delete(w.repo.heads, branch)
	}
	for _, p := range w.pulls {
		switch {
		case p.branch == branch && to == "":
			p.open = false
		case p.branch == branch || branch == trunk:
			w.moved(p)
		}
	}
}

// state is what GitHub says of the way to main, in the order in which it says it.
func (w *World) state(p *pull) string {
	main, head := w.repo.head(trunk), w.repo.nodes[p.head]
	_, conflicts := merge3(base(main, head).files, main.files, head.files)
	ci := p.ci[p.head]
	switch {
	case !p.open:
		return "UNKNOWN"
	case len(conflicts) > 0:
		return "DIRTY"
	case w.rules.check && ci != "success", w.rules.reviews > 0 && (p.against || len(p.approved) < w.rules.reviews):
		return "BLOCKED"
	case w.rules.strict && w.rules.check && head.past[main.SHA] == nil:
		return "BEHIND"
	case ci != "success":
		return "UNSTABLE"
	}
	return "CLEAN"
}

// gate is one look at the merge gate.
func (w *World) gate(p *pull) bot.Gate {
	g := bot.Gate{
		State: w.state(p), Open: p.open, Merged: p.merged, MergeCommit: p.commit,
		Head: p.head, Tree: w.repo.nodes[p.head].Tree, BaseHead: w.repo.heads[trunk],
	}
	if p.lag > 0 {
		p.lag--
		g.State = "UNKNOWN"
	}
	if ci := p.ci[p.head]; true {
		g.Checks = []bot.GateCheck{{Name: "ci", Required: w.rules.check, Done: ci != "", Passed: ci == "success", App: 7}}
	}
	if w.rules.reviews > 0 {
		switch {
		case p.against:
			g.ReviewDecision = "CHANGES_REQUESTED"
		case len(p.approved) >= w.rules.reviews:
			g.ReviewDecision = "APPROVED"
		default:
			g.ReviewDecision = "REVIEW_REQUIRED"
		}
	}
	return g
}

// bring puts a pull request's changes on main as one of the merge methods does.
func (w *World) bring(p *pull, method, by string) {
	main, head := w.repo.head(trunk), w.repo.nodes[p.head]
	from := base(main, head)
	tree, _ := merge3(from.files, main.files, head.files)
	now := w.now()
	switch method {
	case "squash":
		p.onMain = []bot.SHA{w.repo.commit(tree, p.author, fmt.Sprintf("%s (#%d)", p.title, p.number), now, main).SHA}
	case "rebase":
		var own []*node
		for _, n := range w.repo.firstParents(head) {
			if n.SHA == from.SHA {
				break
			}
			own = append(own, n)
		}
		slices.Reverse(own)
		at := main
		for _, n := range own {
			f, _ := merge3(w.repo.parent(n, 1).files, at.files, n.files)
			at = w.repo.commit(f, n.Author, n.Message, now, at)
			p.onMain = append([]bot.SHA{at.SHA}, p.onMain...)
		}
	default:
		p.onMain = []bot.SHA{w.repo.commit(tree, by, fmt.Sprintf("Merge pull request #%d\n\n%s", p.number, p.title), now, main, head).SHA}
	}
	p.open, p.merged, p.by, p.at, p.commit = false, true, by, now, p.onMain[0]
	w.setHead(trunk, p.commit)
}

func (w *World) pull(number int) (*pull, error) {
	if number < 1 || number > len(w.pulls) {
		return nil, bot.NewTrouble(bot.TroubleNotFound, nil, "There is no pull request #%d.", number)
	}
	return w.pulls[number-1], nil
}

func (w *World) url(p *pull) string { return fmt.Sprintf("%s/%s/pull/%d", hubURL, repoName, p.number) }

func (w *World) shown(p *pull) bot.Pull {
	out := bot.Pull{
		Number: p.number, Title: p.title, URL: w.url(p), Open: p.open, Merged: p.merged, Base: trunk,
		Head: p.branch, HeadSHA: p.head, Author: p.author, AuthorIsBot: p.author == botLogin, Subjects: p.subjects,
	}
	if p.merged {
		out.MergeCommit, out.MergedAt = p.commit, p.at
	}
	return out
}

// Pull implements bot.Pulls.
func (w *World) Pull(_ context.Context, _ bot.RepoName, number int) (bot.Pull, error) {
	return reading(w, func() (bot.Pull, error) {
		p, err := w.pull(number)
		if err != nil {
			return bot.Pull{}, err
		}
		return w.shown(p), nil
	})
}

// PullOf implements bot.Pulls.
func (w *World) PullOf(_ context.Context, _ bot.RepoName, commit bot.SHA) (p bot.Pull, ok bool, err error) {
	p, err = reading(w, func() (bot.Pull, error) {
		for _, p := range w.pulls {
			if p.merged && (slices.Contains(p.onMain, commit) || w.own(p, commit)) {
				ok = true
				return w.shown(p), nil
			}
		}
		return bot.Pull{}, nil
	})
	return p, ok, err
}

// own tells a commit of the pull request's branch.
func (w *World) own(p *pull, commit bot.SHA) bool {
	n := w.repo.nodes[commit]
	return n != nil && w.repo.nodes[p.head].past[commit] != nil && slices.Contains(p.subjects, n.Subject)
}

// Branch implements bot.Pulls.
func (w *World) Branch(_ context.Context, _ bot.RepoName, name string) (bot.Branch, error) {
	return reading(w, func() (bot.Branch, error) {
		if name == "" {
			name = trunk
		}
		head, ok := w.repo.heads[name]
		if !ok {
			return bot.Branch{}, bot.NewTrouble(bot.TroubleNotFound, nil, "There is no branch %s.", name)
		}
		b := bot.Branch{Name: name, Head: head, Methods: []string{w.rules.method}}
		if name == trunk {
			b.Protected, b.Strict, b.Reviews = w.rules.protected(), w.rules.strict, w.rules.reviews
			if w.rules.check {
				b.RequiredChecks = []bot.RequiredCheck{{Name: "ci"}}
			}
		}
		return b, nil
	})
}

// ofBot reports whether a pull request is a revert that the bot opened, and of
// which commit.
func (p *pull) ofBot() (culprit string, ok bool) {
	rest, ok := strings.CutPrefix(p.branch, "backout/revert-")
	if !ok || p.author != botLogin {
		return "", false
	}
	return rest[:min(12, len(rest))], true
}
