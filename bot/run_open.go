package bot

import (
	"context"
	"fmt"
	"time"
)

// approve waits for a second person's word where the decision asks for it.
func (r *run) approve(ctx context.Context) (*stop, error) {
	if r.plan.Decision.Verb != VerbAsk {
		return nil, nil
	}
	r.begin("approve")
	r.view.Waiting = fmt.Sprintf("Waiting for a second person: comment `/rollback approve %s`.", r.id)
	var since time.Time
	for first := true; ; first = false {
		d, err := attempt(ctx, r.Flow, r.j, "look for approval", func(act context.Context) (glance, error) {
			if first {
				r.herald.soon(ctx, surface{sticky: true})
			}
			return r.glance(act)
		})
		if err != nil {
			return nil, err
		}
		if d.Trouble != nil {
			return r.fail("look for an approval", d.Trouble), nil
		}
		if since.IsZero() {
			since = d.Start
		}
		r.started(d.Start)
		g := d.Value
		r.joined(g)
		switch {
		case g.Cancelled != nil:
			return cancelled(g.Cancelled), nil
		case g.Approved != nil:
			r.approved = g.Approved
			r.finish(d.Start, d.End, "by @"+g.Approved.By)
			// The world moved while people slept: everything is read again.
			if end, err := r.decide(ctx); end != nil || err != nil {
				return end, err
			}
			return nil, nil
		case d.End.Sub(since) >= r.plan.Policy.ApproveWithin:
			return needsHuman(fmt.Sprintf("Nobody approved within %s, so nothing was done.", r.plan.Policy.ApproveWithin),
				"Comment `/rollback` again when you are ready to act."), nil
		}
		if err := r.j.Wait(ctx, "wait for approval", r.topics(), r.Timing.Approve); err != nil {
			return nil, err
		}
	}
}

// topics are the hints that a waiting Rollback listens for.
func (r *run) topics() []Hint {
	topics := []Hint{{Repo: r.rb.Repo, Number: r.rb.ReportTo}}
	if r.view.Pull != nil {
		topics = append(topics, Hint{Repo: r.rb.Repo, Number: r.view.Pull.Number}, Hint{Repo: r.rb.Repo, Head: r.view.Pull.Head})
	}
	return topics
}

// hold turns reconciliation off for the Apps that the decision names. The
// revert is known to be clean by now, and approved where that was asked.
func (r *run) hold(ctx context.Context) (*stop, error) {
	if r.plan.Decision.Verb == VerbAct || r.approved != nil {
		if err := r.holdImages(ctx); err != nil {
			return nil, err
		}
	}
	if len(r.plan.Decision.Hold) == 0 {
		return nil, nil
	}
	r.begin("hold")
	for _, id := range r.plan.Decision.Hold {
		d, err := attempt(ctx, r.Flow, r.j, "hold "+id.String(), func(ctx context.Context) (Held, error) {
			dep, err := r.Ports.Fleet.For(id)
			if err != nil {
				return Held{App: id}, err
			}
			return dep.Hold(ctx, Lease{
				App: id, Owner: r.id, Deadline: r.Now().Add(r.plan.Policy.HoldFor),
				Reason: fmt.Sprintf("Backout reverts %s", r.rb.Culprit.Head().Short()),
			})
		})
		if err != nil {
			return nil, err
		}
		if d.Trouble != nil {
			// It may stand all the same: an answer can be lost after the act.
			r.view.Holds = append(r.view.Holds, Held{App: id, Placed: true})
			return r.fail("hold "+id.String(), d.Trouble), nil
		}
		r.view.Holds = append(r.view.Holds, d.Value)
		if d.Value.Left != "" {
			r.view.Notes = append(r.view.Notes, d.Value.Left)
		}
		r.finish(d.Start, d.End, "")
	}
	return nil, nil
}

// maxReplans bounds how often a base that moves makes us compute again.
const maxReplans = 5

