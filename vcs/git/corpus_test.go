package git

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

// corpusCase is one line of revert.tsv: a revert that people made, or might have
// made, in a public repository, and git's answer.
type corpusCase struct {
	repo          bot.RepoName
	set           string
	onto, culprit bot.SHA
	mainline      int
	want          string
	tree          bot.SHA
}

// corpus reads the cases whose repositories are at hand. BACKOUT_CORPUS is a
// folder with revert.tsv (or a link to it) and bare repositories as
// owner/name.git.
func corpus(t testing.TB) (*Mirrors, []corpusCase) {
	dir := os.Getenv("BACKOUT_CORPUS")
	if dir == "" {
		t.Skip("BACKOUT_CORPUS is not set")
	}
	f, err := os.Open(filepath.Join(dir, "revert.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ms, err := New(Config{Dir: dir, BaseURL: "http://invalid.invalid"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ms.Close() })
	var all []corpusCase
	absent := make(map[string]int)
	for sc := bufio.NewScanner(f); sc.Scan(); {
		col := strings.Split(sc.Text(), "\t")
		if len(col) < 6 || col[0] == "repo" {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, col[0]+".git")); err != nil {
			absent[col[0]]++
			continue
		}
		c := corpusCase{repo: bot.RepoName(col[0]), set: col[1], onto: bot.SHA(col[2]), culprit: bot.SHA(col[3]), want: col[5]}
		c.mainline, _ = strconv.Atoi(col[4])
		if len(col) > 6 {
			c.tree = bot.SHA(col[6])
		}
		all = append(all, c)
	}
	if len(absent) > 0 {
		t.Logf("skipped cases of repositories that are not in %s: %v", dir, absent)
	}
	if len(all) == 0 {
		t.Fatalf("no repository of the corpus in %s", dir)
	}
	return ms, all
}

// fidelity counts how reverts of one set compare with git's.
type fidelity struct{ agreed, cautious, unsafe, skipped int }

// The bars, in cases of a thousand that must come out as git's.
var fidelityBars = map[string]int{"real": 1000, "stress": 998}

// TestCorpus reverts what people reverted and compares with git: the same outcome
// and the same tree. It prints a table for each repository and set, and fails under
// the bars. Clean, or another tree, where git sees a conflict is never accepted.
func TestCorpus(t *testing.T) {
	ms, cases := corpus(t)
	rows, totals := make(map[string]*fidelity), make(map[string]*fidelity)
	for _, c := range cases {
		key := fmt.Sprintf("%-6s %s", c.set, c.repo)
		if rows[key] == nil {
			rows[key] = &fidelity{}
		}
		if totals[c.set] == nil {
			totals[c.set] = &fidelity{}
		}
		var one fidelity
		one.add(t, ms, c)
		rows[key].plus(one)
		totals[c.set].plus(one)
	}
	t.Logf("%-46s %6s %6s %7s %8s %7s", "", "cases", "agreed", "unsafe", "cautious", "skipped")
	for _, table := range []map[string]*fidelity{rows, totals} {
		for _, k := range slices.Sorted(maps.Keys(table)) {
			f := table[k]
			t.Logf("%-46s %6d %6d %7d %8d %7d", k, f.agreed+f.unsafe+f.cautious+f.skipped, f.agreed, f.unsafe, f.cautious, f.skipped)
		}
	}
	for set, f := range totals {
		if n := f.agreed + f.cautious + f.unsafe; f.unsafe > 0 || f.agreed*1000 < n*fidelityBars[set] {
			t.Errorf("%s: %d of %d as git, the bar is %d in 1000; %d unsafe", set, f.agreed, n, fidelityBars[set], f.unsafe)
		}
	}
}

func (f *fidelity) plus(g fidelity) {
	f.agreed, f.cautious, f.unsafe, f.skipped = f.agreed+g.agreed, f.cautious+g.cautious, f.unsafe+g.unsafe, f.skipped+g.skipped
}

// add reverts one case and counts it.
func (f *fidelity) add(t *testing.T, ms *Mirrors, c corpusCase) {
	got, err := ms.Revert(context.Background(), c.repo, c.onto, bot.Change{Commits: []bot.SHA{c.culprit}, Mainline: c.mainline})
	if errors.Is(err, errMissing) || bot.IsTrouble(err, bot.TroubleTransient) {
		f.skipped++ // the snapshot lacks an object
		return
	}
	if err != nil {
		t.Fatalf("%+v: %v", c, err)
	}
	status := string(got.Status)
	switch got.Status {
	case bot.RevertAlready, bot.RevertEmpty:
		status, got.Tree = "empty", ontoTree(t, ms, c)
		if c.want == "clean" && got.Tree == c.tree {
			status = "clean" // git's word for a merge that changes nothing
		}
	}
	switch {
	case status == c.want && (status != "clean" || got.Tree == c.tree):
		f.agreed++
	case status == "conflict":
		f.cautious++
		t.Logf("%s %s onto %s: %s %q, git is %s", c.repo, c.culprit.Short(), c.onto.Short(), got.Conflicts[0].Kind, got.Conflicts[0].Path, c.want)
	default:
		f.unsafe++
		t.Errorf("unsafe: %+v: got %s %s", c, got.Status, got.Tree)
	}
}

func ontoTree(t *testing.T, ms *Mirrors, c corpusCase) bot.SHA {
	onto, err := ms.Commit(context.Background(), c.repo, c.onto)
	if err != nil {
		t.Fatal(err)
	}
	return onto.Tree
}

// TestCorpusSpeed prints what one revert costs once its mirror is open.
func TestCorpusSpeed(t *testing.T) {
	ms, cases := corpus(t)
	took := make(map[string][]time.Duration)
	for range 2 { // the second round is warm
		for _, c := range cases {
			began := time.Now()
			got, err := ms.Revert(context.Background(), c.repo, c.onto, bot.Change{Commits: []bot.SHA{c.culprit}, Mainline: c.mainline})
			if err == nil {
				k := c.set + " " + string(got.Status)
				took[k] = append(took[k], time.Since(began))
			}
		}
		for _, k := range slices.Sorted(maps.Keys(took)) {
			all := took[k]
			slices.Sort(all)
			t.Logf("%-18s n=%4d median %v p90 %v max %v", k, len(all), all[len(all)/2], all[len(all)*9/10], all[len(all)-1])
		}
		clear(took)
	}
}

// TestCorpusClone prints what a first clone and the walks over a whole history
// cost, each in a fresh mirror.
func TestCorpusClone(t *testing.T) {
	_, cases := corpus(t)
	s := newServer(t)
	done := make(map[bot.RepoName]bool)
	for _, c := range cases {
		if done[c.repo] {
			continue
		}
		done[c.repo] = true
		owner, _ := c.repo.Split()
		if err := os.MkdirAll(filepath.Join(s.root, owner), 0o700); err != nil {
			t.Fatal(err)
		}
		at, err := filepath.EvalSymlinks(filepath.Join(os.Getenv("BACKOUT_CORPUS"), string(c.repo)+".git"))
		if err == nil {
			err = os.Symlink(at, filepath.Join(s.root, string(c.repo)+".git"))
		}
		if err != nil {
			t.Fatal(err)
		}
		ms := s.mirrors()
		ctx := context.Background()
		var said []string
		var memory runtime.MemStats
		timed := func(what string, act func() (int, error)) {
			began := time.Now()
			n, err := act()
			if err != nil {
				t.Fatalf("%s %s: %v", c.repo, what, err)
			}
			runtime.ReadMemStats(&memory)
			said = append(said, fmt.Sprintf("%s %v (%d, %d MiB from the system)", what, time.Since(began).Round(time.Millisecond), n, memory.Sys>>20))
		}
		timed("clone", func() (int, error) { return 0, ms.Fetch(ctx, c.repo) })
		timed("fetch of nothing", func() (int, error) { return 0, ms.Fetch(ctx, c.repo) })
		st, err := ms.read(ctx, c.repo)
		if err != nil {
			t.Fatal(err)
		}
		var tip, root hash
		for _, h := range st.allHeads() {
			tip = h
			break
		}
		for line := st.trail(tip, nil); ; root = line.hash {
			more, err := line.next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if !more {
				break
			}
		}
		timed("contains the root", func() (int, error) {
			is, err := ms.Contains(ctx, c.repo, toSHA(tip), toSHA(root))
			return map[bool]int{true: 1}[is], err
		})
		timed("log of 1000", func() (int, error) {
			log, err := ms.Log(ctx, bot.LogQuery{Repo: c.repo, From: toSHA(tip), Limit: 1000})
			return len(log), err
		})
		timed("log of all below one path", func() (int, error) {
			log, err := ms.Log(ctx, bot.LogQuery{Repo: c.repo, From: toSHA(tip), Paths: []string{".github"}})
			return len(log), err
		})
		timed("resolve 7 digits", func() (int, error) {
			_, err := ms.Resolve(ctx, c.repo, tip.String()[:10])
			return 0, err
		})
		t.Logf("%s: %s", c.repo, strings.Join(said, "; "))
	}
}
