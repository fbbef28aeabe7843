package images

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/Masterminds/semver/v3"

	"github.com/backout-dev/backout/bot"
)

const imagePolicy = `# the image of the shop
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata:
  name: web
  namespace: flux-system
spec:
  imageRepositoryRef:
    name: web
  policy:
    semver:
      range: RANGE # people read this
---
kind: ConfigMap
data: {range: RANGE}
`

func fluxUpdate(bad string) bot.ImageUpdate {
	return bot.ImageUpdate{By: bot.ImageFlux, Ref: "flux-system:web", Image: "ghcr.io/acme/web", Bad: bad, Good: "v0", Path: "apps/web.yaml"}
}

func renovateUpdate(image, bad string) bot.ImageUpdate {
	return bot.ImageUpdate{By: bot.ImageRenovate, Image: image, Bad: bad, Good: "v0", Path: "apps/web.yaml"}
}

func tree(files ...string) fstest.MapFS {
	out := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		out[files[i]] = &fstest.MapFile{Data: []byte(files[i+1]), Mode: 0o644}
	}
	return out
}

func pin(t *testing.T, tree fs.FS, updates ...bot.ImageUpdate) []Pin {
	t.Helper()
	pins, err := Pins(tree, updates)
	if err != nil || len(pins) != len(updates) {
		t.Fatalf("%v, %v", pins, err)
	}
	return pins
}

func TestPinFlux(t *testing.T) {
	for _, tt := range []struct{ name, was, bad, is string }{
		{"a plain range", "1.x", "1.4.2", "'1.x, !=1.4.2'"},
		{"a v before it", "1.x", "v1.4.2", "'1.x, !=1.4.2'"},
		{"a digest after it", "1.x", "1.4.2@sha256:aa", "'1.x, !=1.4.2'"},
		{"single quotes", "'>=1.0.0'", "1.4.2", "'>=1.0.0, !=1.4.2'"},
		{"double quotes", `">=1.0.0 <2.0.0"`, "1.4.2", `">=1.0.0 <2.0.0, !=1.4.2"`},
		{"alternatives", "'1.x || 3.x'", "3.4.2", "'1.x, !=3.4.2 || 3.x, !=3.4.2'"},
		{"a hyphen range", "1.0 - 1.9", "1.4.2", "'1.0 - 1.9, !=1.4.2'"},
		{"a second bad tag", "'1.x, !=1.4.1'", "1.4.2", "'1.x, !=1.4.1, !=1.4.2'"},
		{"a pre-release", "'>=1.0.0-0'", "1.4.2-rc.1", "'>=1.0.0-0, !=1.4.2-rc.1'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := tree("infra/policy.yaml", strings.ReplaceAll(imagePolicy, "RANGE", tt.was), "apps/web.yaml", "kind: Deployment")
			p := pin(t, files, fluxUpdate(tt.bad))[0]
			if p.File == nil {
				t.Fatalf("no edit: %s", p.Text)
			}
			want := strings.Replace(strings.ReplaceAll(imagePolicy, "RANGE", tt.was), "range: "+tt.was+" #", "range: "+tt.is+" #", 1)
			if got := string(p.File.After); got != want || p.File.Path != "infra/policy.yaml" || string(p.File.Before) == got {
				t.Errorf("%s is\n%s", p.File.Path, got)
			}
			if !strings.Contains(p.Text, "no longer chooses "+tt.bad) || !strings.Contains(p.Text, "infra/policy.yaml") {
				t.Errorf("text: %s", p.Text)
			}
		})
	}
}

