package bot

import (
	"context"
	"fmt"
	"time"
)

// The bounds of the gate stage. Each answers something that may happen again
// and again on a busy branch, and must end with a person at last.
const (
	maxRefusals   = 6
	maxRecomputes = 1
	maxGateTells  = 1
	maxHandovers  = 5
	// settle is how long GitHub may take to show what it accepted, and how long
	// it is not asked again for what it refused.
	settle = 2 * time.Minute
)

// watch is the merge gate's stage between two looks. Like the run it is
// rebuilt from records on replay.
type watch struct {
	*run
	since                        time.Time
	refusals, recomputes, handed int
	unknown                      int // looks in a row at which GitHub still computed
	tries                        int // of one act that rests on a look, in a row
	tells                        int
	// reason is why it waits; proposed, that nobody but a person goes on.
	reason   string
	proposed bool
	asked    bool // for a review
	given    given
	gave     bool // whether it was ever tried to give it
	refused  refusal
}

// given is a merge that was left to GitHub: in its queue or by its auto-merge.
type given struct {
	to   string    // GateEnqueue or GateArm; "" while it is in our hands
	at   time.Time // when it was accepted
	seen bool      // whether GitHub showed it since
}

// refusal is what GitHub said when it did not accept the merge.
type refusal struct {
	at    time.Time
	why   string
	noArm bool // auto-merge can't be had at all
}

// gate watches the merge gate until the revert is merged, by us or by people.
func (r *run) gate(ctx context.Context) (*stop, error) {
	r.begin("merge")
	w := &watch{run: r}
	known := r.view.Pull.Gate.State != "" && r.view.Pull.Gate.State != "UNKNOWN"
	for first := true; ; first = false {
		d, err := w.look(ctx, first, first && known)
		if err != nil {
			return nil, err
		}
		if d.Trouble != nil {
			return w.leave(ctx, r.fail("read the merge gate", d.Trouble))
		}
		look := d.Value
		r.joined(look.Seen)
		if look.Repin != nil {
			r.view.Pull = look.Repin
		}
		if look.Gate.Merged {
			by := "merged by a person"
			if w.given.to != "" {
				by = look.Gate.MergeCommit.Short()
			}
			r.mergedAs(Merged{Merged: true, Commit: look.Gate.MergeCommit}, d.Start, d.End, by)
			return nil, nil
		}
		w.notice(look.Gate)
		end := w.ended(look, d.End)
		if end == nil {
			var merged bool
			if end, merged, err = w.turn(ctx, look, d.End); merged || err != nil {
				return nil, err
			}
		}
		if end == nil {
			continue
		}
		if w.given.to == "" {
			return end, nil
		}
		// GitHub may have merged it by now. What ended it is still there at the
		// next look, unless that is so.
		if end, err := w.withdraw(ctx); end != nil || err != nil {
			return end, err
		}
	}
}

// ended says what ends the stage whatever the gate says.
func (w *watch) ended(look gateLook, now time.Time) *stop {
	switch {
	case look.Seen.Cancelled != nil:
		return cancelled(look.Seen.Cancelled)
	case !look.Gate.Open:
		return &stop{verdict: VerdictCancelled, summary: fmt.Sprintf("A person closed #%d.", w.view.Pull.Number)}
	case look.Unentitled != "" && look.Why != "":
		return needsHuman(look.Why, fmt.Sprintf("Somebody with write permission: merge %s or comment `/rollback` anew.", w.view.Pull.URL))
	case look.Unentitled != "":
		return needsHuman(fmt.Sprintf("@%s may no longer write to %s, so Backout does not merge for them.", look.Unentitled, w.rb.Repo),
			fmt.Sprintf("Somebody with write permission: merge %s or comment `/rollback` anew.", w.view.Pull.URL))
	case look.Call.Do == GateStop:
		return needsHuman(look.Call.Reason.Text, fmt.Sprintf("Merge %s yourself, or comment `/rollback cancel %s`.", w.view.Pull.URL, w.id))
	case w.given.lost(look.Gate, now):
		where := "the merge queue"
		if w.given.to == GateArm {
			where = "GitHub's auto-merge"
		}
		w.given = given{}
		return needsHuman(fmt.Sprintf("#%d was taken out of %s: a check failed there, or a person did it.", w.view.Pull.Number, where),
			fmt.Sprintf("Look at %s, then merge it or comment `/rollback` again.", w.view.Pull.URL))
	}
	return nil
}

