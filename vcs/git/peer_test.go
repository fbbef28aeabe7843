package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

// BenchmarkAgainstGit takes changes back here, by git's plumbing and by git revert
// in a scratch clone, the same ones in one run, and reports the middle and the 99th
// percentile of each and the ratios: git's time by ours, so more is better, and under 1
// git is faster. The plumbing is what there is without a work tree: two git commit-tree
// that give the merge its base, and git merge-tree. The scratch clone shares its
// objects, is checked out and thrown away.
//
// Ours is as in the bot: the repository stays open, and its history is indexed. Cold is
// ours, too, but in a repository that is opened for the one revert, without an index, as
// on the command line; the ratio of that is reported as well. What a busy machine does to
// times this short it does to the shortest most, so the ratios are also given in processor
// time, of all threads and processes. A table says which cases take long.
//
// Repositories are made ones with 10,000 and 100,000 files, the latter with ten times
// the history, too, and, when BACKOUT_CORPUS is set, each of its repositories with cases
// from all over its list. With -benchtime=200x, 200 of them.
func BenchmarkAgainstGit(b *testing.B) {
	for _, made := range []struct {
		name         string
		files, later int
		scratches    int
	}{
		{"10000 files", 10_000, 200, 0},
		{"100000 files", 100_000, 200, 1},
		{"100000 files and 10 times the commits", 100_000, 3_800, 0},
	} {
		prepare := sync.OnceValue(func() *duel {
			dir := filepath.Join(b.TempDir(), "acme", "made.git")
			return newDuel(b, dir, largeRepository(b, dir, made.files, made.later))
		})
		b.Run(made.name, func(b *testing.B) { prepare().run(b, made.scratches) })
	}
	if os.Getenv("BACKOUT_CORPUS") == "" {
		return
	}
	_, all := corpus(b)
	byRepo := make(map[bot.RepoName][]corpusCase)
	var names []bot.RepoName
	for _, c := range all {
		if byRepo[c.repo] == nil {
			names = append(names, c.repo)
		}
		byRepo[c.repo] = append(byRepo[c.repo], c)
	}
	for _, name := range names {
		prepare := sync.OnceValue(func() *duel {
			dir, err := filepath.EvalSymlinks(filepath.Join(os.Getenv("BACKOUT_CORPUS"), string(name)+".git"))
			if err != nil {
				b.Fatal(err)
			}
			// Git writes what it makes, and renews the dates of packs that have it: not in
			// somebody's corpus.
			scratch := filepath.Join(b.TempDir(), "acme", "copy.git")
			if err := os.CopyFS(scratch, os.DirFS(dir)); err != nil {
				b.Fatal(err)
			}
			return newDuel(b, scratch, byRepo[name])
		})
		b.Run(string(name), func(b *testing.B) { prepare().run(b, 3) })
	}
}

// duel is a repository and what is to be taken back in it.
type duel struct {
	dir   string
	open  *Repository
	cases []corpusCase
}

// newDuel opens a repository as the bot has it: as a mirror, with its index.
func newDuel(b *testing.B, dir string, cases []corpusCase) *duel {
	name := bot.RepoName(filepath.Base(filepath.Dir(dir)) + "/" + strings.TrimSuffix(filepath.Base(dir), ".git"))
	ms, err := New(Config{Dir: filepath.Dir(filepath.Dir(dir)), BaseURL: "http://invalid.invalid"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = ms.Close() })
	s, err := ms.read(context.Background(), name)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.indexHistory(context.Background(), func() bool { return true }); err != nil {
		b.Fatal(err)
	}
	return &duel{dir, &Repository{store: s, own: dir, common: dir}, cases}
}

// round is one case, in all ways.
type round struct {
	kind            string // set and outcome
	ours, cold, git spent
}

func (c *duel) run(b *testing.B, scratches int) {
	for _, role := range []string{"AUTHOR", "COMMITTER"} {
		b.Setenv("GIT_"+role+"_NAME", "a")
		b.Setenv("GIT_"+role+"_EMAIL", "a@example.com")
	}
	git := &bare{b, c.dir}
	var rounds []round
	var clones []float64 // how many times as long as ours
	b.ResetTimer()
	for _, one := range spread(c.cases, b.N) {
		r, ok := c.round(b, git, one)
		if !ok {
			continue
		}
		rounds = append(rounds, r)
		if len(clones) < scratches {
			began := time.Now()
			if git.scratchRevert(one) {
				clones = append(clones, by(time.Since(began), r.ours.clock))
			}
		}
	}
	b.StopTimer()
	b.ReportMetric(0, "ns/op") // of all together, which says nothing
	if b.N > 1 && len(rounds) > 0 {
		report(b, rounds, clones)
	}
}

