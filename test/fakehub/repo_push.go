package fakehub

import (
	"fmt"
	"strings"
)

// Commit puts one commit on a branch as if the author had pushed it, past any
// protection: a nil file is removed, others are written. The branch is made
// from the default branch when new.
func (r *Repo) Commit(branch, author, message string, files map[string]*string) (string, error) {
	r.hub.lock()
	defer r.hub.unlock()
	return r.commit(branch, r.hub.person(author), message, files)
}

// Text is a file's new text for Commit. new("…") says the same.
//
//go:fix inline
func Text(s string) *string { return new(s) }

func (r *Repo) commit(branch string, by *account, message string, files map[string]*string) (string, error) {
	ref := "refs/heads/" + branch
	old := r.git.branch(branch)
	parent := old
	if parent == "" {
		parent = r.git.branch(r.defaultBranch)
	}
	tree, err := r.treeWith(parent, files)
	if err != nil {
		return "", fmt.Errorf("commit to %s: %w", branch, err)
	}
	sig := signature{name: by.login, email: by.email, at: r.hub.now()}
	c := commit{tree: tree, author: sig, committer: sig, message: strings.TrimRight(message, "\n") + "\n"}
	if parent != "" {
		c.parents = []string{parent}
	}
	sha, err := r.git.writeCommit(c, false)
	if err != nil {
		return "", fmt.Errorf("commit to %s: %w", branch, err)
	}
	if err := r.moveRef(by, refUpdate{ref, old, sha}); err != nil {
		return "", fmt.Errorf("commit to %s: %w", branch, err)
	}
	return sha, nil
}

func (r *Repo) treeWith(parent string, files map[string]*string) (string, error) {
	base := emptyTree
	if parent != "" {
		c, err := r.git.commit(parent)
		if err != nil {
			return "", err
		}
		base = c.tree
	}
	changes := map[string]*entry{}
	for path, text := range files {
		changes[path] = nil
		if text != nil {
			oid, err := r.git.write("blob", []byte(*text))
			if err != nil {
				return "", err
			}
			changes[path] = &entry{oid: oid}
		}
	}
	return r.git.edit(base, changes)
}

// CreateBranch points a new branch at a revision.
func (r *Repo) CreateBranch(author, branch, rev string) error {
	r.hub.lock()
	defer r.hub.unlock()
	c, err := r.git.commit(rev)
	if err != nil {
		return fmt.Errorf("create branch %s: %w", branch, err)
	}
	return r.moveRef(r.hub.person(author), refUpdate{"refs/heads/" + branch, "", c.oid})
}

// DeleteBranch removes a branch; pull requests from it are closed.
func (r *Repo) DeleteBranch(author, branch string) error {
	r.hub.lock()
	defer r.hub.unlock()
	old := r.git.branch(branch)
	if old == "" {
		return fmt.Errorf("delete branch %s: there is none", branch)
	}
	return r.moveRef(r.hub.person(author), refUpdate{"refs/heads/" + branch, old, ""})
}

// ForcePush points a branch at any commit that the repository holds.
func (r *Repo) ForcePush(author, branch, sha string) error {
	r.hub.lock()
	defer r.hub.unlock()
	return r.moveRef(r.hub.person(author), refUpdate{"refs/heads/" + branch, r.git.branch(branch), sha})
}

// moveRef moves one ref and does what follows from it.
func (r *Repo) moveRef(by *account, u refUpdate) error {
	if err := r.git.update(u); err != nil {
		return err
	}
	r.refMoved(by, u)
	return nil
}

// refMoved is what GitHub does after a push, however the push came: the event
// goes out, pull requests from the branch follow it, those to it become
// unknown again.
func (r *Repo) refMoved(by *account, u refUpdate) {
	r.pushed = r.hub.now()
	r.emit("push", "", by, r.pushPayload(by, u))
	branch, ok := strings.CutPrefix(u.name, "refs/heads/")
	if !ok || u.old == u.new {
		return
	}
	for _, base := range r.hub.repos {
		for _, p := range base.openPulls() {
			switch {
			case p.headRepo == r && p.headRef == branch:
				base.headMoved(by, p, u.new)
			case base == r && p.baseRef == branch:
				r.baseMoved(by, p, u.new)
			}
		}
	}
	if len(r.groups(branch)) > 0 {
		r.turnQueue(branch) // they were built on what the branch was.
	}
	if u.new != "" {
		r.runCI(u.new)
	}
}

// headMoved follows a push to a pull request's head.
func (r *Repo) headMoved(by *account, p *pull, sha string) {
	if sha == "" {
		r.closePull(by, p)
		return
	}
	before := p.headSHA
	p.headSHA, p.baseSHA, p.updated = sha, r.git.branch(p.baseRef), r.hub.now()
	p.unknown()
	if err := r.fetchHead(p); err != nil {
		r.hub.log.Error("follow head", "repository", r.FullName(), "pull", p.number, "error", err)
	}
	p.reviewsAfterPush()
	r.disarmAfterPush(by, p)
	payload := r.pullPayload(p)
	payload["before"], payload["after"] = before, sha
	r.emit("pull_request", "synchronize", by, payload)
	r.leave(by, p, leftRules)
	r.hub.notifyPR(r, p)
}

// baseMoved follows a push to a pull request's base. A push that contains the
// head merges the pull request, as on GitHub.
func (r *Repo) baseMoved(by *account, p *pull, sha string) {
	switch {
	case sha == "":
		r.closePull(by, p)
	case p.merging:
	case r.git.isAncestor(p.headSHA, sha):
		r.markMerged(by, p, p.headSHA, leftAlready)
	default:
		p.unknown()
	}
}
