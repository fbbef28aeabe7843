package git

import (
	"bufio"
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// newJudge returns a repository in which the installed git, whose word on merges
// is law, can rule.
func newJudge(t testing.TB) *bare {
	return newBare(t, filepath.Join(t.TempDir(), "judge.git"))
}

// triple is a merge for the judge: both sides descend from base.
type triple struct{ base, ours, theirs files }

// ruling is what git says of a triple.
type ruling struct {
	base, ours, theirs bot.SHA // commits
	clean              bool
	tree               bot.SHA
	conflicted         []string
}

// rule has git merge all triples in one go.
func (b *bare) rule(triples []triple) []ruling {
	b.t.Helper()
	im := &importer{}
	marks := make([][3]string, len(triples))
	for i, tr := range triples {
		base := im.add(snapshot{branch: "x", files: tr.base})
		ours := im.add(snapshot{branch: "x", files: tr.ours, parents: []string{base}})
		theirs := im.add(snapshot{branch: "x", files: tr.theirs, parents: []string{base}})
		marks[i] = [3]string{base, ours, theirs}
	}
	sha := b.load(im)
	rulings := make([]ruling, len(triples))
	for i := range rulings {
		r := &rulings[i]
		r.base, r.ours, r.theirs = sha[marks[i][0]], sha[marks[i][1]], sha[marks[i][2]]
	}
	b.mergeAll(rulings)
	return rulings
}

// mergeAll fills in git's answers. Git 2.39 dies of a failed assertion on some
// merges of links with files; such a merge counts as not clean, and the others are
// asked for again.
func (b *bare) mergeAll(rulings []ruling) {
	b.t.Helper()
	var in bytes.Buffer
	for _, r := range rulings {
		fmt.Fprintf(&in, "%s %s\n", r.ours, r.theirs)
	}
	text, stderr, err := b.try(in.Bytes(), "merge-tree", "--stdin", "--no-messages", "--name-only")
	if err != nil && strings.Contains(stderr, "Assertion") {
		if half := len(rulings) / 2; half > 0 {
			b.mergeAll(rulings[:half])
			b.mergeAll(rulings[half:])
		}
		return
	}
	if err != nil {
		b.t.Fatalf("git merge-tree: %v\n%s", err, stderr)
	}
	out := strings.Split(string(text), "\x00")
	for i := range rulings {
		r := &rulings[i]
		r.clean, r.tree = out[0] == "1", bot.SHA(out[1])
		for out = out[2:]; out[0] != ""; out = out[1:] {
			r.conflicted = append(r.conflicted, out[0])
		}
		out = out[1:]
	}
}

// blobs returns the contents of "tree:path" names, nil where there is none.
func (b *bare) blobs(names []string) [][]byte {
	b.t.Helper()
	r := bytes.NewReader(b.run([]byte(strings.Join(names, "\n")+"\n"), "cat-file", "--batch"))
	br := bufio.NewReader(r)
	all := make([][]byte, len(names))
	for i := range names {
		head, err := br.ReadString('\n')
		if err != nil {
			b.t.Fatal(err)
		}
		if strings.HasSuffix(head, " missing\n") {
			continue
		}
		var name, kind string
		var size int
		if _, err := fmt.Sscan(head, &name, &kind, &size); err != nil {
			b.t.Fatalf("%q: %v", head, err)
		}
		all[i] = make([]byte, size)
		for n := 0; n < size; {
			m, err := br.Read(all[i][n:])
			if err != nil {
				b.t.Fatal(err)
			}
			n += m
		}
		if _, err := br.ReadByte(); err != nil {
			b.t.Fatal(err)
		}
	}
	return all
}
