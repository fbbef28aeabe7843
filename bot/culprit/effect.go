package culprit

import (
	"bytes"
	"path"
	"reflect"
	"strings"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/manifest"
)

// documentation are the endings of files that no control plane applies.
var documentation = []string{".md", ".markdown", ".rst", ".adoc", ".txt", ".png", ".jpg", ".svg"}

// InEffect implements bot.Ranker. A file that can't be understood counts as in
// effect: overlooking a culprit is worse than showing one suspect more.
func (Ranker) InEffect(f bot.FileChange) bool {
	ext := strings.ToLower(path.Ext(f.Path))
	for _, doc := range documentation {
		if ext == doc {
			return false
		}
	}
	switch base := path.Base(f.Path); base {
	case "LICENSE", "OWNERS", "CODEOWNERS", ".gitignore", ".editorconfig":
		return false
	}
	if f.Before == nil || f.After == nil {
		return true
	}
	if manifest.IsFile(f.Path) {
		before, errB := manifest.Documents(f.Before)
		after, errA := manifest.Documents(f.After)
		if errA == nil && errB == nil {
			return !reflect.DeepEqual(before, after)
		}
	}
	return !bytes.Equal(bytes.TrimSpace(f.Before), bytes.TrimSpace(f.After)) || f.BeforeMode != f.AfterMode
}
