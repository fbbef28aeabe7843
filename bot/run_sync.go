package bot

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// release gives reconciliation back: git now says what should run.
func (r *run) release(ctx context.Context) (*stop, error) {
	// People merged what was only proposed.
	if err := r.holdImages(ctx); err != nil {
		return nil, err
	}
	if len(r.view.Holds) == 0 {
		return nil, nil
	}
	r.begin("release")
	return r.releaseAll(ctx, "release ")
}

// releaseAll releases every hold of this Rollback. It is also the
// compensation, so it goes on after trouble and reports what stays held.
func (r *run) releaseAll(ctx context.Context, prefix string) (*stop, error) {
	var end *stop
	for i, h := range r.view.Holds {
		if !h.Placed {
			continue
		}
		d, err := attempt(ctx, r.Flow, r.j, prefix+h.App.String(), func(ctx context.Context) (Held, error) {
			dep, err := r.Ports.Fleet.For(h.App)
			if err != nil {
				return h, err
			}
			return dep.Release(ctx, h.App, r.id)
		})
		if err != nil {
			return nil, err
		}
		if d.Trouble != nil {
			end = r.fail("release "+h.App.String(), d.Trouble)
			end.todo = append(end.todo, fmt.Sprintf("%s stays held until its deadline; the janitor releases it then.", h.App))
			continue
		}
		r.view.Holds[i] = d.Value
		if d.Value.Left != "" {
			r.view.Notes = append(r.view.Notes, d.Value.Left)
		}
		if r.view.Now != "" {
			r.finish(d.Start, d.End, "")
		}
	}
	return end, nil
}

// syncLook is one look at the targets after the merge.
type syncLook struct {
	Seen glance `json:"seen"`
	Apps []App  `json:"apps"`
	// Pending says per App, in a sentence, what is not applied yet.
	Pending []string `json:"pending,omitempty"`
	// Stuck is set when waiting can't help: a human's hold.
	Stuck string `json:"stuck,omitempty"`
}

// sync asks the control plane for the merge and waits until it is proven to be
// applied in every target (not held, status current, and the applied
// revision contains the merge with the culprit's change still absent).
func (r *run) sync(ctx context.Context) (*stop, error) {
	r.begin("sync")
	var since, asked time.Time
	for n := 1; ; n++ {
		ask := n == 1
		if !asked.IsZero() {
			ask = r.lastEnd().Sub(asked) >= r.Timing.Resync
		}
		d, err := attempt(ctx, r.Flow, r.j, "sync", func(act context.Context) (syncLook, error) {
			r.herald.soon(ctx, surface{sticky: n == 1})
			return r.lookApplied(act, ask, n)
		})
		if err != nil {
			return nil, err
		}
		if ask {
			asked = d.End
		}
		if since.IsZero() {
			since = d.Start
			r.started(since)
		}
		if d.Trouble != nil {
			return r.fail("sync", d.Trouble), nil
		}
		look := d.Value
		r.joined(look.Seen)
		r.view.Apps = look.Apps
		r.view.Steps[len(r.view.Steps)-1].End = d.End
		switch {
		case look.Stuck != "":
			r.finishFailed(look.Stuck)
			return needsHuman("The revert is merged but can't be applied: "+look.Stuck, r.resumeCommands(look.Apps)...), nil
		case len(look.Pending) == 0:
			r.finish(d.Start, d.End, "")
			return nil, nil
		case d.End.Sub(since) >= r.plan.Policy.SyncWithin:
			r.finishFailed(look.Pending[0])
			return needsHuman(fmt.Sprintf("The revert is merged but was not applied within %s: %s", r.plan.Policy.SyncWithin, look.Pending[0]),
				r.resumeCommands(look.Apps)...), nil
		}
		if err := r.j.Wait(ctx, "wait for the sync", nil, r.Timing.Sync); err != nil {
			return nil, err
		}
	}
}

// lastEnd is when the latest recorded step of the open stage ended.
func (r *run) lastEnd() time.Time { return r.view.Steps[len(r.view.Steps)-1].End }

