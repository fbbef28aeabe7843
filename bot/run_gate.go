package bot

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// gateLook is what one look at the merge gate saw and concluded. All that the
// merge rests on is read anew in it: entitlement, kill switch, cancellation,
// head and tree.
type gateLook struct {
	Seen glance   `json:"seen"`
	Gate Gate     `json:"gate"`
	Call GateCall `json:"call"`
	// Unentitled names the person who may no longer do this.
	Unentitled string `json:"unentitled,omitempty"`
	// Repin is the new head after the base was brought into our branch and the
	// tree was found to be the revert on that base.
	Repin *RevertPull `json:"repin,omitempty"`
}

// The bounds of the gate stage. Each answers something that may happen again
// and again on a busy branch, and must end with a person at last.
const (
	maxRefusals   = 6
	maxRecomputes = 1
	maxGateTells  = 1
)

// gate watches the merge gate until the revert is merged, by us or by people.
func (r *run) gate(ctx context.Context) (*stop, error) {
	r.begin("merge")
	var since time.Time
	known := r.view.Pull.Gate.State != "" && r.view.Pull.Gate.State != "UNKNOWN"
	refusals, recomputes, tells, reason, proposed := 0, 0, 0, "", false
	for first := true; ; first = false {
		tell := surface{check: first}
		if reason != r.view.Waiting {
			r.view.Waiting = reason
			tells++
			// That a person must merge is told whatever was told before: nobody
			// else goes on.
			tell.sticky = tells <= maxGateTells || proposed
		}
		d, err := r.look(ctx, first && known, since, tell)
		if err != nil {
			return nil, err
		}
		if since.IsZero() {
			since = d.Start
			r.started(since)
		}
		if d.Trouble != nil {
			return r.fail("read the merge gate", d.Trouble), nil
		}
		look := d.Value
		r.joined(look.Seen)
		if look.Repin != nil {
			r.view.Pull = look.Repin
		}
		if end, done := r.gateEnded(look, d); end != nil || done {
			return end, nil
		}

		call := look.Call
		if call.Do == GateMerge && !r.mayMerge(look.Seen.Approved) {
			call = GateCall{Do: GateWait, Reason: Reason{"proposed", fmt.Sprintf("This is a proposal: merge it, or comment `/rollback approve %s`.", r.id)}}
		}
		switch call.Do {
		case GateMerge:
			if call.Reason.Name == "unprotected" {
				r.view.Notes = []string{call.Reason.Text}
			}
			if r.approved == nil {
				r.approved = look.Seen.Approved
			}
			end, merged, err := r.merge(ctx, &refusals)
			if end != nil || merged || err != nil {
				return end, err
			}
			continue
		case GateStop:
			return needsHuman(call.Reason.Text, fmt.Sprintf("Merge %s yourself, or comment `/rollback cancel %s`.", r.view.Pull.URL, r.id)), nil
		case GateUpdate:
			if end, err := r.update(ctx); end != nil || err != nil {
				return end, err
			}
		case GateRecompute:
			if recomputes++; recomputes > maxRecomputes {
				return needsHuman("Later commits conflict with the revert.", fmt.Sprintf("Solve the conflict on %s.", r.view.Pull.URL)), nil
			}
			if end, err := r.recompute(ctx); end != nil || err != nil {
				return end, err
			}
			r.begin("merge")
			continue
		}
		every := r.Timing.Gate
		if look.Gate.State == "UNKNOWN" {
			// GitHub computes for a moment: nothing to tell people yet.
			every = r.Timing.Mergeable
		} else {
			reason, proposed = call.Reason.Text, call.Reason.Name == "proposed"
		}
		if d.End.Sub(since) >= r.plan.Policy.MergeWithin {
			return r.gateTimeout(reason), nil
		}
		if err := r.j.Wait(ctx, "wait for the gate", r.topics(), every); err != nil {
			return nil, err
		}
	}
}