// round takes one change back in all ways, and compares the outcomes. It is not ok when
// the snapshot lacks an object.
func (c *duel) round(b *testing.B, git *bare, one corpusCase) (r round, ok bool) {
	change := bot.Change{Commits: []bot.SHA{one.culprit}, Mainline: one.mainline}
	var got *TakenBack
	var err error
	r.ours = clocked(b, func() { got, err = c.open.Revert(context.Background(), one.onto, change) })
	if err != nil {
		return r, false
	}
	r.cold = clocked(b, func() {
		var fresh *Repository
		if fresh, err = Open(c.dir); err == nil {
			_, err = fresh.Revert(context.Background(), one.onto, change)
			err = errors.Join(err, fresh.Close())
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	var tree bot.SHA
	var clean bool
	r.git = clocked(b, func() { tree, clean = git.plumbingRevert(one) })
	if left := got.Status != bot.RevertConflict; left != clean || clean && tree != got.Tree {
		b.Fatalf("%+v: git says %v %s, we say %s %s", one, clean, tree, got.Status, got.Tree)
	}
	r.kind = one.set + " " + string(got.Status)
	return r, true
}

// spread picks n cases evenly.
func spread(cases []corpusCase, n int) []corpusCase {
	if n >= len(cases) {
		return cases
	}
	picked := make([]corpusCase, n)
	for i := range picked {
		picked[i] = cases[i*len(cases)/n]
	}
	return picked
}

// plumbingRevert merges as the corpus was made: base culprit, ours onto, theirs the
// culprit's parent.
func (b *bare) plumbingRevert(c corpusCase) (tree bot.SHA, clean bool) {
	parent := fmt.Sprintf("%s^%d^{tree}", c.culprit, max(c.mainline, 1))
	ours := b.lines("commit-tree", "-m", "ours", "-p", string(c.culprit), string(c.onto)+"^{tree}")[0]
	theirs := b.lines("commit-tree", "-m", "theirs", "-p", string(c.culprit), parent)[0]
	out, _, err := b.try(nil, "merge-tree", "--write-tree", "--no-messages", ours, theirs)
	line, _, _ := strings.Cut(string(out), "\n")
	return bot.SHA(line), err == nil
}

// scratchRevert clones, reverts and throws away.
func (b *bare) scratchRevert(c corpusCase) bool {
	dir, err := os.MkdirTemp(b.t.TempDir(), "clone")
	if err != nil {
		b.t.Fatal(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // thrown away anyway
	w := &bare{b.t, dir}
	args := []string{"revert", "--no-edit", string(c.culprit)}
	if c.mainline > 0 {
		args = append(args, "-m", fmt.Sprint(c.mainline))
	}
	for _, args := range [][]string{
		{"clone", "--quiet", "--shared", "--no-checkout", b.dir, "."},
		{"checkout", "--quiet", "--detach", string(c.onto)},
		args,
	} {
		if _, _, err := w.try(nil, args...); err != nil {
			return false
		}
	}
	return true
}

// largeRepository makes a repository of some files, with 200 changes of three of them
// each, and later ones of others; the first are to be taken back from the tip.
func largeRepository(b *testing.B, dir string, files, later int) (cases []corpusCase) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		b.Fatal(err)
	}
	origin := newBare(b, dir)
	path := func(i int) string {
		return fmt.Sprintf("clusters/c%d/apps/app%d/f%d.yaml", i%50, i/50%200, i/10000)
	}
	content := func(i int, what string) string {
		return numbered(30, "0", fmt.Sprintf("name: app-%d", i), "15", what)
	}
	var stream bytes.Buffer
	mark := 0
	commit := func(files map[int]string) {
		mark++
		fmt.Fprintf(&stream, "commit refs/heads/main\nmark :%d\ncommitter A <a@example.com> %d +0000\ndata 1\nx\n", mark, 1700000000+mark)
		for i, what := range files {
			data := content(i, what)
			fmt.Fprintf(&stream, "M 100644 inline %s\ndata %d\n%s\n", path(i), len(data), data)
		}
	}
	first := make(map[int]string)
	for i := range files {
		first[i] = "good"
	}
	commit(first)
	const changes = 200
	for n := range changes {
		commit(map[int]string{n * 3: "bad", n*3 + 1: "bad", files/2 + n: "bad"})
	}
	for n := range later {
		commit(map[int]string{files*6/10 + n%1000: fmt.Sprint("later ", n), files*7/10 + n%1000: fmt.Sprint("later ", n)})
	}
	marks := filepath.Join(b.TempDir(), "marks")
	origin.run(stream.Bytes(), "fast-import", "--quiet", "--export-marks="+marks)
	text, err := os.ReadFile(marks)
	if err != nil {
		b.Fatal(err)
	}
	sha := make(map[string]bot.SHA)
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		sha[f[0]] = bot.SHA(f[1])
	}
	// As after git gc, which packs branches, too.
	origin.run(nil, "pack-refs", "--all")
	for n := range changes {
		cases = append(cases, corpusCase{set: "made", onto: sha[fmt.Sprintf(":%d", mark)], culprit: sha[fmt.Sprintf(":%d", n+2)]})
	}
	return cases
}
