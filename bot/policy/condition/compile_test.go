package condition

import (
	"context"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// TestCompileRefuses: each thing that can be wrong, and what its error says.
func TestCompileRefuses(t *testing.T) {
	for _, tt := range []struct{ name, when, says string }{
		{"nothing", " \n", "it is empty"},
		{"no expression", "kind is Secret", "1:6: Syntax error"},
		{"a misspelt name", `culpit.author == "a"`, "1:1: undeclared reference to 'culpit'"},
		{"a misspelt field", `culprit.athor == "a"`, "1:8: undefined field 'athor'"},
		{"a misspelt field far down, on its line", "affected > 1 &&\nrevert.objects.exists(o, o.knd == \"A\")", "2:27: undefined field 'knd'"},
		{"a misspelt field in has", `has(finding.sure)`, "undefined field 'sure'"},
		{"a field of a list", `targets.kind == "A"`, "1:8: type 'list(backout.Target)' does not support field selection"},
		{"types that don't match", `affected == "3"`, "no matching overload"},
		{"no boolean", `affected + 1`, "the result is int"},
		{"what may be no boolean", `revert.objects[0].after.spec.paused`, "the result is dyn"},
		{"a type of the view that is made", `backout.Branch{name: "x"}.name == "y"`, "can't build maps"},
		{"a map", `{"a": 1}.size() == 1`, "can't build maps"},
		{"a list of lists", `[[1]].size() == 1`, "1:2: a list can only hold plain values"},
		{"a list of the view", `[revert].size() == 1`, "a list can only hold plain values"},
		{"a list of what is not known", `revert.objects.map(o, o.after.x) == ["a"]`, "write string(...)"},
		{"a list of lists by map", `["a"].map(p, ["a"].map(q, p)).size() == 1`, "a list can only hold plain values"},
		{"a list of others than its elements", `targets.map(t, targets.map(u, t)).size() == 1`, "a list can only hold plain values"},
		{"lists that are added", `([1] + [2]).size() == 2`, "can't add lists"},
		{"lists that are added behind dyn", `(dyn([1]) + dyn([2])) == dyn(3)`, "can't add lists"},
		{"too long an expression", strings.Repeat("affected > 1 || ", 300) + "true", "size exceeds limit"},
		{"too deep an expression", strings.Repeat("(", 500) + "true" + strings.Repeat(")", 500), "recursion"},
		{"a function of an extension", `"a".replace("a", "b") == "b"`, "undeclared reference to 'replace'"},
		{"many errors", "a || b || c || d || e || f || g", "and more"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Compile(bot.CustomGuard{Name: "test", When: tt.when})
			if err == nil || !strings.Contains(err.Error(), tt.says) || !strings.HasPrefix(err.Error(), "when: ") || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is %v; want it to say %q", err, tt.says)
			}
		})
	}
}

// TestBombs: what grows without end is refused, or ends by its cost and not by
// the clock.
func TestBombs(t *testing.T) {
	for name, tt := range map[string]struct{ when, refused string }{
		"lists of lists":         {`[[1]]` + strings.Repeat(`.map(x, [x, x])`, 30) + `.exists(x, x == x)`, "plain values"},
		"lists behind dyn":       {`[1]` + strings.Repeat(`.map(x, dyn([x, x]))`, 30) + `.exists(x, x == x)`, "plain values"},
		"added lists":            {`[[1]]` + strings.Repeat(`.map(x, x + x)`, 30) + `.exists(x, x == x)`, "plain values"},
		"added lists behind dyn": {`[dyn([1])]` + strings.Repeat(`.map(x, x + x)`, 30) + `.exists(x, x == x)`, "plain values"},
		"texts":                  {`["aaaaaaaa"]` + strings.Repeat(`.map(x, x + x)`, 40) + `.exists(x, x == "")`, ""},
		"bytes":                  {`[b"aaaaaaaa"]` + strings.Repeat(`.map(x, x + x)`, 40) + `.exists(x, x == b"")`, ""},
		"converted texts":        {`["aaaaaaaa"]` + strings.Repeat(`.map(x, string(bytes(x)) + x)`, 40) + `.exists(x, x == "")`, ""},
		"texts of choices":       {`["aaaaaaaa"]` + strings.Repeat(`.filter(x, true).map(x, true ? x + x : "")`, 22) + `.exists(x, x == "")`, ""},
		"comparisons":            {`revert.files.exists(x, revert.files.exists(y, revert != revert))`, ""},
		"searches":               {`revert.files.exists(x, revert.files.exists(y, dyn("x") in revert.files))`, ""},
		"patterns":               {`revert.files.exists(x, revert.files.exists(y, branch.name.matches("^(a*)*(b*)*$")))`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := Compile(bot.CustomGuard{When: tt.when})
			if tt.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tt.refused) {
					t.Errorf("the error is %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			c := onAlert()
			c.Branch.Name = strings.Repeat("a", 200) + "c"
			c.Revert.Files = append(c.Revert.Files, make([]bot.FileChange, 600)...)
			if raised, why := g.Raised(context.Background(), c); !raised || !strings.Contains(why, "costs too much") {
				t.Errorf("raised: %v, %s", raised, why)
			}
		})
	}
}