// notice compares what GitHub has with what it was given. A crash between the
// handing over and its record leaves it with GitHub, and a second try refused
// because the head has moved since.
func (w *watch) notice(seen Gate) {
	switch {
	case w.given.shows(seen):
		w.given.seen = true
	case w.given.to == "" && w.gave && seen.InQueue:
		w.given = given{to: GateEnqueue, seen: true}
	case w.given.to == "" && w.gave && seen.Armed:
		w.given = given{to: GateArm, seen: true}
	}
}

// shows reports whether GitHub has what it was given.
func (g given) shows(now Gate) bool {
	return g.to == GateEnqueue && now.InQueue || g.to == GateArm && now.Armed
}

// lost reports whether GitHub no longer has what it was given. A revert that
// conflicts by now leaves the queue by itself and is computed anew.
func (g given) lost(seen Gate, now time.Time) bool {
	if g.to == "" || g.shows(seen) || seen.State == "UNKNOWN" || seen.State == "DIRTY" {
		return false
	}
	return g.seen || now.Sub(g.at) >= settle
}

// turn does what the gate calls for, and waits where it calls for nothing.
func (w *watch) turn(ctx context.Context, look gateLook, now time.Time) (end *stop, merged bool, err error) {
	call := look.Call
	if !w.mayMerge(look.Seen.Approved) && (call.Do == GateMerge || call.Do == GateEnqueue || call.Do == GateArm) {
		call = GateCall{Do: GateWait, Reason: Reason{"proposed", fmt.Sprintf("This is a proposal: merge it, or comment `/rollback approve %s`.", w.id)}}
	}
	if w.approved == nil && call.Do != GateWait {
		w.approved = look.Seen.Approved
	}
	switch call.Do {
	case GateMerge:
		if call.Reason.Name == "unprotected" {
			w.view.Notes = []string{call.Reason.Text}
		}
		return w.merge(ctx, now)
	case GateEnqueue, GateArm:
		var again bool
		if end, again, err = w.hand(ctx, call, now); again {
			return nil, false, nil
		}
		if w.given.to == "" {
			call.Reason.Text = "GitHub does not take it yet: " + w.refused.why
		}
	case GateFreeze:
		if w.given.to != "" {
			end, err = w.withdraw(ctx)
		}
	case GateUpdate:
		end, err = w.update(ctx)
	case GateRecompute:
		if w.recomputes++; w.recomputes > maxRecomputes {
			return needsHuman("Later commits conflict with the revert.", fmt.Sprintf("Solve the conflict on %s.", w.view.Pull.URL)), false, nil
		}
		end, err = w.recompute(ctx)
		return end, false, err
	}
	if end == nil && err == nil && look.Gate.ReviewDecision == "REVIEW_REQUIRED" {
		err = w.askReview(ctx)
	}
	if end != nil || err != nil {
		return end, false, err
	}
	every := w.Timing.Gate
	if look.Gate.State == "UNKNOWN" && call.Do == GateWait {
		// GitHub computes for a moment: nothing to tell people yet.
		every = min(w.Timing.Mergeable<<min(w.unknown, 10), w.Timing.Gate)
		w.unknown++
	} else {
		w.reason, w.proposed, w.unknown = call.Reason.Text, call.Reason.Name == "proposed", 0
	}
	if now.Sub(w.since) >= w.plan.Policy.MergeWithin {
		return w.timeout(), false, nil
	}
	return nil, false, w.j.Wait(ctx, "wait for the gate", w.topics(), every)
}

// mayMerge reports whether Backout merges itself: not where the decision is
// only to propose, unless a person approved the proposal.
func (r *run) mayMerge(approved *Word) bool {
	return r.plan.Decision.Verb == VerbAct || r.approved != nil || approved != nil
}

func (w *watch) timeout() *stop {
	if w.plan.Decision.Verb == VerbPropose {
		return &stop{verdict: VerdictProposed, summary: "The revert is proposed; nobody merged it yet.", todo: []string{"Merge " + w.view.Pull.URL}}
	}
	return needsHuman(fmt.Sprintf("The revert could not merge within %s: %s", w.plan.Policy.MergeWithin, w.reason), "Merge "+w.view.Pull.URL)
}

// leave ends the stage. What was given to GitHub is taken back, since nobody
// would watch that merge any more.
func (w *watch) leave(ctx context.Context, end *stop) (*stop, error) {
	if w.given.to == "" {
		return end, nil
	}
	failed, err := w.withdraw(ctx)
	if failed != nil {
		end.todo = append(end.todo, failed.todo...)
	}
	return end, err
}
