package git

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// TestHalfAlikeIsGits moves and edits one file at a time and asks git whether it
// still is the same file. Where git says so, so must we.
func TestHalfAlikeIsGits(t *testing.T) {
	t.Parallel()
	b := newJudge(t)
	rnd := rand.New(rand.NewPCG(5, 5))
	im := &importer{}
	type pair struct {
		before, after string
		mark          string
	}
	var pairs []pair
	for range 600 {
		before, after := randomRelatives(rnd)
		mark := im.add(snapshot{branch: "x", files: files{"before": plain(before)}})
		mark = im.add(snapshot{branch: "x", files: files{"after": plain(after)}, parents: []string{mark}})
		pairs = append(pairs, pair{before, after, mark})
	}
	shas := b.load(im)
	var in strings.Builder
	for _, p := range pairs {
		fmt.Fprintln(&in, shas[p.mark])
	}
	renamed := make(map[bot.SHA]bool)
	var commit bot.SHA
	for line := range strings.Lines(string(b.run([]byte(in.String()), "diff-tree", "--stdin", "-r", "-M50%"))) {
		switch f := strings.Fields(line); {
		case len(f) == 1:
			commit = bot.SHA(f[0])
		case strings.HasPrefix(f[4], "R"):
			renamed[commit] = true
		}
	}
	cautious := 0
	for _, p := range pairs {
		got := newSketch([]byte(p.before)).score(newSketch([]byte(p.after))) >= scoreRename
		if want := renamed[shas[p.mark]]; want && !got {
			t.Fatalf("git follows the rename\nbefore %q\nafter %q", p.before, p.after)
		} else if got && !want {
			cautious++ // its last line has no newline, which old git leaves out
		}
	}
	t.Logf("%d of %d are renames for git, %d more for us", len(renamed), len(pairs), cautious)
	if n := len(renamed); n < 100 || n > 500 || cautious > 60 {
		t.Error("the pairs tell little")
	}
}

// randomRelatives makes two texts that share about half.
func randomRelatives(rnd *rand.Rand) (before, after string) {
	lines := make([]string, 1+rnd.IntN(40))
	for i := range lines {
		lines[i] = strings.Repeat(string(rune('a'+rnd.IntN(26))), rnd.IntN(90)) + "\n"
	}
	kept := slices.Clone(lines)
	for i := range kept {
		if rnd.IntN(100) < 62 {
			kept[i] = strings.Repeat(string(rune('a'+rnd.IntN(26))), rnd.IntN(90)) + "\n"
		}
	}
	rnd.Shuffle(len(kept), func(i, j int) { kept[i], kept[j] = kept[j], kept[i] })
	before, after = strings.Join(lines, ""), strings.Join(kept, "")
	switch rnd.IntN(6) {
	case 0:
		after = strings.ReplaceAll(after, "\n", "\r\n")
	case 1:
		after = strings.TrimSuffix(after, "\n")
	case 2:
		after = "\x00" + after
	}
	return before, after
}
