package git

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// restless is a repository in which all that a path can go through happens:
// directories are renamed, files become directories and directories files, modes
// change, commits change nothing, merges bring something of their own, branches are
// rewritten.
type restless struct {
	*bare
	rnd   *rand.Rand
	trees map[bot.SHA]files
	tips  map[string]bot.SHA
}

var restlessPaths = []string{
	"a", "a/x", "a/x/y", "b", "dir/a", "dir/b", "dir/sub/a", "dir/sub/b", "dir.d", "dirt/a", "x/y/z", "x/y/zz", "ÿ \"q", "never",
}

func (r *restless) grow(n int) {
	im := &importer{}
	marks := make(map[string]files)
	tips := make(map[string]string)
	for b, sha := range r.tips {
		tips[b], marks[string(sha)] = string(sha), r.trees[sha]
	}
	for i := range n {
		branch := []string{"main", "main", "next", fmt.Sprint("topic", r.rnd.IntN(3))}[r.rnd.IntN(4)]
		s := snapshot{branch: branch, when: 1600000000 + r.rnd.IntN(100000), message: fmt.Sprint(i), files: make(files)}
		tip := tips[branch]
		known := slices.Sorted(maps.Keys(marks))
		if r.rnd.IntN(12) == 0 && len(known) > 0 { // rewritten, or new from elsewhere
			tip = known[r.rnd.IntN(len(known))]
		}
		if tip != "" {
			s.parents = []string{tip}
			maps.Copy(s.files, marks[tip])
			if other := known[r.rnd.IntN(len(known))]; r.rnd.IntN(5) == 0 && other != tip {
				s.parents = append(s.parents, other)
			}
		}
		for range r.rnd.IntN(3) { // none: an empty commit
			r.disturb(s.files)
		}
		mark := im.add(s)
		tips[branch], marks[mark] = mark, s.files
	}
	shas := r.load(im)
	for mark, sha := range shas {
		r.trees[sha] = marks[mark]
	}
	for b, mark := range tips {
		if sha, ok := shas[mark]; ok {
			r.tips[b] = sha
		}
	}
}

func (r *restless) disturb(fs files) {
	path := restlessPaths[r.rnd.IntN(len(restlessPaths)-1)]
	switch r.rnd.IntN(6) {
	case 0:
		delete(fs, path)
	case 1: // what lies below moves
		to := restlessPaths[r.rnd.IntN(len(restlessPaths)-1)] + "/moved"
		for p, l := range maps.Clone(fs) {
			if rest, ok := strings.CutPrefix(p, path+"/"); ok {
				delete(fs, p)
				fs.put(to+"/"+rest, l)
			}
		}
	case 2:
		fs.put(path, leaf{[]string{"100755", "120000"}[r.rnd.IntN(2)], fmt.Sprint(r.rnd.IntN(3))})
	case 3:
		fs.put(path, leaf{"160000", strings.Repeat(fmt.Sprint(r.rnd.IntN(9)), 40)})
	default:
		fs.put(path, plain(fmt.Sprint(r.rnd.IntN(5))))
	}
}

// check compares walks from any commits along any paths with git's.
func (r *restless) check(s *store) {
	r.t.Helper()
	all := slices.DeleteFunc(slices.Sorted(maps.Keys(r.trees)), func(sha bot.SHA) bool {
		return !s.has(toHash(sha)) // rewritten before it was ever fetched
	})
	for range 12 {
		from := all[r.rnd.IntN(len(all))]
		paths := []string{restlessPaths[r.rnd.IntN(len(restlessPaths))]}
		for r.rnd.IntN(2) == 0 {
			paths = append(paths, restlessPaths[r.rnd.IntN(len(restlessPaths))])
		}
		t := s.trail(toHash(from), newScope(paths...))
		t.which = true
		r.compare(t, from, paths)
	}
}

// compare walks as far as one of the bounds of a trail allows, or to the end.
func (r *restless) compare(t *trail, from bot.SHA, paths []string) {
	r.t.Helper()
	line := r.lines("rev-list", "--first-parent", string(from))
	before := make(map[string]files)
	for i, sha := range line[1:] {
		before[line[i]] = r.trees[bot.SHA(sha)]
	}
	n := r.rnd.IntN(len(line))
	switch r.rnd.IntN(3) {
	case 0:
		t.limit = max(n, 1)
		line = line[:t.limit]
	case 1:
		t.until = toHash(bot.SHA(line[n]))
		line = line[:n]
	}
	got := []string{}
	for {
		more, err := t.next(context.Background())
		if err != nil {
			r.t.Fatal(err)
		}
		if !more {
			break
		}
		got = append(got, t.hash.String())
		r.compareHits(t, paths, before[t.hash.String()])
	}
	want := r.lines(slices.Concat([]string{"log", "--first-parent", "--diff-merges=first-parent", "--no-patch", "--format=%H", string(from), "--"}, paths)...)
	want = slices.DeleteFunc(want, func(sha string) bool { return !slices.Contains(line, sha) })
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Fatalf("log of %q from %s:\n%s", paths, from, diff)
	}
	if t.walked != len(line) {
		r.t.Fatalf("%d commits were looked at, there are %d", t.walked, len(line))
	}
}

// compareHits compares the paths said to be touched with the trees that the commits
// were made from.
func (r *restless) compareHits(t *trail, paths []string, before files) {
	r.t.Helper()
	sha := toSHA(t.hash)
	after := r.trees[sha]
	want := make(map[string]bool)
	for p := range both(before, after) {
		for _, asked := range paths {
			if before[p] != after[p] && (p == asked || strings.HasPrefix(p, asked+"/")) {
				want[asked] = true
			}
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(slices.Values(t.hits))); diff != "" {
		r.t.Fatalf("%s of %q:\n%s", sha, paths, diff)
	}
}

func both(a, b files) files {
	all := maps.Clone(b)
	if all == nil {
		all = make(files)
	}
	maps.Copy(all, a)
	return all
}
