package fakehub

import (
	"fmt"
	"slices"
)

// enqueue puts a pull request into the merge queue of its base.
func (r *Repo) enqueue(by *account, p *pull) error {
	rules := r.rules(p.baseRef)
	switch {
	case rules == nil || !rules.MergeQueue:
		return errUnprocessable("Merge queue is not enabled on the base branch")
	case p.state != "open":
		return errUnprocessable("Pull request is closed")
	case p.queued != nil:
		return errUnprocessable("Pull request is already in the merge queue")
	case p.settled().mergeable != "MERGEABLE":
		return errUnprocessable("Pull Request is not mergeable")
	}
	if why := p.blockers(rules); len(why) > 0 {
		return errUnprocessable(rules.phrase(why))
	}
	p.queued = &queueEntry{id: r.hub.nextID(), by: by, at: stamp(r.hub.now())}
	r.emit("pull_request", "enqueued", by, r.pullPayload(p))
	return nil
}

func (r *Repo) dequeue(by *account, p *pull) {
	p.queued = nil
	payload := r.pullPayload(p)
	payload["reason"] = "MANUAL"
	r.emit("pull_request", "dequeued", by, payload)
}

// RunQueue merges what waits in a branch's merge queue, in order. On GitHub a
// group of merges is built and tested first; here that always succeeds.
func (r *Repo) RunQueue(branch string) error {
	r.hub.lock()
	defer r.hub.unlock()
	waiting := slices.DeleteFunc(r.openPulls(), func(p *pull) bool { return p.queued == nil || p.baseRef != branch })
	slices.SortFunc(waiting, func(a, b *pull) int { return int(a.queued.id - b.queued.id) })
	for _, p := range waiting {
		by := p.queued.by
		if _, err := r.mergeNow(by, p, mergeInput{method: r.opts.Methods[0]}); err != nil {
			return fmt.Errorf("merge queued %s#%d: %w", r.FullName(), p.number, err)
		}
	}
	return nil
}
