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
	if err := w.readOutside(ctx, pull, known, &look); err != nil {
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
	if on, why := w.Ports.Switch.On(ctx); on {
		look.Call = GateCall{Do: GateFreeze, Reason: Reason{"kill-switch", "The kill switch is on: " + why}}
		return look, nil
	}
	policy := w.plan.Policy
	if w.refused.noArm {
		policy.Merge = ""
	}
	waited := time.Duration(0)
	if !since.IsZero() {
		waited = w.Now().Sub(since)
	}
	look.Call = w.Ports.Judge.Gate(GateCase{
		Gate: look.Gate, Branch: w.plan.Branch, Policy: policy, Waited: waited,
		Command: w.rb.Incident.Kind == IncidentCommand || look.Seen.Approved != nil, WantHead: pull.Head, WantTree: pull.Tree,
	})
	return look, nil
}

// readOutside asks GitHub for the gate, unless it is known, and for what the
// people may do on whose word the merge rests.
func (r *run) readOutside(ctx context.Context, pull RevertPull, known bool, look *gateLook) error {
	g, ctx := errgroup.WithContext(ctx)
	if !known {
		g.Go(func() (err error) {
			look.Gate, err = r.Ports.Reverts.Gate(ctx, r.rb.Repo, pull.Number)
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
			p, err := r.Ports.People.Permission(ctx, r.rb.Repo, login)
			lacks[i] = !p.AtLeast(PermissionWrite)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, lack := range lacks {
		if lack && people[i] != "" {
			look.Unentitled = people[i]
		}
	}
	return nil
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
