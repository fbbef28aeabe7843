package images

import (
	"bytes"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"
	yaml "go.yaml.in/yaml/v3"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/manifest"
)

// pinFlux takes a tag out of the semver range of an ImagePolicy.
func pinFlux(file []byte, u bot.ImageUpdate) ([]byte, error) {
	namespace, name, _ := strings.Cut(u.Ref, ":")
	objects, err := manifest.Objects(file)
	if err != nil {
		return nil, unsafe("its file does not parse")
	}
	var spec map[string]any
	for _, o := range objects {
		if isPolicy(o, namespace, name) {
			if spec != nil {
				return nil, unsafe("ImagePolicy %s stands twice in its file", u.Ref)
			}
			spec, _ = o.Body["spec"].(map[string]any)
		}
	}
	was, ok := at(spec, "policy", "semver", "range").(string)
	if !ok {
		return nil, unsafe("ImagePolicy %s does not choose by semver, and a pattern can't say \"all but this tag\"", u.Ref)
	}
	version, err := versionOf(spec, u.Bad)
	if err != nil {
		return nil, err
	}
	is, err := excluding(was, version)
	if err != nil {
		return nil, err
	}
	return rewriteRange(file, name, was, is)
}

func at(v any, keys ...string) any {
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

// versionOf is the version that a policy takes a tag for: the tag itself, or
// what filterTags extracts from it
// (https://fluxcd.io/flux/components/image/imagepolicies/#filter-tags).
func versionOf(spec map[string]any, tag string) (*semver.Version, error) {
	tag, _, _ = strings.Cut(tag, "@")
	pattern, _ := at(spec, "filterTags", "pattern").(string)
	extract, _ := at(spec, "filterTags", "extract").(string)
	if pattern != "" {
		re, err := regexp.Compile(pattern)
		if err != nil {
			return nil, unsafe("its filterTags.pattern does not compile")
		}
		m := re.FindStringSubmatchIndex(tag)
		if m == nil {
			return nil, unsafe("its filterTags.pattern does not match %s", tag)
		}
		if extract != "" {
			tag = string(re.ExpandString(nil, extract, tag, m))
		}
	}
	v, err := semver.NewVersion(tag)
	if err != nil {
		return nil, unsafe("%s is no version", tag)
	}
	return v, nil
}

// excluding adds "!=" to every alternative of a range. Flux reads ranges with
// the library used here.
func excluding(was string, v *semver.Version) (string, error) {
	before, err := semver.NewConstraint(was)
	if err != nil {
		return "", unsafe("its range %q does not parse", was)
	}
	if !before.Check(v) {
		return "", unsafe("its range %q does not hold %s", was, v)
	}
	// Only a comparison that names a pre-release lets pre-releases pass, so a
	// "!=" without one would keep them all out.
	if pre := strings.Contains(was, "-") && !strings.Contains(was, " - "); pre != (v.Prerelease() != "") {
		return "", unsafe("its range %q mixes releases and pre-releases", was)
	}
	if v.Metadata() != "" {
		return "", unsafe("%s has build metadata, which ranges do not compare", v)
	}
	alternatives := strings.Split(was, "||")
	for i, a := range alternatives {
		alternatives[i] = strings.TrimSpace(a) + ", !=" + v.String()
	}
	is := strings.Join(alternatives, " || ")
	after, err := semver.NewConstraint(is)
	if err != nil || after.Check(v) || !likewise(before, after, v) {
		return "", unsafe("its range %q can't be extended safely", was)
	}
	return is, nil
}

// likewise reports whether two ranges agree on the neighbours of a version.
func likewise(before, after *semver.Constraints, v *semver.Version) bool {
	for _, n := range []semver.Version{v.IncPatch(), v.IncMinor(), v.IncMajor()} {
		if n.Equal(v) {
			continue
		}
		if before.Check(&n) != after.Check(&n) {
			return false
		}
	}
	for _, text := range []string{"0.0.1", "0.1.0", "1.0.0", "2.0.0", fmt.Sprintf("%d.%d.0", v.Major(), v.Minor()), fmt.Sprintf("%d.0.0", v.Major())} {
		n := semver.MustParse(text)
		if !n.Equal(v) && before.Check(n) != after.Check(n) {
			return false
		}
	}
	return true
}

// rewriteRange replaces the one scalar, and checks that nothing else changed.
func rewriteRange(file []byte, name, was, is string) ([]byte, error) {
	node, err := rangeNode(file, name)
	if err != nil {
		return nil, err
	}
	lines := bytes.SplitAfter(file, []byte("\n"))
	if node == nil || node.Line < 1 || node.Line > len(lines) || node.Anchor != "" {
		return nil, unsafe("its range could not be found in the text")
	}
	line := string(lines[node.Line-1])
	forms := map[yaml.Style]string{yaml.SingleQuotedStyle: "'" + was + "'", yaml.DoubleQuotedStyle: `"` + was + `"`, 0: was}
	old, known := forms[node.Style]
	column := node.Column - 1
	if !known || column > len(line) || !strings.HasPrefix(line[column:], old) || strings.ContainsAny(is, `'"\`) {
		return nil, unsafe("its range is written in a way that Backout does not edit")
	}
	quoted := "'" + is + "'"
	if node.Style == yaml.DoubleQuotedStyle {
		quoted = `"` + is + `"`
	}
	lines[node.Line-1] = []byte(line[:column] + quoted + line[column+len(old):])
	out := bytes.Join(lines, nil)
	return out, sameButRange(file, out, name, is)
}

// rangeNode is where spec.policy.semver.range of a policy stands.
func rangeNode(file []byte, name string) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(file))
	for {
		var doc yaml.Node
		if err := dec.Decode(&doc); err != nil {
			return nil, unsafe("its range could not be found in the text")
		}
		if len(doc.Content) == 0 {
			continue
		}
		root := doc.Content[0]
		kind, meta := child(root, "kind"), child(child(root, "metadata"), "name")
		if kind == nil || meta == nil || kind.Value != "ImagePolicy" || meta.Value != name {
			continue
		}
		return child(child(child(child(root, "spec"), "policy"), "semver"), "range"), nil
	}
}

func child(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key && n.Content[i+1].Kind != yaml.AliasNode {
			return n.Content[i+1]
		}
	}
	return nil
}

// sameButRange reads the result back: the range is as wanted and the rest as it
// was.
func sameButRange(before, after []byte, name, want string) error {
	was, errWas := manifest.Objects(before)
	is, errIs := manifest.Objects(after)
	bad := unsafe("its range could not be replaced without changing something else")
	if errWas != nil || errIs != nil || len(was) != len(is) {
		return bad
	}
	for i := range was {
		if was[i].Kind == "ImagePolicy" && was[i].Name == name {
			semver, _ := at(was[i].Body, "spec", "policy", "semver").(map[string]any)
			if semver == nil {
				return bad
			}
			semver["range"] = want
		}
		if !reflect.DeepEqual(was[i], is[i]) {
			return bad
		}
	}
	return nil
}
