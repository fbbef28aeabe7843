package fakehub

import (
	"strings"
	"time"
)

// Lag says how long `mergeable` is unknown after a pull request was opened or
// either of its branches moved: for that many reads (requests that show it),
// and for that long by the hub's clock.
type Lag struct {
	Reads int // -1: none
	For   time.Duration
}

// SetLag changes the lag for what happens from now on.
func (h *Hub) SetLag(lag Lag) {
	h.lock()
	defer h.unlock()
	h.opts.Lag = lag
}

// mergeState is what GitHub shows of a pull request's way to its base.
type mergeState struct {
	mergeable string // MERGEABLE, CONFLICTING, UNKNOWN
	status    string // CLEAN, BLOCKED, BEHIND, DIRTY, DRAFT, UNSTABLE, UNKNOWN
	testMerge string // GitHub's test merge commit
}

var unknownState = mergeState{mergeable: "UNKNOWN", status: "UNKNOWN"}

// unknown starts the lag again.
func (p *pull) unknown() {
	p.lagReads = p.repo.hub.opts.Lag.Reads
	p.lagUntil = p.repo.hub.opts.Now().Add(p.repo.hub.opts.Lag.For)
}

// reads remembers what one request has been shown, so that a request counts
// as one read and never contradicts itself.
type reads map[*pull]mergeState

// state is what this request gets to see.
func (seen reads) state(p *pull) mergeState {
	if s, ok := seen[p]; ok && s.status == "UNKNOWN" {
		return s
	}
	switch {
	case p.state != "open":
		return unknownState
	case p.lagReads > 0:
		p.lagReads--
		seen[p] = unknownState
	case p.repo.hub.opts.Now().Before(p.lagUntil):
		seen[p] = unknownState
	default:
		seen[p] = p.settled()
	}
	return seen[p]
}

// mergeResult is the merge of a base and a head.
type mergeResult struct {
	clean bool
	tree  string
	test  string
}

func (r *Repo) tryMerge(base, head string) (mergeResult, error) {
	key := [2]string{base, head}
	if m, ok := r.merges[key]; ok {
		return m, nil
	}
	tree, clean, err := r.git.mergeTree(base, head)
	if err != nil {
		return mergeResult{}, err
	}
	m := mergeResult{clean: clean, tree: tree}
	if clean {
		sig := webFlow(r.hub.now())
		m.test, err = r.git.writeCommit(commit{
			tree: tree, parents: []string{base, head}, author: sig, committer: sig,
			message: "Merge " + head + " into " + base,
		}, false)
		if err != nil {
			return mergeResult{}, err
		}
	}
	r.merges[key] = m
	return m, nil
}

// webFlow is who commits what is done through GitHub's pages and API.
func webFlow(at time.Time) signature {
	return signature{name: "GitHub", email: "noreply@github.com", at: at}
}

// settled computes the state with no lag. What can't be merged at all is said
// first, then what the branch's rules miss, then what merely looks bad.
func (p *pull) settled() mergeState {
	base := p.repo.git.branch(p.baseRef)
	if p.state != "open" || base == "" {
		return unknownState
	}
	m, err := p.repo.tryMerge(base, p.headSHA)
	if err != nil {
		p.repo.hub.log.Error("merge", "repository", p.repo.FullName(), "pull", p.number, "error", err)
		return unknownState
	}
	s := mergeState{mergeable: "MERGEABLE", testMerge: m.test}
	rules := p.repo.rules(p.baseRef)
	rollup := p.repo.rollup(p.headSHA).state
	switch {
	case !m.clean:
		return mergeState{mergeable: "CONFLICTING", status: "DIRTY"}
	case p.draft:
		s.status = "DRAFT"
	case len(p.blockers(rules)) > 0:
		s.status = "BLOCKED"
	case p.behind(rules, base):
		s.status = "BEHIND"
	case rollup != "" && rollup != "SUCCESS":
		s.status = "UNSTABLE"
	default:
		s.status = "CLEAN"
	}
	return s
}

// behind tells that the rules want the base's tip in the head, and it is not.
func (p *pull) behind(rules *protection, base string) bool {
	return rules != nil && rules.Strict && len(rules.RequiredChecks) > 0 && !p.repo.git.isAncestor(base, p.headSHA)
}

// blockers names what the base branch's rules still miss, in GitHub's words.
func (p *pull) blockers(rules *protection) []string {
	if rules == nil {
		return nil
	}
	var list []string
	if m := p.repo.missingChecks(rules, p.headSHA); m != "" {
		list = append(list, m)
	}
	return append(list, p.reviewBlockers(rules)...)
}

// restStatus is mergeable_state of the REST API.
func (s mergeState) restStatus() string { return strings.ToLower(s.status) }

// restMergeable is `mergeable` of the REST API: null while unknown.
func (s mergeState) restMergeable() any {
	if s.mergeable == "UNKNOWN" {
		return nil
	}
	return s.mergeable == "MERGEABLE"
}