// TestNoPinWhereItIsNotSafe: nothing is edited, and people read why and what to
// do.
func TestNoPinWhereItIsNotSafe(t *testing.T) {
	policy := func(was string) string { return strings.ReplaceAll(imagePolicy, "RANGE", was) }
	replaced := func(old, text string) string { return strings.Replace(policy("1.x"), old, text, 1) }
	const rules = `{"packageRules": [{"matchPackageNames": ["x"], "allowedVersions": "<2"}]}`
	flux, renovate := fluxUpdate("1.4.2"), renovateUpdate("ghcr.io/acme/web", "v2")
	for _, tt := range []struct {
		name  string
		files fstest.MapFS
		u     bot.ImageUpdate
		why   string
	}{
		{"the policy is elsewhere", tree("a.yaml", "kind: ImagePolicy"), flux, "not in this repository"},
		{"a policy of another name", tree("a.yaml", replaced("  name: web\n  namespace", "  name: other\n  namespace")), flux, "not in this repository"},
		{"a policy of another namespace", tree("a.yaml", replaced("namespace: flux-system", "namespace: other")), flux, "not in this repository"},
		{"two policies of the name", tree("a.yaml", policy("1.x"), "b.yaml", replaced("  namespace: flux-system\n", "")), flux, "stands in `a.yaml` and in `b.yaml`"},
		{"twice in a file", tree("a.yaml", policy("1.x")+"---\n"+policy("1.x")), flux, "stands twice"},
		{"alphabetical", tree("a.yaml", replaced("semver:\n      range: 1.x", "alphabetical:\n      order: asc")), flux, "does not choose by semver"},
		{"a pattern that does not match", tree("a.yaml", replaced("spec:\n", "spec:\n  filterTags: {pattern: '^x'}\n")), flux, "does not match 1.4.2"},
		{"a pattern that does not compile", tree("a.yaml", replaced("spec:\n", "spec:\n  filterTags: {pattern: '('}\n")), flux, "does not compile"},
		{"no version", tree("a.yaml", policy("1.x")), fluxUpdate("latest"), "latest is no version"},
		{"a range that does not parse", tree("a.yaml", policy("one")), flux, "does not parse"},
		{"a range without the tag", tree("a.yaml", policy("2.x")), flux, "does not hold 1.4.2"},
		{"releases among pre-releases", tree("a.yaml", policy("'>=1.0.0-0'")), flux, "mixes releases"},
		{"an anchor", tree("a.yaml", policy("&r 1.x")), flux, "could not be found in the text"},
		{"an escaped text", tree("a.yaml", policy(`"1\u002ex"`)), flux, "does not edit"},
		{"a folded text", tree("a.yaml", strings.Replace(strings.Split(policy(">-\n        1.x"), "---")[0], " # people read this", "", 1)), flux, "does not edit"},
		{"a link", fstest.MapFS{"renovate.json": {Data: []byte("{}"), Mode: fs.ModeSymlink}}, renovate, "is a link"},
		{"no configuration of Renovate", tree(), renovate, "no configuration of Renovate"},
		{"JSON5", tree("renovate.json5", "{}"), renovate, "is JSON5"},
		{"comments", tree("renovate.json", "{} // x"), renovate, "not plain JSON"},
		{"a list", tree("renovate.json", "[]"), renovate, "not plain JSON"},
		{"rules that are no list", tree("renovate.json", `{"packageRules": {}}`), renovate, "no list"},
		{"versions limited in a rule", tree("renovate.json", rules), renovate, "allowedVersions"},
		{"versions limited for all", tree("renovate.json", `{"allowedVersions": "<2"}`), renovate, "allowedVersions"},
		{"no image", tree("renovate.json", "{}"), renovateUpdate("", "v2"), "does not tell its image"},
		{"a digest", tree("renovate.json", "{}"), renovateUpdate("web", "sha256:aa"), "does not tell its image"},
		{"Dependabot", tree(), bot.ImageUpdate{By: bot.ImageDependabot, Bad: "v2"}, "@dependabot ignore"},
		{"Argo CD", tree(), bot.ImageUpdate{By: bot.ImageArgo, Ref: "web", Bad: "v2"}, "ignore-tags of Application web"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := pin(t, tt.files, tt.u)[0]
			if p.File != nil {
				t.Fatalf("edited:\n%s", p.File.After)
			}
			if !strings.Contains(p.Text, tt.why) || !strings.Contains(p.Text, "is not kept out, since ") || !strings.Contains(p.Text, "To keep it out") {
				t.Errorf("text: %s", p.Text)
			}
		})
	}
}

// TestPinFluxExtracted: what filterTags extracts is what the range compares.
func TestPinFluxExtracted(t *testing.T) {
	text := strings.Replace(strings.ReplaceAll(imagePolicy, "RANGE", "1.x"), "spec:\n", "spec:\n  filterTags: {pattern: '^main-(?P<v>.*)$', extract: $v}\n", 1)
	p := pin(t, tree("a.yaml", text), fluxUpdate("main-1.4.2"))[0]
	if p.File == nil || !strings.Contains(string(p.File.After), "range: '1.x, !=1.4.2' # people") {
		t.Errorf("%s", p.Text)
	}
}

