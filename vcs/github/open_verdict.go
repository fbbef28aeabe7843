package github

import (
	"context"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// accept judges a clean answer: the commit must be the wanted one, on the
// wanted parent. A commit that came out wrong is deleted again, which also closes the pull
// request. It is not done when the pull request shows yet another commit:
// then somebody pushed in the same second, and only a look tells what stands.
func (o *opening) accept(ctx context.Context, answer openAnswer, found bool) (out bot.RevertPull, done bool, err error) {
	p := answer.pull()
	made := answer.commit()
	switch {
	case o.good != "" && p.Head == o.good:
	case made == nil || p.Head != made.OID:
		return bot.RevertPull{}, false, nil
	case !made.is(o.req.Tree, o.req.Onto):
		return bot.RevertPull{}, true, o.undo(ctx, wrongTree(made.Tree.OID, o.req.Tree))
	}
	out, err = o.answer(ctx, p, found)
	return out, true, err
}

// settle answers with the pull request that a look found. One that the failed
// document itself made beside an older one is closed: there must never be two.
func (o *opening) settle(ctx context.Context, w world, answer openAnswer, found bool) (bot.RevertPull, error) {
	p := w.pull(o.req)
	if extra := answer.pull(); extra != nil && extra.Number != p.Number {
		if err := o.closePull(ctx, extra.Number); err != nil {
			return bot.RevertPull{}, err
		}
	}
	return o.answer(ctx, p, found)
}

// answer is the good end. A base that moved since the revert was computed
// spoils what this very call has made: it is deleted, to be computed again. One
// that was found stays, whatever the base did meanwhile: another process may be
// at work on it, and a process that was paused must do no harm when it goes on.
func (o *opening) answer(ctx context.Context, p *pullNode, found bool) (bot.RevertPull, error) {
	o.note(p)
	out := p.found(o.req.Branch)
	out.Found, out.Tree, out.Gate.Tree = found, o.req.Tree, o.req.Tree
	if base := out.Gate.BaseHead; !found && base != "" && base != o.req.Onto {
		return bot.RevertPull{}, o.undo(ctx, bot.NewTrouble(bot.TroubleStale, nil,
			"%s moved from %s to %s meanwhile", o.req.Base, o.req.Onto.Short(), base.Short()))
	}
	return out, nil
}

// leave reports somebody else's work on our branch and touches none of it; a
// pull request that our own document just made of it is closed.
func (o *opening) leave(ctx context.Context, w world, answer openAnswer) error {
	if p := answer.pull(); p != nil {
		if err := o.closePull(ctx, p.Number); err != nil {
			o.client.log.Warn("close a pull request that must not stay open",
				"repo", o.name, "pull", p.Number, "error", o.client.trouble(err, "close it"))
		}
	}
	if w.tip == nil {
		return bot.NewTrouble(bot.TroubleTransient, nil, "the branch was deleted while it was being opened")
	}
	return w.foreign(o.req)
}

// undo deletes the branch, which holds nothing but our own work, and returns
// why. When even that fails, the trouble is that of the deletion, so that the
// step comes again, finds the branch and ends what this one began.
func (o *opening) undo(ctx context.Context, why error) error {
	err := o.deleteBranch(ctx, o.req.Branch)
	if err == nil {
		return why
	}
	v := o.client.judge(err)
	t := bot.NewTrouble(v.Kind, v.Unwrap(), "%s; and branch %s could not be deleted: %s",
		o.client.judge(why).Text, o.req.Branch, v.Text)
	t.Advice, t.RetryAfter = v.Advice, v.RetryAfter
	return t
}

func wrongTree(got, want bot.SHA) error {
	return bot.NewTrouble(bot.TroubleInvalid, nil,
		"the commit that GitHub made is not the revert that was computed: its tree is %s and should be %s, or it has another parent",
		got.Short(), want.Short()).
		WithAdvice("revert by hand, and report this: either it is a bug or somebody interfered")
}

// nothingStands is the trouble when no branch is there after all.
func nothingStands(err error) error {
	if err == nil {
		return bot.NewTrouble(bot.TroubleTransient, nil, "GitHub said that it was done, and nothing is there")
	}
	graph, ok := asGraph(err)
	if ref, taken := graph.at("createRef"); ok && taken && strings.Contains(ref.Error(), "already exists") {
		return bot.NewTrouble(bot.TroubleTransient, err, "the branch existed and was deleted meanwhile")
	}
	return err
}

// final returns the errors of the field that would bring a standing further,
// when asking again can't help. What GitHub calls unprocessable may just be its
// own lag behind the fields before, so it is final only at the second time.
func final(err error, at standing, attempt int) (graphErrors, bool) {
	graph, ok := asGraph(err)
	if !ok {
		return graphErrors{}, false
	}
	field := "createCommitOnBranch"
	if at == standsCommit {
		field = "createPullRequest"
	}
	errs, ok := graph.at(field)
	if !ok {
		return graphErrors{}, false
	}
	switch errs.list[0].Type {
	case "FORBIDDEN", "INSUFFICIENT_SCOPES":
		return errs, true
	case "UNPROCESSABLE":
		return errs, attempt > 0
	}
	return graphErrors{}, false
}
