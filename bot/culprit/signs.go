package culprit

import (
	"bytes"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// Signs is what was seen of one candidate at the time of the ranking, from git
// alone. It is what the weights are fitted on; it may be stored, so fields may
// be added but never change their meaning.
type Signs struct {
	Commit bot.SHA `json:"commit"`
	// Age is how long before the moment of the ranking it was committed, in
	// seconds, at least 0. Gap is the time from the next older candidate to it, 0
	// for the oldest.
	Age float64 `json:"age"`
	Gap float64 `json:"gap"`
	// Lines it changed in effect, and how many of them are still true: added ones
	// that stand there, removed ones that do not.
	Lines int `json:"lines"`
	Live  int `json:"live"`
	// Files it changed below the closure, in effect; Added are those that came.
	Files int `json:"files"`
	Added int `json:"added"`
	// Docs is true when it changed documentation, comments or formatting only.
	Docs bool `json:"docs"`
	// Revert is true when it says that it takes another one back; Undone when a
	// newer candidate says so of this one.
	Revert    bool   `json:"revert"`
	Undone    bool   `json:"undone"`
	Automated bool   `json:"automated"`
	Author    string `json:"author"`
	Merge     bool   `json:"merge"`
	// Paths is how many files it changed in the whole repository.
	Paths int `json:"paths"`
	// File is true when the question is about one file, which it changed.
	File bool `json:"file,omitempty"`
	// Bears is what it has to do with the failing workload: -1 when that is not
	// known, else a bearing.
	Bears int    `json:"bears"`
	what  string // on what it bears
}

// Measuring reads the signs of candidates, one after the other, newest first, so
// that the contents of only one need be at hand at a time.
type Measuring struct {
	facts  bot.Facts
	parts  Parts
	signs  []Signs
	undone map[bot.SHA]bool
	newer  bot.Change // the one before
}

// NewMeasuring begins with what is known of the failing workload, the App and the
// moment. Candidates of f are not looked at.
func NewMeasuring(f bot.Facts) *Measuring {
	return &Measuring{facts: f, parts: Parts{f.PartFiles, f.PartObjects}, undone: map[bot.SHA]bool{}}
}

// Measure reads the signs of all candidates, in their order.
func Measure(f bot.Facts) []Signs {
	m := NewMeasuring(f)
	for _, c := range f.Candidates {
		m.Add(c)
	}
	return m.Signs()
}

// Signs are those of all candidates so far.
func (m *Measuring) Signs() []Signs { return m.signs }

// Add reads the signs of the next older candidate. It keeps none of its contents.
func (m *Measuring) Add(c bot.Candidate) {
	f := m.facts
	s := Signs{
		Commit: c.Change.Head(), Age: max(0, f.Now.Sub(c.Change.When).Seconds()),
		Docs: true, Revert: c.Change.IsRevert || saysRevert(c.Change.Subject), Automated: c.Automated,
		Author: c.Change.Author, Merge: c.Change.Mainline > 0, Bears: -1,
		Paths: len(c.Change.Paths), File: len(f.Closure) == 1 && len(c.Files) == 1 && c.Files[0].Path == f.Closure[0],
	}
	s.Undone = m.undone[s.Commit]
	if !s.Undone { // what takes back a revert that was undone counts, too
		for _, sha := range c.TakesBack {
			m.undone[sha] = true
		}
	}
	if n := len(m.signs); n > 0 {
		m.signs[n-1].Gap = max(0, m.newer.When.Sub(c.Change.When).Seconds())
	}
	for _, file := range c.Files {
		if !(Ranker{}).InEffect(file) {
			continue
		}
		s.Docs = false
		s.count(file, c.Current[file.Path])
	}
	if f.Failing != nil {
		what, b := m.parts.bearing(c.Files, f.App, *f.Failing)
		s.Bears, s.what = int(b), what
	}
	m.signs, m.newer = append(m.signs, s), c.Change
}

// count adds the lines of one file that are in effect.
func (s *Signs) count(f bot.FileChange, current []byte) {
	s.Files++
	if f.Before == nil {
		s.Added++
	}
	before, after, now := lines(f.Before), lines(f.After), lines(current)
	for line, n := range after {
		if added := n - before[line]; added > 0 {
			s.Lines += added
			s.Live += min(added, max(0, now[line]-before[line]))
		}
	}
	for line, n := range before {
		if removed := n - after[line]; removed > 0 {
			s.Lines += removed
			s.Live += min(removed, max(0, n-now[line]))
		}
	}
	if bytes.Equal(f.Before, f.After) { // a mode
		s.Lines, s.Live = s.Lines+1, s.Live+1
	}
}

// lines counts the lines of a file, without white space around them, empty
// ones and comments.
func lines(b []byte) map[string]int {
	out := make(map[string]int)
	for line := range bytes.Lines(b) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' {
			out[string(line)]++
		}
	}
	return out
}

// goingBack are the words by which subjects say that a change goes back.
var goingBack = []string{"revert", "reverts", "reverted", "rollback", "roll-back"}

// saysRevert reports whether a subject says so among its first words, where git,
// GitHub and people put it.
func saysRevert(subject string) bool {
	words := strings.FieldsFunc(strings.ToLower(subject), func(r rune) bool { return ('a' > r || r > 'z') && r != '-' })
	return slices.ContainsFunc(words[:min(3, len(words))], func(w string) bool { return slices.Contains(goingBack, w) })
}
