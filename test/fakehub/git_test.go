package fakehub

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func bare(t *testing.T) *gitRepo {
	t.Helper()
	g, err := initBare(filepath.Join(t.TempDir(), "r.git"), "main")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.close)
	return g
}

func (g *gitRepo) must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := g.run("", args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// put writes files into a tree.
func (g *gitRepo) put(t *testing.T, tree string, files map[string]string) string {
	t.Helper()
	changes := map[string]*entry{}
	for path, text := range files {
		oid, err := g.write("blob", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		changes[path] = &entry{oid: oid}
	}
	out, err := g.edit(tree, changes)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// save commits a tree.
func (g *gitRepo) save(t *testing.T, tree string, parents ...string) string {
	t.Helper()
	sig := signature{name: "Ann", email: "ann@example.com", at: time.Unix(1700000000, 0).UTC()}
	oid, err := g.writeCommit(commit{tree: tree, parents: parents, author: sig, committer: sig, message: "m\n"}, false)
	if err != nil {
		t.Fatal(err)
	}
	return oid
}

// TestInitBare holds the layout against git's own eyes.
func TestInitBare(t *testing.T) {
	g := bare(t)
	if got := g.must(t, "rev-parse", "--is-bare-repository"); got != "true" {
		t.Errorf("is bare: %s", got)
	}
	if got := g.must(t, "symbolic-ref", "HEAD"); got != "refs/heads/main" {
		t.Errorf("HEAD is %s", got)
	}
	g.must(t, "fsck", "--strict")
}

// TestObjectsMatchGit writes the same objects by git and by hand.
func TestObjectsMatchGit(t *testing.T) {
	g := bare(t)
	blob, err := g.write("blob", []byte("hello\n"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := g.run("hello\n", "hash-object", "--stdin")
	if err != nil || strings.TrimSpace(want) != blob {
		t.Errorf("blob %s, git says %s %v", blob, want, err)
	}
	tree := g.put(t, emptyTree, map[string]string{"a/b": "1", "a.b": "2", "a": "", "z": "3"})
	if got := g.must(t, "ls-tree", "-r", "--name-only", tree); strings.Contains(got, "a/b") && strings.Contains(got, "\na\n") {
		t.Errorf("a path is a file and a folder: %s", got)
	}
	c, err := g.writeCommit(commit{
		tree: tree, message: "Subject\n\nBody\n",
		author:    signature{"A", "a@x", time.Unix(1, 0).In(time.FixedZone("", -5400))},
		committer: signature{"C", "c@x", time.Unix(2, 0).UTC()},
	}, true)
	if err != nil {
		t.Fatal(err)
	}
	if got := g.must(t, "show", "-s", "--format=%an <%ae> %ad|%cn|%s|%b", "--date=raw", c); got != "A <a@x> 1 -0130|C|Subject|Body" {
		t.Errorf("git reads %q", got)
	}
	g.must(t, "fsck", "--strict", "--no-dangling")
	read, err := g.commit(c)
	if err != nil {
		t.Fatal(err)
	}
	if read.subject() != "Subject" || read.body() != "Body" || !strings.HasPrefix(read.gpgsig, "-----BEGIN PGP SIGNATURE-----\n\nwsFc") {
		t.Errorf("read back %+v", read)
	}
	if strings.Contains(read.payload, "gpgsig") || !strings.HasPrefix(read.payload, "tree "+tree) {
		t.Errorf("payload is %q", read.payload)
	}
}

// TestEditMatchesGit edits trees at random and compares with git's index.
func TestEditMatchesGit(t *testing.T) {
	g := bare(t)
	index := filepath.Join(t.TempDir(), "index")
	rng := rand.New(rand.NewPCG(1, 2))
	tree := emptyTree
	if _, err := g.writeTree(nil); err != nil {
		t.Fatal(err)
	}
	names := []string{"a", "b", "a/x", "a/y/z", "a/y/w", "b.yaml", "b/c", "b-d"}
	for round := range 25 {
		changes := map[string]*entry{}
		var script strings.Builder
		path := names[rng.IntN(len(names))]
		if rng.IntN(3) == 0 {
			if _, ok := g.lookup(tree, path); !ok {
				continue
			}
			changes[path] = nil
			fmt.Fprintf(&script, "0 %s\t%s\n", zeroOID, path)
		} else {
			oid, err := g.write("blob", fmt.Append(nil, round))
			if err != nil {
				t.Fatal(err)
			}
			mode := []string{"100644", "100755", "120000"}[rng.IntN(3)]
			changes[path] = &entry{mode: mode, oid: oid}
			fmt.Fprintf(&script, "%s %s\t%s\n", mode, oid, path)
		}
		old := tree
		var err error
		if tree, err = g.edit(tree, changes); err != nil {
			t.Fatal(err)
		}
		if e, ok := g.lookup(old, path); ok && e.isDir() || conflicts(g, old, path) {
			continue // git's index refuses what replaces a folder by a file.
		}
		os.Remove(index) //nolint:errcheck // it may not be there.
		cmd := exec.Command("sh", "-c", "git read-tree "+old+" && git update-index --index-info && git write-tree")
		cmd.Env = append(gitEnv(g.dir), "GIT_DIR="+g.dir, "GIT_INDEX_FILE="+index)
		cmd.Stdin = strings.NewReader(script.String())
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if want := strings.TrimSpace(string(out)); want != tree {
			t.Fatalf("round %d: %v on %s gave %s, git %s", round, changes, old, tree, want)
		}
	}
}

// conflicts tells that some parent of the path is a file.
func conflicts(g *gitRepo, tree, path string) bool {
	for i, c := range path {
		if c == '/' {
			if e, ok := g.lookup(tree, path[:i]); ok && !e.isDir() {
				return true
			}
		}
	}
	return false
}

func TestEditKeepsModes(t *testing.T) {
	g := bare(t)
	blob, err := g.write("blob", []byte("#!/bin/sh\n"))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := g.edit(emptyTree, map[string]*entry{"run.sh": {mode: "100755", oid: blob}, "link": {mode: "120000", oid: blob}})
	if err != nil {
		t.Fatal(err)
	}
	tree = g.put(t, tree, map[string]string{"run.sh": "new", "link": "new", "fresh": "new"})
	got := map[string]string{}
	for _, name := range []string{"run.sh", "link", "fresh"} {
		e, _ := g.lookup(tree, name)
		got[name] = e.mode
	}
	if diff := cmp.Diff(map[string]string{"run.sh": "100755", "link": "120000", "fresh": "100644"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestChanges(t *testing.T) {
	g := bare(t)
	a := g.put(t, emptyTree, map[string]string{"same": "1", "d/old": "1", "d/mod": "1", "x": "1"})
	b := g.put(t, emptyTree, map[string]string{"same": "1", "d/new": "1", "d/mod": "2", "x/y": "1"})
	var got []string
	for _, c := range g.changes(a, b, "") {
		got = append(got, c.status()+" "+c.path)
	}
	if diff := cmp.Diff([]string{"modified d/mod", "added d/new", "removed d/old", "removed x", "added x/y"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestRefs moves refs only from where they are thought to be.
func TestRefs(t *testing.T) {
	g := bare(t)
	c1 := g.save(t, g.put(t, emptyTree, map[string]string{"a": "1"}))
	c2 := g.save(t, g.put(t, emptyTree, map[string]string{"a": "2"}), c1)
	if err := g.update(refUpdate{"refs/heads/x/y", "", c1}); err != nil {
		t.Fatal(err)
	}
	for name, u := range map[string]refUpdate{
		"exists":      {"refs/heads/x/y", "", c2},
		"moved":       {"refs/heads/x/y", c2, c1},
		"folder":      {"refs/heads/x", "", c1},
		"below a ref": {"refs/heads/x/y/z", "", c1},
	} {
		if err := g.update(u); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
	if err := g.update(refUpdate{"refs/heads/x/y", c1, c2}, refUpdate{"refs/heads/z", "", c1}); err != nil {
		t.Fatal(err)
	}
	g.must(t, "pack-refs", "--all")
	if got := g.branch("x/y"); got != c2 {
		t.Errorf("packed ref reads %q", got)
	}
	if err := g.update(refUpdate{"refs/heads/x/y", c2, ""}); err != nil {
		t.Fatal(err)
	}
	if got := g.branch("x/y"); got != "" {
		t.Errorf("deleted ref reads %q", got)
	}
	list, err := g.refs("refs/heads/")
	if err != nil || len(list) != 1 || list[0].name != "refs/heads/z" {
		t.Errorf("refs are %v %v", list, err)
	}
}

func TestReadMisses(t *testing.T) {
	g := bare(t)
	for _, name := range []string{"", "nothing", "main:a b", strings.Repeat("a", 40), "x\ny"} {
		if _, _, _, err := g.read(name); !errors.Is(err, errNoObject) {
			t.Errorf("read %q: %v", name, err)
		}
	}
	blob, err := g.write("blob", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.commit(blob); !errors.Is(err, errNoObject) {
		t.Errorf("a blob is a commit: %v", err)
	}
}

// TestPick replays a commit where plain merging would bring its parents too.
func TestPick(t *testing.T) {
	g := bare(t)
	base := g.put(t, emptyTree, map[string]string{"a": "1\n", "b": "1\n"})
	root := g.save(t, base)
	skipped := g.save(t, g.put(t, base, map[string]string{"a": "2\n"}), root)
	picked := g.save(t, g.put(t, base, map[string]string{"a": "2\n", "b": "2\n"}), skipped)
	c, err := g.commit(picked)
	if err != nil {
		t.Fatal(err)
	}
	tree, clean, err := g.pickTree(root, c)
	if err != nil || !clean {
		t.Fatal(clean, err)
	}
	if want := g.put(t, base, map[string]string{"b": "2\n"}); tree != want {
		t.Errorf("picked %s, want %s", tree, want)
	}
	other := g.save(t, g.put(t, base, map[string]string{"b": "9\n"}), root)
	if _, clean, err = g.pickTree(other, c); clean || err != nil {
		t.Errorf("a conflict is clean: %v %v", clean, err)
	}
}

func TestValidRef(t *testing.T) {
	g := bare(t)
	for _, name := range []string{
		"refs/heads/a", "refs/heads/a/b", "refs/heads/backout/revert-1a2b", "refs/tags/v1", "refs/heads/ü",
		"heads/a", "refs/heads", "refs/heads/a b", "refs/heads/a..b", "refs/heads/.a", "refs/heads/a.lock", "refs/heads/a/", "refs/heads//a",
		"refs/heads/a~1", "refs/heads/a^", "refs/heads/a:b", "refs/heads/a?", "refs/heads/a*", "refs/heads/a[", "refs/heads/a\\b",
		"refs/heads/a@{b", "refs/heads/a.", "refs/heads/\x01",
	} {
		_, err := g.run("", "check-ref-format", name)
		want := err == nil && strings.HasPrefix(name, "refs/") && strings.Count(name, "/") > 1
		if got := validRef(name); got != want {
			t.Errorf("validRef(%q) = %v, git says %v", name, got, want)
		}
	}
}

func TestRouter(t *testing.T) {
	for path, want := range map[string]string{
		"/repos/a/b/commits/feature/x/check-runs": "GET /repos/{owner}/{repo}/commits/{ref}/check-runs ref=feature/x",
		"/repos/a/b/commits/main":                 "GET /repos/{owner}/{repo}/commits/{ref} ref=main",
		"/repos/a/b/branches/feat%2Fx":            "GET /repos/{owner}/{repo}/branches/{branch} branch=feat/x",
		"/repos/a/b/branches/x/protection":        "GET /repos/{owner}/{repo}/branches/{branch}/protection branch=x",
		"/repos/a/b/issues/comments/5":            "GET /repos/{owner}/{repo}/issues/comments/{comment_id} comment_id=5",
		"/repos/a/b/issues/5/comments":            "GET /repos/{owner}/{repo}/issues/{issue_number}/comments issue_number=5",
		"/repos/a/b/git/ref/heads/x/y":            "GET /repos/{owner}/{repo}/git/ref/{ref} ref=heads/x/y",
		"/repos/a/b/contents":                     "GET /repos/{owner}/{repo}/contents",
		"/repos/a/b/nothing":                      "",
		"/repos//b":                               "",
	} {
		e, args := routes().find(newGet(path))
		got := ""
		if e != nil {
			got = e.pattern
			delete(args, "owner")
			delete(args, "repo")
			for k, v := range args {
				got += " " + k + "=" + v
			}
		}
		if got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

func TestLongestChain(t *testing.T) {
	r := func(began, ended int64) Request { return Request{began: began, ended: ended} }
	for name, tt := range map[string]struct {
		list []Request
		want int
	}{
		"none":           {nil, 0},
		"in sequence":    {[]Request{r(1, 2), r(3, 4), r(5, 6)}, 3},
		"all overlap":    {[]Request{r(1, 6), r(2, 5), r(3, 4)}, 1},
		"one long":       {[]Request{r(1, 10), r(2, 3), r(4, 5), r(6, 7)}, 3},
		"two pairs":      {[]Request{r(1, 3), r(2, 4), r(5, 7), r(6, 8)}, 2},
		"greedy is best": {[]Request{r(1, 8), r(2, 3), r(4, 9), r(10, 11)}, 3},
	} {
		if got := longestChain(slices.Clone(tt.list)); len(got) != tt.want {
			t.Errorf("%s: %d, want %d", name, len(got), tt.want)
		}
	}
}

func TestWindow(t *testing.T) {
	for name, tt := range map[string]struct {
		args     obj
		from, to int
		fails    bool
	}{
		"first":        {obj{"first": int64(2)}, 0, 2, false},
		"more":         {obj{"first": int64(50)}, 0, 5, false},
		"last":         {obj{"last": int64(2)}, 3, 5, false},
		"after":        {obj{"first": int64(2), "after": cursor(2)}, 2, 4, false},
		"before":       {obj{"last": int64(2), "before": cursor(4)}, 1, 3, false},
		"neither":      {obj{}, 0, 0, true},
		"too many":     {obj{"first": int64(101)}, 0, 0, true},
		"after all":    {obj{"first": int64(2), "after": cursor(9)}, 5, 5, false},
		"zero of them": {obj{"first": int64(0)}, 0, 0, false},
	} {
		from, to, err := window(tt.args, 5)
		if (err != nil) != tt.fails || err == nil && (from != tt.from || to != tt.to) {
			t.Errorf("%s: %d to %d, %v", name, from, to, err)
		}
	}
}

func TestParseCommands(t *testing.T) {
	one, two := strings.Repeat("1", 40), strings.Repeat("2", 40)
	line := func(s string) string { return fmt.Sprintf("%04x%s", len(s)+4, s) }
	body := line(zeroOID+" "+one+" refs/heads/a\x00report-status side-band-64k") + line(one+" "+zeroOID+" refs/heads/b") + line(one+" "+two+" refs/heads/c") + "0000PACK…"
	want := []refUpdate{{"refs/heads/a", "", one}, {"refs/heads/b", one, ""}, {"refs/heads/c", one, two}}
	if diff := cmp.Diff(want, parseCommands([]byte(body)), cmp.AllowUnexported(refUpdate{})); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "zzzz", "ffff", "0000", "0003"} {
		if got := parseCommands([]byte(bad)); got != nil {
			t.Errorf("%q is %v", bad, got)
		}
	}
}

func newGet(path string) *http.Request {
	r, err := http.NewRequest(http.MethodGet, "http://hub"+path, nil) //nolint:noctx // it is never sent.
	if err != nil {
		panic(err)
	}
	return r
}

// TestAncestry compares the walk in memory with git's on random histories.
func TestAncestry(t *testing.T) {
	g := bare(t)
	rng := rand.New(rand.NewPCG(3, 4))
	all := []string{g.save(t, g.put(t, emptyTree, map[string]string{"n": "0"}))}
	for i := range 25 {
		parents := []string{all[rng.IntN(len(all))]}
		if p := all[rng.IntN(len(all))]; rng.IntN(3) == 0 && p != parents[0] {
			parents = append(parents, p)
		}
		all = append(all, g.save(t, g.put(t, emptyTree, map[string]string{"n": fmt.Sprint(i + 1)}), parents...))
	}
	for range 25 {
		a, b := all[rng.IntN(len(all))], all[rng.IntN(len(all))]
		_, err := g.run("", "merge-base", "--is-ancestor", a, b)
		if got := g.isAncestor(a, b); got != (err == nil) {
			t.Errorf("isAncestor(%s, %s) = %v, git says %v", a, b, got, err)
		}
		list, err := g.between(a, b)
		if err != nil {
			t.Fatal(err)
		}
		if want := g.must(t, "rev-list", "--count", a+".."+b); want != fmt.Sprint(len(list)) {
			t.Errorf("between(%s, %s) has %d, git %s", a, b, len(list), want)
		}
		if base := g.mergeBase(a, b); !strings.Contains(g.must(t, "merge-base", "--all", a, b), base) {
			t.Errorf("mergeBase(%s, %s) = %s", a, b, base)
		}
	}
	// A long line is beyond what is walked in memory.
	tip := all[0]
	tree := g.put(t, emptyTree, map[string]string{"n": "long"})
	for range nearby + 10 {
		tip = g.save(t, tree, tip)
	}
	if !g.isAncestor(all[0], tip) {
		t.Error("the root is not an ancestor of a long line's tip")
	}
	if list, err := g.between(all[0], tip); err != nil || len(list) != nearby+10 {
		t.Errorf("a long line has %d commits: %v", len(list), err)
	}
}
