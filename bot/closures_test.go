package bot

import (
	"fmt"
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"
)

// countingRanker answers with a root and counts how often it is asked.
type countingRanker struct {
	Ranker
	asked *int
}

func (r countingRanker) Closure(_ fs.FS, roots []string) []string {
	*r.asked++
	return append([]string{"bases"}, roots...)
}

func TestClosuresAreAskedForOnce(t *testing.T) {
	asked := 0
	f := NewFlow(Config{Ports: Ports{Ranker: countingRanker{asked: &asked}}})
	tree := fstest.MapFS{}
	ask := func(repo RepoName, rev SHA, roots ...string) {
		t.Helper()
		if got := f.closure(repo, rev, tree, roots); !slices.Equal(got, append([]string{"bases"}, roots...)) {
			t.Errorf("closure of %v: %v", roots, got)
		}
	}
	for range 3 {
		ask("acme/fleet", "1", "apps/web")
		ask("acme/fleet", "1", "apps/api")
		ask("acme/fleet", "2", "apps/web")
		ask("acme/other", "1", "apps/web")
	}
	if asked != 4 {
		t.Errorf("asked %d times about 4 different things", asked)
	}
	for n := range maxTrees {
		ask("acme/fleet", SHA(fmt.Sprint("later", n)), "apps/web")
	}
	if n := len(f.closures.trees); n != maxTrees {
		t.Errorf("%d commits are remembered, want %d", n, maxTrees)
	}
	before := asked
	ask("acme/fleet", "1", "apps/web")
	if asked != before+1 {
		t.Error("what was used least recently is still remembered")
	}
}

// Parts finds what no name forbids.
func (r countingRanker) Parts(_ fs.FS, closure []string, w Workload) (files, objects map[string]string) {
	*r.asked++
	if w.Name == "" {
		return nil, nil
	}
	return map[string]string{closure[0]: w.Name}, map[string]string{w.Kind + "/" + w.Name: closure[0]}
}

func TestPartsAreAskedForOnce(t *testing.T) {
	asked := 0
	f := NewFlow(Config{Ports: Ports{Ranker: countingRanker{asked: &asked}}})
	for range 3 {
		for _, closure := range []string{"apps/web", "apps/api"} {
			for _, name := range []string{"web", "worker"} {
				files, objects := f.parts("acme/fleet", "1", fstest.MapFS{}, []string{closure}, Workload{Kind: "Deployment", Name: name})
				if files[closure] != name || objects["Deployment/"+name] != closure {
					t.Errorf("parts of %s below %s: %v, %v", name, closure, files, objects)
				}
			}
		}
	}
	if asked != 4 {
		t.Errorf("asked %d times about 4 different things", asked)
	}
	// Nothing may come of a tree that could not be read.
	for range 2 {
		f.parts("acme/fleet", "1", fstest.MapFS{}, []string{"apps/web"}, Workload{})
	}
	if asked != 6 {
		t.Errorf("asked %d times, want 6", asked)
	}
}

// everything is also the answer of a ranker that could not read the tree.
type everything struct{ countingRanker }

func (r everything) Closure(fs.FS, []string) []string { *r.asked++; return []string{"."} }

func TestAClosureOfEverythingIsAskedForAgain(t *testing.T) {
	asked := 0
	f := NewFlow(Config{Ports: Ports{Ranker: everything{countingRanker{asked: &asked}}}})
	for range 2 {
		f.closure("acme/fleet", "1", fstest.MapFS{}, []string{"apps/web"})
	}
	if asked != 2 {
		t.Errorf("asked %d times, want 2", asked)
	}
}