// mayMerge reports whether Backout merges itself: not where the decision is
// only to propose, unless a person approved the proposal.
func (r *run) mayMerge(approved *Word) bool {
	return r.plan.Decision.Verb == VerbAct || r.approved != nil || approved != nil
}

func (r *run) gateTimeout(reason string) *stop {
	if r.plan.Decision.Verb == VerbPropose {
		return &stop{verdict: VerdictProposed, summary: "The revert is proposed; nobody merged it yet.", todo: []string{"Merge " + r.view.Pull.URL}}
	}
	return needsHuman(fmt.Sprintf("The revert could not merge within %s: %s", r.plan.Policy.MergeWithin, reason), "Merge "+r.view.Pull.URL)
}

// gateEnded handles what ends the stage whatever the gate says.
func (r *run) gateEnded(look gateLook, d Done[gateLook]) (end *stop, merged bool) {
	switch {
	case look.Gate.Merged:
		r.mergedAs(Merged{Merged: true, Commit: look.Gate.MergeCommit}, d.Start, d.End, "merged by a person")
		return nil, true
	case look.Seen.Cancelled != nil:
		return cancelled(look.Seen.Cancelled), false
	case !look.Gate.Open:
		return &stop{verdict: VerdictCancelled, summary: fmt.Sprintf("A person closed #%d.", r.view.Pull.Number)}, false
	case look.Unentitled != "":
		return needsHuman(fmt.Sprintf("@%s may no longer write to %s, so Backout does not merge for them.", look.Unentitled, r.rb.Repo),
			fmt.Sprintf("Somebody with write permission: merge %s or comment `/rollback` anew.", r.view.Pull.URL)), false
	}
	return nil, false
}

// look reads everything that a merge rests on, the slow parts at once.
func (r *run) look(ctx context.Context, known bool, since time.Time, tell surface) (Done[gateLook], error) {
	pull := *r.view.Pull
	return attempt(ctx, r.Flow, r.j, "gate", func(act context.Context) (gateLook, error) {
		r.herald.soon(ctx, tell)
		return r.readGate(act, pull, known, since)
	})
}

