package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// local makes a repository that is a mirror already: what concerns reading alone
// needs no server. The mirrors must be made after the last commit.
func local(t testing.TB) (*bare, func() *Mirrors) {
	t.Helper()
	dir := t.TempDir()
	b := newBare(t, filepath.Join(dir, string(testRepo)+".git"))
	return b, func() *Mirrors {
		t.Helper()
		b.run(nil, "pack-refs", "--all")
		ms, err := New(Config{Dir: dir, BaseURL: "http://127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = ms.Close() })
		return ms
	}
}

// randomHistory makes commits with merges, dates that go backwards and a second
// root. It returns them in an order where parents come first.
func randomHistory(b *bare, rnd *rand.Rand, n int) []bot.SHA {
	im := &importer{}
	var marks []string
	trees := make(map[string]files)
	for i := range n {
		s := snapshot{branch: fmt.Sprintf("b%d", i), when: 1600000000 + rnd.IntN(100000), message: fmt.Sprintf("commit %d", i)}
		s.files = files{"root": plain("0\n")}
		if i > 0 && i != n/2 {
			first := marks[max(0, i-1-rnd.IntN(4))]
			s.parents = []string{first}
			for range rnd.IntN(6) / 4 {
				if p := marks[rnd.IntN(len(marks))]; !slices.Contains(s.parents, p) {
					s.parents = append(s.parents, p)
				}
			}
			s.files = make(files)
			maps.Copy(s.files, trees[first])
		}
		for range rnd.IntN(3) {
			path := []string{"a", "dir/a", "dir/b", "dir/sub/a", "dirt", "x/y/z"}[rnd.IntN(6)]
			if rnd.IntN(4) == 0 {
				delete(s.files, path)
			} else {
				s.files.put(path, plain(fmt.Sprint(rnd.IntN(5))))
			}
		}
		mark := im.add(s)
		trees[mark] = s.files
		marks = append(marks, mark)
	}
	shas := b.load(im)
	all := make([]bot.SHA, n)
	for i, m := range marks {
		all[i] = shas[m]
	}
	return all
}

func TestLogIsGits(t *testing.T) {
	t.Parallel()
	b, open := local(t)
	all := randomHistory(b, rand.New(rand.NewPCG(1, 1)), 120)
	ms := open()
	for _, tip := range []bot.SHA{all[len(all)-1], all[len(all)/2+3], all[40]} {
		for _, paths := range [][]string{nil, {"."}, {"a"}, {"dir"}, {"dir/"}, {"dir/sub", "x"}, {"nowhere"}, {"dir/a", "dir/a"}} {
			args := append([]string{"log", "--first-parent", "--format=%H", string(tip), "--"}, paths...)
			want := b.lines(args...)
			commits, err := ms.Log(context.Background(), bot.LogQuery{Repo: testRepo, From: tip, Paths: paths})
			if err != nil {
				t.Fatal(err)
			}
			got := []string{}
			for _, c := range commits {
				got = append(got, string(c.SHA))
			}
			if slices.Equal(paths, []string{"."}) {
				want = b.lines("log", "--first-parent", "--format=%H", string(tip)) // with empty commits
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("log of %q from %s:\n%s", paths, tip.Short(), diff)
			}
		}
	}
}

func TestLogBounds(t *testing.T) {
	t.Parallel()
	b, open := local(t)
	var all []bot.SHA
	for i := range 5 {
		all = append(all, b.commit("main", files{"f": plain(fmt.Sprint(i))}, fmt.Sprintf("commit %d\n\nbody\n", i)))
	}
	ms := open()
	subjects := func(q bot.LogQuery) string {
		t.Helper()
		q.Repo, q.From = testRepo, all[4]
		commits, err := ms.Log(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		var s []string
		for _, c := range commits {
			s = append(s, strings.TrimPrefix(c.Subject, "commit "))
		}
		return strings.Join(s, " ")
	}
	for want, q := range map[string]bot.LogQuery{
		"4 3 2 1 0": {},
		"4 3":       {Limit: 2},
		"4 3 2":     {Until: all[1]},
		"4":         {Until: all[1], Limit: 1, Paths: []string{"f"}},
		"":          {Until: all[4]},
	} {
		if got := subjects(q); got != want {
			t.Errorf("%+v: %q, want %q", q, got, want)
		}
	}
}

func TestCommit(t *testing.T) {
	t.Parallel()
	b, open := local(t)
	root := b.commit("main", files{"a": plain("1\n"), "dir/b": plain("2\n")}, "root")
	side := b.commit("side", files{"a": plain("1\n"), "dir/b": plain("3\n")}, "side", root)
	merge := b.commit("main", files{"a": plain("1\n"), "dir/b": plain("3\n"), "dir.x": plain("")}, "Merge\xff side\n\nwith a body\n", root, side)
	ms := open()
	got, err := ms.Commit(context.Background(), testRepo, merge)
	if err != nil {
		t.Fatal(err)
	}
	want := bot.Commit{
		SHA: merge, Parents: []bot.SHA{root, side}, Tree: bot.SHA(b.lines("rev-parse", string(merge)+"^{tree}")[0]),
		Author: "Ada", Email: "ada@example.com", When: got.When,
		Subject: "Merge\uFFFD side", Message: "Merge\uFFFD side\n\nwith a body\n", Paths: []string{"dir.x", "dir/b"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if when := b.lines("log", "-1", "--format=%ct", string(merge))[0]; when != fmt.Sprint(got.When.Unix()) {
		t.Errorf("committed at %d, git says %s", got.When.Unix(), when)
	}
	got, err = ms.Commit(context.Background(), testRepo, root)
	if diff := cmp.Diff([]string{"a", "dir/b"}, got.Paths); err != nil || diff != "" {
		t.Errorf("paths of a root commit: %v %s", err, diff)
	}
	if _, err := ms.Commit(context.Background(), testRepo, "main"); !bot.IsTrouble(err, bot.TroubleInvalid) {
		t.Errorf("a branch is not a SHA: %v", err)
	}
	if _, err := ms.Commit(context.Background(), testRepo, want.Tree); err == nil {
		t.Error("a tree is not a commit")
	}
}

// TestContainsIsGits asks about all pairs. The dates of the commits are worthless.
func TestContainsIsGits(t *testing.T) {
	t.Parallel()
	b, open := local(t)
	all := randomHistory(b, rand.New(rand.NewPCG(2, 2)), 60)
	ms := open()
	for _, tip := range all {
		ancestors := b.lines("rev-list", string(tip))
		for _, c := range all {
			got, err := ms.Contains(context.Background(), testRepo, tip, c)
			if err != nil {
				t.Fatal(err)
			}
			if want := slices.Contains(ancestors, string(c)); got != want {
				t.Fatalf("%s contains %s: %v, git says %v", tip.Short(), c.Short(), got, want)
			}
		}
	}
}

// TestContainsReadsWhatLiesBetween: a question about the last days costs the same in
// a long history.
func TestContainsReadsWhatLiesBetween(t *testing.T) {
	t.Parallel()
	b, open := local(t)
	im := &importer{}
	line := []string{im.add(snapshot{branch: "main", when: 1600000000})}
	for i := range 2000 {
		line = append(line, im.add(snapshot{branch: "main", when: 1600000001 + i, parents: line[i:]}))
	}
	side := im.add(snapshot{branch: "side", when: 1600001985, parents: line[1980:1981]})
	shas := b.load(im)
	ms := open()
	for _, tt := range []struct {
		tip, commit string
		want        bool
	}{{line[2000], line[1970], true}, {line[2000], side, false}, {line[1970], line[2000], false}} {
		s, err := ms.read(context.Background(), testRepo)
		if err != nil {
			t.Fatal(err)
		}
		s.graph.known = nil
		got, err := ms.Contains(context.Background(), testRepo, shas[tt.tip], shas[tt.commit])
		if err != nil || got != tt.want {
			t.Errorf("contains: %v %v, want %v", got, err, tt.want)
		}
		if n := len(s.graph.known); n > 50 {
			t.Errorf("%d commits were read to tell", n)
		}
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	b, open := local(t)
	im := &importer{}
	for i := range 3000 { // enough for abbreviations to collide
		im.add(snapshot{branch: "main", message: fmt.Sprint(i)})
	}
	shas := b.load(im)
	branchOf := shas[":1"]
	b.run(nil, "branch", "release/1.0", string(branchOf))
	b.run(nil, "branch", "deadbeef", string(branchOf))
	ms := open()
	resolve := func(rev string) (bot.SHA, error) {
		return ms.Resolve(context.Background(), testRepo, rev)
	}
	some := shas[":7"]
	for rev, want := range map[string]bot.SHA{
		"main":                             shas[":3000"],
		"release/1.0":                      branchOf,
		"deadbeef":                         branchOf,
		string(some):                       some,
		strings.ToUpper(string(some)):      some,
		string(some[:12]):                  some,
		string(some[:13]):                  some,
		strings.ToUpper(string(some[:15])): some,
		string(some[:39]):                  some,
	} {
		if got, err := resolve(rev); got != want || err != nil {
			t.Errorf("%q: %s, %v, want %s", rev, got, err, want)
		}
	}
	for rev, want := range map[string]bot.TroubleKind{
		"nowhere":                bot.TroubleNotFound,
		string(some[:6]):         bot.TroubleNotFound, // too short to be meant
		"0123456789":             bot.TroubleNotFound,
		strings.Repeat("0", 41):  bot.TroubleNotFound,
		"":                       bot.TroubleInvalid,
		"@":                      bot.TroubleInvalid,
		"-main":                  bot.TroubleInvalid,
		"--upload-pack=x":        bot.TroubleInvalid,
		"main..x":                bot.TroubleInvalid,
		"main~1":                 bot.TroubleInvalid,
		"main^":                  bot.TroubleInvalid,
		"main@{1}":               bot.TroubleInvalid,
		"a b":                    bot.TroubleInvalid,
		"a\nb":                   bot.TroubleInvalid,
		"a\x00b":                 bot.TroubleInvalid,
		"/main":                  bot.TroubleInvalid,
		"main.lock":              bot.TroubleInvalid,
		strings.Repeat("x", 999): bot.TroubleInvalid,
	} {
		if got, err := resolve(rev); !bot.IsTrouble(err, want) {
			t.Errorf("%q: %s, %v, want %s", rev, got, err, want)
		}
	}
	// The same digits for several commits: found by looking at all of them, with
	// an abbreviation shorter than people may type.
	s, err := ms.read(context.Background(), testRepo)
	if err != nil {
		t.Fatal(err)
	}
	byPrefix := make(map[string]int)
	for _, sha := range shas {
		byPrefix[string(sha[:3])]++
	}
	for i, prefix := range slices.Sorted(maps.Keys(byPrefix)) {
		n := byPrefix[prefix]
		if i%100 > 0 {
			continue
		}
		found, err := s.commitsWithPrefix(prefix)
		if err != nil || len(found) != n {
			t.Fatalf("%s: %d commits, %v, want %d", prefix, len(found), err, n)
		}
	}
	found, err := s.commitsWithPrefix("")
	if err != nil {
		t.Fatal(err)
	}
	err = ambiguous("abc", testRepo, found)
	if !bot.IsTrouble(err, bot.TroubleInvalid) || !strings.Contains(err.Error(), found[0].String()[:12]) || !strings.Contains(err.Error(), "2995 more") {
		t.Error(err)
	}
}

func TestTree(t *testing.T) {
	t.Parallel()
	b, open := local(t)
	b.commit("main", files{
		"README.md": plain("hello\n"), "empty": plain(""), "run.sh": {"100755", "#!/bin/sh\n"},
		"apps/web/deploy.yaml": plain("kind: Deployment\n"), "apps.yaml": plain("x\n"), "apps/a": plain("y\n"),
		"link": {"120000", "apps/web"}, "out": {"120000", "../../etc/passwd"}, "module": {"160000", strings.Repeat("a", 40)},
		"big": plain(strings.Repeat("0123456789\n", 2000)), "wörld/ü": plain("z\n"),
	}, "first")
	sha := b.commit("main", files{}, "nothing left")
	ms := open()
	tree, err := ms.Tree(context.Background(), testRepo, bot.SHA(b.lines("rev-parse", "main^")[0]))
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(tree, "README.md", "empty", "run.sh", "apps/web/deploy.yaml", "apps.yaml", "link", "big", "wörld/ü"); err != nil {
		t.Error(err)
	}
	var walked []string
	err = fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		walked = append(walked, path)
		return err
	})
	want := strings.Fields(". README.md apps apps/a apps/web apps/web/deploy.yaml apps.yaml big empty link module out run.sh wörld wörld/ü")
	if diff := cmp.Diff(want, walked); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	// Links lead nowhere, not even within the tree.
	if text, err := fs.ReadFile(tree, "out"); string(text) != "../../etc/passwd" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := fs.ReadFile(tree, "link/deploy.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading through a link: %v", err)
	}
	if target, err := fs.ReadLink(tree, "link"); target != "apps/web" || err != nil {
		t.Errorf("%q, %v", target, err)
	}
	if info, err := fs.Stat(tree, "run.sh"); err != nil || info.Mode() != 0o555 || info.Size() != 10 {
		t.Errorf("%v, %v", info, err)
	}
	for _, name := range []string{"nowhere", "README.md/x", "module/x"} {
		if _, err := fs.ReadFile(tree, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"../README.md", "/README.md", "apps/", ""} {
		if _, err := fs.ReadFile(tree, name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
	empty, err := ms.Tree(context.Background(), testRepo, sha)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := fs.ReadDir(empty, "."); len(list) != 0 || err != nil {
		t.Errorf("%v, %v", list, err)
	}
}

func TestTreeRefusesHugeFiles(t *testing.T) {
	t.Parallel()
	b, open := local(t)
	sha := b.commit("main", files{"huge": plain(strings.Repeat("x", maxTreeFile+1))}, "first")
	tree, err := open().Tree(context.Background(), testRepo, sha)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.ReadFile(tree, "huge"); !errors.Is(err, errTooBig) {
		t.Error(err)
	}
	if info, err := fs.Stat(tree, "huge"); err != nil || info.Size() != maxTreeFile+1 {
		t.Errorf("%v, %v", info, err)
	}
}
