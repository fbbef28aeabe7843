package git

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// rounds is how many batches the property tests make: few in the normal run, as
// many as BACKOUT_ROUNDS says when someone wants to be sure.
func rounds(t testing.TB, normal int) int {
	if n, err := strconv.Atoi(os.Getenv("BACKOUT_ROUNDS")); err == nil {
		return n
	}
	return normal
}

// TestContentMergeIsGits merges thousands of random texts and asks git each time.
func TestContentMergeIsGits(t *testing.T) {
	t.Parallel()
	j := newJudge(t)
	for round := range rounds(t, 1) {
		rnd := rand.New(rand.NewPCG(uint64(round), 1))
		triples := make([]triple, 700)
		for i := range triples {
			base, ours, theirs := randomTexts(rnd)
			if i%10 == 0 {
				base, ours, theirs = borderlineTexts(rnd)
			}
			triples[i] = triple{
				files{"f": plain(base)}, files{"f": plain(ours)}, files{"f": plain(theirs)},
			}
		}
		clean := 0
		rulings := j.rule(triples)
		names := make([]string, len(rulings))
		for i, r := range rulings {
			names[i] = string(r.tree) + ":f"
		}
		want := j.blobs(names)
		for i, tr := range triples {
			base, ours, theirs := tr.base["f"].data, tr.ours["f"].data, tr.theirs["f"].data
			if base == ours || base == theirs || ours == theirs {
				continue
			}
			got, ok := mergeContent([]byte(base), []byte(ours), []byte(theirs))
			if ok != rulings[i].clean {
				t.Fatalf("round %d case %d: clean is %v, git says %v\nbase %.300q\nours %.300q\ntheirs %.300q\ngot %.300q", round, i, ok, rulings[i].clean, base, ours, theirs, got)
			}
			if !ok {
				continue
			}
			clean++
			if string(got) != string(want[i]) {
				t.Fatalf("round %d case %d: merged differently\nbase %.300q\nours %.300q\ntheirs %.300q\ngot  %.300q\nwant %.300q", round, i, base, ours, theirs, got, want[i])
			}
		}
		if clean < len(triples)/10 {
			t.Errorf("only %d of %d cases are clean: the generator tests too little", clean, len(triples))
		}
	}
}

// randomTexts makes a base and two descendants of it, of very different sizes and
// repetitiveness, so that anchors, frequent lines and sliding runs all occur.
func randomTexts(rnd *rand.Rand) (base, ours, theirs string) {
	size := []int{3, 10, 30, 80, 300}[rnd.IntN(5)]
	alphabet := []int{2, 4, 10, 40, 1000}[rnd.IntN(5)]
	if rnd.IntN(60) == 0 {
		size, alphabet = 3000, 20
	}
	line := func() string {
		if rnd.IntN(4) == 0 {
			return "\n"
		}
		return fmt.Sprintf("%*s%d\n", rnd.IntN(3)*2, "", rnd.IntN(alphabet))
	}
	lines := make([]string, rnd.IntN(size)+1)
	for i := range lines {
		lines[i] = line()
	}
	edit := func(n int) string {
		out := append([]string(nil), lines...)
		for range n {
			at := rnd.IntN(len(out) + 1)
			end := min(len(out), at+rnd.IntN(3))
			if rnd.IntN(8) == 0 {
				end = min(len(out), at+rnd.IntN(size))
			}
			var fresh []string
			switch rnd.IntN(4) {
			case 0: // delete only
			case 1: // a copied block
				from := rnd.IntN(len(lines))
				fresh = append(fresh, lines[from:min(len(lines), from+rnd.IntN(6))]...)
			default:
				for range rnd.IntN(4) {
					fresh = append(fresh, line())
				}
			}
			out = append(append(append([]string(nil), out[:at]...), fresh...), out[end:]...)
		}
		text := strings.Join(out, "")
		switch rnd.IntN(12) {
		case 0:
			text = strings.TrimSuffix(text, "\n")
		case 1:
			text = strings.ReplaceAll(text, "\n", "\r\n")
		}
		return text
	}
	base = strings.Join(lines, "")
	if rnd.IntN(10) == 0 {
		base = strings.TrimSuffix(base, "\n")
	}
	most := 1 + size/20
	return base, edit(rnd.IntN(most) + 1), edit(rnd.IntN(most) + 1)
}
