package fakehub

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

type mergeInput struct {
	method  string // merge, squash, rebase
	head    string // expected head SHA, or ""
	title   string
	message string
}

// MergePR merges as a user with the button, past all protection: "merge",
// "squash" or "rebase". Only conflicts and closed pull requests are refused.
func (r *Repo) MergePR(number int, method, by string) (string, error) {
	r.hub.lock()
	defer r.hub.unlock()
	p := r.pull(number)
	if p == nil {
		return "", fmt.Errorf("merge %s#%d: there is none", r.FullName(), number)
	}
	if p.state != "open" || p.settled().mergeable != "MERGEABLE" {
		return "", fmt.Errorf("merge %s#%d: %w", r.FullName(), number, errRefused("Pull Request is not mergeable"))
	}
	sha, err := r.mergeNow(r.hub.person(by), p, mergeInput{method: method})
	if err != nil {
		return "", fmt.Errorf("merge %s#%d: %w", r.FullName(), number, err)
	}
	return sha, nil
}

// merge is every merge: it refuses as GitHub does, or does it.
func (r *Repo) merge(by *account, p *pull, in mergeInput) (string, error) {
	if err := r.mayMerge(by, p, in); err != nil {
		return "", err
	}
	return r.mergeNow(by, p, in)
}

func (r *Repo) mergeNow(by *account, p *pull, in mergeInput) (string, error) {
	base := r.git.branch(p.baseRef)
	sha, err := r.mergeCommits(by, p, in, base)
	if err != nil {
		return "", err
	}
	p.merging = true
	defer func() { p.merging = false }()
	if err := r.git.update(refUpdate{"refs/heads/" + p.baseRef, base, sha}); err != nil {
		return "", errRefused("Base branch was modified. Review and try the merge again.")
	}
	r.markMerged(by, p, sha, leftAlready)
	r.refMoved(by, refUpdate{"refs/heads/" + p.baseRef, base, sha})
	r.deleteMerged(by, p)
	return sha, nil
}

// deleteMerged deletes a merged branch where the repository says so.
func (r *Repo) deleteMerged(by *account, p *pull) {
	if !r.opts.DeleteBranchOnMerge || p.headRepo != r || r.git.branch(p.headRef) == "" {
		return
	}
	if err := r.moveRef(by, refUpdate{"refs/heads/" + p.headRef, p.headSHA, ""}); err != nil {
		r.hub.log.Error("delete merged branch", "branch", p.headRef, "error", err)
	}
}

// markMerged records a merge; left is why it leaves the queue, if it is in one.
func (r *Repo) markMerged(by *account, p *pull, sha, left string) {
	now, entry := r.hub.now(), p.queued
	p.merged, p.mergedAt, p.mergedBy, p.mergeSHA = true, now, by, sha
	p.state, p.closed, p.updated = "closed", now, now
	p.autoMerge, p.queued = nil, nil
	r.emit("pull_request", "closed", by, r.pullPayload(p))
	if entry != nil {
		r.emitLeft(by, p, entry, left)
	}
}

// mayMerge says why not.
func (r *Repo) mayMerge(by *account, p *pull, in mergeInput) error {
	rules := r.rulesFor(by, p.baseRef)
	words := map[string]string{"merge": "Merge commits", "squash": "Squash merges", "rebase": "Rebase merges"}
	state := p.settled()
	switch {
	case words[in.method] == "":
		return errInvalid("PullRequest", "merge_method", "merge_method is invalid")
	case p.state != "open":
		return errRefused("Pull Request is not mergeable")
	case in.head != "" && in.head != p.headSHA:
		return &apiError{
			status: http.StatusConflict, kind: "UNPROCESSABLE",
			message: "Head branch was modified. Review and try the merge again.",
		}
	case !slices.Contains(r.opts.Methods, in.method):
		return errRefused(words[in.method] + " are not allowed on this repository.")
	case p.draft:
		return errRefused("Pull Request is still a draft")
	case state.mergeable != "MERGEABLE":
		return errRefused("Pull Request is not mergeable")
	case rules == nil:
		return nil
	case rules.MergeQueue:
		return errRefused("Changes must be made through the merge queue")
	case rules.LinearHistory && in.method == "merge", len(rules.Methods) > 0 && !slices.Contains(rules.Methods, in.method):
		return errRefused(words[in.method] + " are not allowed on this repository.")
	}
	why := p.blockers(rules)
	if len(why) == 0 && p.behind(rules, r.git.branch(p.baseRef)) {
		why = []string{"Head branch is out of date. Review and try the merge again."}
	}
	if len(why) > 0 {
		return errRefused(rules.phrase(why))
	}
	return nil
}

