package owners

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

func TestOwners(t *testing.T) {
	const file = `# Who owns what.
*            @acme/platform
/apps/       @acme/apps   # all of them
/apps/web/   @alice bob@example.com
/apps/open/
*.sql        @acme/dba @Alice
docs/**      @acme/writers
`
	for path, want := range map[string][]string{
		"README.md":            {"@acme/platform"},
		"apps/cart/a.yaml":     {"@acme/apps"},
		"apps/web/a.yaml":      {"@alice", "bob@example.com"},
		"apps/web/deep/b/c":    {"@alice", "bob@example.com"},
		"apps/open/a.yaml":     nil, // the last line that matches names nobody
		"apps/open/x.sql":      {"@acme/dba", "@Alice"},
		"more/apps/web/a":      {"@acme/platform"},
		"docs/deep/page.md":    {"@acme/writers"},
		"other/docs/page.md":   {"@acme/platform"},
		"apps/webby/a.yaml":    {"@acme/apps"},
		"infra/terraform.tf":   {"@acme/platform"},
		"apps/cart/schema.sql": {"@acme/dba", "@Alice"},
	} {
		got, err := Reader{}.Owners([]byte(file), []string{path})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([][]string{want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

// TestAnEmptyFileOwnsNothing: paths without an owner, one for each.
func TestAnEmptyFileOwnsNothing(t *testing.T) {
	got, err := Reader{}.Owners(nil, []string{"a", "b"})
	if err != nil || len(got) != 2 || got[0] != nil || got[1] != nil {
		t.Errorf("%v, %v", got, err)
	}
}

// TestABrokenFileNamesNobody: where a line can't be read, all of it can't.
func TestABrokenFileNamesNobody(t *testing.T) {
	for name, file := range map[string]string{
		"no owner's form":          "* @acme/platform\n/apps/ alice\n",
		"a team of a team":         "* @acme/a/b\n",
		"a negation":               "* @alice\n!/apps/ @bob\n",
		"a range":                  "* @alice\n/apps/[ab]/ @bob\n",
		"a line that never ends":   "* @alice\n# " + strings.Repeat("x", maxLine+1) + "\n* @mallory\n",
		"a file that is too large": strings.Repeat("# padding\n", maxFile/10+1),
	} {
		got, err := Reader{}.Owners([]byte(file), []string{"apps/a"})
		if !bot.IsTrouble(err, bot.TroubleInvalid) || got != nil {
			t.Errorf("%s: owners %v, error %v", name, got, err)
		}
	}
}