func TestPinRenovate(t *testing.T) {
	const rule = `"allowedVersions": "!/^v2\\.0$/"`
	for name, file := range map[string]string{
		"no rules":      "{\n  \"extends\": [\"config:recommended\"]\n}\n",
		"nothing":       "{}\n",
		"no rules yet":  "{\n  \"packageRules\": [\n  ],\n  \"labels\": [\"packageRules\", \"]\"]\n}",
		"empty rules":   `{"packageRules":[],"x":{"packageRules":[1]}}`,
		"other rules":   "{\n  \"$schema\": \"packageRules\",\n  \"x\": {\"packageRules\": [2]},\n  \"packageRules\": [\n    {\"matchPackageNames\": [\"]\"]},\n    {\"enabled\": true}\n  ]\n}\n",
		"rules at once": `{"automerge":true,"packageRules":[{"a":[1,[2]]}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			p := pin(t, tree(".github/renovate.json", file), renovateUpdate("ghcr.io/acme/web", "v2.0"))[0]
			if p.File == nil {
				t.Fatal(p.Text)
			}
			got := string(p.File.After)
			after, err := object(p.File.After)
			if err != nil {
				t.Fatalf("%v in:\n%s", err, got)
			}
			rules, _ := after["packageRules"].([]any)
			if len(rules) == 0 || rules[len(rules)-1].(map[string]any)["allowedVersions"] != `!/^v2\.0$/` || !strings.Contains(got, rule) {
				t.Errorf("the last rule is not ours:\n%s", got)
			}
			// What stood there stands there still: something was put in between.
			same := 0
			for same < len(file) && file[same] == got[same] {
				same++
			}
			if !strings.HasSuffix(got, file[same:]) {
				t.Errorf("more than an insertion:\n%s", got)
			}
		})
	}
}

// TestPinsOfOneFile: two tags of one file are one change.
func TestPinsOfOneFile(t *testing.T) {
	pins := pin(t, tree("renovate.json", `{"packageRules": []}`), renovateUpdate("a", "v2"), renovateUpdate("b", "v3"))
	for i, p := range pins {
		if p.File == nil {
			t.Fatalf("%d: %s", i, p.Text)
		}
	}
	got, err := object(pins[1].File.After)
	if rules, _ := got["packageRules"].([]any); err != nil || len(rules) != 2 || string(pins[1].File.Before) != `{"packageRules": []}` {
		t.Errorf("%v in:\n%s", err, pins[1].File.After)
	}
}

// brokenFS fails to read one file.
type brokenFS struct{ fstest.MapFS }

func (b brokenFS) ReadFile(name string) ([]byte, error) {
	if name == "a.yaml" {
		return nil, errors.New("gone away")
	}
	return b.MapFS.ReadFile(name)
}

// TestTreeThatCannotBeRead is an error, not a policy that is not there.
func TestTreeThatCannotBeRead(t *testing.T) {
	if pins, err := Pins(brokenFS{tree("a.yaml", "kind: ImagePolicy")}, []bot.ImageUpdate{fluxUpdate("1.4.2")}); err == nil {
		t.Errorf("%+v", pins)
	}
}

// FuzzExcluding: a range that was extended lets through what it did, but for the
// one version.
func FuzzExcluding(f *testing.F) {
	for _, s := range [][3]string{{"1.x", "1.4.2", "1.5.0"}, {"1.x || >=3.0.0-0", "3.1.0-rc.1", "3.2.0"}, {"^1.2", "1.4.2", "1.4.3"}, {"1 - 2", "1.4.2", "2.0.0"}, {"~1,!=1.0", "1.4.2", "1.4.2-rc1"}} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, was, bad, other string) {
		v, err := semver.NewVersion(bad)
		if err != nil {
			return
		}
		is, err := excluding(was, v)
		if err != nil {
			return
		}
		before, errBefore := semver.NewConstraint(was)
		after, errAfter := semver.NewConstraint(is)
		if errBefore != nil || errAfter != nil || after.Check(v) {
			t.Fatalf("%q without %s is %q: %v, %v", was, bad, is, errBefore, errAfter)
		}
		o, err := semver.NewVersion(other)
		if err != nil || o.Equal(v) {
			return
		}
		if before.Check(o) != after.Check(o) {
			t.Errorf("%q without %s is %q, which differs for %s", was, bad, is, other)
		}
	})
}

// FuzzPin: whatever stands in a file, an edit changes only what it says.
func FuzzPin(f *testing.F) {
	f.Add([]byte(strings.ReplaceAll(imagePolicy, "RANGE", "1.x")))
	f.Add([]byte(`{"packageRules": [{"a": "]"}], "b": {}}`))
	f.Add([]byte("{\"a\": 1}\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if after, err := pinRenovate(file, renovateUpdate("web", "v2")); err == nil {
			if again, err := pinRenovate(after, renovateUpdate("web", "v3")); err == nil {
				t.Errorf("a second rule for one image:\n%s", again)
			}
		}
		after, err := pinFlux(file, fluxUpdate("1.4.2"))
		if err != nil {
			return
		}
		if _, err := pinFlux(after, fluxUpdate("1.4.2")); err == nil {
			t.Errorf("it can be pinned twice:\n%s", after)
		}
	})
}
