package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// repository is a clone with the history start, five, near (beside five), new.
type repository struct {
	t   *testing.T
	dir string
}

func newRepository(t *testing.T) repository {
	t.Helper()
	for key, value := range map[string]string{
		"HOME": t.TempDir(), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": filepath.Join(t.TempDir(), "none"),
		"GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000",
	} {
		t.Setenv(key, value)
	}
	r := repository{t, t.TempDir()}
	r.git("init", "--quiet", "--initial-branch=main")
	r.git("config", "user.name", "Ada")
	r.git("config", "user.email", "ada@example.com")
	lines := func(change ...string) string {
		return strings.NewReplacer(change...).Replace("one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n")
	}
	r.commit("start", "file", lines())
	r.commit("five", "file", lines("five", "5"))
	r.commit("near", "file", lines("five", "5", "six", "6"))
	r.commit("new", "sub/new", "x\n")
	return r
}

func (r repository) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r repository) commit(message, name, data string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.git("add", "--all")
	r.git("commit", "--quiet", "-m", message)
}

func TestRevertTells(t *testing.T) {
	r := newRepository(t)
	short := func(rev string) string { return r.git("rev-parse", "--short=12", rev) }
	for _, tt := range []struct {
		args  string
		fails string
		want  []string
	}{
		{args: "HEAD", want: []string{" sub/new |    1 -\n 1 file changed, 0 insertions(+), 1 deletion(-)\n\ndiff --git a/sub/new b/sub/new\ndeleted file mode 100644\n"}},
		{args: "HEAD~1", want: []string{"@@ -3,7 +3,7 @@\n three\n four\n 5\n-6\n+six\n seven\n"}},
		{args: "HEAD~3..HEAD", want: []string{"2 files changed, 2 insertions(+), 3 deletions(-)"}},
		{args: "--onto HEAD~1 HEAD~1", want: []string{"1 file changed"}},
		{args: "HEAD~2", fails: "nothing was changed", want: []string{
			"conflict (content) file\n    since touched by " + short("HEAD~1") + " near\n",
			"these 2 commits revert cleanly", "backout revert " + short("HEAD~1") + " " + short("HEAD~2") + "\n",
		}},
		{args: "--branch undo HEAD", want: []string{"Branch undo is at "}},
		{args: "--branch undo HEAD", fails: "branch undo exists already"},
		{args: "--onto undo HEAD", want: []string{"taken back already, by ", " Revert \"new\""}},
		{args: "nosuch", fails: "not a commit, branch or tag"},
		{args: "--mainline 2 HEAD", fails: "not a merge"},
		{args: "--mainline -1 HEAD", fails: "counted from 1"},
		{args: "", fails: "name a commit"},
		{args: "--stdin HEAD", fails: "--stdin takes neither"},
		{args: "--repo " + t.TempDir() + " HEAD", fails: "not in a git repository"},
	} {
		got, err := run(t, append([]string{"revert", "--repo", filepath.Join(r.dir, "sub")}, strings.Fields(tt.args)...)...)
		if tt.fails == "" && err != nil || tt.fails != "" && (err == nil || !strings.Contains(err.Error(), tt.fails)) {
			t.Errorf("revert %s: %v, want %q", tt.args, err, tt.fails)
		}
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("revert %s lacks\n%s\nin\n%s", tt.args, want, got)
			}
		}
	}
	if status := r.git("status", "--porcelain"); status != "" {
		t.Errorf("the work tree was touched:\n%s", status)
	}
}

func TestRevertMergeSaysSo(t *testing.T) {
	r := newRepository(t)
	r.git("checkout", "--quiet", "-b", "side", "HEAD~1")
	r.commit("aside", "aside", "x\n")
	r.git("checkout", "--quiet", "main")
	r.git("merge", "--quiet", "--no-edit", "side")
	got, err := run(t, "revert", "--repo", r.dir, "HEAD")
	if err != nil || !strings.Contains(got, "is a merge: taken back against its parent number 1.") || !strings.Contains(got, " aside | ") {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestRevertJSON(t *testing.T) {
	r := newRepository(t)
	for args, want := range map[string]string{
		"HEAD": `{"status":"clean","tree":"` + r.git("rev-parse", "HEAD~1^{tree}") + `","changed":["sub/new"],"conflicts":[]}`,
		"HEAD~2": `{"status":"conflict","changed":[],"conflicts":[{"path":"file","kind":"content","since":["` + r.git("rev-parse", "HEAD~1") +
			`"]}],"smallest":["` + r.git("rev-parse", "HEAD~1") + `","` + r.git("rev-parse", "HEAD~2") + `"]}`,
		"nosuch": `{"status":"error","changed":[],"conflicts":[],"error":"resolve \"nosuch\": \"nosuch\" is not a commit, branch or tag of this repository. Check the name, or fetch it first."}`,
	} {
		got, _ := run(t, "revert", "--repo", r.dir, "--json", args)
		if diff := cmp.Diff(want+"\n", got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", args, diff)
		}
	}
}

// TestRevertStdin answers each line before the next one is written, whatever the
// lines before were.
func TestRevertStdin(t *testing.T) {
	r := newRepository(t)
	parent := r.git("rev-parse", "HEAD~1")
	in := "HEAD\tHEAD\t0\nbad\n\nHEAD\tnosuch\t0\nHEAD\tHEAD~2\t0\nHEAD\tHEAD\tx\nHEAD~1\tHEAD\t0\r\nHEAD\tHEAD\t" + parent + "\nHEAD\tHEAD\t2\nHEAD\tHEAD\t1"
	cmd := root()
	var out bytes.Buffer
	cmd.SetIn(strings.NewReader(in))
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"revert", "--repo", r.dir, "--stdin"})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		var a answer
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		got = append(got, a.Status)
	}
	want := []string{"clean", "error", "error", "error", "conflict", "error", "empty", "clean", "error", "clean"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s\n%s", diff, out.String())
	}
}

func TestNothingSteersTheTerminal(t *testing.T) {
	var out bytes.Buffer
	told := telling{out: &out, colour: true}
	told.patch("diff --git a/\x1b[2J b/x\n@@ -1 +1 @@\n-a\x07\n+b\u202e\n")
	if strings.ContainsAny(strings.NewReplacer("\x1b[1m", "", "\x1b[0m", "", "\x1b[36m", "", "\x1b[31m", "", "\x1b[32m", "").Replace(out.String()), "\x1b\x07\u202e") {
		t.Errorf("%q", out.String())
	}
}
