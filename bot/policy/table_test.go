package policy

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/policy/condition"
)

var update = flag.Bool("update", false, "write what is generated")

// TestTable: names are names, no two alike, each with a sentence and verbs.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range Guards() {
		if !guardName.MatchString(g.Name) || seen[g.Name] || !strings.HasSuffix(g.Text, ".") || bold(g.Alert) < 0 || bold(g.Command) < 0 || g.Alert == bot.VerbAct ||
			!slices.Contains(overriders, g.Override) {
			t.Errorf("guard %+v", g)
		}
		if g.Override != "" && g.Alert != g.Command {
			t.Errorf("%s: a policy sets one verb for both", g.Name)
		}
		seen[g.Name] = true
	}
}

// TestTableIsWhatHappens: each rule that the tests of decisions raise stands in
// the table with the very verbs that it leads to.
func TestTableIsWhatHappens(t *testing.T) {
	raised := map[string]bool{}
	for _, tt := range ruleTests {
		g, ok := builtIn(tt.reason)
		command := tt.command
		if command == "" {
			command = bot.VerbAct
		}
		if !ok || g.Alert != tt.alert || g.Command != command {
			t.Errorf("%s: %s is %+v in the table", tt.name, tt.reason, g)
		}
		raised[tt.reason] = true
	}
	for _, g := range Guards() {
		if !raised[g.Name] && g.Alert != bot.VerbAsk && !slices.Contains([]string{"cooldown", "circuit-breaker", "cap-overall", guardBroken}, g.Name) {
			t.Errorf("no rule test raises %s", g.Name)
		}
	}
}

// TestEveryReasonIsInTheTable: names in the code that raise something.
func TestEveryReasonIsInTheTable(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?:lower\(bot\.Verb\w+, "([a-z-]+)"|(?:guard)?\{"([a-z-]+)", "[a-z]+ )`).FindAllStringSubmatch(string(b), -1) {
			n++
			if _, ok := builtIn(m[1] + m[2]); !ok {
				t.Errorf("%s raises %s, which is not in the table", file, m[1]+m[2])
			}
		}
	}
	if n < 25 {
		t.Errorf("only %d names were found", n)
	}
}

// guardTable is the table for people.
func guardTable() string {
	var b strings.Builder
	b.WriteString("| guard | raised when | alerts | commands | who may pass it |\n|---|---|---|---|---|\n")
	for _, g := range Guards() {
		who := string(g.Override)
		if who == "" {
			who = "nobody"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", g.Name, g.Text, g.Alert, g.Command, who)
	}
	return b.String()
}

// TestPage: what docs/policy.md says of guards and conditions is what there is.
func TestPage(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "policy.md")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for name, want := range map[string]string{"guards": guardTable(), "conditions": condition.Markdown()} {
		part := regexp.MustCompile(`(?s)<!-- ` + name + `: generated -->\n.*?<!-- end -->`)
		if !part.MatchString(page) {
			t.Fatalf("the page has no part %q", name)
		}
		page = part.ReplaceAllLiteralString(page, fmt.Sprintf("<!-- %s: generated -->\n\n%s\n<!-- end -->", name, want))
	}
	if page == string(b) {
		return
	}
	if !*update {
		t.Fatalf("%s is out of date: go test ./bot/policy -run TestPage -update", file)
	}
	if err := os.WriteFile(file, []byte(page), 0o644); err != nil { //nolint:gosec // a page for everybody
		t.Fatal(err)
	}
}
