package git

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/backout-dev/backout/bot"
)

// TestPacksNeedNoLibrary takes changes back in a packed repository without go-git,
// whose index of all packs is what a large repository would cost.
func TestPacksNeedNoLibrary(t *testing.T) {
	w := newWork(t)
	w.run(nil, "gc", "--quiet")
	r := w.open()
	head := w.sha("HEAD")
	library := r.store.git
	r.store.git = nil // to be asked is to fail
	defer func() { r.store.git = library }()
	taken, err := r.Revert(t.Context(), head, bot.Change{Commits: []bot.SHA{head}})
	if err != nil || taken.Status != bot.RevertClean {
		t.Fatalf("%+v, %v", taken, err)
	}
	if absent := toHash(bot.SHA(strings.Repeat("12", 20))); r.store.has(absent) || !r.store.has(toHash(head)) {
		t.Error("what is there is not told from what is not")
	}
}

// TestObjectsAreRead reads all objects of repositories that keep them in all kinds of
// places, some of which only go-git knows.
func TestObjectsAreRead(t *testing.T) {
	for what, change := range map[string]func(w work) (dir string){
		"loose": func(w work) string { return w.dir },
		"packed": func(w work) string {
			w.run(nil, "gc", "--quiet")
			return w.dir
		},
		"packed and loose": func(w work) string {
			w.run(nil, "gc", "--quiet")
			w.commit("later", map[string]string{"z": "z\n"})
			return w.dir
		},
		"borrowed": func(w work) string {
			w.run(nil, "gc", "--quiet")
			borrowing := filepath.Join(w.t.TempDir(), "borrowing")
			w.run(nil, "clone", "--quiet", "--shared", w.dir, borrowing)
			return borrowing
		},
		"borrowed and loose": func(w work) string {
			borrowing := filepath.Join(w.t.TempDir(), "borrowing")
			w.run(nil, "clone", "--quiet", "--shared", w.dir, borrowing)
			return borrowing
		},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWork(t)
			r, err := Open(change(w))
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			names := w.lines("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
			if len(names) < 9 {
				t.Fatalf("%d objects", len(names))
			}
			for _, digits := range names {
				h := plumbing.NewHash(digits)
				kind, err := plumbing.ParseObjectType(w.lines("cat-file", "-t", digits)[0])
				if err != nil {
					t.Fatal(err)
				}
				want := w.run(nil, "cat-file", kind.String(), digits)
				if got, err := r.store.object(kind, h, maxBlob); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s %s: %q, %v", kind, digits, got, err)
				}
				if n, err := r.store.size(h); err != nil || n != int64(len(want)) {
					t.Errorf("%s %s: %d bytes, %v; want %d", kind, digits, n, err, len(want))
				}
				other := plumbing.TagObject
				if _, err := r.store.object(other, h, maxBlob); !errors.Is(err, errMissing) {
					t.Errorf("%s read as a tag: %v", kind, err)
				}
			}
		})
	}
}

// TestRepackedUnderReader packs and drops what was loose, and brings new packs, while
// a repository is open.
func TestRepackedUnderReader(t *testing.T) {
	w := newWork(t)
	r := w.open()
	for range 3 {
		next := w.commit("next", map[string]string{"sub/b": "3\n", "more": numbered(30)})
		if _, err := r.store.commit(toHash(next)); err != nil {
			t.Error(err)
		}
		w.run(nil, "repack", "-adq")
		w.run(nil, "prune-packed")
		packed := w.commit("packed", map[string]string{"sub/b": "4\n", "more": numbered(31)})
		w.run(nil, "repack", "-q")
		w.run(nil, "prune-packed")
		if taken, err := r.Revert(t.Context(), packed, bot.Change{Commits: []bot.SHA{packed}}); err != nil || taken.Status != bot.RevertClean {
			t.Errorf("%+v, %v", taken, err)
		}
	}
}

