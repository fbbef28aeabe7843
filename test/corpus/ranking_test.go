package corpus

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/backout-dev/backout/vcs/git"
)

// rowsOf gathers the rows of one table, or reads them from the folder
// BACKOUT_CORPUS_ROWS, where the command gather has put them.
func rowsOf(t *testing.T, dir, table string, calm, objects bool) []Row {
	t.Helper()
	name := table
	if calm {
		name += "-calm"
	}
	if objects {
		name += "-object"
	}
	if rows := os.Getenv("BACKOUT_CORPUS_ROWS"); rows != "" {
		all, err := ReadRows(filepath.Join(rows, name+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	ctx := context.Background()
	ms, err := git.New(git.Config{Dir: dir, BaseURL: "http://invalid.invalid"})
	if err != nil {
		t.Fatal(err)
	}
	defer ms.Close() //nolint:errcheck // only read from
	cases, absent, err := Cases(dir, table+".tsv")
	if err == nil && calm {
		cases, err = Calm(ctx, ms, cases)
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []Row
	skipped, err := Gather(ctx, ms, cases, objects, func(r Row) error {
		all = append(all, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d cases; of repositories not at hand: %v; skipped for lack of an object: %v", name, len(cases), absent, skipped)
	return all
}

// TestRanking measures the ranking on the corpus, as it is shipped and
// cross-validated, and fails under the bars.
func TestRanking(t *testing.T) {
	dir := os.Getenv("BACKOUT_CORPUS")
	if dir == "" {
		t.Skip("BACKOUT_CORPUS is not set")
	}
	report, err := Assess(Sets{
		App: rowsOf(t, dir, "culprit", false, false), Calm: rowsOf(t, dir, "culprit", true, false),
		File: rowsOf(t, dir, "culprit-file", false, false), Object: rowsOf(t, dir, "culprit", false, true),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", report)
	for _, fault := range report.Faults() {
		t.Error(fault)
	}
}
