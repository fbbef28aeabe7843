package culprit

import (
	"bytes"
	"path"
	"regexp"
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
	// Dirs is how many directories as deep as the App's it touches, in the whole
	// repository.
	Dirs int `json:"dirs"`
	// Files it changed below the closure, in effect; Added and Removed are those
	// that came and went.
	Files   int `json:"files"`
	Added   int `json:"added"`
	Removed int `json:"removed"`
	// Docs is true when it changed documentation, comments or formatting only.
	Docs bool `json:"docs"`
	// Revert is true when it says that it takes another one back; Undone when a
	// newer candidate says so of this one.
	Revert    bool   `json:"revert"`
	Undone    bool   `json:"undone"`
	Automated bool   `json:"automated"`
	Author    string `json:"author"`
	Merge     bool   `json:"merge"`
	// Named is true when its subject speaks of the App's folder or file by name.
	// Bump is true when every line that differs is an image or a version. Fix is
	// true when its subject calls it a repair, and Trial when it changes what is
	// for staging, testing or development only, by the names of its files.
	Named bool `json:"named"`
	Bump  bool `json:"bump"`
	Fix   bool `json:"fix"`
	Trial bool `json:"trial"`
	// Head is true when it is the newest commit of the branch.
	Head bool `json:"head"`
	// Paths is how many files it changed in the whole repository.
	Paths int `json:"paths"`
	// Own is true when it changed something below the App's own paths, not only
	// what they reference.
	Own bool `json:"own"`
	// Bears is what it has to do with the failing workload: -1 when that is not
	// known, else a bearing.
	Bears int `json:"bears"`
}

// Measure reads the signs of all candidates, in their order. paths is how the
// App's own paths are written: their depth says what counts as one directory of
// the repository.
func Measure(f bot.Facts) []Signs {
	out := make([]Signs, 0, len(f.Candidates))
	undone := map[bot.SHA]bool{}
	for i, c := range f.Candidates {
		s := Signs{
			Commit: c.Change.Head(), Age: max(0, f.Now.Sub(c.Change.When).Seconds()),
			Dirs: directories(c.Change.Paths, depth(f.App.Source.Paths)),
			Docs: true, Revert: c.Change.IsRevert || saysRevert(c.Change.Subject), Automated: c.Automated,
			Author: c.Change.Author, Merge: c.Change.Mainline > 0, Bears: -1,
			Named: named(c.Change.Subject, f.App.Source.Paths), Fix: says(c.Change.Subject, repairs), Head: c.Change.Head() == f.Head,
			Bump: true, Trial: true, Paths: len(c.Change.Paths),
		}
		s.Undone = undone[s.Commit]
		if !s.Undone { // what takes back a revert that was undone counts, too
			for _, sha := range c.TakesBack {
				undone[sha] = true
			}
		}
		if i+1 < len(f.Candidates) {
			s.Gap = max(0, c.Change.When.Sub(f.Candidates[i+1].Change.When).Seconds())
		}
		for _, file := range c.Files {
			s.Own = s.Own || below(file.Path, f.App.Source.Paths)
			if !(Ranker{}).InEffect(file) {
				continue
			}
			s.Docs = false
			s.count(file, c.Current[file.Path])
			s.Trial = s.Trial && trials.MatchString(file.Path)
		}
		s.Bump, s.Trial = s.Bump && s.Lines > 0, s.Trial && !s.Docs
		if f.Failing != nil {
			_, b := touches(c.Files, f.App, *f.Failing)
			s.Bears = int(b)
		}
		out = append(out, s)
	}
	return out
}

// count adds the lines of one file that are in effect.
func (s *Signs) count(f bot.FileChange, current []byte) {
	s.Files++
	if f.Before == nil {
		s.Added++
	}
	if f.After == nil {
		s.Removed++
	}
	before, after, now := lines(f.Before), lines(f.After), lines(current)
	for line, n := range after {
		if added := n - before[line]; added > 0 {
			s.Lines += added
			s.Bump = s.Bump && versions.MatchString(line)
			s.Live += min(added, max(0, now[line]-before[line]))
		}
	}
	for line, n := range before {
		if removed := n - after[line]; removed > 0 {
			s.Lines += removed
			s.Bump = s.Bump && versions.MatchString(line)
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

// depth is how many names an App's path has; the shallowest counts.
func depth(roots []string) int {
	d := 0
	for _, root := range roots {
		if n := len(strings.Split(clean(root), "/")); d == 0 || n < d {
			d = n
		}
	}
	return max(1, d)
}

// below reports whether p is one of the roots or lies below one.
func below(p string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		root = clean(root)
		return root == "." || p == root || strings.HasPrefix(p, root+"/")
	})
}

// directories counts the different beginnings of paths with n names at most.
func directories(paths []string, n int) int {
	seen := map[string]bool{}
	for _, p := range paths {
		names := strings.Split(path.Dir(p), "/")
		seen[strings.Join(names[:min(n, len(names))], "/")] = true
	}
	return len(seen)
}

// The words by which subjects say what a change is for.
var (
	goingBack = []string{"revert", "reverts", "reverted", "rollback", "roll-back"}
	repairs   = []string{"fix", "fixes", "fixed", "fixup", "bugfix", "hotfix", "typo", "correct", "repair"}
)

// saysRevert reports whether a subject says that the change goes back, in the
// words that git and GitHub put there, or people.
func saysRevert(subject string) bool {
	words := wordsOf(subject)
	return slices.ContainsFunc(words[:min(3, len(words))], func(w string) bool { return slices.Contains(goingBack, w) })
}

func says(subject string, words []string) bool {
	return slices.ContainsFunc(wordsOf(subject), func(w string) bool { return slices.Contains(words, w) })
}

func wordsOf(subject string) []string {
	return strings.FieldsFunc(strings.ToLower(subject), func(r rune) bool { return ('a' > r || r > 'z') && r != '-' })
}

// named reports whether a subject has the last name of one of the roots in it.
func named(subject string, roots []string) bool {
	subject = strings.ToLower(subject)
	return slices.ContainsFunc(roots, func(root string) bool {
		name := strings.ToLower(path.Base(clean(root)))
		name = strings.TrimSuffix(name, path.Ext(name))
		return len(name) > 2 && strings.Contains(subject, name)
	})
}

var (
	versions = regexp.MustCompile(`(?i)(image|tag|version|digest|sha256|ref|rev|revision)"?\s*[:=]|[0-9a-f]{12}|v?\d+\.\d+|\d{4}-\d{2}-\d{2}`)
	trials   = regexp.MustCompile(`(?i)(^|[^a-z])(staging|stage|stg|dev|development|test|testing|sandbox|preprod|canary)([^a-z]|$)`)
)
