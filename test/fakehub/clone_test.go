package fakehub_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"

	"github.com/backout-dev/backout/test/fakehub"
)

// checkout clones with the real git as somebody, and returns the work tree.
func (w *world) checkout(user, secret string, args ...string) string {
	w.t.Helper()
	dir := filepath.Join(w.t.TempDir(), "work")
	git(w.t, ".", append(append([]string{"clone", "--quiet"}, args...), remote(w.repo.CloneURL(), user, secret), dir)...)
	return dir
}

func write(t *testing.T, dir, path, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644))
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "--quiet", "-m", "Write "+path)
}

func TestFetchKinds(t *testing.T) {
	w := newWorld(t, setup{})
	old := w.repo.Head("main")
	head := w.edit("main", "apps/web.yaml", "replicas: 5\n")
	ann := w.hub.User("ann")
	shallow := w.checkout("ann", ann.Password, "--depth", "1")
	if got := git(t, shallow, "rev-list", "--count", "HEAD"); got != "1" {
		t.Errorf("a shallow clone has %s commits", got)
	}
	git(t, shallow, "fetch", "--quiet", "--depth", "1", "origin", old) // by SHA.
	partial := w.checkout("ann", ann.Token, "--filter", "blob:none", "--no-checkout")
	if got := git(t, partial, "rev-parse", "HEAD"); got != head {
		t.Errorf("a partial clone is at %s", got)
	}
	v1 := w.checkout("x-access-token", w.token(), "-c", "protocol.version=0")
	if got := git(t, v1, "rev-parse", "HEAD"); got != head {
		t.Errorf("an old client's clone is at %s", got)
	}
	pr := w.openPR("topic", "apps/web.yaml", "replicas: 6\n")
	if got := git(t, v1, "ls-remote", "origin", "refs/pull/*"); !strings.HasPrefix(got, pr.HeadSHA) {
		t.Errorf("the pull request's ref is %q", got)
	}
}

func TestPublicClone(t *testing.T) {
	w := newWorld(t, setup{repo: fakehub.RepoOptions{Public: true}})
	dir := filepath.Join(t.TempDir(), "work")
	git(t, ".", "clone", "--quiet", w.repo.CloneURL(), dir)
	write(t, dir, "x", "y")
	if out, err := tryGit(t, dir, "push", "origin", "main"); err == nil || !strings.Contains(out, "could not read Username") {
		t.Errorf("anybody can push: %s", out)
	}
	eve := w.hub.User("eve")
	if out, err := tryGit(t, dir, "push", remote(w.repo.CloneURL(), "eve", eve.Token), "main"); err == nil || !strings.Contains(out, "403") {
		t.Errorf("eve can push: %s", out)
	}
	if out, err := tryGit(t, dir, "push", remote(w.repo.CloneURL(), "eve", "wrong"), "main"); err == nil || !strings.Contains(out, "Authentication failed") {
		t.Errorf("a wrong password: %s", out)
	}
}

// TestPushUpdatesPR follows a pull request through pushes to its branch.
func TestPushUpdatesPR(t *testing.T) {
	w := newWorld(t, setup{})
	pr := w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	dir := w.checkout("ann", w.hub.User("ann").Token, "--branch", "topic")
	write(t, dir, "apps/web.yaml", "replicas: 5\n")
	git(t, dir, "push", "--quiet", "origin", "topic")
	now, _ := w.repo.PR(pr.Number)
	if head := git(t, dir, "rev-parse", "HEAD"); now.HeadSHA != head || head == pr.HeadSHA {
		t.Errorf("the head is %s, pushed %s", now.HeadSHA, head)
	}
	git(t, dir, "reset", "--quiet", "--hard", pr.HeadSHA)
	git(t, dir, "push", "--quiet", "--force", "origin", "topic")
	if now, _ = w.repo.PR(pr.Number); now.HeadSHA != pr.HeadSHA {
		t.Errorf("after a force push the head is %s", now.HeadSHA)
	}
	git(t, dir, "push", "--quiet", "origin", ":topic")
	if now, _ = w.repo.PR(pr.Number); now.State != "closed" || now.Merged {
		t.Errorf("after its branch went it is %+v", now)
	}
}