// mergeCommits writes what the merge adds to the base and returns its tip.
func (r *Repo) mergeCommits(by *account, p *pull, in mergeInput, base string) (string, error) {
	commits, err := r.git.between(base, p.headSHA)
	if err != nil {
		return "", fmt.Errorf("list commits to merge: %w", err)
	}
	if in.method == "rebase" {
		return r.rebase(by, base, commits)
	}
	m, err := r.tryMerge(base, p.headSHA)
	if err != nil {
		return "", err
	}
	if !m.clean {
		return "", errRefused("Pull Request is not mergeable")
	}
	c := commit{tree: m.tree, committer: webFlow(r.hub.now())}
	title, message := in.title, in.message
	if in.method == "squash" {
		c.parents = []string{base}
		c.author = r.signatureOf(p.author)
		dt, dm := squashMessage(p, commits)
		if title == "" {
			title = dt
		}
		if message == "" {
			message = dm
		}
	} else {
		c.parents = []string{base, p.headSHA}
		c.author = r.signatureOf(by)
		if title == "" {
			title = fmt.Sprintf("Merge pull request #%d from %s/%s", p.number, p.headRepo.owner.login, p.headRef)
		}
		if message == "" {
			message = p.title
		}
	}
	c.message = strings.TrimRight(title+"\n\n"+message, "\n")
	return r.signed(c)
}

// signed writes a commit that GitHub itself signs.
func (r *Repo) signed(c commit) (string, error) {
	sha, err := r.git.writeCommit(c, true)
	if err == nil {
		r.verified[sha] = r.hub.now()
	}
	return sha, err
}

func (r *Repo) signatureOf(a *account) signature {
	return signature{name: a.login, email: a.email, at: r.hub.now()}
}

// squashMessage is GitHub's default: of a single commit its own message, of
// several the title and the list.
func squashMessage(p *pull, commits []*commit) (title, message string) {
	if len(commits) == 1 {
		return fmt.Sprintf("%s (#%d)", commits[0].subject(), p.number), commits[0].body()
	}
	var items []string
	for _, c := range commits {
		items = append(items, "* "+strings.TrimSpace(c.message))
	}
	return fmt.Sprintf("%s (#%d)", p.title, p.number), strings.Join(items, "\n\n")
}

// rebase writes each commit anew on the base; merge commits are left out, as
// git rebase does.
func (r *Repo) rebase(by *account, base string, commits []*commit) (string, error) {
	tip := base
	for _, c := range commits {
		if len(c.parents) != 1 {
			continue
		}
		tree, clean, err := r.git.pickTree(tip, c)
		if err != nil {
			return "", err
		}
		if !clean {
			return "", errRefused("This branch can't be rebased")
		}
		tip, err = r.git.writeCommit(commit{
			tree: tree, parents: []string{tip}, author: c.author,
			committer: r.signatureOf(by), message: c.message,
		}, false)
		if err != nil {
			return "", err
		}
	}
	return tip, nil
}

// updateBranch merges the base into the head, as the button does.
func (r *Repo) updateBranch(by *account, p *pull) error {
	base := r.git.branch(p.baseRef)
	if p.queued != nil {
		return errUnprocessable(queueLock)
	}
	if r.git.isAncestor(base, p.headSHA) {
		return errUnprocessable("There are no new commits on the base branch.")
	}
	m, err := r.tryMerge(p.headSHA, base)
	if err != nil {
		return err
	}
	if !m.clean {
		return errUnprocessable("merge conflict between base and head")
	}
	sha, err := r.signed(commit{
		tree: m.tree, parents: []string{p.headSHA, base}, author: r.signatureOf(by), committer: webFlow(r.hub.now()),
		message: fmt.Sprintf("Merge branch '%s' into %s", p.baseRef, p.headRef),
	})
	if err != nil {
		return err
	}
	if p.headRepo != r {
		if _, err := p.headRepo.git.run("", "fetch", "--quiet", r.Dir, sha); err != nil {
			return err
		}
	}
	return p.headRepo.moveRef(by, refUpdate{"refs/heads/" + p.headRef, p.headSHA, sha})
}
