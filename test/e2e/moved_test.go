//go:build e2e

package e2e

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/backout-dev/backout/cmd/app"
	"github.com/backout-dev/backout/test/fakehub"
)

// TestStoryMainMovesOn: somebody's commit lands on main after the revert and
// before Flux fetches, so Flux never sees the revert by itself. What it applies
// contains the revert, and that is proof enough.
func TestStoryMainMovesOn(t *testing.T) {
	t.Parallel()
	w := newFlux(t, "story-moved")
	var later string
	w.serve(w.fluxConfig(func(*app.Config) {}), func(o *app.Options) {
		o.Transport = &afterMerge{act: func() {
			var err error
			if later, err = w.repo.Commit("main", "carol", "Explain the fleet", map[string]*string{"README.md": fakehub.Text("# fleet\n\nWhat runs.\n")}); err != nil {
				w.Errorf("commit: %v", err)
			}
		}}
	})
	w.requireCI(quick)
	culprit := w.breakWeb()

	w.comment(culprit, "ann", "/rollback")
	said := w.verdict(culprit, rolledBack)
	w.phase("verdict")
	merge := w.merged()
	w.holds("the comment", said, "merged as "+merge)
	if later == "" || later == merge {
		t.Fatalf("main did not move on: %q after %q", later, merge)
	}
	w.applied("web", later)
	w.runs("web", goodImage)
	if history, err := w.repo.Log("main"); err != nil || history[0].SHA != later || history[1].SHA != merge {
		t.Errorf("history of main %+v, %v", history, err)
	}
}

// afterMerge acts once, between GitHub's having merged and the bot's hearing
// of it.
type afterMerge struct {
	act  func()
	once sync.Once
}

func (a *afterMerge) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/merge") && resp.StatusCode == http.StatusOK {
		a.once.Do(a.act)
	}
	return resp, err
}
