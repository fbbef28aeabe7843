package app

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/bot/strict"
)

// documentation is docs/configuration.md.
func documentation(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// examples are the YAML blocks in it: the least that is enough, the full one,
// and one for Alertmanager.
func examples(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(documentation(t), -1) {
		out = append(out, m[1])
	}
	if len(out) != 3 {
		t.Fatalf("%d YAML blocks", len(out))
	}
	return out
}

func TestDocumentedExamples(t *testing.T) {
	for _, text := range examples(t)[:2] {
		if _, err := ParseConfig([]byte(text)); err != nil {
			t.Errorf("%v in\n%s", err, text)
		}
	}
}

// keysOf lists every key that a type is decoded from, as "a.b[].c".
func keysOf(t reflect.Type, path string) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t.Kind() == reflect.Slice:
		return keysOf(t.Elem(), path+"[]")
	case t.Kind() != reflect.Struct:
		return nil
	}
	var out []string
	for name, f := range strict.Fields(t) {
		key := strings.TrimPrefix(path+"."+name, ".")
		out = append(append(out, key), keysOf(f, key)...)
	}
	slices.Sort(out)
	return out
}

// keysIn lists the keys of a document in the same form.
func keysIn(n *yaml.Node, path string, into map[string]bool) {
	switch n.Kind {
	case yaml.DocumentNode:
		keysIn(n.Content[0], path, into)
	case yaml.SequenceNode:
		for _, c := range n.Content {
			keysIn(c, path+"[]", into)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := strings.TrimPrefix(path+"."+n.Content[i].Value, ".")
			into[key] = true
			keysIn(n.Content[i+1], key, into)
		}
	}
}

// TestEveryKeyIsDocumented, with a row of its own, and stands in the full
// example. Sections are told by their keys, and what an entry of policy.apps, or
// a limit, has in common with policy.defaults is told there.
func TestEveryKeyIsDocumented(t *testing.T) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(examples(t)[1]), &doc); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	keysIn(&doc, "", used)
	all := keysOf(reflect.TypeFor[Config](), "")
	leaf := func(key string) bool {
		return !slices.ContainsFunc(all, func(k string) bool { return strings.HasPrefix(k, key+".") || strings.HasPrefix(k, key+"[]") })
	}
	text := documentation(t)
	for _, key := range all {
		if toldElsewhere(key) || !leaf(key) {
			continue
		}
		if n := strings.Count(text, "\n| `"+key+"` |"); n != 1 {
			t.Errorf("%s has %d rows in docs/configuration.md", key, n)
		}
		if !used[key] {
			t.Errorf("%s is not in the full example of docs/configuration.md", key)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(text, -1) {
		if !slices.Contains(all, m[1]) {
			t.Errorf("docs/configuration.md documents %s, which is no key", m[1])
		}
	}
}

func toldElsewhere(key string) bool {
	for _, section := range []string{"policy.apps[].", "policy.limits.apps[].", "policy.limits.custom_guards[].", "policy.limits.freezes[]."} {
		if strings.HasPrefix(key, section) && key != section+"match" {
			return true
		}
	}
	return false
}

// TestDocumentedDefaults: what the page calls the default is the default.
func TestDocumentedDefaults(t *testing.T) {
	c, err := ParseConfig([]byte(examples(t)[0]))
	if err != nil {
		t.Fatal(err)
	}
	p := policyOf(t, c)
	want := map[string]string{
		"record_every": duration(c.RecordEvery), "janitor_every": duration(c.JanitorEvery), "listen.public": c.Listen.Public, "listen.internal": c.Listen.Internal,
		"log.level": c.Log.Level, "log.format": c.Log.Format, "github.web_url": c.GitHub.WebURL,
		"github.sweep_every": duration(c.GitHub.SweepEvery), "github.sweep_back": duration(c.GitHub.SweepBack), "github.freeze_label": c.GitHub.FreezeLabel, "alertmanager.max_for": duration(c.Alertmanager.MaxFor),
	}
	for key, v := range p {
		want["policy.defaults."+key] = v
	}
	got := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|.*\\| `([^`]+)` \\|$").FindAllStringSubmatch(documentation(t), -1) {
		if _, ok := want[m[1]]; ok {
			got[m[1]] = m[2]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("defaults (-code +page):\n%s", diff)
	}
}

// duration is written as people write it.
func duration[T ~int64](d T) string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// policyOf is the policy of an App that no entry speaks of, by its keys.
func policyOf(t *testing.T, c Config) map[string]string {
	t.Helper()
	judge, err := policy.Open(c.Policy, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := judge.Rules(bot.PolicyFile{}).Policy()
	return map[string]string{
		"alerts": string(p.Alerts), "commands": string(p.Commands), "hold": p.Hold, "unprotected": p.Unprotected, "merge": p.Merge,
		"mitigate": p.Mitigate, "images": p.Images, "cooldown": duration(p.Cooldown), "break_after": strconv.Itoa(p.BreakAfter),
		"max_affected": strconv.Itoa(p.MaxAffected), "per_day": strconv.Itoa(p.PerDay), "blame_window": duration(p.BlameWindow), "hold_for": duration(p.HoldFor),
		"approve_within": duration(p.ApproveWithin), "merge_within": duration(p.MergeWithin), "sync_within": duration(p.SyncWithin), "verify_within": duration(p.VerifyWithin),
	}
}
