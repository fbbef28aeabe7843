package policy

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"sigs.k8s.io/yaml"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/strict"
)

// Version is the form of the policy file that this Backout reads.
const Version = 1

// File is the policy file of a repository. Keys may be added, never renamed or
// reused.
type File struct {
	Version  int           `json:"version" doc:"The form of this file: 1."`
	Defaults Settings      `json:"defaults,omitempty" doc:"What holds for every App that is delivered from this repository."`
	Apps     []AppSettings `json:"apps,omitempty" doc:"What holds for some Apps. Later entries win over earlier ones, key by key."`
}

// ParseFile reads a policy file strictly. The problems are all that there are, by
// line; with any of them the file counts for nothing. query is as in Open.
func ParseFile(text []byte, query func(bot.Check) error) (File, strict.Lines, []strict.Problem) {
	const what = "the policy file"
	if bytes.IndexByte(text, 0) >= 0 {
		return File{}, nil, []strict.Problem{{Text: what + " is no text"}}
	}
	lines, problems, err := strict.Look(text, File{}, what)
	if err != nil {
		return File{}, lines, []strict.Problem{{Text: err.Error()}}
	}
	decode := yaml.UnmarshalStrict
	if len(problems) > 0 {
		decode = yaml.Unmarshal // what can be read is checked, too: one look finds all
	}
	var f File
	if err := decode(text, &f); err != nil {
		if len(problems) == 0 {
			problems = append(problems, strict.Problem{Text: fmt.Sprintf("decode %s: %v", what, err)})
		}
		return File{}, lines, problems
	}
	f.check(func(path, format string, args ...any) {
		problems = append(problems, strict.Problem{Line: lines.Line(path), Text: path + ": " + fmt.Sprintf(format, args...)})
	}, query)
	slices.SortStableFunc(problems, func(a, b strict.Problem) int { return a.Line - b.Line })
	return f, lines, problems
}

func (f File) check(bad complain, query func(bot.Check) error) {
	switch {
	case f.Version == 0:
		bad("version", "missing; write version: %d", Version)
	case f.Version != Version:
		bad("version", "%d; this Backout reads version %d", f.Version, Version)
	}
	if !f.bounded(bad) {
		return
	}
	f.Defaults.check(bad, "defaults", query)
	for i, a := range f.Apps {
		where := fmt.Sprintf("apps[%d]", i)
		checkMatch(bad, where, a.Match)
		a.Settings.check(bad, where, query)
	}
}

// bounded reports whether a file is small enough to be looked at further.
func (f File) bounded(bad complain) bool {
	made := len(f.Defaults.Custom) + len(f.Defaults.Freezes)
	for _, a := range f.Apps {
		made += len(a.Custom) + len(a.Freezes)
	}
	if made > maxMade {
		bad("version", "the file has %d custom guards and freezes; at most %d are allowed", made, maxMade)
	}
	return few(bad, "apps", len(f.Apps), maxApps) && made <= maxMade
}

func (f File) layers() []layer {
	out := []layer{{fromRepository, "defaults", "", f.Defaults}}
	for i, a := range f.Apps {
		out = append(out, layer{fromRepository, fmt.Sprintf("apps[%d]", i), a.Match, a.Settings})
	}
	return out
}

// The bounds of what people are told of a broken file where space is short.
const (
	maxTold = 3
	maxText = 400
)

// summary tells the first problems in one line of plain text: what stands in the
// file is anybody's.
func summary(problems []strict.Problem) string {
	var told []string
	for _, p := range problems[:min(maxTold, len(problems))] {
		told = append(told, p.Error())
	}
	if n := len(problems) - maxTold; n > 0 {
		told = append(told, fmt.Sprintf("and %d more", n))
	}
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.Join(told, "; "))
	if runes := []rune(text); len(runes) > maxText {
		text = string(runes[:maxText]) + "…"
	}
	return text
}
