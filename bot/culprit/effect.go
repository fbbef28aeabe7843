package culprit

import (
	"bytes"
	"path"
	"reflect"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/backout-dev/backout/bot"
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
	if isYAML(f.Path) {
		before, errB := documents(f.Before)
		after, errA := documents(f.After)
		if errA == nil && errB == nil {
			return !reflect.DeepEqual(before, after)
		}
	}
	return !bytes.Equal(bytes.TrimSpace(f.Before), bytes.TrimSpace(f.After)) || f.BeforeMode != f.AfterMode
}

func isYAML(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".yaml" || ext == ".yml" || ext == ".json"
}

// documents decodes every document of a YAML file; empty ones are left out, so
// that comments and separators do not count.
func documents(b []byte) ([]any, error) {
	var out []any
	for _, part := range split(b) {
		var v any
		if err := yaml.Unmarshal(part, &v); err != nil {
			return nil, err
		}
		if v != nil {
			out = append(out, v)
		}
	}
	return out, nil
}

// split cuts a YAML stream at its document separators.
func split(b []byte) [][]byte {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	var out [][]byte
	var part []byte
	for line := range bytes.Lines(b) {
		if bytes.HasPrefix(line, []byte("---")) {
			out, part = append(out, part), nil
			continue
		}
		part = append(part, line...)
	}
	return append(out, part)
}
