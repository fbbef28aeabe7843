package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// kinds of differences, as "+Kind", "-Kind" and "~Kind" with the name.
func differences(diffs []Difference) []string {
	var out []string
	for _, d := range diffs {
		mark := "~"
		switch {
		case d.Before == nil:
			mark = "+"
		case d.After == nil:
			mark = "-"
		}
		out = append(out, mark+d.Object().Kind+" "+d.Object().Name)
	}
	return out
}

const two = "kind: A\nmetadata: {name: x}\nspec: {a: 1, b: 2}\n---\nkind: B\nmetadata: {name: w}\n"

func TestDiff(t *testing.T) {
	tests := []struct {
		name, before, after string
		want                []string
	}{
		{"the same", two, two, nil},
		{"comments and key order", two, "# new\nmetadata:\n  name: x\nspec:\n  b: 2 # two\n  a: 1\nkind: A\n---\n" + "kind: B\nmetadata: {name: 'w'}\n", nil},
		{"order of objects", two, "kind: B\nmetadata: {name: w}\n---\nkind: A\nmetadata: {name: x}\nspec: {a: 1, b: 2}\n", nil},
		{"a field", two, strings.Replace(two, "b: 2", "b: 3", 1), []string{"~A x"}},
		{"the type of a field", two, strings.Replace(two, "b: 2", `b: "2"`, 1), []string{"~A x"}},
		{"numbers beyond a float's precision", "kind: A\nn: 12345678901234567\n", "kind: A\nn: 12345678901234568\n", []string{"~A "}},
		{"gone and come", two, "kind: A\nmetadata: {name: x}\nspec: {a: 1, b: 2}\n---\nkind: C\nmetadata: {name: z}\n", []string{"+C z", "-B w"}},
		{"a new file", "", two, []string{"+A x", "+B w"}},
		{"a deleted file", two, "", []string{"-A x", "-B w"}},
		{"another name is another object", "kind: A\nmetadata: {name: x}\n", "kind: A\nmetadata: {name: z}\n", []string{"+A z", "-A x"}},
		{"another namespace, too", "kind: A\nmetadata: {namespace: p}\n", "kind: A\nmetadata: {namespace: q}\n", []string{"+A ", "-A "}},
		{"another group, too", "kind: A\napiVersion: g/v1\n", "kind: A\napiVersion: h/v1\n", []string{"+A ", "-A "}},
		{"another version is not", "kind: A\napiVersion: g/v1beta1\n", "kind: A\napiVersion: g/v1\n", []string{"~A "}},
		{"one of those that can't be told apart", "kind: J\nn: 1\n---\nkind: J\nn: 2\n", "kind: J\nn: 1\n---\nkind: J\nn: 1\n", []string{"~J "}},
		{"fewer of those", "kind: J\n---\nkind: J\n", "kind: J\n", []string{"-J "}},
		{"into a list", "kind: A\nmetadata: {name: x}\n", "kind: List\nitems: [{kind: A, metadata: {name: x}}]\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Diff([]byte(tt.before), []byte(tt.after))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, differences(got)); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDiffTellsWhichVersionDoesNotParse(t *testing.T) {
	for _, files := range [][2]string{{"a: [", "kind: A"}, {"kind: A", "a: ["}} {
		if _, err := Diff([]byte(files[0]), []byte(files[1])); err == nil || !strings.Contains(err.Error(), "document 1") {
			t.Errorf("Diff(%q, %q) answers %v", files[0], files[1], err)
		}
	}
}

// TestDiffIsLinear fails by its deadline where objects are compared each with
// each: anybody may commit a file of many small objects.
func TestDiffIsLinear(t *testing.T) {
	many := []byte(strings.Repeat("kind: A\n---\n", 30_000))
	got, err := Diff(many, append([]byte("kind: B\n---\n"), many...))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"+B "}, differences(got)); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
}

func TestSame(t *testing.T) {
	for _, tt := range []struct {
		before, after string
		same, ok      bool
	}{
		{two, "# comment\n" + two, true, true},
		{two, "", false, true},
		{"", "# nothing\n", true, true},
		{"a: [1, 2]", "a: [2, 1]", false, true},
		{"a: [", "a: [", false, false},
		{"a: 1", "a: [", false, false},
	} {
		if same, err := Same([]byte(tt.before), []byte(tt.after)); same != tt.same || (err == nil) != tt.ok {
			t.Errorf("Same(%q, %q) is %v, %v", tt.before, tt.after, same, err)
		}
	}
}

func FuzzDiff(f *testing.F) {
	f.Add([]byte(two), []byte(strings.Replace(two, "b: 2", "b: 3", 1)))
	f.Add([]byte("kind: List\nitems: [{kind: A}]\n"), []byte("%YAML 1.1\n--- {kind: A}\n...\n"))
	f.Add([]byte("a: &a [*a]"), []byte("{{ .Values }}"))
	f.Add([]byte("? [a]\n: b"), []byte("<<: {kind: A}\nkind: B\n"))
	f.Fuzz(func(t *testing.T, before, after []byte) {
		diffs, err := Diff(before, after)
		if err != nil {
			return
		}
		for _, d := range diffs {
			if d.Object().Kind == "" {
				t.Errorf("difference without a kind: %v", d)
			}
		}
		back, err := Diff(after, before)
		if err != nil || len(back) != len(diffs) {
			t.Errorf("%d differences one way, %d the other (%v)", len(diffs), len(back), err)
		}
	})
}