func (r *run) readGate(ctx context.Context, pull RevertPull, known bool, since time.Time) (gateLook, error) {
	look := gateLook{Gate: pull.Gate}
	var err error
	if look.Seen, err = r.glance(ctx); err != nil {
		return look, err
	}
	g, gctx := errgroup.WithContext(ctx)
	if !known {
		g.Go(func() (err error) {
			look.Gate, err = r.Ports.Reverts.Gate(gctx, r.rb.Repo, pull.Number)
			return err
		})
	}
	people := []string{r.rb.Incident.Requester}
	if look.Seen.Approved != nil {
		people = append(people, look.Seen.Approved.By)
	}
	lacks := make([]bool, len(people))
	for i, login := range people {
		if login == "" {
			continue
		}
		g.Go(func() error {
			p, err := r.Ports.People.Permission(gctx, r.rb.Repo, login)
			lacks[i] = !p.AtLeast(PermissionWrite)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return look, err
	}
	for i, lack := range lacks {
		if lack {
			look.Unentitled = people[i]
		}
	}
	if look.Gate.Open && look.Gate.Head != pull.Head {
		if look.Repin, err = r.repin(ctx, pull, look.Gate); err != nil {
			return look, err
		}
		if look.Repin != nil {
			pull = *look.Repin
		}
	}
	if on, why := r.Ports.Switch.On(ctx); on {
		look.Call = GateCall{Do: GateWait, Reason: Reason{"kill-switch", "The kill switch is on: " + why}}
		return look, nil
	}
	waited := time.Duration(0)
	if !since.IsZero() {
		waited = r.Now().Sub(since)
	}
	look.Call = r.Ports.Judge.Gate(GateCase{
		Gate: look.Gate, Branch: r.plan.Branch, Policy: r.plan.Policy, Waited: waited,
		Command: r.rb.Incident.Kind == IncidentCommand || look.Seen.Approved != nil, WantHead: pull.Head, WantTree: pull.Tree,
	})
	return look, nil
}

// repin accepts a new head of our branch only if it is the very revert on the
// newest base, as update-branch makes it; nil means that somebody pushed.
func (r *run) repin(ctx context.Context, pull RevertPull, gate Gate) (*RevertPull, error) {
	if err := r.Ports.History.Fetch(ctx, r.rb.Repo); err != nil {
		return nil, fmt.Errorf("fetch after branch update: %w", err)
	}
	rv, err := r.Ports.History.Revert(ctx, r.rb.Repo, gate.BaseHead, r.rb.Culprit)
	if err != nil {
		return nil, fmt.Errorf("compute revert on the moved base: %w", err)
	}
	if rv.Status != RevertClean || rv.Tree != gate.Tree {
		return nil, nil
	}
	pull.Head, pull.Tree, pull.Gate = gate.Head, gate.Tree, gate
	return &pull, nil
}

// merge merges the pinned head. A refusal that looking again may cure goes back
// to the gate.
func (r *run) merge(ctx context.Context, refusals *int) (end *stop, merged bool, err error) {
	method := "merge"
	if len(r.plan.Branch.Methods) > 0 {
		method = r.plan.Branch.Methods[0]
	}
	d, err := attempt(ctx, r.Flow, r.j, "merge", func(ctx context.Context) (Merged, error) {
		return r.Ports.Reverts.Merge(ctx, MergeRequest{Repo: r.rb.Repo, Number: r.view.Pull.Number, Head: r.view.Pull.Head, Method: method})
	})
	if err != nil {
		return nil, false, err
	}
	if d.Trouble != nil {
		return r.fail("merge", d.Trouble), false, nil
	}
	if d.Value.Merged {
		r.mergedAs(d.Value, d.Start, d.End, d.Value.Commit.Short())
		return nil, true, nil
	}
	if *refusals++; !d.Value.Stale || *refusals > maxRefusals {
		return needsHuman("GitHub refused the merge: "+d.Value.Refusal, "Merge "+r.view.Pull.URL), false, nil
	}
	return nil, false, r.j.Wait(ctx, "wait after refusal", r.topics(), r.Timing.Mergeable)
}

func (r *run) mergedAs(m Merged, start, end time.Time, detail string) {
	r.merged = m
	r.view.Merge = &m
	r.finish(start, end, detail)
}

// update brings the base into our branch; the next look pins the new head.
func (r *run) update(ctx context.Context) (*stop, error) {
	d, err := attempt(ctx, r.Flow, r.j, "update branch", func(ctx context.Context) (bool, error) {
		return true, r.Ports.Reverts.Update(ctx, r.rb.Repo, r.view.Pull.Number, r.view.Pull.Head)
	})
	if err != nil {
		return nil, err
	}
	if d.Trouble != nil && d.Trouble.Kind != TroubleStale {
		return r.fail("bring the base into the revert's branch", d.Trouble), nil
	}
	return nil, nil
}

// recompute gives up a revert that no longer merges and opens it anew on the
// base as it is now.
func (r *run) recompute(ctx context.Context) (*stop, error) {
	d, err := attempt(ctx, r.Flow, r.j, "close outdated revert", func(ctx context.Context) (bool, error) {
		return true, r.Ports.Reverts.Abandon(ctx, r.rb.Repo, r.view.Pull.Number, r.view.Pull.Branch)
	})
	if err != nil {
		return nil, err
	}
	if d.Trouble != nil {
		return r.fail("close the outdated revert", d.Trouble), nil
	}
	r.view.Pull = nil
	r.herald.forgetCheck()
	if end, err := r.decide(ctx); end != nil || err != nil {
		return end, err
	}
	return r.open(ctx)
}
