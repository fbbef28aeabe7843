package git

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

// BenchmarkAgainstGit takes changes back here, by git's plumbing and by git revert
// in a scratch clone, the same ones in one run, and reports the middle and the 99th
// percentile of each and the ratios. The plumbing is what there is without a work
// tree: two git commit-tree that give the merge its base, and git merge-tree. The
// scratch clone shares its objects, is checked out and thrown away.
//
// Repositories are a made one with 100,000 files and, when BACKOUT_CORPUS is set,
// the first cases of each of its repositories. With -benchtime=50x, 50 of them.
func BenchmarkAgainstGit(b *testing.B) {
	b.Run("100000 files", func(b *testing.B) {
		dir, cases := largeRepository(b)
		againstGit(b, dir, cases)
	})
	if os.Getenv("BACKOUT_CORPUS") == "" {
		return
	}
	_, all := corpus(b)
	byRepo := make(map[bot.RepoName][]peerCase)
	var names []bot.RepoName
	for _, c := range all {
		if byRepo[c.repo] == nil {
			names = append(names, c.repo)
		}
		byRepo[c.repo] = append(byRepo[c.repo], peerCase{c.onto, c.culprit, c.mainline})
	}
	for _, name := range names {
		b.Run(string(name), func(b *testing.B) {
			dir, err := filepath.EvalSymlinks(filepath.Join(os.Getenv("BACKOUT_CORPUS"), string(name)+".git"))
			if err != nil {
				b.Fatal(err)
			}
			// Git writes what it makes, and renews the dates of packs that have it: not in
			// somebody's corpus.
			scratch := filepath.Join(b.TempDir(), "copy.git")
			if err := os.CopyFS(scratch, os.DirFS(dir)); err != nil {
				b.Fatal(err)
			}
			againstGit(b, scratch, byRepo[name])
		})
	}
}

type peerCase struct {
	onto, culprit bot.SHA
	mainline      int
}

// maxScratch is how many scratch clones are made: each costs what the whole
// repository weighs.
const maxScratch = 3

func againstGit(b *testing.B, dir string, cases []peerCase) {
	b.Setenv("GIT_AUTHOR_NAME", "a")
	b.Setenv("GIT_AUTHOR_EMAIL", "a@example.com")
	b.Setenv("GIT_COMMITTER_NAME", "a")
	b.Setenv("GIT_COMMITTER_EMAIL", "a@example.com")
	r, err := Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	cases = spread(cases, b.N)
	git := &bare{b, dir}
	var ours, plumbing, clones []time.Duration
	b.ResetTimer()
	for _, c := range cases {
		began := time.Now()
		got, err := r.Revert(context.Background(), c.onto, bot.Change{Commits: []bot.SHA{c.culprit}, Mainline: c.mainline})
		if err != nil {
			continue // the snapshot lacks an object
		}
		ours = append(ours, time.Since(began))
		began = time.Now()
		tree, clean := git.plumbingRevert(c)
		plumbing = append(plumbing, time.Since(began))
		if left := got.Status != bot.RevertConflict; left != clean || clean && tree != got.Tree {
			b.Fatalf("%+v: git says %v %s, we say %s %s", c, clean, tree, got.Status, got.Tree)
		}
		if len(clones) < maxScratch {
			began = time.Now()
			if git.scratchRevert(c) {
				clones = append(clones, time.Since(began))
			}
		}
	}
	b.StopTimer()
	report := func(name string, all []time.Duration) {
		if len(all) == 0 {
			return
		}
		slices.Sort(all)
		b.ReportMetric(ms(percentile(all, 50)), name+"-p50-ms")
		b.ReportMetric(ms(percentile(all, 99)), name+"-p99-ms")
		if name != "backout" {
			b.ReportMetric(ms(percentile(all, 50))/ms(percentile(ours, 50)), name+"-ratio")
		}
	}
	report("backout", ours)
	report("merge-tree", plumbing)
	report("git-revert", clones)
	b.ReportMetric(0, "ns/op") // of all three together, which says nothing
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func percentile(sorted []time.Duration, n int) time.Duration {
	return sorted[min(len(sorted)-1, len(sorted)*n/100)]
}

// spread picks n cases evenly.
func spread(cases []peerCase, n int) []peerCase {
	if n >= len(cases) {
		return cases
	}
	picked := make([]peerCase, n)
	for i := range picked {
		picked[i] = cases[i*len(cases)/n]
	}
	return picked
}

// plumbingRevert merges as the corpus was made: base culprit, ours onto, theirs the
// culprit's parent.
func (b *bare) plumbingRevert(c peerCase) (tree bot.SHA, clean bool) {
	parent := fmt.Sprintf("%s^%d^{tree}", c.culprit, max(c.mainline, 1))
	ours := b.lines("commit-tree", "-m", "ours", "-p", string(c.culprit), string(c.onto)+"^{tree}")[0]
	theirs := b.lines("commit-tree", "-m", "theirs", "-p", string(c.culprit), parent)[0]
	out, _, err := b.try(nil, "merge-tree", "--write-tree", "--no-messages", ours, theirs)
	line, _, _ := strings.Cut(string(out), "\n")
	return bot.SHA(line), err == nil
}

// scratchRevert clones, reverts and throws away.
func (b *bare) scratchRevert(c peerCase) bool {
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

// largeRepository has 100,000 files, 200 changes of three files each and 200 later
// ones elsewhere; the first are to be taken back from the tip.
func largeRepository(b *testing.B) (dir string, cases []peerCase) {
	origin := newBare(b, filepath.Join(b.TempDir(), "large.git"))
	path := func(i int) string { return fmt.Sprintf("clusters/c%d/apps/app%d/f%d.yaml", i%50, i/50%200, i/10000) }
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
	for i := range 100_000 {
		first[i] = "good"
	}
	commit(first)
	for n := range 200 {
		commit(map[int]string{n * 3: "bad", n*3 + 1: "bad", 50_000 + n: "bad"})
	}
	for n := range 200 {
		commit(map[int]string{60_000 + n: "later", 70_000 + n: "later"})
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
	for n := range 200 {
		cases = append(cases, peerCase{sha[fmt.Sprintf(":%d", mark)], sha[fmt.Sprintf(":%d", n+2)], 0})
	}
	return origin.dir, cases
}
