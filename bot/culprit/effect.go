package culprit

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/manifest"
)

// What no control plane applies: documentation and what serves people and
// tools in the repository. Plain ".txt" is not among it, since generators and
// charts put such files into ConfigMaps.
var (
	documentation = []string{".md", ".markdown", ".rst", ".adoc", ".png", ".jpg", ".jpeg", ".gif", ".svg"}
	forPeople     = []string{
		"license", "license.txt", "notice", "readme", "readme.txt", "owners", "codeowners",
		".gitignore", ".editorconfig", ".yamllint", ".prettierrc",
	}
)

// maxContent is where the mirror cuts a file's contents. What differs beyond it
// is not seen.
const maxContent = 1 << 20

// InEffect implements bot.Ranker. A file that can't be understood counts as in
// effect: overlooking a culprit is worse than showing one suspect more.
func (Ranker) InEffect(f bot.FileChange) bool {
	base := strings.ToLower(path.Base(f.Path))
	if slices.Contains(documentation, path.Ext(base)) || slices.Contains(forPeople, base) {
		return false
	}
	switch {
	case f.Before == nil || f.After == nil:
		return true
	case fileType(f.BeforeMode) != fileType(f.AfterMode):
		return true
	case len(f.Before) >= maxContent || len(f.After) >= maxContent:
		return true
	}
	if manifest.IsFile(f.Path) {
		if same, err := manifest.Same(f.Before, f.After); err == nil {
			return !same
		}
	}
	return f.BeforeMode != f.AfterMode || !bytes.Equal(bytes.TrimSpace(f.Before), bytes.TrimSpace(f.After))
}

// fileType is a git mode without permissions: a symlink is not a file.
func fileType(mode string) string {
	if len(mode) < 3 {
		return mode
	}
	return mode[:3]
}
