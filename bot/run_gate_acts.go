package bot

import (
	"context"
	"fmt"
	"time"
)

// method is how the revert is merged: as the repository allows, a merge commit
// before a squash before a rebase.
func (r *run) method() string {
	if len(r.plan.Branch.Methods) > 0 {
		return r.plan.Branch.Methods[0]
	}
	return "merge"
}

func (r *run) mergeRequest() MergeRequest {
	return MergeRequest{Repo: r.rb.Repo, Number: r.view.Pull.Number, Head: r.view.Pull.Head, Method: r.method()}
}

// fresh is how old a look at the gate may be when it is acted upon.
const fresh = 10 * time.Second

// outdated reports whether what a look allowed may not be done any more. A crash
// or a GitHub that is away can put any time between the two. What is known here
// is read again, and what only GitHub knows, where the look is not fresh.
func (w *watch) outdated(ctx context.Context, looked time.Time) (bool, error) {
	seen, err := w.glance(ctx)
	if err != nil {
		return false, err
	}
	_, on := w.stopped(ctx, w.rb.Repo)
	return on || seen.Cancelled != nil || w.Now().Sub(looked) > fresh, nil
}

// acted is what an act came to that rests on a look.
type acted[T any] struct {
	Value T `json:"value"`
	// Outdated is set when it was not done, since the look is not good for that
	// any more.
	Outdated bool `json:"outdated,omitempty"`
}

// onLook does once what a look allowed. again asks for another look first: this
// one is outdated, or trouble had to be slept off.
func onLook[T any](ctx context.Context, w *watch, name string, looked time.Time, act func(context.Context) (T, error)) (d Done[acted[T]], again bool, err error) {
	d, err = Step(ctx, w.j, w.Now, name, func(ctx context.Context) (a acted[T], err error) {
		if a.Outdated, err = w.outdated(ctx, looked); err == nil && !a.Outdated {
			a.Value, err = act(ctx)
		}
		return a, err
	})
	switch {
	case err != nil:
		return d, false, err
	case d.Trouble == nil && d.Value.Outdated:
		return d, true, nil
	case d.Trouble == nil:
		w.tries = 0
		return d, false, nil
	}
	w.log.WarnContext(ctx, "step met trouble", "step", name, "try", w.tries+1, "kind", d.Trouble.Kind, "trouble", d.Trouble.Text, "advice", d.Trouble.Advice)
	if w.tries++; d.Trouble.Kind != TroubleTransient || w.tries >= maxTries {
		return d, false, nil
	}
	pause := min(w.Timing.Retry<<(w.tries-1), maxPause)
	return d, true, w.j.Sleep(ctx, name+": pause", max(pause, d.Trouble.RetryAfter))
}

// merge merges the pinned head. A refusal that looking again may cure goes back
// to the gate.
func (w *watch) merge(ctx context.Context, looked time.Time) (end *stop, merged bool, err error) {
	d, again, err := onLook(ctx, w, "merge", looked, func(ctx context.Context) (Merged, error) {
		return w.Ports.Reverts.Merge(ctx, w.mergeRequest())
	})
	if again || err != nil {
		return nil, false, err
	}
	if d.Trouble != nil {
		return w.fail("merge", d.Trouble), false, nil
	}
	got := d.Value.Value
	if got.Merged {
		w.mergedAs(got, d.Start, d.End, got.Commit.Short())
		return nil, true, nil
	}
	if w.refusals++; !got.Stale || w.refusals > maxRefusals {
		return needsHuman("GitHub refused the merge: "+got.Refusal, "Merge "+w.view.Pull.URL), false, nil
	}
	return nil, false, w.j.Wait(ctx, "wait after refusal", w.topics(), w.Timing.Mergeable<<(w.refusals-1))
}

func (r *run) mergedAs(m Merged, start, end time.Time, detail string) {
	r.merged = m
	r.view.Merge = &m
	r.finish(start, end, detail)
}

