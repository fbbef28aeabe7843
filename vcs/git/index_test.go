package git

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// TestIndexIsGits: whatever the index knows already, and however it came to know
// it, the answers are git's. Fetches, restarts and damaged files come in between.
func TestIndexIsGits(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			r := &restless{s.repo(), rand.New(rand.NewPCG(4, seed)), make(map[bot.SHA]files), make(map[string]bot.SHA)}
			ms := s.mirrors()
			for range 5 {
				r.grow(1 + r.rnd.IntN(40))
				fetch(t, ms)
				st := r.store(ms)
				r.check(st) // while it is being indexed, or before
				ms.wait.Wait()
				if !st.index.knows(st.allHeads()) {
					t.Fatal("the branches are not indexed")
				}
				r.check(st)
				if r.rnd.IntN(3) == 0 {
					continue
				}
				if err := ms.Close(); err != nil {
					t.Fatal(err)
				}
				if r.rnd.IntN(2) == 0 {
					spoil(t, r.rnd, filepath.Join(ms.cfg.Dir, string(testRepo)+".git", indexFile))
				}
				ms = s.mirrors(func(c *Config) { c.Dir = ms.cfg.Dir })
				r.check(r.store(ms))
			}
		})
	}
}

func (r *restless) store(ms *Mirrors) *store {
	r.t.Helper()
	s, err := ms.read(context.Background(), testRepo)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}
