package images

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"regexp"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// pinRenovate adds a rule that leaves one version out, after all others, since
// later rules win (https://docs.renovatebot.com/configuration-options/#packagerules).
// Where another rule limits versions it would be undone by ours, so such a
// configuration is not edited.
func pinRenovate(file []byte, u bot.ImageUpdate) ([]byte, error) {
	version, _, _ := strings.Cut(u.Bad, "@")
	if u.Image == "" || strings.HasPrefix(version, "sha256:") {
		return nil, unsafe("the change does not tell its image and tag")
	}
	before, err := object(file)
	if err != nil {
		return nil, unsafe("Renovate's configuration is not plain JSON")
	}
	rules, isList := before["packageRules"].([]any)
	if before["packageRules"] != nil && !isList {
		return nil, unsafe("packageRules in Renovate's configuration is no list")
	}
	rule := map[string]any{
		"description":       "Backout: " + version + " was taken back",
		"matchDatasources":  []any{"docker"},
		"matchPackageNames": []any{u.Image},
		"allowedVersions":   "!/^" + regexp.QuoteMeta(version) + "$/",
	}
	if limits(before, rule) {
		return nil, unsafe("Renovate's configuration limits versions already (allowedVersions), and a second rule would undo that")
	}
	after, err := insertRule(file, before["packageRules"] != nil, len(rules) == 0, len(before) == 0, rule)
	if err != nil {
		return nil, err
	}
	before["packageRules"] = append(rules, rule)
	if got, err := object(after); err != nil || !reflect.DeepEqual(got, before) {
		return nil, unsafe("Renovate's configuration could not be extended without changing something else")
	}
	return after, nil
}

// limits reports whether allowedVersions stands anywhere besides in rules of
// ours for other versions of other images.
func limits(v any, ours map[string]any) bool {
	switch t := v.(type) {
	case map[string]any:
		if d, _ := t["description"].(string); strings.HasPrefix(d, "Backout: ") && !reflect.DeepEqual(t["matchPackageNames"], ours["matchPackageNames"]) {
			return false
		}
		for k, e := range t {
			if k == "allowedVersions" || limits(e, ours) {
				return true
			}
		}
	case []any:
		for _, e := range t {
			if limits(e, ours) {
				return true
			}
		}
	}
	return false
}

// object decodes one JSON object and nothing after it; a key that stands twice
// is refused, since what it means depends on the reader.
func object(b []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	var out map[string]any
	if err := dec.Decode(&out); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) || out == nil {
		return nil, errUnsafe("it is not one object")
	}
	return out, nil
}

// insertRule writes the rule into the text: at the end of packageRules or, where
// there is none, at the beginning of the configuration.
func insertRule(file []byte, has, empty, bare bool, rule map[string]any) ([]byte, error) {
	if !has {
		open := bytes.IndexByte(file, '{')
		text, err := json.MarshalIndent(map[string]any{"packageRules": []any{rule}}, "", "  ")
		if err != nil {
			return nil, err
		}
		text = bytes.TrimSuffix(bytes.TrimPrefix(text, []byte("{")), []byte("\n}"))
		if !bare {
			text = append(text, ',')
		} else {
			text = append(text, '\n')
		}
		return splice(file, open+1, text), nil
	}
	end, err := endOfRules(file)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(rule, "    ", "  ")
	if err != nil {
		return nil, err
	}
	text = append([]byte("\n    "), text...)
	if !empty {
		text = append([]byte(","), text...)
	}
	// After the last element, before the white space that closes the list.
	last := len(bytes.TrimRight(file[:end], " \t\r\n"))
	if empty {
		text = append(text, "\n  "...)
	}
	return splice(file, last, text), nil
}

func splice(file []byte, at int, text []byte) []byte {
	return bytes.Join([][]byte{file[:at], text, file[at:]}, nil)
}

// endOfRules is where the bracket stands that closes the top-level packageRules.
func endOfRules(file []byte) (int, error) {
	dec := json.NewDecoder(bytes.NewReader(file))
	depth, inRules := 0, false
	expectKey := false
	for {
		token, err := dec.Token()
		if err != nil {
			return 0, unsafe("packageRules could not be found in the text")
		}
		switch t := token.(type) {
		case json.Delim:
			switch t {
			case '{', '[':
				depth++
			default:
				depth--
				if inRules && depth == 1 {
					return int(dec.InputOffset()) - 1, nil
				}
			}
			expectKey = depth == 1
		case string:
			if depth == 1 && expectKey {
				inRules = t == "packageRules"
				expectKey = false
				continue
			}
			expectKey = depth == 1
		default:
			expectKey = depth == 1
		}
	}
}
