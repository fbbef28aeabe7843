package git

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
)

// crowdedTrees makes trees like those of many deployments: many directories, the
// same few file names in each, and files that are the same or nearly the same. Where
// files go, git often chooses among equals.
func crowdedTrees(rnd *rand.Rand) triple {
	names := []string{"kustomization.yaml", "values.yaml", "app.yaml", "ns.yaml"}
	text := func() string {
		topic := rnd.IntN(5)
		var b strings.Builder
		for i := range 8 {
			fmt.Fprintf(&b, "topic %d line %d\n", topic, i)
		}
		if rnd.IntN(3) == 0 {
			fmt.Fprintf(&b, "own %d\n", rnd.IntN(20))
		}
		return b.String()
	}
	many := []int{4, 12, 80}[rnd.IntN(3)]
	dir := func() string {
		d := fmt.Sprintf("d%d", rnd.IntN(many))
		for range rnd.IntN(3) {
			d += fmt.Sprintf("/e%d", rnd.IntN(4))
		}
		return d
	}
	base := make(files)
	for range many {
		d := dir()
		for range 1 + rnd.IntN(3) {
			base.put(d+"/"+names[rnd.IntN(len(names))], plain(text()))
		}
	}
	edit := func(fs files, n int) {
		for range n {
			old := slices.Sorted(maps.Keys(fs))
			if len(old) == 0 {
				return
			}
			at := old[rnd.IntN(len(old))]
			l := fs[at]
			switch rnd.IntN(8) {
			case 0:
				fs.put(dir()+"/"+names[rnd.IntN(len(names))], plain(text()))
			case 1:
				delete(fs, at)
			case 2, 3: // move a file
				delete(fs, at)
				if rnd.IntN(2) == 0 {
					l.data = editText(rnd, l)
				}
				fs.put(dir()+"/"+path.Base(at), l)
			case 4: // move a directory
				from, to := path.Dir(at), dir()+"-moved"
				for _, p := range old {
					if rest, ok := strings.CutPrefix(p, from+"/"); ok {
						l := fs[p]
						delete(fs, p)
						fs.put(to+"/"+rest, l)
					}
				}
			default:
				l.data = editText(rnd, l)
				fs[at] = l
			}
		}
	}
	ours, theirs := maps.Clone(base), maps.Clone(base)
	edit(ours, 1+rnd.IntN(2+many))
	edit(theirs, 1+rnd.IntN(8))
	return triple{base, ours, theirs}
}
