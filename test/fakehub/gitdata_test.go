package fakehub_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/test/fakehub"
)

func ref(name, sha string) *github.Reference {
	return &github.Reference{Ref: &name, Object: &github.GitObject{SHA: &sha}}
}

func TestRefs(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	old := w.repo.Head("main")
	head := w.edit("main", "a", "b")
	made, _, err := w.bot.Git.CreateRef(ctx, "acme", "fleet", ref("refs/heads/backout/revert-1", old))
	must(t, err)
	if made.GetRef() != "refs/heads/backout/revert-1" || made.GetObject().GetType() != "commit" || w.repo.Head("backout/revert-1") != old {
		t.Errorf("ref is %v", made)
	}
	for name, tt := range map[string]struct {
		ref  *github.Reference
		says string
	}{
		"again":     {ref("refs/heads/backout/revert-1", old), "Reference already exists"},
		"elsewhere": {ref("refs/heads/backout/revert-1", head), "Reference already exists"},
		"no object": {ref("refs/heads/x", strings.Repeat("1", 40)), "Object does not exist"},
		"bad name":  {ref("refs/heads/a..b", old), "Reference name is not valid"},
		"in a file": {ref("refs/heads/main/x", old), "Reference update failed"},
	} {
		_, _, err := w.bot.Git.CreateRef(ctx, "acme", "fleet", tt.ref)
		if status(err) != http.StatusUnprocessableEntity || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	got, _, err := w.bot.Git.GetRef(ctx, "acme", "fleet", "heads/backout/revert-1")
	must(t, err)
	if got.GetObject().GetSHA() != old {
		t.Errorf("ref is %v", got)
	}
	_, _, err = w.bot.Git.GetRef(ctx, "acme", "fleet", "heads/backout")
	wantStatus(t, err, http.StatusNotFound, "Not Found")
	list, _, err := w.bot.Git.ListMatchingRefs(ctx, "acme", "fleet", &github.ReferenceListOptions{Ref: "heads/backout/"})
	must(t, err)
	if len(list) != 1 {
		t.Errorf("matching refs are %v", list)
	}
	_, _, err = w.bot.Git.UpdateRef(ctx, "acme", "fleet", ref("refs/heads/backout/revert-1", head), false)
	must(t, err)
	_, _, err = w.bot.Git.UpdateRef(ctx, "acme", "fleet", ref("refs/heads/backout/revert-1", old), false)
	wantStatus(t, err, http.StatusUnprocessableEntity, "Update is not a fast forward")
	_, _, err = w.bot.Git.UpdateRef(ctx, "acme", "fleet", ref("refs/heads/backout/revert-1", old), true)
	must(t, err)
	_, _, err = w.bot.Git.UpdateRef(ctx, "acme", "fleet", ref("refs/heads/nothing", old), true)
	wantStatus(t, err, http.StatusUnprocessableEntity, "Reference does not exist")
	_, err = w.bot.Git.DeleteRef(ctx, "acme", "fleet", "refs/heads/backout/revert-1")
	must(t, err)
	_, err = w.bot.Git.DeleteRef(ctx, "acme", "fleet", "refs/heads/backout/revert-1")
	wantStatus(t, err, http.StatusUnprocessableEntity, "Reference does not exist")
	_, err = w.bot.Git.DeleteRef(ctx, "acme", "fleet", "refs/heads/main")
	wantStatus(t, err, http.StatusUnprocessableEntity, "default branch")
}

func TestProtectedRef(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	old := w.repo.Head("main")
	head := w.edit("topic", "a", "b")
	w.repo.Protect("main", fakehub.Protection{Approvals: 1, Ruleset: true})
	_, _, err := w.bot.Git.UpdateRef(ctx, "acme", "fleet", ref("refs/heads/main", head), false)
	wantStatus(t, err, http.StatusUnprocessableEntity, "Repository rule violations found\n\nChanges must be made through a pull request.")
	w.repo.Protect("main", fakehub.Protection{})
	_, _, err = w.bot.Git.UpdateRef(ctx, "acme", "fleet", ref("refs/heads/main", head), false)
	must(t, err)
	_, _, err = w.bot.Git.UpdateRef(ctx, "acme", "fleet", ref("refs/heads/main", old), true)
	wantStatus(t, err, http.StatusUnprocessableEntity, "Cannot force-push")
	w.repo.Unprotect("main")
	_, _, err = w.bot.Git.UpdateRef(ctx, "acme", "fleet", ref("refs/heads/main", old), true)
	must(t, err)
}

// TestCommitByParts makes a commit as the Git data path does: blob, tree,
// commit, ref.
func TestCommitByParts(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	base := w.repo.Head("main")
	parent, _, err := w.bot.Git.GetCommit(ctx, "acme", "fleet", base)
	must(t, err)
	blob, _, err := w.bot.Git.CreateBlob(ctx, "acme", "fleet", &github.Blob{Content: new(base64.StdEncoding.EncodeToString([]byte("bin\x00ary"))), Encoding: new("base64")})
	must(t, err)
	read, _, err := w.bot.Git.GetBlob(ctx, "acme", "fleet", blob.GetSHA())
	must(t, err)
	if raw, _ := base64.StdEncoding.DecodeString(read.GetContent()); string(raw) != "bin\x00ary" || read.GetSize() != 7 {
		t.Errorf("blob is %v", read)
	}
	tree, _, err := w.bot.Git.CreateTree(ctx, "acme", "fleet", parent.GetTree().GetSHA(), []*github.TreeEntry{
		{Path: new("bin/tool"), Mode: new("100755"), Type: new("blob"), SHA: blob.SHA},
		{Path: new("apps/web.yaml"), Mode: new("100644"), Type: new("blob"), Content: new("new\n")},
		{Path: new("README.md")}, // go-github sends `"sha": null`: it goes.
		{Path: new("sub"), Mode: new("160000"), Type: new("commit"), SHA: new(base)},
	})
	must(t, err)
	all, _, err := w.bot.Git.GetTree(ctx, "acme", "fleet", tree.GetSHA(), true)
	must(t, err)
	var got []string
	for _, e := range all.Entries {
		got = append(got, e.GetMode()+" "+e.GetType()+" "+e.GetPath())
	}
	want := []string{
		"040000 tree apps", "100644 blob apps/web.yaml", "040000 tree bin", "100755 blob bin/tool", "160000 commit sub",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	newCommit := &github.Commit{Message: new("By parts"), Tree: tree, Parents: []*github.Commit{{SHA: &base}}}
	c, _, err := w.bot.Git.CreateCommit(ctx, "acme", "fleet", newCommit, nil)
	must(t, err)
	if !c.GetVerification().GetVerified() || c.GetVerification().GetReason() != "valid" || c.GetAuthor().GetName() != "backout[bot]" || c.GetCommitter().GetName() != "GitHub" {
		t.Errorf("commit is %v, verified %v", c, c.GetVerification())
	}
	if wantMail := w.app.BotLogin() + "@users.noreply.github.com"; !strings.HasSuffix(c.GetAuthor().GetEmail(), "+"+wantMail) {
		t.Errorf("address is %s", c.GetAuthor().GetEmail())
	}
	_, _, err = w.bot.Git.CreateRef(ctx, "acme", "fleet", ref("refs/heads/parts", c.GetSHA()))
	must(t, err)
	git(t, w.repo.Dir, "fsck", "--strict", "--no-dangling")
}

// TestUnverified: an author, a committer or a user makes it unsigned.
func TestUnverified(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	head, _, err := w.bot.Git.GetCommit(ctx, "acme", "fleet", w.repo.Head("main"))
	must(t, err)
	someone := &github.CommitAuthor{Name: new("Me"), Email: new("me@x"), Date: &github.Timestamp{Time: time.Unix(1700000000, 0)}}
	ann := w.as(w.hub.User("ann").Token)
	for name, tt := range map[string]struct {
		client            *github.Client
		author, committer *github.CommitAuthor
	}{
		"author":    {w.bot, someone, nil},
		"committer": {w.bot, nil, someone},
		"user":      {ann, nil, nil},
	} {
		c, _, err := tt.client.Git.CreateCommit(ctx, "acme", "fleet", &github.Commit{
			Message: new(name), Tree: head.Tree, Parents: []*github.Commit{head}, Author: tt.author, Committer: tt.committer,
		}, nil)
		must(t, err)
		if c.GetVerification().GetVerified() || c.GetVerification().GetReason() != "unsigned" {
			t.Errorf("%s: %v", name, c.GetVerification())
		}
		if tt.author != nil && (c.GetAuthor().GetName() != "Me" || !c.GetAuthor().GetDate().Equal(github.Timestamp{Time: time.Unix(1700000000, 0)})) {
			t.Errorf("%s: author is %v", name, c.GetAuthor())
		}
	}
}

func TestGitDataRefusals(t *testing.T) {
	w := newWorld(t, setup{})
	ctx := t.Context()
	base := w.repo.Head("main")
	none := strings.Repeat("1", 40)
	blob, _, err := w.bot.Git.CreateBlob(ctx, "acme", "fleet", &github.Blob{Content: new("x")})
	must(t, err)
	tree := func(e *github.TreeEntry) error {
		_, _, err := w.bot.Git.CreateTree(ctx, "acme", "fleet", base, []*github.TreeEntry{e})
		return err
	}
	entry := func(path, mode, sha string) *github.TreeEntry {
		return &github.TreeEntry{Path: &path, Mode: &mode, SHA: &sha}
	}
	for name, tt := range map[string]struct {
		err  error
		want int
	}{
		"no blob":      {tree(entry("a", "100644", none)), 422},
		"wrong type":   {tree(entry("a", "040000", blob.GetSHA())), 422},
		"bad mode":     {tree(entry("a", "777", blob.GetSHA())), 422},
		"climbs out":   {tree(entry("../a", "100644", blob.GetSHA())), 422},
		"a workflow":   {tree(entry(".github/workflows/x.yaml", "100644", blob.GetSHA())), 403},
		"not a base":   {second(w.bot.Git.CreateTree(ctx, "acme", "fleet", blob.GetSHA(), nil)), 422},
		"not a tree":   {second(w.bot.Git.CreateCommit(ctx, "acme", "fleet", &github.Commit{Message: new("x"), Tree: &github.Tree{SHA: &base}}, nil)), 422},
		"no such blob": {second(w.bot.Git.GetBlob(ctx, "acme", "fleet", none)), 404},
		"no such tree": {second(w.bot.Git.GetTree(ctx, "acme", "fleet", none, false)), 404},
		"no commit":    {second(w.bot.Git.GetCommit(ctx, "acme", "fleet", none)), 404},
		"not Base64":   {second(w.bot.Git.CreateBlob(ctx, "acme", "fleet", &github.Blob{Content: new("?"), Encoding: new("base64")})), 422},
	} {
		if status(tt.err) != tt.want {
			t.Errorf("%s: %v, want %d", name, tt.err, tt.want)
		}
	}
}

// second drops all but a go-github call's error.
func second[T any](_ T, _ *github.Response, err error) error { return err }
