package fakehub

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// pull is a pull request; its conversation is the issue.
type pull struct {
	*issue
	prID      int64
	headRepo  *Repo
	headRef   string
	headSHA   string
	baseRef   string
	baseSHA   string // the base's tip when the head last moved, as on GitHub
	draft     bool
	merged    bool
	merging   bool
	mergedAt  time.Time
	mergedBy  *account
	mergeSHA  string
	reviews   []*review
	threads   int // conversations that are not resolved
	requested []*account
	autoMerge *autoMerge
	queued    *queueEntry
	lagReads  int
	lagUntil  time.Time
}

// PR is a pull request as it stands.
type PR struct {
	ID       int64
	NodeID   string
	Repo     string // owner/name of the base
	Number   int
	Title    string
	Body     string
	State    string // "open" or "closed"; merged ones are closed
	Draft    bool
	Merged   bool
	MergedBy string
	MergeSHA string // of the commit that merged it
	Author   string
	Head     string // branch
	HeadRepo string // owner/name
	HeadSHA  string
	Base     string // branch
	Labels   []string
	Status   string // mergeStateStatus as it would be with no lag
	Auto     bool   // native auto-merge is armed
	Queued   bool   // in the merge queue
	Asked    []string
	URL      string
}

func (p *pull) nodeID() string { return nodeID("PR", p.repo.id, p.prID) }

func (p *pull) snapshot() PR {
	s := PR{
		ID: p.prID, NodeID: p.nodeID(), Repo: p.repo.FullName(), Number: p.number, Title: p.title,
		Body: p.body, State: p.state, Draft: p.draft, Merged: p.merged, MergeSHA: p.mergeSHA,
		Author: p.author.login, Head: p.headRef, HeadRepo: p.headRepo.FullName(), HeadSHA: p.headSHA,
		Base: p.baseRef, Labels: slices.Clone(p.labels), Status: p.settled().status,
		Auto: p.autoMerge != nil, Queued: p.queued != nil, URL: p.htmlURL(),
	}
	if p.mergedBy != nil {
		s.MergedBy = p.mergedBy.login
	}
	for _, a := range p.requested {
		s.Asked = append(s.Asked, a.login)
	}
	return s
}

func (p *pull) htmlURL() string { return fmt.Sprintf("%s/pull/%d", p.repo.HTMLURL(), p.number) }

// OpenPR commits files to a branch (when there are any) and opens a pull
// request from it. The branch "owner:name" is one of a fork.
func (r *Repo) OpenPR(author, title, branch, base string, files map[string]*string) (PR, error) {
	r.hub.lock()
	defer r.hub.unlock()
	by := r.hub.person(author)
	head, name, err := r.headOf(branch)
	if err != nil {
		return PR{}, err
	}
	if len(files) > 0 {
		if head.git.branch(name) == "" && head == r && base != r.defaultBranch {
			if err := r.moveRef(by, refUpdate{"refs/heads/" + name, "", r.git.branch(base)}); err != nil {
				return PR{}, fmt.Errorf("open pull request %q: %w", title, err)
			}
		}
		if _, err := head.commit(name, by, title, files); err != nil {
			return PR{}, fmt.Errorf("open pull request %q: %w", title, err)
		}
	}
	p, err := r.newPull(by, pullInput{title: title, head: branch, base: base})
	if err != nil {
		return PR{}, fmt.Errorf("open pull request %q: %w", title, err)
	}
	return p.snapshot(), nil
}

// PR returns a pull request; ok is false where there is none.
func (r *Repo) PR(number int) (pr PR, ok bool) {
	r.hub.lock()
	defer r.hub.unlock()
	if p := r.pull(number); p != nil {
		return p.snapshot(), true
	}
	return PR{}, false
}

// PRs lists all pull requests, oldest first.
func (r *Repo) PRs() []PR {
	r.hub.lock()
	defer r.hub.unlock()
	var list []PR
	for _, p := range r.pulls() {
		list = append(list, p.snapshot())
	}
	return list
}

// ClosePR closes a pull request without merging it.
func (r *Repo) ClosePR(number int, by string) error {
	r.hub.lock()
	defer r.hub.unlock()
	p := r.pull(number)
	if p == nil {
		return fmt.Errorf("close %s#%d: there is none", r.FullName(), number)
	}
	r.closePull(r.hub.person(by), p)
	return nil
}

// OnPR calls f after a pull request was opened, or its head moved, anywhere.
// f runs before the request that caused it is answered and may use the hub.
func (h *Hub) OnPR(f func(PR)) {
	h.lock()
	defer h.unlock()
	h.onPR = append(h.onPR, f)
}

func (h *Hub) notifyPR(r *Repo, p *pull) {
	for _, f := range h.onPR {
		h.later(func() {
			if pr, ok := r.PR(p.number); ok {
				f(pr)
			}
		})
	}
}

func (r *Repo) pull(number int) *pull {
	if i := r.issues[number]; i != nil {
		return i.pull
	}
	return nil
}

