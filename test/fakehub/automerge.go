package fakehub

import (
	"fmt"
	"strings"
)

// autoMerge is GitHub's native auto-merge, armed.
type autoMerge struct {
	by      *account
	method  string
	title   string
	message string
	at      string
}

// Arm turns a pull request's auto-merge on as a user: "merge", "squash" or
// "rebase".
func (r *Repo) Arm(number int, method, by string) error {
	r.hub.lock()
	defer r.hub.unlock()
	p := r.pull(number)
	if p == nil {
		return fmt.Errorf("arm %s#%d: there is none", r.FullName(), number)
	}
	if err := r.armAutoMerge(r.hub.person(by), p, autoMerge{method: method}); err != nil {
		return fmt.Errorf("arm %s#%d: %w", r.FullName(), number, err)
	}
	return nil
}

// Disarm turns a pull request's auto-merge off as a user.
func (r *Repo) Disarm(number int, by string) error {
	r.hub.lock()
	defer r.hub.unlock()
	p := r.pull(number)
	if p == nil || p.autoMerge == nil {
		return fmt.Errorf("disarm %s#%d: it is not armed", r.FullName(), number)
	}
	r.disarm(r.hub.person(by), p, "")
	return nil
}

// armAutoMerge is enablePullRequestAutoMerge: refused where it is switched
// off, and on what could be merged at once. Where the base has a merge queue it
// stands for "merge when ready": what is ready is queued instead (people have
// seen no autoMergeRequest come back:
// https://github.com/peter-evans/enable-pull-request-automerge/issues/785).
func (r *Repo) armAutoMerge(by *account, p *pull, a autoMerge) error {
	state, rules := p.settled(), r.rules(p.baseRef)
	switch {
	case !r.opts.AllowAutoMerge:
		return errUnprocessable("Pull request Auto merge is not allowed for this repository")
	case p.state != "open":
		return errUnprocessable("Pull request Pull request is closed")
	case rules != nil && rules.MergeQueue && (state.status == "CLEAN" || state.status == "UNSTABLE"):
		return r.enqueue(by, p)
	case state.status == "CLEAN" || state.status == "UNSTABLE" || state.status == "DIRTY":
		return errUnprocessable("Pull request Pull request is in " + strings.ToLower(state.status) + " status")
	case !r.allows(a.method):
		return errUnprocessable("Pull request Merge method " + a.method + " merging is not allowed on this repository")
	}
	fresh := p.autoMerge == nil
	a.by, a.at = by, stamp(r.hub.now())
	p.autoMerge = &a
	if fresh {
		r.emit("pull_request", "auto_merge_enabled", by, r.pullPayload(p))
	}
	return nil
}

// disarm turns auto-merge off, by hand or because of what somebody did.
func (r *Repo) disarm(by *account, p *pull, reason string) {
	if p.autoMerge == nil {
		return
	}
	p.autoMerge = nil
	payload := r.pullPayload(p)
	payload["reason"] = reason
	r.emit("pull_request", "auto_merge_disabled", by, payload)
}

// disarmAfterPush is the one protection that auto-merge has: a push by somebody
// who may not write to the repository turns it off. Anybody else's push stays
// armed and is merged too
// (https://docs.github.com/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/automatically-merging-a-pull-request).
func (r *Repo) disarmAfterPush(by *account, p *pull) {
	if !r.mayWrite(by) {
		r.disarm(by, p, "Head branch was pushed to by a user without write access")
	}
}

// mayWrite tells whether an account, an App's bot included, may write.
func (r *Repo) mayWrite(a *account) bool {
	if a.kind != "Bot" {
		return roleRank(r.role(a)) >= roleRank("write")
	}
	for _, in := range r.hub.installs {
		if in.app.bot == a && in.repos[r] && grants(in.app.perms, "contents=write") {
			return true
		}
	}
	return a == r.hub.queueBot()
}

// settle does what waited for a commit's checks or reviews: it merges what is
// armed and no longer blocked, and turns the queue whose group it is.
func (r *Repo) settle(sha string) {
	for _, p := range r.openPulls() {
		if p.queued != nil && p.queued.group != nil && p.queued.group.head == sha {
			r.turnQueue(p.baseRef)
		}
		if p.headSHA == sha {
			r.settleArmed(p)
		}
	}
}

func (r *Repo) settleArmed(p *pull) {
	a := p.autoMerge
	if a == nil || p.state != "open" {
		return
	}
	if s := p.settled(); s.status != "CLEAN" && s.status != "UNSTABLE" {
		return
	}
	if rules := r.rules(p.baseRef); rules != nil && rules.MergeQueue {
		if err := r.enqueue(a.by, p); err != nil {
			r.hub.log.Info("auto-merge not queued", "pull", p.number, "error", err)
		}
		return
	}
	if _, err := r.merge(a.by, p, mergeInput{method: a.method, title: a.title, message: a.message}); err != nil {
		r.hub.log.Info("auto-merge refused", "pull", p.number, "error", err)
	}
}
