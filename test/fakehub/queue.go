package fakehub

import (
	"fmt"
	"slices"
)

// queueEntry is a pull request's place in the merge queue of its base.
type queueEntry struct {
	id    int64
	by    *account
	at    string
	group *mergeGroup // nil until one was built
}

// Why a pull request leaves the queue, as pull_request "dequeued" says it
// (https://docs.github.com/webhooks/webhook-events-and-payloads?actionType=dequeued#pull_request).
// Which act gives which is documented for few of them.
const (
	leftByHand   = "MANUAL"
	leftMerged   = "MERGE"
	leftConflict = "MERGE_CONFLICT"
	leftFailed   = "CI_FAILURE"
	leftTimeout  = "CI_TIMEOUT"
	leftAlready  = "ALREADY_MERGED"
	leftRules    = "BRANCH_PROTECTIONS"
	leftUnknown  = "UNKNOWN_REMOVAL_REASON"
)

// queueBot is who merges what comes through the queue.
func (h *Hub) queueBot() *account { return h.account("github-merge-queue[bot]", "Bot") }

// Enqueue puts a pull request into the merge queue as a user, if the queue
// takes it.
func (r *Repo) Enqueue(number int, by string) error {
	r.hub.lock()
	defer r.hub.unlock()
	p := r.pull(number)
	if p == nil {
		return fmt.Errorf("queue %s#%d: there is none", r.FullName(), number)
	}
	if err := r.enqueue(r.hub.person(by), p); err != nil {
		return fmt.Errorf("queue %s#%d: %w", r.FullName(), number, err)
	}
	return nil
}

// Dequeue takes a pull request out of the merge queue as a user.
func (r *Repo) Dequeue(number int, by string) error {
	r.hub.lock()
	defer r.hub.unlock()
	p := r.pull(number)
	if p == nil || p.queued == nil {
		return fmt.Errorf("dequeue %s#%d: it is not queued", r.FullName(), number)
	}
	r.leave(r.hub.person(by), p, leftByHand)
	return nil
}

// enqueue puts a pull request into the merge queue of its base. The queue
// takes only what could be merged but for the queue; being behind is no
// matter. The words are those that people report: "Pull request Required
// status check … is expected."
func (r *Repo) enqueue(by *account, p *pull) error {
	rules := r.rules(p.baseRef)
	switch {
	case rules == nil || !rules.MergeQueue:
		return errUnprocessable("Pull request Merge queue is not enabled on the base branch")
	case p.state != "open":
		return errUnprocessable("Pull request Pull request is closed")
	case p.queued != nil:
		return errUnprocessable("Pull request is already in the merge queue")
	case p.draft:
		return errUnprocessable("Pull request Pull request is in draft state")
	case p.settled().mergeable != "MERGEABLE":
		return errUnprocessable("Pull request Pull Request is not mergeable")
	}
	if why := p.blockers(rules); len(why) > 0 {
		return errUnprocessable("Pull request " + rules.phrase(why))
	}
	p.queued = &queueEntry{id: r.hub.nextID(), by: by, at: stamp(r.hub.now())}
	p.autoMerge = nil
	r.emit("pull_request", "enqueued", by, r.pullPayload(p))
	if rules.QueueAtOnce {
		r.turnQueue(p.baseRef)
	}
	return nil
}

// leave takes a pull request out of the queue. Groups that were built behind
// it hold its change, so they are built anew.
func (r *Repo) leave(by *account, p *pull, reason string) {
	entry := p.queued
	if entry == nil {
		return
	}
	p.queued = nil
	r.emitLeft(by, p, entry, reason)
	if entry.group != nil {
		r.turnQueue(p.baseRef)
	}
}

// emitLeft tells that an entry has gone, and its group with it.
func (r *Repo) emitLeft(by *account, p *pull, entry *queueEntry, reason string) {
	payload := r.pullPayload(p)
	payload["reason"] = reason
	r.emit("pull_request", "dequeued", by, payload)
	if entry.group == nil {
		return
	}
	why := "dequeued"
	if reason == leftMerged {
		why = "merged"
	}
	r.destroyGroup(entry.group, why)
}

// waiting lists what is in a branch's queue, in order.
func (r *Repo) waiting(branch string) []*pull {
	list := slices.DeleteFunc(r.openPulls(), func(p *pull) bool { return p.queued == nil || p.baseRef != branch })
	slices.SortFunc(list, func(a, b *pull) int { return int(a.queued.id - b.queued.id) })
	return list
}

// queuedFrom is the queued pull request whose head a branch is.
func (r *Repo) queuedFrom(branch string) *pull {
	for _, base := range r.hub.repos {
		for _, p := range base.openPulls() {
			if p.headRepo == r && p.headRef == branch && p.queued != nil {
				return p
			}
		}
	}
	return nil
}

// queueLock is what GitHub answers to a push to a branch that is queued (seen
// by many: https://github.com/SharezoneApp/sharezone-app/pull/605).
const queueLock = "A pull request for this branch has been added to a merge queue. Branches that are queued for merging " +
	"cannot be updated. To modify this branch, dequeue the associated pull request."

// RunQueue empties a branch's merge queue: it builds the groups, passes on
// each the required checks that have not been reported, and merges in order.
// What fails or conflicts leaves the queue, as it would on GitHub.
func (r *Repo) RunQueue(branch string) error {
	r.hub.lock()
	defer r.hub.unlock()
	for {
		r.turnQueue(branch)
		waiting := r.waiting(branch)
		if len(waiting) == 0 {
			return nil
		}
		front := waiting[0]
		if front.queued.group == nil {
			return fmt.Errorf("run the queue of %s: no group for #%d", branch, front.number)
		}
		for _, want := range r.rules(branch).RequiredChecks {
			if state := r.checkState(front.queued.group.head, want); state == "" || state == "PENDING" {
				r.setCheck(front.queued.group.head, want.Context, "success", want.App)
			}
			if front.queued == nil {
				break // the last one was in.
			}
		}
		if front.queued != nil {
			return fmt.Errorf("run the queue of %s: #%d does not come through", branch, front.number)
		}
	}
}

// BuildQueue builds a merge group for everything that waits in a branch's
// queue, as GitHub does after a while, and lists the groups. Each waits for
// its required checks, which merge it when they have passed; where none is
// required it is merged at once.
func (r *Repo) BuildQueue(branch string) []MergeGroup {
	r.hub.lock()
	defer r.hub.unlock()
	r.turnQueue(branch)
	return r.groups(branch)
}

// MergeGroups lists the groups that a branch's queue has built.
func (r *Repo) MergeGroups(branch string) []MergeGroup {
	r.hub.lock()
	defer r.hub.unlock()
	return r.groups(branch)
}

// TimeOutQueue lets the time pass that a branch's queue gives checks to report:
// the first in the queue, whose checks have not, leaves it.
func (r *Repo) TimeOutQueue(branch string) error {
	r.hub.lock()
	defer r.hub.unlock()
	waiting := r.waiting(branch)
	if len(waiting) == 0 || waiting[0].queued.group == nil {
		return fmt.Errorf("time out the queue of %s: nothing is being checked", branch)
	}
	r.leave(r.hub.queueBot(), waiting[0], leftTimeout)
	return nil
}
