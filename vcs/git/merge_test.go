package git

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// TestMergeIsGits merges thousands of random trees, full of renames, moved
// directories, files in the place of directories, modes, links, submodules and
// binaries, and asks git each time. What is clean must be clean for git, with the
// same tree. The other direction is counted, so that caution does not grow unseen.
func TestMergeIsGits(t *testing.T) {
	t.Parallel()
	j := newJudge(t)
	agreed, cautious := 0, 0
	for round := range rounds(t, 4) {
		rnd := rand.New(rand.NewPCG(uint64(round), 3))
		triples := make([]triple, 500)
		for i := range triples {
			if triples[i] = randomTrees(rnd); i%5 == 0 {
				triples[i] = crowdedTrees(rnd)
			}
		}
		rulings := j.rule(triples)
		s, err := openStore(j.dir)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range rulings {
			tree, conflicts, err := s.mergeCommits(r)
			if err != nil {
				t.Fatal(err)
			}
			clean := len(conflicts) == 0
			switch {
			case clean && !r.clean:
				t.Fatalf("round %d case %d: clean, git sees conflicts in %q\n%v", round, i, r.conflicted, triples[i])
			case clean && toSHA(tree) != r.tree:
				t.Fatalf("round %d case %d: another tree\n%v\ngot\n%s\nwant\n%s", round, i, triples[i], dump(s, tree, ""), dump(s, toHash(r.tree), ""))
			case !clean && r.clean:
				cautious++
			default:
				agreed++
			}
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d agreed, %d conflicts where git goes on", agreed, cautious)
	if cautious > agreed/4 {
		t.Errorf("too cautious")
	}
}

// mergeCommits merges as the judge did.
func (s *store) mergeCommits(r ruling) (tree hash, conflicts []string, err error) {
	var roots [3]hash
	for i, name := range []bot.SHA{r.base, r.ours, r.theirs} {
		c, err := s.commit(toHash(name))
		if err != nil {
			return hash{}, nil, err
		}
		roots[i] = c.TreeHash
	}
	tree, found, err := mergeTrees(context.Background(), newOverlay(s), roots[0], roots[1], roots[2])
	for _, c := range found {
		conflicts = append(conflicts, c.kind+" "+c.path)
	}
	return tree, conflicts, err
}

// String lists a tree for failure messages.
func (fs files) String() string {
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(fs)) {
		fmt.Fprintf(&b, "  %s %s %q\n", fs[path].mode, path, fs[path].data)
	}
	return b.String()
}

func (tr triple) String() string {
	return fmt.Sprintf("base\n%vours\n%vtheirs\n%v", tr.base, tr.ours, tr.theirs)
}

// randomTrees makes a base and two descendants. Few names and few contents, so
// that both sides often do something to the same place.
func randomTrees(rnd *rand.Rand) triple {
	names := []string{"a", "b", "c.yaml", "d"}
	randomPath := func() string {
		p := names[rnd.IntN(len(names))]
		for range rnd.IntN(3) {
			p = names[rnd.IntN(len(names))] + "/" + p
		}
		return p
	}
	text := func() string {
		n := rnd.IntN(12)
		var b strings.Builder
		topic := rnd.IntN(4)
		for i := range n {
			fmt.Fprintf(&b, "topic %d line %d\n", topic, i+rnd.IntN(2)*rnd.IntN(9))
		}
		switch rnd.IntN(10) {
		case 0:
			return otherEnds(b.String())
		case 1:
			return strings.TrimSuffix(b.String(), "\n")
		}
		return b.String()
	}
	randomLeaf := func() leaf {
		switch rnd.IntN(14) {
		case 0:
			return leaf{"100755", text()}
		case 1:
			return leaf{"120000", names[rnd.IntN(len(names))]}
		case 2:
			return leaf{"160000", strings.Repeat(string("abc"[rnd.IntN(3)]), 40)}
		case 3:
			return plain("\x00" + text())
		case 4:
			return plain("")
		}
		return plain(text())
	}
	base := make(files)
	for range 1 + rnd.IntN(8) {
		base.put(randomPath(), randomLeaf())
	}
	edit := func(fs files, n int) {
		for range n {
			old := slices.Sorted(maps.Keys(fs))
			var at string
			if len(old) > 0 {
				at = old[rnd.IntN(len(old))]
			}
			switch op := rnd.IntN(9); {
			case op == 0 || at == "":
				fs.put(randomPath(), randomLeaf())
			case op == 1:
				delete(fs, at)
			case op == 2: // a new file beside an old one
				fs.put(strings.TrimSuffix(at, names[0])+"-new", randomLeaf())
			case op <= 4: // rename, perhaps with an edit
				l := fs[at]
				delete(fs, at)
				if rnd.IntN(2) == 0 {
					l.data = editText(rnd, l)
				}
				fs.put(randomPath(), l)
			case op == 5: // move a directory
				dir, _, ok := strings.Cut(at, "/")
				if !ok {
					continue
				}
				to := fmt.Sprintf("moved%d", rnd.IntN(2))
				for _, p := range old {
					if rest, ok := strings.CutPrefix(p, dir+"/"); ok {
						l := fs[p]
						delete(fs, p)
						fs.put(to+"/"+rest, l)
					}
				}
			case op == 6:
				l := fs[at]
				switch l.mode {
				case "100644":
					l.mode = "100755"
				case "100755":
					l.mode = "100644"
				}
				fs[at] = l
			default:
				l := fs[at]
				l.data = editText(rnd, l)
				fs[at] = l
			}
		}
	}
	ours, theirs := maps.Clone(base), maps.Clone(base)
	shared := rnd.IntN(3) // changes that both sides have made, exactly or nearly
	if shared == 1 {
		edit(ours, 1+rnd.IntN(2))
		theirs = maps.Clone(ours)
	}
	edit(ours, rnd.IntN(5))
	edit(theirs, 1+rnd.IntN(4))
	return triple{base, ours, theirs}
}

// put adds a file and removes what stands in its way.
func (fs files) put(path string, l leaf) {
	maps.DeleteFunc(fs, func(p string, _ leaf) bool {
		return strings.HasPrefix(p, path+"/") || strings.HasPrefix(path, p+"/")
	})
	fs[path] = l
}

// otherEnds turns the line ends of Unix into those of Windows and back.
func otherEnds(text string) string {
	if strings.Contains(text, "\r\n") {
		return strings.ReplaceAll(text, "\r\n", "\n")
	}
	return strings.ReplaceAll(text, "\n", "\r\n")
}

func editText(rnd *rand.Rand, l leaf) string {
	switch l.mode {
	case "120000":
		return l.data + "x"
	case "160000":
		return strings.Repeat(string("def"[rnd.IntN(3)]), 40)
	}
	lines := strings.SplitAfter(l.data, "\n")
	at := rnd.IntN(len(lines))
	switch rnd.IntN(12) {
	case 10: // one line as an editor of the other kind leaves it
		lines[at] = otherEnds(lines[at])
		return strings.Join(lines, "")
	case 11:
		return otherEnds(l.data)
	}
	switch rnd.IntN(3) {
	case 0:
		lines[at] = fmt.Sprintf("edited %d\n", rnd.IntN(3))
	case 1:
		lines = slices.Insert(lines, at, fmt.Sprintf("added %d\n", rnd.IntN(3)))
	default:
		lines = slices.Delete(lines, at, at+1)
	}
	return strings.Join(lines, "")
}

func dump(from objects, root hash, dir string) string {
	entries, err := from.tree(root)
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, e := range entries {
		if e.isTree() {
			b.WriteString(dump(from, e.hash, dir+e.name+"/"))
			continue
		}
		fmt.Fprintf(&b, "  %s %s%s %s\n", e.mode, dir, e.name, e.hash)
	}
	return b.String()
}
