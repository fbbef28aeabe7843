package policy

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

var schemaFile = filepath.Join("..", "..", "docs", "schema", "backout-policy.json")

func TestSchemaIsUpToDate(t *testing.T) {
	if *update {
		if err := os.WriteFile(schemaFile, Schema(), 0o644); err != nil { //nolint:gosec // a file for everybody
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, Schema()) {
		t.Errorf("%s is out of date: go test ./bot/policy -run TestSchema -update", schemaFile)
	}
}

// validator judges documents by the schema.
func validator(t testing.TB) func(text string) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("policy.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(text string) error {
		b, err := yaml.YAMLToJSONStrict([]byte(text))
		if err != nil {
			return err
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			return err
		}
		return s.Validate(v)
	}
}

// TestDocumentedFiles: every policy file on the page is good, by the schema and
// by the loader; the full one names every key.
func TestDocumentedFiles(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "policy.md"))
	if err != nil {
		t.Fatal(err)
	}
	valid := validator(t)
	files := regexp.MustCompile("(?s)```yaml\n(version: 1\n.*?)```").FindAllSubmatch(b, -1)
	if len(files) != 3 {
		t.Errorf("%d policy files on the page", len(files))
	}
	most := 0
	for _, m := range append(files, [][]byte{nil, []byte(example)}) {
		text := string(m[1])
		if err := valid(text); err != nil {
			t.Errorf("%v in\n%s", err, text)
		}
		f, _, problems := ParseFile([]byte(text), nil)
		if len(problems) > 0 {
			t.Errorf("%v in\n%s", problems, text)
		}
		said := 0
		for key := range values(Default()) {
			if f.Defaults.says(key) {
				said++
			} else if len(text) > 1000 && f.Defaults.says("approvers") && !regexp.MustCompile(`^guards\.`).MatchString(key) {
				t.Errorf("the full file does not name %s", key)
			}
		}
		most = max(most, said)
	}
	if most < 20 {
		t.Errorf("the fullest file names %d settings", most)
	}
}

// TestSchemaAndLoaderAgree: what the one refuses by its form, the other does.
func TestSchemaAndLoaderAgree(t *testing.T) {
	valid := validator(t)
	for text, good := range map[string]bool{
		"version: 1":                                    true,
		"version: 1\ndefaults: {}\napps: []":            true,
		"{}":                                            false,
		"version: 2":                                    false,
		"version: 1\nlimits: {}":                        false,
		"version: 1\ndefaults: {alerts: yolo}":          false,
		"version: 1\ndefaults: {per_day: -1}":           false,
		"version: 1\ndefaults: {per_day: many}":         false,
		"version: 1\ndefaults: {cooldown: 5}":           false,
		"version: 1\ndefaults: {cooldown: 1 day}":       false,
		"version: 1\ndefaults: {cooldown: 1h30m}":       true,
		"version: 1\ndefaults: {guards: {bypass: act}}": false,
		"version: 1\ndefaults: {guards: {stateful: act, cooldown: refuse}}":                    true,
		"version: 1\ndefaults: {guards: {statefull: ask}}":                                     false,
		"version: 1\ndefaults: {approvers: [codeowners, '@a/b']}":                              true,
		"version: 1\ndefaults: {commanders: [codeowners]}":                                     false,
		"version: 1\ndefaults: {freezes: [{cron: '0 0 * * *'}]}":                               false,
		"version: 1\ndefaults: {custom_guards: [{name: a, when: 'true', verb: act, text: t}]}": false,
		"version: 1\ndefaults: {checks: [{name: a, query: up, operator: '~'}]}":                false,
		"version: 1\napps: [{alerts: auto}]":                                                   false,
		"version: 1\napps: [{match: web}]":                                                     false,
	} {
		bySchema := valid(text)
		_, _, problems := ParseFile([]byte(text), nil)
		if (bySchema == nil) != good || (len(problems) == 0) != good {
			t.Errorf("%s\nshould be good: %v; schema: %v; loader: %v", text, good, bySchema, problems)
		}
	}
}

// TestSchemaDescribesEveryKey, so that editors can show it.
func TestSchemaDescribesEveryKey(t *testing.T) {
	var s struct {
		Properties map[string]struct {
			Description string
			Properties  map[string]struct{ Description string }
		}
	}
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	for key, p := range s.Properties {
		if p.Description == "" {
			t.Errorf("%s has no description", key)
		}
		for sub, q := range p.Properties {
			if q.Description == "" {
				t.Errorf("%s.%s has no description", key, sub)
			}
		}
	}
	if len(s.Properties["defaults"].Properties) < 20 {
		t.Errorf("%d settings", len(s.Properties["defaults"].Properties))
	}
}
