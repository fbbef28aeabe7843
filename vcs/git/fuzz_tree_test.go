package git

import (
	"context"
	"maps"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

// nothing is a store without objects.
type nothing struct{}

func (nothing) tree(h hash) ([]entry, error) {
	if h == emptyTree {
		return nil, nil
	}
	return nil, errMissing
}
func (nothing) blob(hash) ([]byte, error) { return nil, errMissing }
func (nothing) size(hash) (int64, error)  { return 0, errMissing }

// grow makes the tree of files.
func (o *overlay) grow(t *testing.T, fs files) hash {
	es := make(edits)
	for path, l := range fs {
		m, err := strconv.ParseUint(l.mode, 8, 32)
		if err != nil {
			t.Fatal(err)
		}
		h := plumbing.NewHash(l.data)
		if mode(m) != modeModule {
			h = o.addBlob([]byte(l.data))
		}
		es[path] = entry{mode: mode(m), hash: h}
	}
	root, clashes, err := o.apply(emptyTree, es)
	if err != nil || len(clashes) > 0 {
		t.Fatal(clashes, err)
	}
	return root
}

// FuzzMergeTrees checks what holds for every merge, whoever the judge is.
func FuzzMergeTrees(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, seed%2 == 0)
	}
	f.Fuzz(func(t *testing.T, seed uint64, crowded bool) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		make3 := randomTrees
		if crowded {
			make3 = crowdedTrees
		}
		tr := make3(rnd)
		o := newOverlay(nothing{})
		base, ours, theirs := o.grow(t, tr.base), o.grow(t, tr.ours), o.grow(t, tr.theirs)
		merge := func(ours, theirs hash) (hash, int) {
			tree, conflicts, err := mergeTrees(context.Background(), o, base, ours, theirs)
			if err != nil {
				t.Fatal(err)
			}
			return tree, len(conflicts)
		}
		for name, m := range map[string][3]hash{
			"theirs changed nothing": {ours, base, ours},
			"ours changed nothing":   {base, theirs, theirs},
		} {
			if got, conflicts := merge(m[0], m[1]); conflicts > 0 || got != m[2] {
				t.Errorf("%s: %d conflicts, tree %s, want %s\n%v", name, conflicts, got, m[2], tr)
			}
		}
		if got, conflicts := merge(ours, ours); conflicts == 0 && got != ours {
			t.Errorf("both did the same: tree %s, want %s\n%v", got, ours, tr)
		}
		kept := maps.Clone(o.trees)
		first, conflicts := merge(ours, theirs)
		if second, again := merge(ours, theirs); first != second || conflicts != again {
			t.Errorf("twice the same merge: %s %d, %s %d\n%v", first, conflicts, second, again, tr)
		}
		if mirrored, conflicts2 := merge(theirs, ours); conflicts == 0 && conflicts2 == 0 && mirrored != first {
			t.Errorf("the sides are not alike: %s, %s\n%v", first, mirrored, tr)
		}
		for h, entries := range kept {
			if now := o.trees[h]; len(now) != len(entries) {
				t.Errorf("tree %s was changed", h)
			}
		}
	})
}
