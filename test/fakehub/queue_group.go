package fakehub

import "fmt"

// mergeGroup is what the queue tests before it merges: the base with
// everything ahead in the queue, and one pull request more.
type mergeGroup struct {
	ref, base, head string // a full ref; commits
	onto            string // the base branch
}

// MergeGroup is a merge group as it stands.
type MergeGroup struct {
	Number     int    // of the pull request
	Ref        string // the full ref of the group's branch
	Base, Head string // commits
}

func (r *Repo) groups(branch string) []MergeGroup {
	var list []MergeGroup
	for _, p := range r.waiting(branch) {
		if g := p.queued.group; g != nil {
			list = append(list, MergeGroup{Number: p.number, Ref: g.ref, Base: g.base, Head: g.head})
		}
	}
	return list
}

// turnQueue builds what is missing, judges the first in the queue, and so on
// until nothing changes. Pushing a group makes CI report on it, which comes
// back here: the outer turn then sees it.
func (r *Repo) turnQueue(branch string) {
	if r.turning[branch] {
		return
	}
	r.turning[branch] = true
	defer delete(r.turning, branch)
	for {
		r.buildGroups(branch)
		waiting := r.waiting(branch)
		if len(waiting) == 0 || !r.judgeFront(waiting[0]) {
			return
		}
	}
}

// buildGroups gives each waiting pull request a group on top of the one before
// it. A group whose base is no longer that is invalid and built anew.
func (r *Repo) buildGroups(branch string) {
	base := r.git.branch(branch)
	for _, p := range r.waiting(branch) {
		if g := p.queued.group; g != nil && g.base != base {
			p.queued.group = nil
			r.destroyGroup(g, "invalidated")
		}
		if p.queued.group == nil && !r.buildGroup(p, branch, base) {
			continue
		}
		if p.queued != nil && p.queued.group != nil {
			base = p.queued.group.head
		}
	}
}

// buildGroup merges one pull request onto what is ahead of it; one that can't
// be leaves the queue.
func (r *Repo) buildGroup(p *pull, branch, base string) bool {
	head, err := r.mergeCommits(p.queued.by, p, mergeInput{method: r.queueMethod(branch)}, base)
	if err != nil {
		entry := p.queued
		p.queued = nil
		r.emitLeft(r.hub.queueBot(), p, entry, leftConflict)
		return false
	}
	g := &mergeGroup{
		ref:  fmt.Sprintf("refs/heads/gh-readonly-queue/%s/pr-%d-%s", branch, p.number, base),
		base: base, head: head, onto: branch,
	}
	p.queued.group = g
	u := refUpdate{g.ref, r.git.ref(g.ref), g.head}
	if err := r.git.update(u); err != nil {
		r.hub.log.Error("build merge group", "pull", p.number, "error", err)
		p.queued.group = nil
		return false
	}
	r.emit("merge_group", "checks_requested", r.hub.queueBot(), r.groupPayload(g))
	r.refMoved(r.hub.queueBot(), u)
	return true
}

// judgeFront merges the first in the queue when its group has passed, or takes
// it out when it can't; false means that it waits.
func (r *Repo) judgeFront(p *pull) bool {
	g, rules := p.queued.group, r.rules(p.baseRef)
	if g == nil {
		return false
	}
	if why := p.reviewBlockers(rules); len(why) > 0 {
		return r.drop(p, leftRules)
	}
	passed := true
	for _, want := range rules.required() {
		switch r.checkState(g.head, want) {
		case "FAILURE":
			return r.drop(p, leftFailed)
		case "SUCCESS":
		default:
			passed = false
		}
	}
	if passed {
		r.mergeGroup(p, g)
	}
	return passed
}

// drop is leave within a turn.
func (r *Repo) drop(p *pull, reason string) bool {
	entry := p.queued
	p.queued = nil
	r.emitLeft(r.hub.queueBot(), p, entry, reason)
	return true
}

// mergeGroup moves the base to the group's head: exactly what was tested.
func (r *Repo) mergeGroup(p *pull, g *mergeGroup) {
	by := r.hub.queueBot()
	u := refUpdate{"refs/heads/" + p.baseRef, g.base, g.head}
	p.merging = true
	defer func() { p.merging = false }()
	if err := r.git.update(u); err != nil {
		r.hub.log.Error("merge group", "pull", p.number, "error", err)
		r.drop(p, leftUnknown)
		return
	}
	r.markMerged(by, p, g.head, leftMerged)
	r.refMoved(by, u)
	r.deleteMerged(by, p)
}

// destroyGroup deletes a group's branch: "merged", "dequeued" or, because
// something ahead of it changed, "invalidated".
func (r *Repo) destroyGroup(g *mergeGroup, reason string) {
	payload := r.groupPayload(g)
	payload["reason"] = reason
	r.emit("merge_group", "destroyed", r.hub.queueBot(), payload)
	u := refUpdate{g.ref, r.git.ref(g.ref), ""}
	if u.old == "" {
		return
	}
	if err := r.moveRef(r.hub.queueBot(), u); err != nil {
		r.hub.log.Error("delete merge group", "ref", g.ref, "error", err)
	}
}

// groupPayload is the part of a merge_group event that is its own.
func (r *Repo) groupPayload(g *mergeGroup) obj {
	var head any
	if c, err := r.git.commit(g.head); err == nil {
		head = simpleCommitJSON(c)
	}
	return obj{"merge_group": obj{
		"head_sha": g.head, "head_ref": g.ref, "base_sha": g.base, "base_ref": "refs/heads/" + g.onto, "head_commit": head,
	}}
}

// queueMethod is how a queue merges; the ruleset says it, not who enqueues.
func (r *Repo) queueMethod(branch string) string {
	if rules := r.rules(branch); rules != nil && rules.QueueMethod != "" {
		return rules.QueueMethod
	}
	return r.opts.Methods[0]
}