// lookApplied observes every target once, and asks for a sync where it is due.
func (r *run) lookApplied(ctx context.Context, ask bool, n int) (syncLook, error) {
	var look syncLook
	var err error
	if look.Seen, err = r.glance(ctx); err != nil {
		return look, err
	}
	if err := r.Ports.History.Fetch(ctx, r.rb.Repo); err != nil {
		return look, fmt.Errorf("fetch after the merge: %w", err)
	}
	ids, _ := r.speaksOf(look.Seen)
	if look.Apps, err = r.Ports.Fleet.observe(ctx, ids); err != nil {
		return look, err
	}
	var due []AppID
	revisions := map[SHA]content{}
	for _, app := range look.Apps {
		pending, err := r.pending(ctx, app, revisions)
		if err != nil {
			return look, err
		}
		switch {
		case pending == "":
			continue
		case app.Hold != nil && app.Hold.Owner != r.id:
			look.Stuck = pending
		}
		look.Pending = append(look.Pending, pending)
		if ask && look.Stuck == "" {
			due = append(due, app.ID)
		}
	}
	_, err = each(ctx, due, func(ctx context.Context, id AppID) (bool, error) {
		dep, err := r.Ports.Fleet.For(id)
		if err != nil {
			return false, err
		}
		if err := dep.Sync(ctx, id, fmt.Sprintf("%s-%d", r.id, n)); err != nil && !IsTrouble(err, TroubleStale) {
			return false, fmt.Errorf("sync %s: %w", id, err)
		}
		return true, nil
	})
	return look, err
}

// content is what a revision is made of, as far as the merge goes.
type content struct {
	unknown bool // to the mirror
	merge   bool // contains the merge
	back    bool // and the culprit's change all the same
}

// contentOf reads it, once for all Apps that run the revision.
func (r *run) contentOf(ctx context.Context, rev SHA, known map[SHA]content) (content, error) {
	c, ok := known[rev]
	if ok {
		return c, nil
	}
	var err error
	c.merge, err = r.Ports.History.Contains(ctx, r.rb.Repo, rev, r.merged.Commit)
	switch {
	case IsTrouble(err, TroubleNotFound):
		c.unknown = true
	case err != nil:
		return c, fmt.Errorf("look for the merge in %s: %w", rev.Short(), err)
	case c.merge && rev != r.merged.Commit:
		rv, err := r.Ports.History.Revert(ctx, r.rb.Repo, rev, r.rb.Culprit)
		if err != nil {
			return c, fmt.Errorf("look for the culprit's change in %s: %w", rev.Short(), err)
		}
		c.back = rv.Status == RevertClean
	}
	known[rev] = c
	return c, nil
}

// pending says why an App does not provably run the merge; "" when it does.
func (r *run) pending(ctx context.Context, app App, revisions map[SHA]content) (string, error) {
	switch {
	case app.Hold != nil && app.Hold.Ours():
		return fmt.Sprintf("%s is held by %s.", app.ID, app.Hold.Owner), nil
	case app.Hold != nil:
		return fmt.Sprintf("%s is held by somebody else (%s).", app.ID, app.Hold.Reason), nil
	case !app.Current:
		return fmt.Sprintf("%s has not looked at its newest state yet.", app.ID), nil
	case app.Revision == "":
		return fmt.Sprintf("%s has applied nothing yet.", app.ID), nil
	}
	c, err := r.contentOf(ctx, app.Revision, revisions)
	switch {
	case err != nil:
		return "", err
	case c.unknown:
		return fmt.Sprintf("%s runs %s, which the mirror does not know yet.", app.ID, app.Revision.Short()), nil
	case !c.merge:
		return fmt.Sprintf("%s still runs %s.", app.ID, app.Revision.Short()), nil
	case c.back:
		return fmt.Sprintf("%s runs %s, which brings the change of %s back.", app.ID, app.Revision.Short(), r.rb.Culprit.Head().Short()), nil
	}
	return "", nil
}

// resumeCommands are the exact commands for a person who must finish by hand.
func (r *run) resumeCommands(apps []App) []string {
	var out []string
	for _, app := range apps {
		switch app.ID.Kind {
		case KindKustomization:
			if app.Hold != nil {
				out = append(out, fmt.Sprintf("flux resume kustomization %s -n %s", app.ID.Name, app.ID.Namespace))
			}
			out = append(out, fmt.Sprintf("flux reconcile kustomization %s -n %s --with-source", app.ID.Name, app.ID.Namespace))
		case KindHelmRelease:
			if app.Hold != nil {
				out = append(out, fmt.Sprintf("flux resume helmrelease %s -n %s", app.ID.Name, app.ID.Namespace))
			}
			out = append(out, fmt.Sprintf("flux reconcile helmrelease %s -n %s --with-source", app.ID.Name, app.ID.Namespace))
		case KindApplication:
			out = append(out, fmt.Sprintf("argocd app sync %s", app.ID.Name))
		}
	}
	return slices.Compact(out)
}
