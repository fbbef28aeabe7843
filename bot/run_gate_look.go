package bot

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// gateLook is what one look at the merge gate saw and concluded. All that the
// merge rests on is read anew in it: entitlement, kill switch, policy,
// cancellation, head and tree.
type gateLook struct {
	Seen glance   `json:"seen"`
	Gate Gate     `json:"gate"`
	Call GateCall `json:"call"`
	// Permission is what whoever commanded it may do on the repository.
	Permission Permission `json:"permission,omitempty"`
	// Unentitled names the person who may no longer do this.
	Unentitled string `json:"unentitled,omitempty"`
	// Why says in a sentence why they may not, where it is not plain.
	Why string `json:"why,omitempty"`
	// Repin is the new head after the base was brought into our branch and the
	// tree was found to be the revert on that base.
	Repin *RevertPull `json:"repin,omitempty"`
}

// look reads everything that a merge rests on, the slow parts at once.
func (w *watch) look(ctx context.Context, first, known bool) (Done[gateLook], error) {
	tell := surface{check: first}
	if w.reason != w.view.Waiting {
		w.view.Waiting = w.reason
		w.tells++
		// That a person must merge is told whatever was told before: nobody else
		// goes on.
		tell.sticky = w.tells <= maxGateTells || w.proposed
	}
	pull, since := *w.view.Pull, w.since
	d, err := attempt(ctx, w.Flow, w.j, "gate", func(act context.Context) (gateLook, error) {
		w.herald.soon(ctx, tell)
		return w.readGate(act, pull, known, since)
	})
	if err == nil && w.since.IsZero() {
		w.since = d.Start
		w.started(d.Start)
	}
	return d, err
}

func (w *watch) readGate(ctx context.Context, pull RevertPull, known bool, since time.Time) (gateLook, error) {
	look := gateLook{Gate: pull.Gate}
	var err error
	if look.Seen, err = w.glance(ctx); err != nil {
		return look, err
	}
	parties, err := w.readOutside(ctx, pull, known, &look)
	if err != nil {
		return look, err
	}
	if look.Gate.Open && look.Gate.Head != pull.Head {
		if look.Repin, err = w.repin(ctx, pull, look.Gate); err != nil {
			return look, err
		}
		if look.Repin != nil {
			pull = *look.Repin
		}
	}
	if why, on := w.halted(ctx, w.rb.Repo); on {
		look.Unentitled = w.revoked(parties)
		look.Call = GateCall{Do: GateFreeze, Reason: why}
		return look, nil
	}
	rules, now, err := w.policyNow(ctx, look.Seen)
	if err != nil {
		return look, err
	}
	if look.Unentitled, look.Why, err = w.entitled(ctx, now.policy, parties); err != nil {
		return look, err
	}
	if w.refused.noArm {
		now.policy.Merge = ""
	}
	waited := time.Duration(0)
	if !since.IsZero() {
		waited = w.Now().Sub(since)
	}
	look.Call = rules.Gate(GateCase{
		Gate: look.Gate, Branch: w.plan.Branch, Policy: now.policy, Waited: waited,
		Command: w.rb.Incident.Kind == IncidentCommand || look.Seen.Approved != nil, WantHead: pull.Head, WantTree: pull.Tree,
		Verb: now.verb, Why: now.why, Approved: w.approved != nil || look.Seen.Approved != nil,
		Now: w.Now(), Forced: w.rb.Incident.Forced, Forcer: look.Permission,
	})
	return look, nil
}

// readOutside asks GitHub for the gate, unless it is known, and for what the
// people may do on whose word the merge rests.
func (r *run) readOutside(ctx context.Context, pull RevertPull, known bool, look *gateLook) ([]party, error) {
	g, ctx := errgroup.WithContext(ctx)
	if !known {
		g.Go(func() (err error) {
			look.Gate, err = r.Ports.Reverts.Gate(ctx, r.rb.Repo, pull.Number)
			return err
		})
	}
	if !known || r.Now().Sub(r.decided) > fresh {
		// The policy is read off the mirror.
		g.Go(func() error { return r.Ports.History.Fetch(ctx, r.rb.Repo) })
	}
	g.Go(func() error {
		r.halted(ctx, r.rb.Repo) // what it sees is asked for afterwards
		return nil
	})
	parties := r.parties(look.Seen.Approved)
	for i := range parties {
		g.Go(func() (err error) {
			parties[i].may, err = r.Ports.People.Permission(ctx, r.rb.Repo, parties[i].login)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if r.rb.Incident.Requester != "" {
		look.Permission = parties[0].may
	}
	return parties, nil
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
