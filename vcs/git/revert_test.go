package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// with is a tree with some files changed; a leaf without mode removes.
func (fs files) with(changed files) files {
	next := maps.Clone(fs)
	for path, l := range changed {
		if l.mode == "" {
			delete(next, path)
		} else {
			next[path] = l
		}
	}
	return next
}

var gone = leaf{}

func numbered(n int, change ...string) string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf("line %d\n", i)
	}
	for i := 0; i+1 < len(change); i += 2 {
		var at int
		if _, err := fmt.Sscan(change[i], &at); err != nil {
			panic(err)
		}
		lines[at] = change[i+1] + "\n"
	}
	return strings.Join(lines, "")
}

// TestRevertMerges takes the second of three commits back: start, culprit, later.
func TestRevertMerges(t *testing.T) {
	t.Parallel()
	long := plain(numbered(20))
	for name, tt := range map[string]struct {
		start, culprit, later files
		want                  files  // the whole result, when it is clean
		conflict              string // kind and path, when it is not
	}{
		"nothing later": {
			start: files{"a": plain("1\n")}, culprit: files{"a": plain("2\n")}, later: files{"b": plain("x\n")},
			want: files{"a": plain("1\n"), "b": plain("x\n")},
		},
		"two places in one file": {
			start: files{"a": long}, culprit: files{"a": plain(numbered(20, "2", "bad"))},
			later: files{"a": plain(numbered(20, "2", "bad", "15", "good"))},
			want:  files{"a": plain(numbered(20, "15", "good"))},
		},
		"neighbouring lines": {
			start: files{"a": long}, culprit: files{"a": plain(numbered(20, "2", "bad"))},
			later:    files{"a": plain(numbered(20, "2", "bad", "3", "good"))},
			conflict: "content a",
		},
		"one line between": {
			start: files{"a": long}, culprit: files{"a": plain(numbered(20, "2", "bad"))},
			later: files{"a": plain(numbered(20, "2", "bad", "4", "good"))},
			want:  files{"a": plain(numbered(20, "4", "good"))},
		},
		"a file added": {
			start: files{"a": long}, culprit: files{"dir/new": plain("x\n")}, later: files{"b": plain("y\n")},
			want: files{"a": long, "b": plain("y\n")},
		},
		"a file added, then changed": {
			start: files{"a": long}, culprit: files{"new": plain("x\n")}, later: files{"new": plain("y\n")},
			conflict: "modify/delete new",
		},
		"a file removed": {
			start: files{"a": long, "old": plain("x\n")}, culprit: files{"old": gone}, later: files{"b": plain("y\n")},
			want: files{"a": long, "b": plain("y\n"), "old": plain("x\n")},
		},
		"a file removed, then made anew": {
			start: files{"a": long, "old": plain("x\n")}, culprit: files{"old": gone}, later: files{"old": plain("y\n")},
			conflict: "add/add old",
		},
		"a file changed, then removed": {
			start: files{"a": long, "b": plain("x\n")}, culprit: files{"a": plain(numbered(20, "2", "bad"))}, later: files{"a": gone},
			conflict: "modify/delete a",
		},
		"a file made executable, then changed": {
			start: files{"a": long}, culprit: files{"a": {"100755", long.data}}, later: files{"a": {"100755", "new\n"}},
			want: files{"a": plain("new\n")},
		},
		"a file changed, then made executable": {
			start: files{"a": plain("1\n")}, culprit: files{"a": plain("2\n")}, later: files{"a": {"100755", "2\n"}},
			want: files{"a": {"100755", "1\n"}},
		},
		"a file made a link": {
			start: files{"a": plain("1\n")}, culprit: files{"a": {"120000", "b"}}, later: files{"b": plain("x\n")},
			want: files{"a": plain("1\n"), "b": plain("x\n")},
		},
		"a file made a link, then another": {
			start: files{"a": plain("1\n")}, culprit: files{"a": {"120000", "b"}}, later: files{"a": {"120000", "c"}},
			conflict: "mode a",
		},
		"a link moved twice": {
			start: files{"a": {"120000", "b"}}, culprit: files{"a": {"120000", "c"}}, later: files{"a": {"120000", "d"}},
			conflict: "content a",
		},
		"a submodule moved": {
			start: files{"m": {"160000", strings.Repeat("1", 40)}}, culprit: files{"m": {"160000", strings.Repeat("2", 40)}}, later: files{"b": plain("x\n")},
			want: files{"m": {"160000", strings.Repeat("1", 40)}, "b": plain("x\n")},
		},
		"a submodule moved twice": {
			start: files{"m": {"160000", strings.Repeat("1", 40)}}, culprit: files{"m": {"160000", strings.Repeat("2", 40)}}, later: files{"m": {"160000", strings.Repeat("3", 40)}},
			conflict: "submodule m",
		},
		"a binary": {
			start: files{"a": plain("\x00" + long.data)}, culprit: files{"a": plain("\x00" + numbered(20, "2", "bad"))},
			later:    files{"a": plain("\x00" + numbered(20, "2", "bad", "15", "good"))},
			conflict: "binary a",
		},
		"a file made a directory": {
			start: files{"a": plain("1\n")}, culprit: files{"a": gone, "a/b": plain("2\n")}, later: files{"b": plain("x\n")},
			want: files{"a": plain("1\n"), "b": plain("x\n")},
		},
		"a file made a directory, which grew": {
			start: files{"a": plain("1\n")}, culprit: files{"a": gone, "a/b": plain("2\n")}, later: files{"a/c": plain("x\n")},
			conflict: "add/add a",
		},
		"a rename": {
			start: files{"a": long}, culprit: files{"a": gone, "b": long}, later: files{"c": plain("x\n")},
			want: files{"a": long, "c": plain("x\n")},
		},
		"a rename, then a change": {
			start: files{"a": long}, culprit: files{"a": gone, "b": long}, later: files{"b": plain(numbered(20, "2", "x"))},
			want: files{"a": plain(numbered(20, "2", "x"))},
		},
		"a new file that was renamed": {
			start: files{"x": plain("x\n")}, culprit: files{"a": long}, later: files{"a": gone, "b": long},
			conflict: "rename/delete a",
		},
		"a file removed from a directory that moved": {
			start:    files{"d/a": long, "d/b": plain(numbered(30))},
			culprit:  files{"d/a": gone},
			later:    files{"d/b": gone, "e/b": plain(numbered(30))},
			conflict: "file-location d/a",
		},
		"a new directory that grew, made of an old one": {
			start:    files{"d/a": long, "d/b": plain(numbered(30))},
			culprit:  files{"d/a": gone, "d/b": gone, "e/a": long, "e/b": plain(numbered(30))},
			later:    files{"e/c": plain("new\n")},
			conflict: "file-location e/c",
		},
		"the last file of a directory": {
			start: files{"a": long}, culprit: files{"d/e/f": plain("x\n")}, later: files{"g": plain("y\n")},
			want: files{"a": long, "g": plain("y\n")},
		},
		"line endings": {
			start: files{"a": plain("1\r\n2\r\n3\r\n4\r\n5\r\n")}, culprit: files{"a": plain("1\r\nbad\r\n3\r\n4\r\n5\r\n")},
			later: files{"a": plain("1\r\nbad\r\n3\r\n4\r\ngood")},
			want:  files{"a": plain("1\r\n2\r\n3\r\n4\r\ngood")},
		},
		"a last line without newline": {
			start: files{"a": plain("1\n2\n3\n4\n5")}, culprit: files{"a": plain("1\n2\n3\n4\nbad")}, later: files{"a": plain("good\n2\n3\n4\nbad")},
			want: files{"a": plain("good\n2\n3\n4\n5")},
		},
		"a merge driver": {
			start: files{"a.lock": long, ".gitattributes": plain("*.lock merge=ours\n")}, culprit: files{"a.lock": plain(numbered(20, "2", "bad"))},
			later:    files{"a.lock": plain(numbered(20, "2", "bad", "15", "good"))},
			conflict: "attributes a.lock",
		},
		"a merge driver that has nothing to merge": {
			start: files{"a.lock": long, ".gitattributes": plain("*.lock merge=ours\n")}, culprit: files{"a.lock": plain(numbered(20, "2", "bad"))},
			later: files{"b": plain("x\n")},
			want:  files{"a.lock": long, ".gitattributes": plain("*.lock merge=ours\n"), "b": plain("x\n")},
		},
		"a merge driver that the culprit removed": {
			start:    files{"d/a": long, "d/.gitattributes": plain("a binary\n")},
			culprit:  files{"d/a": plain(numbered(20, "2", "bad")), "d/.gitattributes": gone},
			later:    files{"d/a": plain(numbered(20, "2", "bad", "15", "good"))},
			conflict: "attributes d/a",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, open := local(t)
			b.commit("main", tt.start, "start")
			culprit := b.commit("main", tt.start.with(tt.culprit), "culprit")
			later := b.commit("main", tt.start.with(tt.culprit).with(tt.later), "later")
			wanted := b.commit("wanted", tt.want, "wanted")
			ms := open()
			got, err := ms.Revert(context.Background(), testRepo, later, bot.Change{Commits: []bot.SHA{culprit}})
			if err != nil {
				t.Fatal(err)
			}
			if tt.conflict != "" {
				kind, path, _ := strings.Cut(tt.conflict, " ")
				want := bot.Revert{Status: bot.RevertConflict, Onto: later, Conflicts: []bot.Conflict{{Path: path, Kind: kind, Since: []bot.SHA{later}}}}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				return
			}
			want, err := ms.Commit(context.Background(), testRepo, wanted)
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != bot.RevertClean || got.Tree != want.Tree {
				t.Fatalf("%+v, want tree %s", got, want.Tree)
			}
			if diff := cmp.Diff(changedFiles(tt.start.with(tt.culprit).with(tt.later), tt.want), shortFiles(got.Files)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// changedFiles and shortFiles list what a revert should write, and writes.
func changedFiles(before, after files) map[string]string {
	all := make(map[string]string)
	for path := range before.with(after) {
		b, a := before[path], after[path]
		if b != a {
			if b.mode == "160000" || a.mode == "160000" {
				b.data, a.data = "Subproject commit "+b.data+"\n", "Subproject commit "+a.data+"\n"
			}
			all[path] = fmt.Sprintf("%s %q to %s %q", b.mode, b.data, a.mode, a.data)
		}
	}
	return all
}

func shortFiles(changed []bot.FileChange) map[string]string {
	all := make(map[string]string)
	for _, f := range changed {
		all[f.Path] = fmt.Sprintf("%s %q to %s %q", f.BeforeMode, f.Before, f.AfterMode, f.After)
	}
	return all
}

func revertOf(t *testing.T, ms *Mirrors, onto bot.SHA, mainline int, commits ...bot.SHA) bot.Revert {
	t.Helper()
	got, err := ms.Revert(context.Background(), testRepo, onto, bot.Change{Commits: commits, Mainline: mainline})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestRevertNamesKnownBlobs: the Git data API can reuse what the repository has,
// and only that.
func TestRevertNamesKnownBlobs(t *testing.T) {
	t.Parallel()
	b, open := local(t)
	start := files{"old": plain("1\n"), "merged": plain(numbered(20)), "added": gone}
	delete(start, "added")
	b.commit("main", start, "start")
	bad := start.with(files{"old": plain("2\n"), "merged": plain(numbered(20, "2", "bad")), "added": plain("x\n")})
	culprit := b.commit("main", bad, "culprit")
	later := b.commit("main", bad.with(files{"merged": plain(numbered(20, "2", "bad", "15", "good"))}), "later")
	want := map[string]bot.SHA{"old": bot.SHA(b.lines("rev-parse", "main~2:old")[0]), "merged": "", "added": ""}
	ms := open()
	before := listing(t, ms.cfg.Dir)
	got := make(map[string]bot.SHA)
	for _, f := range revertOf(t, ms, later, 0, culprit).Files {
		got[f.Path] = f.Blob
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, listing(t, ms.cfg.Dir)); diff != "" {
		t.Errorf("the mirror was written to:\n%s", diff)
	}
}

func listing(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	all := make(map[string]int64)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := os.Stat(path)
		if err == nil {
			all[path] = info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRevertOfMerges(t *testing.T) {
	t.Parallel()
	b, open := local(t)
	root := b.commit("main", files{"a": plain("1\n"), "b": plain("1\n")}, "root")
	ours := b.commit("main", files{"a": plain("2\n"), "b": plain("1\n")}, "ours")
	side := b.commit("side", files{"a": plain("1\n"), "b": plain("2\n")}, "side", root)
	merge := b.commit("main", files{"a": plain("2\n"), "b": plain("2\n")}, "merge", ours, side)
	ms := open()
	tree := func(c bot.SHA) bot.SHA {
		got, err := ms.Commit(context.Background(), testRepo, c)
		if err != nil {
			t.Fatal(err)
		}
		return got.Tree
	}
	for mainline, want := range map[int]bot.SHA{0: ours, 1: ours, 2: side} {
		if got := revertOf(t, ms, merge, mainline, merge); got.Tree != tree(want) {
			t.Errorf("mainline %d: %+v, want the tree of %s", mainline, got, want)
		}
	}
	// A commit that came by the merge.
	if got := revertOf(t, ms, merge, 0, side); got.Tree != tree(ours) {
		t.Errorf("%+v", got)
	}
	// The very first commit.
	if got := revertOf(t, ms, root, 0, root); got.Status != bot.RevertClean || got.Tree != toSHA(emptyTree) || len(got.Files) != 2 {
		t.Errorf("%+v", got)
	}
	if got := revertOf(t, ms, merge, 1, ours); got.Tree != tree(side) {
		t.Errorf("mainline 1 of a commit with one parent: %+v", got)
	}
	for commit, mainline := range map[bot.SHA]int{merge: 3, ours: 2, root: 2} {
		_, err := ms.Revert(context.Background(), testRepo, merge, bot.Change{Commits: []bot.SHA{commit}, Mainline: mainline})
		if !bot.IsTrouble(err, bot.TroubleInvalid) {
			t.Errorf("mainline %d: %v", mainline, err)
		}
	}
	if _, err := ms.Revert(context.Background(), testRepo, merge, bot.Change{}); !bot.IsTrouble(err, bot.TroubleInvalid) {
		t.Errorf("no commits: %v", err)
	}
}

// TestRevertOfARange takes a rebase merge back as a whole, though none of its
// older commits could go alone.
func TestRevertOfARange(t *testing.T) {
	t.Parallel()
	b, open := local(t)
	text := func(n string) files { return files{"a": plain(numbered(10, "4", n)), "b": plain(n)} }
	b.commit("main", text("0"), "start")
	one, two, three := b.commit("main", text("1"), "one"), b.commit("main", text("2"), "two"), b.commit("main", text("3"), "three")
	later := b.commit("main", text("3").with(files{"c": plain("x\n")}), "later")
	wanted := b.commit("wanted", text("0").with(files{"c": plain("x\n")}), "wanted")
	half := b.commit("wanted", text("1").with(files{"c": plain("x\n")}), "half")
	ms := open()
	tree := func(c bot.SHA) bot.SHA {
		got, err := ms.Commit(context.Background(), testRepo, c)
		if err != nil {
			t.Fatal(err)
		}
		return got.Tree
	}
	if got := revertOf(t, ms, later, 0, three, two, one); got.Tree != tree(wanted) {
		t.Errorf("all: %+v", got)
	}
	if got := revertOf(t, ms, later, 0, three, two); got.Tree != tree(half) {
		t.Errorf("two: %+v", got)
	}
	got := revertOf(t, ms, later, 0, two, one)
	want := []bot.Conflict{{Path: "a", Kind: "content", Since: []bot.SHA{three}}, {Path: "b", Kind: "content", Since: []bot.SHA{three}}}
	if diff := cmp.Diff(want, got.Conflicts); diff != "" {
		t.Error(diff)
	}
}

// TestConflictNamesLaterCommits: newest first, only those that touched the path,
// and none from before the culprit came.
func TestConflictNamesLaterCommits(t *testing.T) {
	t.Parallel()
	b, open := local(t)
	text := func(n int) plainFiles { return plainFiles{"a": fmt.Sprint(n), "other": "0"} }
	root := b.commit("main", text(0).files(), "root")
	touched := b.commit("main", text(1).files(), "before")
	culprit := b.commit("side", plainFiles{"a": "bad", "other": "0"}.files(), "culprit", touched)
	apart := b.commit("main", plainFiles{"a": "1", "other": "1"}.files(), "apart", touched)
	merge := b.commit("main", plainFiles{"a": "bad", "other": "1"}.files(), "merge", apart, culprit)
	first := b.commit("main", plainFiles{"a": "good", "other": "1"}.files(), "first")
	between := b.commit("main", plainFiles{"a": "good", "other": "2"}.files(), "between")
	second := b.commit("main", plainFiles{"a": "better", "other": "2"}.files(), "second")
	ms := open()
	for name, commit := range map[string]bot.SHA{"the merge": merge, "a commit that it brought": culprit} {
		got := revertOf(t, ms, second, 0, commit)
		if diff := cmp.Diff([]bot.Conflict{{Path: "a", Kind: "content", Since: []bot.SHA{second, first}}}, got.Conflicts); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	_, _ = root, between
}

type plainFiles map[string]string

func (p plainFiles) files() files {
	fs := make(files)
	for path, data := range p {
		fs[path] = plain(data + "\n")
	}
	return fs
}

func TestRevertOfWhatIsGone(t *testing.T) {
	t.Parallel()
	b, open := local(t)
	text := func(a, other string) files { return plainFiles{"a": a, "other": other}.files() }
	b.commit("main", text("good", "0"), "start")
	culprit := b.commit("main", text("bad", "0"), "culprit")
	empty := b.commit("main", text("bad", "0"), "an empty commit")
	forged := b.commit("main", text("bad", "1"), fmt.Sprintf("Revert\n\nThis reverts commit %s.\n", culprit))
	undo := b.commit("main", text("good", "2"), "quietly put it right")
	after := b.commit("main", text("good", "3"), fmt.Sprintf("Revert\n\nThis reverts commit %s.\n", culprit))
	redo := b.commit("main", text("bad", "3"), "and back")
	undone := b.commit("main", text("good", "3"), "and forth")
	worse := b.commit("main", text("worse", "3"), "worse")
	mended := b.commit("main", text("good", "4"), "mended")
	ms := open()
	for name, tt := range map[string]struct {
		onto, commit bot.SHA
		status       bot.RevertStatus
		by           bot.SHA
	}{
		"still there, whatever a message says": {onto: forged, commit: culprit, status: bot.RevertClean},
		"put right":                            {onto: undo, commit: culprit, status: bot.RevertAlready, by: undo},
		"put right before":                     {onto: after, commit: culprit, status: bot.RevertAlready, by: undo},
		"put back":                             {onto: redo, commit: culprit, status: bot.RevertClean},
		"put right twice":                      {onto: undone, commit: culprit, status: bot.RevertAlready, by: undone},
		"overwritten":                          {onto: worse, commit: culprit, status: bot.RevertConflict},
		"overwritten, then put right":          {onto: mended, commit: culprit, status: bot.RevertAlready, by: mended},
		"nothing ever":                         {onto: mended, commit: empty, status: bot.RevertEmpty},
	} {
		got := revertOf(t, ms, tt.onto, 0, tt.commit)
		if got.Status != tt.status || got.By != tt.by || (got.Tree != "") != (tt.status == bot.RevertClean) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestRevertEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b, open := local(t)
	b.commit("main", files{"a": plain("1\n")}, "start")
	culprit := b.commit("main", files{"a": plain("2\n")}, "culprit")
	ms := open()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := ms.Revert(ctx, testRepo, culprit, bot.Change{Commits: []bot.SHA{culprit}}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