// TestPushMerges has a push that contains the head merge the pull request.
func TestPushMerges(t *testing.T) {
	w := newWorld(t, setup{})
	pr := w.openPR("topic", "apps/web.yaml", "replicas: 4\n")
	dir := w.checkout("ann", w.hub.User("ann").Token)
	git(t, dir, "merge", "--quiet", "--no-ff", "-m", "By hand", "origin/topic")
	git(t, dir, "push", "--quiet", "origin", "main")
	if now, _ := w.repo.PR(pr.Number); !now.Merged || now.MergedBy != "ann" {
		t.Errorf("it is %+v", now)
	}
}

func TestProtectedPush(t *testing.T) {
	w := newWorld(t, setup{})
	dir := w.checkout("ann", w.hub.User("ann").Token)
	refused := func(want string, args ...string) {
		t.Helper()
		out, err := tryGit(t, dir, append([]string{"push", "origin"}, args...)...)
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("push %v: %v, want %q:\n%s", args, err, want, out)
		}
	}
	write(t, dir, "x", "y")
	w.repo.Protect("main", fakehub.Protection{Approvals: 1})
	refused("Changes must be made through a pull request.", "main")
	w.repo.Protect("main", fakehub.Protection{RequiredChecks: []fakehub.RequiredCheck{{Context: "ci"}}})
	refused(`Required status check "ci" is expected.`, "main")
	refused("refusing to delete the current branch", "--force", ":main")
	git(t, dir, "push", "--quiet", "origin", "origin/main:refs/heads/stable")
	w.repo.Protect("stable", fakehub.Protection{})
	refused("Cannot delete this protected branch", ":stable")
	// A commit that has passed elsewhere may go in.
	git(t, dir, "push", "--quiet", "origin", "main:topic")
	must(t, w.repo.SetCheck(git(t, dir, "rev-parse", "HEAD"), "ci", "success", nil))
	git(t, dir, "push", "--quiet", "origin", "main")
	w.repo.Protect("main", fakehub.Protection{})
	git(t, dir, "reset", "--quiet", "--hard", "HEAD~1")
	refused("Cannot force-push to this branch", "--force", "main")
	w.repo.Protect("main", fakehub.Protection{Approvals: 1, Bypass: []string{"ann"}})
	git(t, dir, "push", "--quiet", "--force", "origin", "main")
	refused("hidden ref", "main:refs/pull/9/head")
	// Of two refs in one push, one can be refused.
	w.repo.Protect("main", fakehub.Protection{RequirePR: true})
	write(t, dir, "z", "y")
	refused("Changes must be made", "main", "main:other")
	if w.repo.Head("other") != git(t, dir, "rev-parse", "HEAD") {
		t.Error("the other ref was refused too")
	}
}

// TestWorkflowPush needs a permission that the App does not have.
func TestWorkflowPush(t *testing.T) {
	w := newWorld(t, setup{})
	dir := w.checkout("x-access-token", w.token())
	write(t, dir, ".github/workflows/ci.yaml", "on: push\n")
	out, err := tryGit(t, dir, "push", "origin", "main:topic")
	if err == nil || !strings.Contains(out, "refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yaml` without `workflows` permission") {
		t.Errorf("push: %v\n%s", err, out)
	}
	perms := fakehub.DefaultPermissions()
	perms["workflows"] = "write"
	w.app.SetPermissions(perms)
	token, err := w.hub.Token(w.app, "acme")
	must(t, err)
	git(t, dir, "push", "--quiet", remote(w.repo.CloneURL(), "x-access-token", token), "main:topic")
	w.app.SetPermissions(map[string]string{"contents": "read"})
	token, err = w.hub.Token(w.app, "acme")
	must(t, err)
	if out, err := tryGit(t, dir, "push", remote(w.repo.CloneURL(), "x-access-token", token), "main:other"); err == nil || !strings.Contains(out, "403") {
		t.Errorf("contents:read can push: %s", out)
	}
}

