package condition

import (
	"flag"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestSchemaIsDocumented keeps the tables for people what the checker knows.
func TestSchemaIsDocumented(t *testing.T) {
	const golden = "testdata/view.md"
	got := Markdown()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the view changed; run go test -run Documented -update ./bot/policy/condition (-want +got):\n%s", diff)
	}
}

// TestViewKeepsItsPromise: the values hold exactly the fields of the Schema,
// and no others; those that are there sometimes stand in the first case.
func TestViewKeepsItsPromise(t *testing.T) {
	full := onAlert()
	bare := onAlert()
	bare.Finding = nil
	for _, tt := range []struct {
		name string
		view *View
		full bool
	}{{"with everything", NewView(full), true}, {"of a command", NewView(bare), false}} {
		t.Run(tt.name, func(t *testing.T) {
			values, why := tt.view.values(true)
			if why != "" {
				t.Fatal(why)
			}
			first := func(v any) any { return v.([]any)[0] }
			revert := values["revert"].(map[string]any)
			for name, value := range map[string]any{
				"view": values, "Incident": values["incident"], "Finding": values["finding"], "Culprit": values["culprit"],
				"Revert": revert, "File": first(revert["files"]), "Object": first(revert["objects"]),
				"Target": first(values["targets"]), "Branch": values["branch"],
			} {
				fields(t, name, value.(map[string]any), tt.full)
			}
		})
	}
}

func fields(t *testing.T, name string, value map[string]any, full bool) {
	t.Helper()
	types := Schema()
	i := slices.IndexFunc(types, func(s Type) bool { return s.Name == name })
	left := maps.Clone(value)
	for _, f := range types[i].Fields {
		if _, ok := left[f.Name]; !ok && (full || !f.Sometimes) {
			t.Errorf("%s has no %s", name, f.Name)
		}
		delete(left, f.Name)
	}
	for k := range left {
		t.Errorf("%s has %s, which is not in the Schema", name, k)
	}
}
