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
	t.Logf("%s: %d cases, %d of repositories not at hand, skipped for lack of an object: %v", name, len(cases), absent, skipped)
	return all
}

// TestRanking cross-validates the ranking on the corpus and fails under the
// bars.
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
	for _, bar := range []struct {
		name              string
		first, three, ten float64
	}{
		{"app, fitted", 80.5, 94, 98.5},
		{"file, fitted on apps", 89.5, 98, 0},
		{"object, fitted", 89.5, 0, 0},
	} {
		first, three, ten := report.Section(bar.name).Shares()
		if first < bar.first || three < bar.three || ten < bar.ten {
			t.Errorf("%s: %.1f, %.1f, %.1f %%; at least %.1f, %.1f, %.1f are wanted", bar.name, first, three, ten, bar.first, bar.three, bar.ten)
		}
	}
	// On repositories never seen, three points less are expected than where the
	// threshold was chosen.
	if n := report.Sure; n.Precision() < WantPrecision-0.03 || n.Coverage() < 0.40 || n.False() > 0.08 {
		t.Errorf("confident: right in %.1f %%, in %.1f %% of cases and %.1f %% of calm moments", 100*n.Precision(), 100*n.Coverage(), 100*n.False())
	}
}