// TestGoGit clones and pushes with the library that the product uses.
func TestGoGit(t *testing.T) {
	w := newWorld(t, setup{})
	auth := &githttp.BasicAuth{Username: "x-access-token", Password: w.token()}
	dir := t.TempDir()
	repo, err := gogit.PlainCloneContext(t.Context(), dir, false, &gogit.CloneOptions{URL: w.repo.CloneURL(), Auth: auth})
	must(t, err)
	tree, err := repo.Worktree()
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "new.yaml"), []byte("a: 1\n"), 0o600))
	_, err = tree.Add("new.yaml")
	must(t, err)
	sha, err := tree.Commit("Add", &gogit.CommitOptions{Author: &object.Signature{Name: "A", Email: "a@x", When: time.Unix(1700000000, 0)}})
	must(t, err)
	must(t, repo.PushContext(t.Context(), &gogit.PushOptions{Auth: auth, RefSpecs: []config.RefSpec{"refs/heads/main:refs/heads/topic"}}))
	if w.repo.Head("topic") != sha.String() {
		t.Errorf("topic is %s, pushed %s", w.repo.Head("topic"), sha)
	}
	// What the hub writes, go-git can fetch, signature and all.
	pr, err := w.repo.OpenPR("ann", "Add", "topic", "main", nil)
	must(t, err)
	merged, err := w.repo.MergePR(pr.Number, "squash", "ann")
	must(t, err)
	must(t, repo.FetchContext(t.Context(), &gogit.FetchOptions{Auth: auth}))
	c, err := repo.CommitObject(plumbing.NewHash(merged))
	must(t, err)
	if !strings.HasPrefix(c.PGPSignature, "-----BEGIN PGP SIGNATURE-----") || c.Message != "Add (#1)" {
		t.Errorf("merged as %v", c)
	}
}

// TestFork opens a pull request from somebody else's repository.
func TestFork(t *testing.T) {
	w := newWorld(t, setup{repo: fakehub.RepoOptions{Public: true}})
	fork, err := w.repo.Fork("eve")
	must(t, err)
	text := "replicas: 9\n"
	pr, err := w.repo.OpenPR("eve", "From a fork", "eve:patch", "main", map[string]*string{"apps/web.yaml": &text})
	must(t, err)
	if pr.HeadRepo != "eve/fleet" || pr.HeadSHA != fork.Head("patch") || w.repo.Head("patch") != "" {
		t.Errorf("it is %+v", pr)
	}
	var got struct {
		Repository struct {
			PullRequest struct {
				IsCrossRepository bool
				HeadRepository    struct{ NameWithOwner string }
				Mergeable         string
			}
		}
	}
	doc := `{ repository(owner: "acme", name: "fleet") { pullRequest(number: 1) { isCrossRepository headRepository { nameWithOwner } mergeable } } }`
	for range 2 {
		if errs := w.graphql(doc, nil, &got); len(errs) > 0 {
			t.Fatal(errs)
		}
	}
	if p := got.Repository.PullRequest; !p.IsCrossRepository || p.HeadRepository.NameWithOwner != "eve/fleet" || p.Mergeable != "MERGEABLE" {
		t.Errorf("GraphQL says %+v", p)
	}
	_, err = fork.Commit("patch", "eve", "More", map[string]*string{"apps/b.yaml": &text})
	must(t, err)
	if now, _ := w.repo.PR(1); now.HeadSHA != fork.Head("patch") {
		t.Error("the pull request did not follow its fork")
	}
	w.edit("main", "other", "x")
	read, _, err := w.as(w.hub.User("ann").Token).PullRequests.UpdateBranch(t.Context(), "acme", "fleet", 1, nil)
	if err != nil && !strings.Contains(err.Error(), "job scheduled") {
		t.Fatal(read, err)
	}
	_, err = w.repo.MergePR(1, "merge", "ann")
	must(t, err)
	if got, _ := w.repo.File("main", "apps/b.yaml"); got != text {
		t.Errorf("main has %q", got)
	}
	git(t, w.repo.Dir, "fsck", "--strict", "--no-dangling")
	git(t, fork.Dir, "fsck", "--strict", "--no-dangling")
}
