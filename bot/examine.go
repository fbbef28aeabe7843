package bot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// Examine reads of one commit what any ranking looks at, from git alone: what it
// changed below the closure, and what stands there now. The bot and the command
// line share it, so that both rank by the same facts.
//
// diff lists what differs between two commits below the closure, as
// [History.Diff]; now is the tree of the revision that is weighed.
func Examine(ctx context.Context, c Commit, now fs.FS, diff func(ctx context.Context, from, to SHA) ([]FileChange, error)) (Candidate, error) {
	cand := Candidate{Change: changeFrom(c), Automated: automated(c), TakesBack: takesBack(c.Message)}
	if len(c.Parents) == 0 {
		return cand, nil
	}
	files, err := diff(ctx, c.Parents[0], c.SHA)
	if err != nil {
		return cand, fmt.Errorf("read changes of %s: %w", c.SHA.Short(), err)
	}
	cand.Files, cand.Current = files, make(map[string][]byte, len(files))
	for _, f := range files {
		b, err := fs.ReadFile(now, f.Path)
		switch {
		case err == nil:
			cand.Current[f.Path] = b
		case errors.Is(err, fs.ErrNotExist):
		default:
			// A directory, or a file that is too large: what it holds now can't be
			// said, so the change counts as still there.
			cand.Current[f.Path] = f.After
		}
	}
	return cand, nil
}

func automated(c Commit) bool { return Automated(c.Author, c.Email) }

// Automated reports whether an author calls itself a bot, as GitHub Apps do
// ("renovate[bot]") and many others. Names are logins, names and addresses.
func Automated(names ...string) bool {
	for _, name := range names {
		name, _, _ = strings.Cut(strings.ToLower(name), "@")
		if strings.HasSuffix(name, "bot") || strings.Contains(name, "[bot]") || strings.Contains(name, "-bot-") || strings.HasPrefix(name, "bot-") {
			return true
		}
	}
	return false
}

// revertLine is what git revert writes into its message
// (https://git-scm.com/docs/git-revert).
var revertLine = regexp.MustCompile(`(?i)reverts commit ([0-9a-f]{40})`)

func takesBack(message string) []SHA {
	var out []SHA
	for _, m := range revertLine.FindAllStringSubmatch(message, 16) {
		out = append(out, SHA(strings.ToLower(m[1])))
	}
	return out
}
