package github

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// world is what stands on GitHub for one branch of ours.
type world struct {
	me    string      // our login
	tip   *commitNode // nil where the branch does not exist
	pulls []pullNode  // from this branch into the wanted base, oldest first
}

// standing names what a look found.
type standing int

const (
	standsNothing  standing = iota // no branch
	standsBranch                   // the branch, still at the base's head
	standsCommit                   // branch and commit, and no pull request
	standsComplete                 // all of it
	standsWrong                    // our own commit, but not the wanted one
	standsForeign                  // somebody else's work
)

// look reads what stands on the request's branch.
func (r *repository) look(ctx context.Context, req bot.RevertRequest) (world, error) {
	var answer struct {
		Viewer struct {
			Login string `json:"login"`
		} `json:"viewer"`
		Repository *struct {
			Ref *struct {
				Target commitNode `json:"target"`
			} `json:"ref"`
			Pulls struct {
				Nodes []pullNode `json:"nodes"`
			} `json:"pullRequests"`
		} `json:"repository"`
	}
	vars := map[string]any{
		"owner": r.owner, "name": r.short, "branch": req.Branch, "ref": "refs/heads/" + req.Branch,
	}
	if err := r.graphql(ctx, lookDocument, vars, &answer); err != nil {
		return world{}, err
	}
	if answer.Repository == nil {
		return world{}, bot.NewTrouble(bot.TroubleNotFound, nil, "GitHub shows no repository %s", r.name)
	}
	w := world{me: answer.Viewer.Login}
	if answer.Repository.Ref != nil {
		w.tip = &answer.Repository.Ref.Target
	}
	for _, p := range answer.Repository.Pulls.Nodes {
		if !p.CrossRepo && p.BaseName == req.Base {
			w.pulls = append(w.pulls, p)
		}
	}
	slices.SortFunc(w.pulls, func(a, b pullNode) int { return cmp.Compare(a.Number, b.Number) })
	return w, nil
}

// against says how far the world has come towards the request.
func (w world) against(req bot.RevertRequest) standing {
	switch {
	case w.tip == nil && w.merged(req) != nil:
		return standsComplete
	case w.tip == nil:
		return standsNothing
	case w.tip.is(req.Tree, req.Onto):
		if w.pull(req) == nil {
			return standsCommit
		}
		return standsComplete
	case w.tip.OID == req.Onto:
		return standsBranch
	case w.ours(req):
		return standsWrong
	}
	return standsForeign
}

// ours tells a commit that our own document made and that came out wrong: it
// is the only one on the branch, says what we said, and the open pull request
// of it is ours. That is left over when the process died before deleting it.
func (w world) ours(req bot.RevertRequest) bool {
	headline, _, _ := strings.Cut(req.Message, "\n")
	parents := w.tip.Parents.Nodes
	if len(parents) != 1 || parents[0].OID != req.Onto || w.tip.headline() != headline {
		return false
	}
	p := w.pull(req)
	return p != nil && p.open() && p.by(w.me)
}

// pull is the pull request that stands for the request, nil when there is
// none. The oldest counts: where a person has closed or merged one already, a
// newer one is our own doing after a crash, and theirs was the last word.
func (w world) pull(req bot.RevertRequest) *pullNode {
	for i := range w.pulls {
		p := &w.pulls[i]
		if w.tip != nil && p.Head == w.tip.OID {
			return p
		}
	}
	return w.merged(req)
}

// merged is a merged pull request with exactly the wanted commit; its branch
// may be gone.
func (w world) merged(req bot.RevertRequest) *pullNode {
	for i := range w.pulls {
		p := &w.pulls[i]
		if head, ok := p.head(); ok && p.Merged && head.is(req.Tree, req.Onto) {
			return p
		}
	}
	return nil
}

// foreign says what stands where the revert should.
func (w world) foreign(req bot.RevertRequest) *bot.Trouble {
	return bot.NewTrouble(bot.TroubleInvalid, nil, "branch %s holds commit %s %q by %q, which is not this revert",
		req.Branch, w.tip.OID.Short(), clip(tidy(w.tip.headline()), 80, "…"), tidy(w.tip.Author.Name)).
		WithAdvice("look at the branch, delete it if nobody needs it, and ask again")
}

// found is the answer for a pull request that is there.
func (p *pullNode) found(branch string) bot.RevertPull {
	out := bot.RevertPull{
		Number: p.Number, URL: p.URL, Branch: branch, Head: p.Head, Gate: p.gate(),
	}
	out.Tree = out.Gate.Tree
	if head, ok := p.head(); ok && head.Rollup != nil && head.Rollup.Contexts.Total > 0 {
		// Checks have reported, and which of them are required can't be asked
		// before the number is known: the gate must be read.
		out.Gate.State = stateUnknown
	}
	return out
}

// String is for logs and tests.
func (s standing) String() string {
	names := [...]string{"nothing", "branch", "commit", "complete", "wrong", "foreign"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("standing(%d)", int(s))
}
