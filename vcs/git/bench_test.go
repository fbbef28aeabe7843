package git

import (
	"context"
	"fmt"
	"maps"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// BenchmarkRevert takes a change of three files back, 200 commits later, in a
// repository of 3,000 files. Git does the same merge as the peer; its process is
// part of its price.
func BenchmarkRevert(b *testing.B) {
	origin, open := local(b)
	tree := make(files)
	for i := range 3000 {
		tree[fmt.Sprintf("clusters/c%d/apps/app%d/deploy.yaml", i%10, i)] = plain(numbered(60))
	}
	im := &importer{}
	add := func(fs files, parents ...string) string {
		return im.add(snapshot{branch: "main", files: fs, parents: parents})
	}
	before := add(tree)
	bad := maps.Clone(tree)
	for i := range 3 {
		bad[fmt.Sprintf("clusters/c%d/apps/app%d/deploy.yaml", i, i)] = plain(numbered(60, "10", "bad"))
	}
	culprit := add(bad, before)
	tip, later := culprit, maps.Clone(bad)
	for i := range 200 {
		if i%20 == 0 { // the others touch nothing, to keep the stream small
			later[fmt.Sprintf("clusters/c%d/apps/app%d/deploy.yaml", i%3, i%3)] = plain(numbered(60, "10", "bad", "50", fmt.Sprint(i)))
			tip = add(later, tip)
		}
	}
	ours, theirs := add(later, culprit), add(tree, culprit)
	shas := origin.load(im)
	ms := open()
	change := bot.Change{Commits: []bot.SHA{shas[culprit]}}
	var got bot.Revert
	b.Run("backout", func(b *testing.B) {
		for b.Loop() {
			var err error
			if got, err = ms.Revert(context.Background(), testRepo, shas[tip], change); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("git", func(b *testing.B) {
		for b.Loop() {
			want := origin.lines("merge-tree", "--write-tree", string(shas[ours]), string(shas[theirs]))[0]
			if bot.SHA(want) != got.Tree {
				b.Fatalf("git makes tree %s, we make %s", want, got.Tree)
			}
		}
	})
}

func BenchmarkMergeContent(b *testing.B) {
	base, ours, theirs := []byte(numbered(5000)), []byte(numbered(5000, "10", "x", "3000", "y")), []byte(numbered(5000, "2000", "z"))
	b.SetBytes(int64(len(base)))
	for b.Loop() {
		if _, ok := mergeContent(base, ours, theirs); !ok {
			b.Fatal("conflict")
		}
	}
}
