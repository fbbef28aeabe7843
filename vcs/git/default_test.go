package git

import (
	"testing"

	"github.com/backout-dev/backout/bot"
)

// TestDefaultFollowsTheRemote: also where nothing else has changed, and for a
// process that finds the mirror as another left it.
func TestDefaultFollowsTheRemote(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	origin := s.repo()
	ms := s.mirrors()
	fetch(t, ms)
	none := func() {
		t.Helper()
		if got, err := ms.Default(t.Context(), testRepo); !bot.IsTrouble(err, bot.TroubleNotFound) {
			t.Errorf("the default branch is %q, %v; want none", got, err)
		}
	}
	want := func(branch string) {
		t.Helper()
		if got, err := ms.Default(t.Context(), testRepo); got != branch || err != nil {
			t.Errorf("the default branch is %q, %v; want %q", got, err, branch)
		}
	}
	none()
	first := origin.commit("main", files{"a": plain("1\n")}, "first")
	origin.commit("trunk", files{"a": plain("2\n")}, "second", first)
	fetch(t, ms)
	want("main")

	origin.run(nil, "symbolic-ref", "HEAD", "refs/heads/trunk")
	fetch(t, ms)
	want("trunk")

	if err := ms.Close(); err != nil {
		t.Fatal(err)
	}
	ms = s.mirrors(func(c *Config) { c.Dir = ms.cfg.Dir })
	want("trunk")

	// HEAD stands for a branch that is not there.
	origin.run(nil, "symbolic-ref", "HEAD", "refs/heads/gone")
	fetch(t, ms)
	none()
}