// hand leaves the merge to GitHub: to the branch's queue, or to auto-merge. What
// GitHub refused is asked again only after a while; auto-merge that can't be
// had leaves the merge to us. again asks for another look at once.
func (w *watch) hand(ctx context.Context, call GateCall, looked time.Time) (end *stop, again bool, err error) {
	tooSoon := !w.refused.at.IsZero() && looked.Sub(w.refused.at) < settle
	if w.given.to != "" || tooSoon {
		return nil, false, nil
	}
	if w.handed++; w.handed > maxHandovers {
		return needsHuman(fmt.Sprintf("Backout gave #%d to GitHub %d times, and it was not merged.", w.view.Pull.Number, maxHandovers), "Merge "+w.view.Pull.URL), false, nil
	}
	w.gave = true
	name, act := "enqueue", w.Ports.Reverts.Enqueue
	if call.Do == GateArm {
		name, act = "arm auto-merge", w.Ports.Reverts.Arm
	}
	d, again, err := onLook(ctx, w, name, looked, func(ctx context.Context) (Queued, error) { return act(ctx, w.mergeRequest()) })
	got := d.Value.Value
	switch {
	case err != nil:
		return nil, false, err
	case again:
		w.handed--
	case d.Trouble != nil:
		// It may have happened all the same.
		w.given = given{to: call.Do, at: d.End}
		return w.fail(name, d.Trouble), false, nil
	case got.Accepted:
		w.given = given{to: call.Do, at: d.End}
	case call.Do == GateArm:
		w.refused = refusal{at: d.End, why: got.Refusal, noArm: !got.Stale}
		if w.refused.noArm {
			w.view.Notes = append(w.view.Notes, "GitHub's auto-merge could not be turned on, so Backout merges by itself: "+got.Refusal)
		}
	case !got.Stale:
		return needsHuman("GitHub did not take the revert into the merge queue: "+got.Refusal, "Merge "+w.view.Pull.URL), false, nil
	default:
		w.refused = refusal{at: d.End, why: got.Refusal}
	}
	return nil, again, nil
}

// withdraw takes back what was left to GitHub. It ends with a person where that
// did not work: GitHub may then still merge.
func (w *watch) withdraw(ctx context.Context) (*stop, error) {
	name, act := "leave the queue", w.Ports.Reverts.Dequeue
	if w.given.to == GateArm {
		name, act = "disarm auto-merge", w.Ports.Reverts.Disarm
	}
	d, err := attempt(ctx, w.Flow, w.j, name, func(ctx context.Context) (bool, error) {
		return true, act(ctx, w.rb.Repo, w.view.Pull.Number)
	})
	if err != nil {
		return nil, err
	}
	w.given = given{}
	if d.Trouble != nil {
		end := w.fail(name, d.Trouble)
		end.todo = append(end.todo, fmt.Sprintf("GitHub may still merge %s by itself: close it if it must not.", w.view.Pull.URL))
		return end, nil
	}
	return nil, nil
}

// askReview asks, once, the people who know what is taken back: whoever
// commanded it, else the author of the change. GitHub asks code owners itself.
func (w *watch) askReview(ctx context.Context) error {
	login := w.rb.Incident.Requester
	if login == "" {
		login = w.rb.Culprit.Author
	}
	if w.asked || login == "" {
		return nil
	}
	w.asked = true
	d, err := attemptUpTo(ctx, w.Flow, w.j, commandTries, "ask for a review", func(ctx context.Context) (bool, error) {
		return true, w.Ports.Reverts.AskReview(ctx, w.rb.Repo, w.view.Pull.Number, []string{login})
	})
	if err == nil && d.Trouble != nil {
		w.view.Notes = append(w.view.Notes, "Nobody could be asked for a review: "+d.Trouble.Text)
	}
	return err
}

// update brings the base into our branch; the next look pins the new head.
func (w *watch) update(ctx context.Context) (*stop, error) {
	d, err := attempt(ctx, w.Flow, w.j, "update branch", func(ctx context.Context) (bool, error) {
		return true, w.Ports.Reverts.Update(ctx, w.rb.Repo, w.view.Pull.Number, w.view.Pull.Head)
	})
	if err != nil {
		return nil, err
	}
	if d.Trouble != nil && d.Trouble.Kind != TroubleStale {
		return w.fail("bring the base into the revert's branch", d.Trouble), nil
	}
	return nil, nil
}

// recompute gives up a revert that no longer merges and opens it anew on the
// base as it is now.
func (w *watch) recompute(ctx context.Context) (*stop, error) {
	d, err := attempt(ctx, w.Flow, w.j, "close outdated revert", func(ctx context.Context) (bool, error) {
		return true, w.Ports.Reverts.Abandon(ctx, w.rb.Repo, w.view.Pull.Number, w.view.Pull.Branch)
	})
	if err != nil {
		return nil, err
	}
	if d.Trouble != nil {
		return w.fail("close the outdated revert", d.Trouble), nil
	}
	w.view.Pull = nil
	w.given = given{}
	w.herald.forgetCheck()
	if end, err := w.decide(ctx); end != nil || err != nil {
		return end, err
	}
	end, err := w.open(ctx)
	if end == nil && err == nil {
		w.begin("merge")
	}
	return end, err
}
