package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// names shows objects as "Kind namespace/name", or with what is known of it.
func names(objects []Object) []string {
	var out []string
	for _, o := range objects {
		out = append(out, strings.TrimPrefix(o.Kind+" "+o.Namespace+"/"+o.Name, " "))
	}
	return out
}

func TestObjects(t *testing.T) {
	tests := []struct {
		name, file string
		want       []string
	}{
		{"nothing", "", nil},
		{"comments only", "# a\n---\n# b\n", nil},
		{"one", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}", []string{"Deployment shop/web"}},
		{"several", "kind: A\n---\nkind: B\n---\n\n---\nkind: C\n", []string{"A /", "B /", "C /"}},
		{"content beside the separator", "kind: A\n--- {kind: B}\n--- # B\nkind: C\n", []string{"A /", "B /", "C /"}},
		{"a directive", "%YAML 1.1\n---\nkind: A\n...\n%YAML 1.1\n---\nkind: B\n", []string{"A /", "B /"}},
		{"an end mark", "kind: A\n...\n---\nkind: B\n", []string{"A /", "B /"}},
		{"Windows line ends", "kind: A\r\n---\r\nkind: B\r\n", []string{"A /", "B /"}},
		{"old Mac line ends", "kind: A\r---\rkind: B\r", []string{"A /", "B /"}},
		{"Unicode line ends", "kind: A\u2028---\u2028kind: B\u2028", []string{"A /", "B /"}},
		{"a byte order mark", "\ufeffkind: A\n", []string{"A /"}},
		{"dashes in a text are no separator", "kind: ConfigMap\ndata:\n  a: |\n    ---\n    kind: Fake\n", []string{"ConfigMap /"}},
		{"JSON", `{"kind": "A", "metadata": {"name": "x"}}`, []string{"A /x"}},
		{"a list", "kind: List\nitems:\n- kind: A\n- kind: B\n", []string{"A /", "B /"}},
		{"a typed list in a list", "kind: List\nitems:\n- kind: ConfigMapList\n  items: [{kind: A}]\n- kind: B\n", []string{"A /", "B /"}},
		{"items do not hide an object", "kind: StatefulSet\nitems: [{kind: A}]\n", []string{"A /", "StatefulSet /"}},
		{"a List that is none", "kind: AccessList\nspec: {}\n", []string{"AccessList /"}},
		{"no kind", "image: {tag: v1}\n", nil},
		{"not even a map", "- a\n---\n1\n", nil},
		{"odd types", "kind: [A]\n---\nkind: B\nmetadata: x\n---\nkind: C\nmetadata: {name: 1}\n", []string{"B /", "C /"}},
		{"anchors", "kind: A\nmetadata: &m {name: x}\n---\nkind: B\nmetadata: {name: w}\n", []string{"A /x", "B /w"}},
		{"the last of a key that stands twice counts", "kind: A\nkind: B\n", []string{"B /"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Objects([]byte(tt.file))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, names(got)); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
		})
	}
}

func TestObjectsThatDoNotParse(t *testing.T) {
	for _, file := range []string{
		"kind: {{ .Values.kind }}\n",
		"{{- if .Values.on }}\nkind: A\n{{- end }}\n",
		"kind: A\n---\n\tkind: B\n",
		"a: [",
		"{1: a, \"1\": b}",
		"\x00",
		"a: *unknown",
	} {
		if got, err := Objects([]byte(file)); err == nil {
			t.Errorf("%q parsed as %v", file, names(got))
		}
	}
}

func TestAnnotation(t *testing.T) {
	objects, err := Objects([]byte("kind: Job\nmetadata: {annotations: {helm.sh/hook: pre-install, weight: 5}}"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		value string
		ok    bool
	}{
		"helm.sh/hook": {"pre-install", true},
		"weight":       {"", true}, // there, though no text
		"other":        {"", false},
	} {
		if value, ok := objects[0].Annotation(name); value != want.value || ok != want.ok {
			t.Errorf("annotation %s is %q, %v; want %q, %v", name, value, ok, want.value, want.ok)
		}
	}
	if _, ok := (Object{}).Annotation("a"); ok {
		t.Error("an object without a body has an annotation")
	}
}

func TestGroup(t *testing.T) {
	for version, want := range map[string]string{"v1": "", "apps/v1": "apps", "": "", "a.b/v1beta1": "a.b"} {
		if got := (Object{APIVersion: version}).Group(); got != want {
			t.Errorf("group of %q is %q, want %q", version, got, want)
		}
	}
}

func TestIsFile(t *testing.T) {
	for name, want := range map[string]bool{
		"a.yaml": true, "a/b.yml": true, "A.YAML": true, "a.json": true,
		"a.tpl": false, "yaml": false, "README.md": false, "": false, "a.yaml.bak": false,
	} {
		if IsFile(name) != want {
			t.Errorf("IsFile(%q) is %v", name, !want)
		}
	}
}