// TestDamagedPackIsSeen reads a pack with a bad byte: an error, never other content.
func TestDamagedPackIsSeen(t *testing.T) {
	w := newWork(t)
	w.run(nil, "gc", "--quiet")
	packs, err := filepath.Glob(filepath.Join(w.dir, ".git", "objects", "pack", "*.pack"))
	if err != nil || len(packs) != 1 {
		t.Fatal(packs, err)
	}
	pack, err := os.ReadFile(packs[0])
	if err != nil {
		t.Fatal(err)
	}
	head := w.sha("HEAD")
	want := string(w.sha("HEAD~1^{tree}"))
	for at := 12; at < len(pack)-20; at += 5 {
		bad := slices.Clone(pack)
		bad[at] ^= 0x10
		_ = os.Remove(packs[0])
		if err := os.WriteFile(packs[0], bad, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Open(w.dir)
		if err != nil {
			t.Fatal(err)
		}
		if taken, err := r.Revert(t.Context(), head, bot.Change{Commits: []bot.SHA{head}}); err == nil && string(taken.Tree) != want {
			t.Errorf("byte %d: %+v", at, taken.Revert)
		}
		_ = r.Close()
	}
}

// TestContentsAreTheCallers changes what was handed out and reads again.
func TestContentsAreTheCallers(t *testing.T) {
	w := newWork(t)
	w.run(nil, "gc", "--quiet")
	r := w.open()
	head := w.sha("HEAD")
	for range 2 {
		taken := w.revert(r, 0, "HEAD")
		files, err := taken.Contents(t.Context())
		if err != nil || len(files) != 2 {
			t.Fatal(files, err)
		}
		tree, err := r.Tree(head)
		if err != nil {
			t.Fatal(err)
		}
		a, err := fs.ReadFile(tree, "a")
		if err != nil || string(a) != numbered(20, "2", "bad", "15", "good") || string(files[1].Before) != "2\n" {
			t.Fatalf("%q, %q, %v", a, files[1].Before, err)
		}
		for _, b := range [][]byte{a, files[0].Before, files[0].After, files[1].Before, files[1].After} {
			clear(b)
		}
	}
}

// FuzzCommit compares what is read of a commit with what go-git reads.
func FuzzCommit(f *testing.F) {
	const tree, parent = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n", "parent 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n"
	for _, raw := range []string{
		tree + parent + parent + "author A B <a@b> 1700000000 +0200\ncommitter C <c@d> 1700000001 -0330\n\nsubject\n\nbody\n",
		tree + "author A <a@b> 1700000000 +0200\ncommitter C <c@d> 1700000001 -0330\nencoding ISO-8859-1\ngpgsig -----BEGIN\n \n parent x\n -----END\n\nx",
		tree + "author A <a@b> 1 +0000\n" + parent + "committer C <c@d> 1 +0000\n\n",
		tree + parent + "committer C <c@d> 1 +0000\nauthor A <a@b> 1 +0000\n\nx",
		tree + "mergetag object 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n type commit\n\nx",
		tree, tree + "\n", "\n", "", "tree x\n", "author A <a@b> 1 +0000\n" + tree,
	} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := parseCommit(raw)
		o := &plumbing.MemoryObject{}
		o.SetType(plumbing.CommitObject)
		if _, err := o.Write(raw); err != nil {
			t.Fatal(err)
		}
		var want object.Commit
		if wantErr := want.Decode(o); err != nil || wantErr != nil {
			if err == nil && !errors.Is(wantErr, object.ErrMalformedCommit) || err != nil && wantErr == nil {
				t.Fatalf("%v, go-git says %v", err, wantErr)
			}
			return
		}
		if got.TreeHash != want.TreeHash || !slices.Equal(got.ParentHashes, want.ParentHashes) || got.Message != want.Message ||
			got.Author.String() != want.Author.String() || !got.Author.When.Equal(want.Author.When) ||
			got.Committer.String() != want.Committer.String() || !got.Committer.When.Equal(want.Committer.When) {
			t.Fatalf("got %+v\nwant %+v", got, want)
		}
	})
}
