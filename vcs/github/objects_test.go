package github_test

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// maxDataPath is the limit for the Git data API, in sequence.
const maxDataPath = 6

// chain counts the longest chain of requests in which each began after the one
// before had ended. The first requests of the data path, those that may go at
// the same time, wait for each other: what is sent one by one never arrives.
type chain struct {
	together int32
	arrived  atomic.Int32
	open     chan struct{}

	mu    sync.Mutex
	tick  int
	spans [][2]int // began, ended
}

func (c *chain) RoundTrip(r *http.Request) (*http.Response, error) {
	began := c.next()
	if strings.Contains(r.URL.Path, "/git/commits/") || strings.Contains(r.URL.Path, "/git/blobs") {
		if c.arrived.Add(1) == c.together {
			close(c.open)
		}
		select {
		case <-c.open:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	ended := c.next()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans = append(c.spans, [2]int{began, ended})
	return resp, err
}

func (c *chain) next() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tick++
	return c.tick
}

func (c *chain) longest() int {
	slices.SortFunc(c.spans, func(a, b [2]int) int { return cmp.Compare(a[1], b[1]) })
	n, last := 0, 0
	for _, s := range c.spans {
		if s[0] > last {
			n, last = n+1, s[1]
		}
	}
	return n
}

func TestOpenThroughTheGitDataAPI(t *testing.T) {
	for _, tt := range []struct {
		name  string
		blobs int32 // that must be uploaded
		files func(w *world) []bot.FileChange
	}{
		{"a changed mode", 0, func(*world) []bot.FileChange {
			return []bot.FileChange{{Path: "README.md", After: []byte("fleet\n"), BeforeMode: "100644", AfterMode: "100755"}}
		}},
		{"a link", 0, func(*world) []bot.FileChange { return []bot.FileChange{add("link", "apps/web.yaml", "120000")} }},
		{"a submodule, a deletion and an empty file", 0, func(*world) []bot.FileChange {
			sub := add("vendored", "", "160000")
			sub.Blob = "1111111111111111111111111111111111111111"
			return []bot.FileChange{sub, remove("README.md"), add("empty", "", "100644")}
		}},
		{"a hundred and one files", 0, func(*world) []bot.FileChange {
			var list []bot.FileChange
			for i := range 101 {
				list = append(list, add(fmt.Sprintf("many/%03d.yaml", i), fmt.Sprintf("n: %d\n", i), "100644"))
			}
			return list
		}},
		{"binaries", 4, func(*world) []bot.FileChange {
			return []bot.FileChange{
				add("a.bin", "\xff\xfe\x00\x01", "100755"), add("b.bin", "\x00", "100644"),
				add("c.txt", strings.Repeat("é", 1<<20), "100644"), add("d.bin", "\xff", "100644"),
			}
		}},
		{"a blob that exists", 0, func(w *world) []bot.FileChange {
			f := add("copy.sh", "", "100755")
			f.After, f.Blob = []byte("im"), w.blob("apps/web.yaml") // guards read only its beginning.
			return []bot.FileChange{f}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.bad()
			req := w.revert(tt.files(w)...)
			chain := &chain{together: tt.blobs + 1, open: make(chan struct{})}
			w.client = w.newClient(chain)
			w.warm()
			chain.spans = nil
			got, err := w.client.Open(t.Context(), req)
			must(t, err)
			if n := chain.longest(); n != 4 || n > maxDataPath {
				t.Errorf("%d requests in sequence, want 4", n)
			}
			tip := w.tip(req.Branch)
			if !tip.Verified || bot.SHA(tip.Tree) != req.Tree || bot.SHA(tip.Parents[0]) != req.Onto || bot.SHA(tip.SHA) != got.Head {
				t.Errorf("commit %+v, answer %+v, want tree %s", tip, got, req.Tree)
			}
			if got.Found || got.Tree != req.Tree || !got.Gate.Open {
				t.Errorf("answer %+v", got)
			}
			again, err := w.newClient(nil).Open(t.Context(), req)
			must(t, err)
			if !again.Found || again.Number != got.Number || again.Head != got.Head || len(w.repo.PRs()) != 1 {
				t.Errorf("a replay answered %+v after %+v", again, got)
			}
		})
	}
}

// blob is the object name of a file on main.
func (w *world) blob(path string) bot.SHA {
	w.Helper()
	out, err := gitIn(w.repo.Dir, "rev-parse", w.repo.Head("main")+":"+path)
	must(w.T, err)
	return bot.SHA(out)
}

func TestOpenDataPathFromAHalfDoneBranch(t *testing.T) {
	w := newWorld(t, nil)
	w.bad()
	req := w.revert(add("link", "apps/web.yaml", "120000"))
	must(t, w.repo.CreateBranch("backout[bot]", req.Branch, string(req.Onto)))
	got, err := w.client.Open(t.Context(), req)
	must(t, err)
	if tip := w.tip(req.Branch); bot.SHA(tip.Tree) != req.Tree || !got.Found || len(w.openPRs()) != 1 {
		t.Errorf("branch at %+v, answer %+v", tip, got)
	}
}

func TestOpenDataPathWithAnotherTreeShowsNothing(t *testing.T) {
	w := newWorld(t, nil)
	w.bad()
	req := w.revert(add("link", "apps/web.yaml", "120000"))
	req.Tree = bot.SHA(w.tip("main").Tree)
	_, err := w.client.Open(t.Context(), req)
	wantTrouble(t, err, bot.TroubleInvalid, "tree")
	if w.repo.Head(req.Branch) != "" || len(w.repo.PRs()) != 0 {
		t.Error("something became visible")
	}
}

func TestOpenDataPathOnAMissingBase(t *testing.T) {
	w := newWorld(t, nil)
	w.bad()
	req := w.revert(add("link", "apps/web.yaml", "120000"))
	req.Onto = "1111111111111111111111111111111111111111"
	_, err := w.client.Open(t.Context(), req)
	wantTrouble(t, err, bot.TroubleNotFound)
}
