package git

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// TestCompareIsGits asks git which lines changed between random texts, for the
// comparison that merges use and for the one that it falls back to. It sees more
// than a merge would show: every line must be judged alike.
func TestCompareIsGits(t *testing.T) {
	byMyers := func(a, b *text, _ *lineBook) { myers(a.lines, b.lines, a.changed, b.changed) }
	byHistogram := func(a, b *text, book *lineBook) {
		newHistogram(a, b, book.size()).compare(0, len(a.lines), 0, len(b.lines))
	}
	for _, algorithm := range []struct {
		name    string
		compare func(a, b *text, book *lineBook)
	}{{"myers", byMyers}, {"histogram", byHistogram}} {
		t.Run(algorithm.name, func(t *testing.T) {
			t.Parallel()
			j := newJudge(t)
			for round := range rounds(t, 1) {
				rnd := rand.New(rand.NewPCG(uint64(round), 2))
				triples := make([]triple, 150)
				for i := range triples {
					before, after, _ := randomTexts(rnd)
					switch {
					case i == 0: // so long that promising paths are taken early
						before, after = frequentTexts(rnd, 34000)
					case i%4 == 0:
						before, after = frequentTexts(rnd, 1000)
					case i%4 == 1:
						before, after, _ = borderlineTexts(rnd)
					}
					triples[i] = triple{files{"f": plain(before)}, files{"f": plain(after)}, nil}
				}
				want := j.hunks(triples, algorithm.name)
				for i, tr := range triples {
					book := newLineBook()
					before, _ := book.split([]byte(tr.base["f"].data))
					after, _ := book.split([]byte(tr.ours["f"].data))
					a, b := &text{before, make([]bool, len(before))}, &text{after, make([]bool, len(after))}
					algorithm.compare(a, b, book)
					settle(a, b)
					settle(b, a)
					if got := hunks(a, b); !slices.Equal(got, want[i]) {
						t.Fatalf("round %d case %d:\nbefore %.300q\nafter %.300q\ngot  %.300s\nwant %.300s", round, i, tr.base["f"].data, tr.ours["f"].data, fmt.Sprint(got), fmt.Sprint(want[i]))
					}
				}
			}
		})
	}
}

// frequentTexts makes long texts of few distinct lines that differ much: nothing
// to anchor at, and more edits than an exact search is allowed to cost.
func frequentTexts(rnd *rand.Rand, size int) (before, after string) {
	alphabet := 3 + rnd.IntN(12)
	lines := make([]string, size+rnd.IntN(2500))
	for i := range lines {
		lines[i] = fmt.Sprintf("%d\n", rnd.IntN(alphabet))
	}
	var out []string
	calm := 3 + rnd.IntN(100)
	for at := 0; at < len(lines); {
		n := min(len(lines)-at, 1+rnd.IntN(calm))
		out = append(out, lines[at:at+n]...)
		at += n
		switch burst := 1 + rnd.IntN(30); rnd.IntN(3) {
		case 0:
			at += burst
		case 1:
			for range burst {
				out = append(out, fmt.Sprintf("%d\n", rnd.IntN(alphabet+rnd.IntN(3))))
			}
		default:
			from := rnd.IntN(len(lines))
			out = append(out, lines[from:min(len(lines), from+burst)]...)
			at += rnd.IntN(burst)
		}
	}
	if rnd.IntN(5) == 0 { // nothing at all in the same place
		rnd.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	return strings.Join(lines, ""), strings.Join(out, "")
}

// borderlineTexts makes texts whose lines occur about as often as a line may that
// serves as an anchor.
func borderlineTexts(rnd *rand.Rand) (base, ours, theirs string) {
	var lines []string
	for n := range 1 + rnd.IntN(4) {
		for range maxOccurrences - 2 + rnd.IntN(6) {
			lines = append(lines, fmt.Sprintf("%d\n", n))
		}
	}
	rnd.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	edit := func() string {
		out := slices.Clone(lines)
		for range 1 + rnd.IntN(8) {
			at := rnd.IntN(len(out))
			end := min(len(out), at+rnd.IntN(20))
			fresh := slices.Clone(lines[:rnd.IntN(10)])
			if rnd.IntN(3) == 0 {
				fresh = append(fresh, fmt.Sprintf("new %d\n", rnd.IntN(3)))
			}
			out = slices.Replace(out, at, end, fresh...)
		}
		return strings.Join(out, "")
	}
	return strings.Join(lines, ""), edit(), edit()
}

// hunks has git compare base and ours of each triple.
func (b *bare) hunks(triples []triple, algorithm string) [][]hunk {
	b.t.Helper()
	rulings := b.rule(triples)
	var in strings.Builder
	for _, r := range rulings {
		fmt.Fprintln(&in, r.ours)
	}
	out := string(b.run([]byte(in.String()), "diff-tree", "--stdin", "-p", "-U1", "--text", "--inter-hunk-context=0",
		"--no-indent-heuristic", "--diff-algorithm="+algorithm))
	found := make(map[bot.SHA][]hunk)
	commit, oldAt, newAt, oldEnd, newEnd := bot.SHA(""), 0, 0, 0, 0
	var open *hunk
	for line := range strings.Lines(out) {
		if oldAt == oldEnd && newAt == newEnd {
			open = nil
			switch {
			case strings.HasPrefix(line, "@@ "):
				oldAt, oldEnd, newAt, newEnd = b.header(line)
			case len(line) == 41:
				commit = bot.SHA(line[:40])
			}
			continue
		}
		if line[0] == '\\' {
			continue
		}
		if line[0] == ' ' {
			open = nil
			oldAt++
			newAt++
			continue
		}
		if open == nil {
			found[commit] = append(found[commit], hunk{oldAt, oldAt, newAt, newAt})
			open = &found[commit][len(found[commit])-1]
		}
		if line[0] == '-' {
			oldAt++
		} else {
			newAt++
		}
		open.oldHi, open.newHi = oldAt, newAt
	}
	all := make([][]hunk, len(triples))
	for i, r := range rulings {
		all[i] = found[r.ours]
	}
	return all
}

// header reads "@@ -1,2 +3 @@" into half-open ranges that start at 0.
func (b *bare) header(line string) (oldAt, oldEnd, newAt, newEnd int) {
	b.t.Helper()
	parse := func(s string) (lo, hi int) {
		n := 1
		if _, err := fmt.Sscanf(s, "%d,%d", &lo, &n); err != nil {
			if _, err := fmt.Sscan(s, &lo); err != nil {
				b.t.Fatalf("%q: %v", line, err)
			}
		}
		if n > 0 {
			lo--
		}
		return lo, lo + n
	}
	f := strings.Fields(line)
	oldAt, oldEnd = parse(f[1][1:])
	newAt, newEnd = parse(f[2][1:])
	return oldAt, oldEnd, newAt, newEnd
}
