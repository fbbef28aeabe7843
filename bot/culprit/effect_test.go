package culprit

import (
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

func TestInEffect(t *testing.T) {
	const manifest = "kind: A\nspec: {a: 1, b: [x, z]}\n"
	file := func(path, before, after string) bot.FileChange {
		return bot.FileChange{Path: path, Before: []byte(before), After: []byte(after), BeforeMode: "100644", AfterMode: "100644"}
	}
	mode := func(f bot.FileChange, before, after string) bot.FileChange {
		f.BeforeMode, f.AfterMode = before, after
		return f
	}
	tests := []struct {
		name string
		file bot.FileChange
		want bool
	}{
		{"a value", file("a.yaml", manifest, "kind: A\nspec: {a: 2, b: [x, z]}\n"), true},
		{"the type of a value", file("a.yaml", manifest, "kind: A\nspec: {a: '1', b: [x, z]}\n"), true},
		{"the order of a list", file("a.yaml", manifest, "kind: A\nspec: {a: 1, b: [z, x]}\n"), true},
		{"one more document", file("a.yaml", manifest, manifest+"---\nkind: B\n"), true},
		{"text in a block", file("a.yaml", "a: |\n  # x\n", "a: |\n  # z\n"), true},
		{"line breaks that a block keeps", file("a.yaml", "a: |+\n  x\n", "a: |+\n  x\n\n\n"), true},
		{"a comment", file("a.yaml", manifest, "# why\n"+manifest+"# end\n"), false},
		{"a comment for image automation", file("a.yaml", "image: a:1", `image: a:1 # {"$imagepolicy": "x:y"}`), false},
		{"formatting and key order", file("a.yml", manifest, "spec:\n    b:\n        - x\n        - 'z'\n    a: 1\nkind: \"A\"\n"), false},
		{"empty documents", file("a.yaml", manifest, "---\n---\n"+manifest+"---\n"), false},
		{"line ends", file("a.yaml", manifest, strings.ReplaceAll(manifest, "\n", "\r\n")), false},
		{"JSON formatting", file("a.json", `{"a": 1}`, "{\n  \"a\":1\n}\n"), false},
		{"JSON into YAML", file("a.yaml", `{"a": 1}`, "a: 1\n"), false},

		{"documentation", file("docs/a.md", "a", "b"), false},
		{"documentation in capitals", file("README.MD", "a", "b"), false},
		{"a picture", file("a/b.png", "a", "b"), false},
		{"a licence", file("LICENSE", "a", "b"), false},
		{"owners", file("apps/OWNERS", "a", "b"), false},
		{"new documentation", bot.FileChange{Path: "a.md", After: []byte("a")}, false},
		{"a text that a generator may read", file("motd.txt", "a", "b"), true},
		{"a chart's notes, which can break a release", file("chart/templates/NOTES.txt", "a", "b"), true},
		{"what the source leaves out", file(".sourceignore", "a", "b"), true},
		{"a directory named like documentation", file("docs.md/a.yaml", "a: 1", "a: 2"), true},

		{"a new file", bot.FileChange{Path: "a.yaml", After: []byte("# only a comment\n")}, true},
		{"a deleted file", bot.FileChange{Path: "a.yaml", Before: []byte("")}, true},
		{"a template", file("t.yaml", "a: {{ .a }}", "a: {{ .b }}"), true},
		{"a template's comment, which can't be told apart", file("t.yaml", "a: {{ .a }}", "# x\na: {{ .a }}"), true},
		{"white space around a template", file("t.yaml", "a: {{ .a }}", "\na: {{ .a }}\n\n"), false},
		{"a manifest that parses no more", file("a.yaml", "a: 1", "a: ["), true},
		{"a manifest that parses again", file("a.yaml", "a: [", "a: 1"), true},
		{"a script", file("init.sh", "a\nb", "a\n b"), true},
		{"white space around a script", file("init.sh", "a\n", "a"), false},
		{"an executable bit on a script", mode(file("init.sh", "a", "a"), "100644", "100755"), true},
		{"an executable bit on a manifest", mode(file("a.yaml", "a: 1", "a: 1"), "100644", "100755"), false},
		{"a file made a link", mode(file("a.yaml", "b.yaml", "b.yaml"), "100644", "120000"), true},
		{"a submodule", mode(file("vendor", "Subproject commit 1\n", "Subproject commit 2\n"), "160000", "160000"), true},
		{"more than the mirror hands out", file("a.yaml", strings.Repeat("#", maxContent), strings.Repeat("#", maxContent)), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := (Ranker{}).InEffect(tt.file); got != tt.want {
				t.Errorf("in effect: %v", got)
			}
		})
	}
}

func FuzzInEffect(f *testing.F) {
	f.Add("a.yaml", []byte("a: 1"), []byte("a: 2"))
	f.Add("a.tpl", []byte("{{ .a }}"), []byte{})
	f.Add("README.md", []byte("a"), []byte("b"))
	f.Fuzz(func(t *testing.T, path string, before, after []byte) {
		there := bot.FileChange{Path: path, Before: before, After: after}
		back := bot.FileChange{Path: path, Before: after, After: before}
		if (Ranker{}).InEffect(there) != (Ranker{}).InEffect(back) {
			t.Error("a change is in effect, and taking it back is not, or the other way around")
		}
		Ranker{}.Rank(facts(bot.Candidate{Files: []bot.FileChange{there}}))
	})
}