// pulls lists pull requests by number.
func (r *Repo) pulls() []*pull {
	var list []*pull
	for _, i := range slices.SortedFunc(maps.Values(r.issues), func(a, b *issue) int { return cmp.Compare(a.number, b.number) }) {
		if i.pull != nil {
			list = append(list, i.pull)
		}
	}
	return list
}

func (r *Repo) openPulls() []*pull {
	return slices.DeleteFunc(r.pulls(), func(p *pull) bool { return p.state != "open" })
}

// headOf resolves a pull request's head: "branch" or "owner:branch".
func (r *Repo) headOf(head string) (*Repo, string, error) {
	owner, branch, ok := strings.Cut(head, ":")
	if !ok {
		return r, head, nil
	}
	if strings.EqualFold(owner, r.owner.login) {
		return r, branch, nil
	}
	for _, fork := range r.hub.repos {
		if fork.parent == r && strings.EqualFold(fork.owner.login, owner) {
			return fork, branch, nil
		}
	}
	return nil, "", errInvalid("PullRequest", "head", "Head sha can't be blank")
}

type pullInput struct {
	title, body, head, base string
	draft                   bool
}

// newPull opens a pull request, or says as GitHub does why it can't.
func (r *Repo) newPull(by *account, in pullInput) (*pull, error) {
	headRepo, branch, err := r.headOf(in.head)
	if err != nil {
		return nil, err
	}
	base, head := r.git.branch(in.base), headRepo.git.branch(branch)
	switch {
	case in.title == "":
		return nil, errInvalid("PullRequest", "title", "Title can't be blank")
	case base == "":
		return nil, errInvalid("PullRequest", "base", "Base ref must be a branch")
	case head == "":
		return nil, errInvalid("PullRequest", "head", "Head sha can't be blank, Base sha can't be blank, No commits between "+in.base+" and "+branch+", Head ref must be a branch")
	}
	for _, p := range r.openPulls() {
		if p.headRepo == headRepo && p.headRef == branch && p.baseRef == in.base {
			return nil, errInvalid("PullRequest", "", "A pull request already exists for "+headRepo.owner.login+":"+branch+".")
		}
	}
	if headRepo == r && r.git.isAncestor(head, base) {
		return nil, noCommits(in.base, branch)
	}
	p := &pull{
		prID: r.hub.nextID(), headRepo: headRepo, headRef: branch, headSHA: head,
		baseRef: in.base, baseSHA: base, draft: in.draft, issue: &issue{repo: r, number: r.lastNumber + 1},
	}
	if err := r.fetchHead(p); err != nil {
		return nil, err
	}
	if r.git.isAncestor(head, base) {
		return nil, noCommits(in.base, branch)
	}
	p.issue = r.newIssue(by, in.title, in.body)
	delete(r.hub.nodes, p.issue.nodeID())
	p.pull = p
	p.unknown()
	r.hub.nodes[p.nodeID()] = p
	r.emit("pull_request", "opened", by, r.pullPayload(p))
	r.hub.notifyPR(r, p)
	return p, nil
}

func noCommits(base, head string) error {
	return errInvalid("PullRequest", "", "No commits between "+base+" and "+head)
}

// fetchHead keeps refs/pull/N/head, which GitHub advertises and which brings
// a fork's commits into the base repository.
func (r *Repo) fetchHead(p *pull) error {
	ref := fmt.Sprintf("refs/pull/%d/head", p.number)
	if p.headRepo != r {
		_, err := r.git.run("", "fetch", "--quiet", p.headRepo.Dir, "+"+p.headSHA+":"+ref)
		return err
	}
	old := r.git.ref(ref)
	if old == p.headSHA {
		return nil
	}
	return r.git.update(refUpdate{ref, old, p.headSHA})
}

// Draft turns an open pull request into a draft, or back.
func (r *Repo) Draft(number int, by string, draft bool) error {
	r.hub.lock()
	defer r.hub.unlock()
	p := r.pull(number)
	if p == nil || p.state != "open" {
		return fmt.Errorf("draft %s#%d: it is not open", r.FullName(), number)
	}
	p.draft, p.updated = draft, r.hub.now()
	action := "ready_for_review"
	if draft {
		action = "converted_to_draft"
	}
	r.emit("pull_request", action, r.hub.person(by), r.pullPayload(p))
	return nil
}

func (r *Repo) closePull(by *account, p *pull) {
	if p.state != "open" {
		return
	}
	p.state, p.closed, p.updated = "closed", r.hub.now(), r.hub.now()
	p.autoMerge = nil
	r.emit("pull_request", "closed", by, r.pullPayload(p))
	r.leave(by, p, leftUnknown)
}

func (r *Repo) reopenPull(by *account, p *pull) error {
	if p.merged || p.headRepo.git.branch(p.headRef) == "" || r.git.branch(p.baseRef) == "" {
		return errInvalid("PullRequest", "state", "state cannot be changed. The pull request cannot be reopened.")
	}
	p.state, p.closed, p.updated = "open", time.Time{}, r.hub.now()
	p.headSHA = p.headRepo.git.branch(p.headRef)
	p.unknown()
	r.emit("pull_request", "reopened", by, r.pullPayload(p))
	return nil
}
