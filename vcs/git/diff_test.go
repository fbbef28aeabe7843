package git

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// TestDiffIsGits compares random trees.
func TestDiffIsGits(t *testing.T) {
	t.Parallel()
	b, open := local(t)
	rnd := rand.New(rand.NewPCG(4, 4))
	im := &importer{}
	var marks [][2]string
	for range 40 {
		tr := randomTrees(rnd)
		before := im.add(snapshot{branch: "main", files: tr.base})
		marks = append(marks, [2]string{before, im.add(snapshot{branch: "main", files: tr.ours, parents: []string{before}})})
	}
	shas := b.load(im)
	ms := open()
	for i, m := range marks {
		from, to := shas[m[0]], shas[m[1]]
		for _, paths := range [][]string{nil, {"a"}, {"a/b", "moved0", "c.yaml"}} {
			args := append([]string{"diff-tree", "-r", "-z", "--no-renames", "--no-abbrev", string(from), string(to), "--"}, paths...)
			raw := strings.Split(string(b.run(nil, args...)), "\x00")
			var want []string
			for len(raw) > 1 {
				f := strings.Fields(raw[0])
				want = append(want, fmt.Sprintf("%s %s %s %s", raw[1], strings.TrimLeft(f[0], ":"), f[1], f[3]))
				raw = raw[2:]
			}
			files, err := ms.Diff(context.Background(), testRepo, from, to, paths)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range files {
				none := func(s string) string {
					if s == "" {
						return "000000"
					}
					return s
				}
				blob := string(f.Blob)
				if blob == "" {
					blob = strings.Repeat("0", 40)
				}
				got = append(got, fmt.Sprintf("%s %s %s %s", f.Path, none(f.BeforeMode), none(f.AfterMode), blob))
				if (f.Before == nil) != (f.BeforeMode == "") || (f.After == nil) != (f.AfterMode == "") {
					t.Errorf("%s: nil must mean absent, and only that", f.Path)
				}
			}
			// A file changed into a directory is one line for git, two paths for us.
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("case %d %q:\n%s", i, paths, diff)
			}
		}
	}
}

func TestDiffContents(t *testing.T) {
	t.Parallel()
	b, open := local(t)
	long := strings.Repeat("0123456\n", 1<<17)
	from := b.commit("main", files{"a": plain("1\n"), "gone": plain("2\n"), "long": plain("x"), "sub": {"160000", strings.Repeat("a", 40)}}, "from")
	to := b.commit("main", files{"a": plain(""), "come": plain("3\n"), "long": plain(long + "more"), "sub": {"160000", strings.Repeat("b", 40)}, "l": {"120000", "a"}}, "to")
	got, err := open().Diff(context.Background(), testRepo, from, to, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i].Blob = ""
	}
	want := []bot.FileChange{
		{Path: "a", Before: []byte("1\n"), After: []byte{}, BeforeMode: "100644", AfterMode: "100644"},
		{Path: "come", After: []byte("3\n"), AfterMode: "100644"},
		{Path: "gone", Before: []byte("2\n"), BeforeMode: "100644"},
		{Path: "l", After: []byte("a"), AfterMode: "120000"},
		{Path: "long", Before: []byte("x"), After: []byte(long), BeforeMode: "100644", AfterMode: "100644"},
		{Path: "sub", Before: []byte("Subproject commit " + strings.Repeat("a", 40) + "\n"), After: []byte("Subproject commit " + strings.Repeat("b", 40) + "\n"), BeforeMode: "160000", AfterMode: "160000"},
	}
	if len(got[4].After) != len(long) || !bytes.Equal(got[4].After, []byte(long)) {
		t.Errorf("long content is cut to %d bytes", len(got[4].After))
	}
	got[4].After, want[4].After = nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