// open makes branch, commit and pull request of the revert.
func (r *run) open(ctx context.Context) (*stop, error) {
	for replan := 0; ; replan++ {
		r.begin("open revert")
		d, err := attempt(ctx, r.Flow, r.j, "open revert", func(act context.Context) (RevertPull, error) {
			r.herald.soon(ctx, surface{sticky: true})
			return r.openRevert(act)
		})
		if err != nil {
			return nil, err
		}
		if d.Trouble == nil {
			pull := d.Value
			r.view.Pull = &pull
			r.finish(d.Start, d.End, fmt.Sprintf("#%d", pull.Number))
			return nil, nil
		}
		if d.Trouble.Kind != TroubleStale || replan == maxReplans {
			return r.fail("open the revert", d.Trouble), nil
		}
		if end, err := r.decide(ctx); end != nil || err != nil {
			return end, err
		}
		if r.plan.Decision.Verb == VerbAsk && r.approved == nil {
			return needsHuman("The branch moved and what must be reverted now needs an approval.", "Comment `/rollback` again."), nil
		}
	}
}

// openRevert computes the revert again and opens it only if it is the one that
// was decided upon.
func (r *run) openRevert(ctx context.Context) (RevertPull, error) {
	rv, err := r.Ports.History.Revert(ctx, r.rb.Repo, r.plan.Revert.Onto, r.rb.Culprit)
	if err != nil {
		return RevertPull{}, fmt.Errorf("compute revert: %w", err)
	}
	if rv.Status != RevertClean || rv.Tree != r.plan.Revert.Tree {
		return RevertPull{}, NewTrouble(TroubleInvalid, nil, "The revert computed now (%s) is not the one that was decided upon (%s).", rv.Tree.Short(), r.plan.Revert.Tree.Short())
	}
	if err := r.supersede(ctx); err != nil {
		return RevertPull{}, err
	}
	title, body, message := r.Ports.Teller.Pull(r.view)
	return r.Ports.Reverts.Open(ctx, RevertRequest{
		Repo: r.rb.Repo, Base: r.rb.Base, Branch: r.rb.RevertBranch(),
		Onto: rv.Onto, Tree: rv.Tree, Files: rv.Files,
		Title: title, Body: body, Message: message,
	})
}

// supersede closes the revert that an earlier attempt left open for people:
// there must never be two for one culprit. It is looked for by its branch, since
// an attempt may have ended without knowing what it opened. One that somebody
// may have pushed to holds their work and is left to them.
func (r *run) supersede(ctx context.Context) error {
	if r.rb.Attempt <= 1 {
		return nil
	}
	records, err := r.Ports.Ledger.Find(ctx, RollbackQuery{Repo: r.rb.Repo, Culprit: r.rb.Culprit.Head()})
	if err != nil {
		return fmt.Errorf("look for earlier attempts: %w", err)
	}
	for _, rec := range records {
		if rec.CulpritKey() != r.rb.CulpritKey() || rec.Attempt >= r.rb.Attempt || rec.End == nil || rec.End.Verdict == VerdictObserved {
			continue
		}
		old, ok, err := r.Ports.Reverts.Standing(ctx, r.rb.Repo, r.rb.Base, rec.RevertBranch())
		switch {
		case err != nil:
			return fmt.Errorf("look at the revert of %s: %w", rec.ID, err)
		case !ok:
			continue
		case rec.View == nil || rec.View.Pull == nil || rec.View.Pull.Head != old.Head:
			return NewTrouble(TroubleInvalid, nil, "#%d already takes this back, and somebody may have pushed to it.", old.Number).
				WithAdvice("Merge or close %s, then comment `/rollback` again.", old.URL)
		}
		if err := r.Ports.Reverts.Abandon(ctx, r.rb.Repo, old.Number, old.Branch); err != nil {
			return fmt.Errorf("close the revert of %s: %w", rec.ID, err)
		}
	}
	return nil
}
