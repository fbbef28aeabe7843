// Package owners reads CODEOWNERS files. Pure: text in, owners out.
//
// GitHub passes over a line that it can't read, and goes on with the others
// (https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners#codeowners-syntax).
// Here such a file names nobody: what the line was meant to say is not known, and
// the owners of the lines above it may not be those who were meant.
package owners

import (
	"bytes"
	"strings"

	"github.com/hmarr/codeowners"

	"github.com/backout-dev/backout/bot"
)

// The bounds of a file, in bytes. GitHub reads 3 MB at most; a longer line would
// end the library's reading without a word.
const (
	maxFile = 3 << 20
	maxLine = 60 << 10
)

// Reader implements bot.CodeOwners.
type Reader struct{}

var _ bot.CodeOwners = Reader{}

// Owners returns for each path the owners that the last matching line names:
// "@user", "@org/team", or an e-mail address.
func (Reader) Owners(file []byte, paths []string) ([][]string, error) {
	if err := check(file); err != nil {
		return nil, err
	}
	rules, err := codeowners.ParseFile(bytes.NewReader(file))
	if err != nil {
		return nil, bot.NewTrouble(bot.TroubleInvalid, err, "%s", err)
	}
	out := make([][]string, len(paths))
	for i, path := range paths {
		rule, err := rules.Match(path)
		if err != nil {
			return nil, bot.NewTrouble(bot.TroubleInvalid, err, "a pattern can't be matched: %s", err)
		}
		if rule == nil {
			continue
		}
		for _, o := range rule.Owners {
			out[i] = append(out[i], o.String())
		}
	}
	return out, nil
}

// check refuses what the library reads in another way than GitHub.
func check(file []byte) error {
	invalid := func(format string, args ...any) error {
		return bot.NewTrouble(bot.TroubleInvalid, nil, format, args...)
	}
	if len(file) > maxFile {
		return invalid("it has %d bytes; at most %d are read", len(file), maxFile)
	}
	n := 0
	for line := range strings.SplitSeq(string(file), "\n") {
		n++
		line = strings.TrimSpace(line)
		pattern, _, _ := strings.Cut(line, " ")
		switch {
		case len(line) > maxLine:
			return invalid("line %d is too long", n)
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(pattern, "!"), strings.ContainsAny(pattern, "[]"), strings.HasPrefix(pattern, `\#`):
			return invalid("line %d: CODEOWNERS takes no such pattern", n)
		}
	}
	return nil
}
