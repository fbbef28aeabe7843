package fakehub

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// RepoOptions say how a repository begins.
type RepoOptions struct {
	Public        bool
	DefaultBranch string            // default "main"
	Files         map[string]string // of the first commit; none: an empty repository
	// From is a git repository on disk whose branches and tags are copied: a
	// real history, in place of Files.
	From string
	// Methods lists the merge methods allowed ("merge", "squash", "rebase");
	// default all three.
	Methods []string
	// AllowAutoMerge allows GitHub's native auto-merge.
	AllowAutoMerge bool
	// DeleteBranchOnMerge deletes head branches after a merge.
	DeleteBranchOnMerge bool
}

// Repo is one repository: a bare git repository at Dir and what GitHub keeps
// beside it.
type Repo struct {
	Dir string // of the bare repository

	hub           *Hub
	id            int64
	owner         *account
	name          string
	opts          RepoOptions
	public        bool
	defaultBranch string
	parent        *Repo // of a fork
	created       time.Time
	pushed        time.Time
	git           *gitRepo

	grants      map[int64]string
	lastNumber  int
	issues      map[int]*issue
	comments    map[int64]*comment
	protections map[string]*protection
	rulesets    map[string][]*protection // beside those, by branch
	turning     map[string]bool          // merge queues that are at work
	runs        []*checkRun
	suites      []*checkSuite
	statuses    []*status
	verified    map[string]time.Time // commits that carry the hub's signature
	ci          []func(sha string) []CIResult
	merges      map[[2]string]mergeResult // by base and head
	pullStats   map[[2]string]pullStats   // by merge base and head
}

// CreateRepo makes a repository "owner/name". The owner becomes an
// organization unless it is a user already.
func (h *Hub) CreateRepo(fullName string, opts RepoOptions) (*Repo, error) {
	h.lock()
	defer h.unlock()
	r, err := h.newRepo(fullName, opts)
	if err != nil {
		return nil, err
	}
	if opts.From != "" {
		if _, err := r.git.run("", "fetch", "--quiet", opts.From, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"); err != nil {
			return nil, fmt.Errorf("create repository %s: %w", fullName, err)
		}
	}
	if len(opts.Files) == 0 {
		return r, nil
	}
	files := map[string]*string{}
	for path, text := range opts.Files {
		files[path] = &text
	}
	if _, err := r.commit(r.defaultBranch, r.owner, "Initial commit", files); err != nil {
		return nil, err
	}
	return r, nil
}

func (h *Hub) newRepo(fullName string, opts RepoOptions) (*Repo, error) {
	owner, name, ok := strings.Cut(fullName, "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		return nil, fmt.Errorf("create repository: %q is not owner/name", fullName)
	}
	if h.repos[strings.ToLower(fullName)] != nil {
		return nil, fmt.Errorf("create repository %s: it exists", fullName)
	}
	if opts.DefaultBranch == "" {
		opts.DefaultBranch = "main"
	}
	if len(opts.Methods) == 0 {
		opts.Methods = []string{"merge", "squash", "rebase"}
	}
	dir := filepath.Join(h.dir, owner, name+".git")
	if _, err := os.Stat(filepath.Join(dir, "HEAD")); err == nil {
		return nil, fmt.Errorf("create repository %s: %s exists", fullName, dir)
	}
	git, err := initBare(dir, opts.DefaultBranch)
	if err != nil {
		return nil, fmt.Errorf("create repository %s: %w", fullName, err)
	}
	r := &Repo{
		Dir: dir, hub: h, id: h.nextID(), owner: h.account(owner, "Organization"), name: name,
		opts: opts, public: opts.Public, defaultBranch: opts.DefaultBranch,
		created: h.now(), pushed: h.now(), git: git,
		grants: map[int64]string{}, issues: map[int]*issue{}, comments: map[int64]*comment{},
		protections: map[string]*protection{}, rulesets: map[string][]*protection{}, turning: map[string]bool{}, verified: map[string]time.Time{},
		merges: map[[2]string]mergeResult{}, pullStats: map[[2]string]pullStats{},
	}
	h.repos[strings.ToLower(fullName)] = r
	h.nodes[r.nodeID()] = r
	return r, nil
}

