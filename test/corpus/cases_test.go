package corpus

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// TestCases: cases of repositories that are not there are counted by name; a table
// of which nothing is left, or that is no table, is an error.
func TestCases(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "acme", "fleet.git"), 0o700); err != nil {
		t.Fatal(err)
	}
	const head = "repo\thead\thead_time\tapp\tculprit\tb1_rank\n"
	for _, tt := range []struct{ name, table, want string }{
		{"two of three", head + "acme/gone\ta\t1\tx\tb\t1\nacme/fleet\ta\t2\tx\tb\t\nacme/gone\ta\t3\tx\tb\t1\n", ""},
		{"none", head + "acme/gone\ta\t1\tx\tb\t1\n", "no case of a repository"},
		{"empty", head, "no case of a repository"},
		{"columns", head + "acme/fleet\ta\n", "line 2 has 2 columns"},
		{"time", head + "acme/fleet\ta\tnoon\tx\tb\n", "line 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(dir, "t.tsv"), []byte(tt.table), 0o600); err != nil {
				t.Fatal(err)
			}
			all, absent, err := Cases(dir, "t.tsv")
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v, want %q", err, tt.want)
				}
				return
			}
			want := Case{Repo: "acme/fleet", Head: "a", At: 2, Path: "x", Culprit: "b"}
			if err != nil || len(all) != 1 || all[0] != want || len(absent) != 1 || absent[bot.RepoName("acme/gone")] != 2 {
				t.Errorf("%v, of others %v: %v", all, absent, err)
			}
		})
	}
}
