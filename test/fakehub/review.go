package fakehub

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// review is one submitted review.
type review struct {
	id        int64
	author    *account
	state     string // APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED
	body      string
	sha       string
	submitted time.Time
}

// Review submits a review as a user: "APPROVE", "REQUEST_CHANGES" or
// "COMMENT". The author of a pull request can't approve it.
func (r *Repo) Review(number int, by, event, body string) error {
	r.hub.lock()
	defer r.hub.unlock()
	p := r.pull(number)
	if p == nil {
		return fmt.Errorf("review %s#%d: there is none", r.FullName(), number)
	}
	if _, err := r.addReview(p, r.hub.person(by), event, body); err != nil {
		return fmt.Errorf("review %s#%d: %w", r.FullName(), number, err)
	}
	return nil
}

func (r *Repo) addReview(p *pull, by *account, event, body string) (*review, error) {
	state, ok := map[string]string{
		"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED",
	}[event]
	switch {
	case !ok:
		return nil, errReview("Variable $event of type PullRequestReviewEvent was provided invalid value")
	case by == p.author && state == "APPROVED":
		return nil, errReview("Can not approve your own pull request")
	case by == p.author && state == "CHANGES_REQUESTED":
		return nil, errReview("Can not request changes on your own pull request")
	case body == "" && state != "APPROVED":
		return nil, errReview("Body can't be blank")
	}
	v := &review{id: r.hub.nextID(), author: by, state: state, body: body, sha: p.headSHA, submitted: r.hub.now()}
	p.reviews = append(p.reviews, v)
	p.requested = slices.DeleteFunc(p.requested, func(a *account) bool { return a == by })
	// Unlike pull_request events it has the form that lists have.
	r.emit("pull_request_review", "submitted", by, obj{"pull_request": r.pullJSON(p), "review": r.reviewJSON(p, v, true)})
	r.settle(p.headSHA)
	return v, nil
}

// approvals counts who approves, among people who may write, by the last
// review of each that takes a side; against is true when one of them asks for
// changes.
func (p *pull) approvals() (n int, against bool) {
	for by, state := range p.sides() {
		if by == p.author || roleRank(p.repo.role(by)) < roleRank("write") {
			continue
		}
		switch state {
		case "APPROVED":
			n++
		case "CHANGES_REQUESTED":
			against = true
		}
	}
	return n, against
}

// sides is the last review of each that takes a side.
func (p *pull) sides() map[*account]string {
	last := map[*account]string{}
	for _, v := range p.reviews {
		if v.state != "COMMENTED" {
			last[v.author] = v.state
		}
	}
	return last
}

// owned tells whether one of the code owners has approved. The hub reads no
// CODEOWNERS: the rules name who owns everything.
func (p *pull) owned(rules *protection) bool {
	if len(rules.CodeOwners) == 0 {
		return true
	}
	for by, state := range p.sides() {
		if state == "APPROVED" && by != p.author && slices.Contains(rules.CodeOwners, by.login) {
			return true
		}
	}
	return false
}

// reviewBlockers names what people still have to do, in the words of a refused
// merge. That about conversations is a guess; the others are seen often.
func (p *pull) reviewBlockers(rules *protection) []string {
	if rules == nil {
		return nil
	}
	var list []string
	switch approvals, against := p.approvals(); {
	case rules.wantsReview() && against:
		list = append(list, "Changes have been requested.")
	case approvals < rules.Approvals:
		list = append(list, approvalsNeeded(rules.Approvals))
	}
	if !p.owned(rules) {
		list = append(list, "Waiting on code owner review from "+strings.Join(rules.CodeOwners, " and/or ")+".")
	}
	if rules.Conversations && p.threads > 0 {
		list = append(list, "All comments must be resolved.")
	}
	return list
}

// decision is GitHub's reviewDecision, "" where no review is required.
func (p *pull) decision() string {
	rules := p.repo.rules(p.baseRef)
	if rules == nil || !rules.wantsReview() {
		return ""
	}
	switch approvals, against := p.approvals(); {
	case against:
		return "CHANGES_REQUESTED"
	case approvals >= rules.Approvals && p.owned(rules):
		return "APPROVED"
	}
	return "REVIEW_REQUIRED"
}

// Discuss opens n conversations on a pull request's changes, or resolves as
// many when n is negative. The hub keeps only their number.
func (r *Repo) Discuss(number, n int) error {
	r.hub.lock()
	defer r.hub.unlock()
	p := r.pull(number)
	if p == nil {
		return fmt.Errorf("discuss %s#%d: there is none", r.FullName(), number)
	}
	p.threads = max(0, p.threads+n)
	r.settle(p.headSHA)
	return nil
}

// reviewsAfterPush dismisses approvals where the branch says so.
func (p *pull) reviewsAfterPush() {
	if rules := p.repo.rules(p.baseRef); rules == nil || !rules.DismissStale {
		return
	}
	for _, v := range p.reviews {
		if v.state == "APPROVED" {
			v.state = "DISMISSED"
		}
	}
}

// requestReviews asks users for a review, or refuses the author and people
// who can't see the repository.
func (r *Repo) requestReviews(by *account, p *pull, users []*account) error {
	for _, u := range users {
		if u == p.author {
			return errUnprocessable("Review cannot be requested from pull request author.")
		}
		if roleRank(r.role(u)) < roleRank("read") {
			return errUnprocessable("Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the " + r.FullName() + " repository.")
		}
	}
	for _, u := range users {
		if !slices.Contains(p.requested, u) {
			p.requested = append(p.requested, u)
			payload := r.pullPayload(p)
			payload["requested_reviewer"] = r.hub.userJSON(u)
			r.emit("pull_request", "review_requested", by, payload)
		}
	}
	return nil
}