// Fork copies a repository to another owner, as the Fork button does.
func (r *Repo) Fork(owner string) (*Repo, error) {
	r.hub.lock()
	defer r.hub.unlock()
	r.hub.person(owner)
	fork, err := r.hub.newRepo(owner+"/"+r.name, RepoOptions{Public: r.public, DefaultBranch: r.defaultBranch})
	if err != nil {
		return nil, err
	}
	fork.parent = r
	if _, err := fork.git.run("", "fetch", "--quiet", r.Dir, "+refs/heads/*:refs/heads/*"); err != nil {
		return nil, fmt.Errorf("fork %s: %w", r.FullName(), err)
	}
	return fork, nil
}

// Repo finds a repository by its full name, or returns nil.
func (h *Hub) Repo(fullName string) *Repo {
	h.lock()
	defer h.unlock()
	return h.repos[strings.ToLower(fullName)]
}

// FullName is "owner/name".
func (r *Repo) FullName() string { return r.owner.login + "/" + r.name }

// ID is the repository's number, which survives renames on GitHub.
func (r *Repo) ID() int64 { return r.id }

// CloneURL is where git finds the repository.
func (r *Repo) CloneURL() string { return r.hub.url + "/" + r.FullName() + ".git" }

// HTMLURL is where a browser would find the repository.
func (r *Repo) HTMLURL() string { return r.hub.url + "/" + r.FullName() }

// SetPublic opens or closes the repository to everybody.
func (r *Repo) SetPublic(public bool) {
	r.hub.lock()
	defer r.hub.unlock()
	r.public = public
}

// Configure changes the repository's settings: how it merges, whether it allows
// auto-merge, whether it deletes merged branches.
func (r *Repo) Configure(f func(*RepoOptions)) {
	r.hub.lock()
	defer r.hub.unlock()
	f(&r.opts)
}

// Head returns the SHA at the tip of a branch, or "" where there is none.
func (r *Repo) Head(branch string) string { return r.git.branch(branch) }

// Branches lists the branches by name.
func (r *Repo) Branches() ([]string, error) {
	refs, err := r.git.refs("refs/heads/")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, ref := range refs {
		names = append(names, strings.TrimPrefix(ref.name, "refs/heads/"))
	}
	return names, nil
}

// File returns the text of a file at a revision; ok is false where there is
// no such file.
func (r *Repo) File(rev, path string) (text string, ok bool) {
	_, kind, data, err := r.git.read(rev + ":" + path)
	return string(data), err == nil && kind == "blob"
}

// CommitInfo is a commit as `git log` shows it.
type CommitInfo struct {
	SHA, Tree, Author, Committer string // people as "name <email>"
	Parents                      []string
	Subject, Message             string
	Verified                     bool // signed by the hub
}

// Log lists the first-parent history of a revision, newest first.
func (r *Repo) Log(rev string) ([]CommitInfo, error) {
	var list []CommitInfo
	for rev != "" {
		c, err := r.git.commit(rev)
		if err != nil {
			return nil, fmt.Errorf("log of %s in %s: %w", rev, r.FullName(), err)
		}
		r.hub.lock()
		_, verified := r.verified[c.oid]
		r.hub.unlock()
		list = append(list, CommitInfo{
			SHA: c.oid, Tree: c.tree, Parents: c.parents, Subject: c.subject(), Message: c.message,
			Author:    c.author.name + " <" + c.author.email + ">",
			Committer: c.committer.name + " <" + c.committer.email + ">",
			Verified:  verified,
		})
		rev = ""
		if len(c.parents) > 0 {
			rev = c.parents[0]
		}
	}
	return list, nil
}

func (r *Repo) nodeID() string { return nodeID("R", r.id) }

// number gives the next number, which issues and pull requests share.
func (r *Repo) number() int {
	r.lastNumber++
	return r.lastNumber
}
