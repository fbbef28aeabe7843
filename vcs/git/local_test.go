package git

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// work is a repository with a work tree in the hands of the installed git.
type work struct{ *bare }

// newWork makes three commits: start, one (a), two (a and b).
func newWork(t *testing.T) work {
	t.Helper()
	isolate(t)
	b := newBare(t, filepath.Join(t.TempDir(), "origin.git"))
	w := work{&bare{t, filepath.Join(t.TempDir(), "work")}}
	b.run(nil, "clone", "--quiet", b.dir, w.dir)
	w.commit("start", map[string]string{"a": numbered(20), "sub/b": "1\n"})
	w.commit("one \"quoted\"  ", map[string]string{"a": numbered(20, "2", "bad")})
	w.commit("two", map[string]string{"a": numbered(20, "2", "bad", "15", "good"), "sub/b": "2\n"})
	w.run(nil, "push", "--quiet", "origin", "HEAD:refs/heads/main")
	return w
}

// isolate keeps the configuration of whoever runs the tests out.
func isolate(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(home, ".gitconfig"))
	for _, role := range []string{"AUTHOR", "COMMITTER"} {
		t.Setenv("GIT_"+role+"_DATE", "1700000000 +0200")
		for _, what := range []string{"_NAME", "_EMAIL"} {
			t.Setenv("GIT_"+role+what, "")
			if err := os.Unsetenv("GIT_" + role + what); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// commit writes files and commits everything.
func (w work) commit(message string, fs map[string]string) bot.SHA {
	w.t.Helper()
	for name, data := range fs {
		path := filepath.Join(w.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	w.run(nil, "add", "--all")
	w.run(nil, "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "--allow-empty", "-m", message)
	return w.sha("HEAD")
}

func (w work) sha(rev string) bot.SHA { return bot.SHA(w.lines("rev-parse", rev)[0]) }

func (w work) open() *Repository {
	w.t.Helper()
	r, err := Open(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = r.Close() })
	return r
}

// revert takes revisions back from HEAD.
func (w work) revert(r *Repository, mainline int, args ...string) *TakenBack {
	w.t.Helper()
	onto, err := r.Resolve("HEAD")
	if err != nil {
		w.t.Fatal(err)
	}
	c := bot.Change{Mainline: mainline}
	for _, a := range args {
		commits, err := r.Range(w.t.Context(), a)
		if err != nil {
			w.t.Fatal(err)
		}
		c.Commits = append(c.Commits, commits...)
	}
	taken, err := r.Revert(w.t.Context(), onto, c)
	if err != nil {
		w.t.Fatal(err)
	}
	return taken
}

// TestOpenFinds opens a repository from everywhere that belongs to it.
func TestOpenFinds(t *testing.T) {
	w := newWork(t)
	tree := filepath.Join(t.TempDir(), "linked")
	w.run(nil, "worktree", "add", "--quiet", tree, "HEAD~1")
	mirror := filepath.Join(t.TempDir(), "mirror.git")
	w.run(nil, "clone", "--quiet", "--mirror", w.dir, mirror)
	w.run(nil, "--git-dir="+mirror, "gc", "--quiet")
	borrowing := filepath.Join(t.TempDir(), "borrowing")
	w.run(nil, "clone", "--quiet", "--shared", w.dir, borrowing)
	for dir, head := range map[string]string{
		w.dir:                       "HEAD",
		filepath.Join(w.dir, "sub"): "HEAD",
		tree:                        "HEAD~1",
		mirror:                      "HEAD",
		borrowing:                   "HEAD",
	} {
		r, err := Open(dir)
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		if got, err := r.Resolve("HEAD"); got != w.sha(head) || err != nil {
			t.Errorf("%s: HEAD is %s, %v; want %s", dir, got, err, w.sha(head))
		}
		if taken := w.revert(r, 0, "HEAD"); taken.Status != bot.RevertClean {
			t.Errorf("%s: %+v", dir, taken.Revert)
		}
		_ = r.Close()
	}
}

// TestResolveIsGits asks git what each name means.
func TestResolveIsGits(t *testing.T) {
	w := newWork(t)
	w.run(nil, "branch", "feature/x", "HEAD~1")
	w.run(nil, "branch", "packed", "HEAD~2")
	w.run(nil, "pack-refs", "--all")
	w.run(nil, "tag", "light", "HEAD~1")
	w.run(nil, "-c", "user.name=A", "-c", "user.email=a@b", "tag", "-m", "x", "heavy", "HEAD~2")
	w.run(nil, "checkout", "--quiet", "-b", "side", "HEAD~2")
	w.commit("side", map[string]string{"c": "1\n"})
	w.run(nil, "-c", "user.name=A", "-c", "user.email=a@b", "merge", "--quiet", "--no-edit", "origin/main")
	r := w.open()
	head := string(w.sha("HEAD"))
	for _, rev := range []string{
		"HEAD", "@", "HEAD~1", "HEAD^", "HEAD^2", "HEAD^2~1", "HEAD^0", "HEAD~0", "HEAD^^", "HEAD~2",
		"side", "heads/side", "refs/heads/side", "feature/x", "packed", "packed^0", "light", "heavy", "tags/heavy",
		"origin/main", "remotes/origin/main", head, head[:8], head[:7] + "~1", strings.ToUpper(head),
	} {
		if got, err := r.Resolve(rev); got != w.sha(rev+"^{commit}") {
			t.Errorf("%s is %s, %v; git says %s", rev, got, err, w.sha(rev+"^{commit}"))
		}
	}
	for _, rev := range []string{"", "nosuch", "HEAD^3", "HEAD~99", "feature", "abcd", "0000000", strings.Repeat("0", 40), "-x", "HEAD:a", "HEAD@{1}", "HEAD^x", "HEAD~1x"} {
		if got, err := r.Resolve(rev); err == nil {
			t.Errorf("%q is %s", rev, got)
		}
	}
	w.run(nil, "tag", "side", "HEAD~1")
	if _, err := r.Resolve("side"); !bot.IsTrouble(err, bot.TroubleInvalid) || !strings.Contains(err.Error(), "refs/tags/side") {
		t.Errorf("a name that is a tag and a branch: %v", err)
	}
}

// TestBranchIsGitReverts makes a branch and has git revert the same in a clone.
func TestBranchIsGitReverts(t *testing.T) {
	for name, tt := range map[string]struct {
		args     []string // ours
		git      []string // what git revert gets for the same
		mainline int
	}{
		"one":    {args: []string{"HEAD~1"}, git: []string{"HEAD~1"}},
		"range":  {args: []string{"HEAD~2..HEAD"}, git: []string{"HEAD~2..HEAD"}},
		"two":    {args: []string{"HEAD~1", "HEAD"}, git: []string{"HEAD~1", "HEAD"}},
		"merge":  {args: []string{"merged"}, git: []string{"-m", "1", "merged"}},
		"second": {args: []string{"merged"}, git: []string{"-m", "2", "merged"}, mainline: 2},
		"again":  {args: []string{"reverted"}, git: []string{"reverted"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWork(t)
			w.run(nil, "config", "user.name", " Grace <Hopper>. ")
			w.run(nil, "config", "user.email", "grace@example.com")
			w.run(nil, "config", "author.email", "other@example.com")
			w.run(nil, "checkout", "--quiet", "-b", "side", "HEAD~2")
			w.commit("aside\n\nwith a body", map[string]string{"c": "1\n"})
			w.run(nil, "checkout", "--quiet", "-")
			if name == "merge" || name == "second" {
				w.run(nil, "merge", "--quiet", "--no-edit", "side")
				w.run(nil, "tag", "merged")
			}
			if name == "again" {
				w.run(nil, "revert", "--no-edit", "HEAD~1")
				w.run(nil, "tag", "reverted")
			}
			taken := w.revert(w.open(), tt.mainline, tt.args...)
			tip, err := taken.Commit("undo/it")
			if err != nil {
				t.Fatal(err)
			}
			status := string(w.run(nil, "status", "--porcelain", "--branch"))
			if strings.Count(status, "\n") != 1 {
				t.Errorf("the work tree was touched:\n%s", status)
			}
			w.run(nil, append([]string{"revert", "--no-edit"}, tt.git...)...)
			if want := w.sha("HEAD"); tip != want || w.sha("undo/it") != want {
				t.Errorf("got\n%s\nwant\n%s", w.run(nil, "log", "-3", "--format=raw", string(tip)), w.run(nil, "log", "-3", "--format=raw"))
			}
			w.run(nil, "fsck", "--strict")
		})
	}
}

// TestBranchIsNotMade says why not, and leaves nothing behind.
func TestBranchIsNotMade(t *testing.T) {
	w := newWork(t)
	r := w.open()
	taken := w.revert(r, 0, "HEAD")
	if _, err := taken.Commit("undo"); err == nil || !strings.Contains(err.Error(), "not told who you are") {
		t.Errorf("without a name: %v", err)
	}
	w.run(nil, "config", "user.name", "Grace")
	w.run(nil, "config", "user.email", "grace@example.com")
	w.run(nil, "branch", "there")
	w.run(nil, "branch", "deep/down")
	w.run(nil, "pack-refs", "--all")
	for _, name := range []string{"there", "there/too", "deep", "a..b", "-x", "", "HEAD", "x.lock"} {
		if tip, err := taken.Commit(name); err == nil {
			t.Errorf("%q was made: %s", name, tip)
		}
	}
	if got := w.lines("for-each-ref", "--format=%(refname:short)", "refs/heads"); !slices.Equal(got, []string{"deep/down", "main", "there"}) && len(got) != 3 {
		t.Errorf("branches: %q", got)
	}
}
