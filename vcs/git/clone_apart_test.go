package git

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// cloneCommand makes this test's program the one that clones.
var cloneCommand = []string{os.Args[0], "-test.run=^TestCloneChild$", "clone"}

// TestCloneChild is that program's work.
func TestCloneChild(t *testing.T) {
	if flag.Arg(0) != "clone" {
		t.Skip("not started to clone")
	}
	if err := CloneApart(context.Background(), os.Stdin, os.Stdout); err != nil {
		t.Fatal(err)
	}
}

// TestCloneApart: a mirror that another process cloned is one like any other. The
// server is asked by it with the token, which nobody sees in its arguments.
func TestCloneApart(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	origin := s.repo()
	first := origin.commit("main", files{"a": plain("1\n")}, "first")
	ms := s.mirrors(func(c *Config) { c.CloneCommand = cloneCommand })
	fetch(t, ms)
	if _, token, _ := s.lastTry.BasicAuth(); token != testToken {
		t.Errorf("the token was %q", token)
	}
	second := origin.commit("main", files{"a": plain("2\n")}, "second")
	fetch(t, ms)
	for _, sha := range []bot.SHA{first, second} {
		if _, err := ms.Commit(context.Background(), testRepo, sha); err != nil {
			t.Error(err)
		}
	}
	checkWhole(t, ms, true)
}

// TestCloneChildThatFails: whatever becomes of the process, the next fetch tries
// again, and nothing is left behind.
func TestCloneChildThatFails(t *testing.T) {
	t.Parallel()
	for name, command := range map[string][]string{
		"ends at once":  {"true"},
		"fails":         {"sh", "-c", "echo no memory >&2; exit 3"},
		"talks rubbish": {"sh", "-c", "read job; echo nonsense"},
		"is killed":     {"sh", "-c", "read job; kill -9 $$"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.repo().commit("main", files{"a": plain("1\n")}, "first")
			ms := s.mirrors(func(c *Config) { c.CloneCommand = command })
			err := ms.Fetch(context.Background(), testRepo)
			if !bot.IsTrouble(err, bot.TroubleTransient) {
				t.Errorf("got %v", err)
			}
			if name == "fails" && !strings.Contains(err.Error(), "no memory") {
				t.Errorf("it does not say what the process said: %v", err)
			}
			checkWhole(t, ms, false)
			ms.cfg.CloneCommand = cloneCommand
			fetch(t, ms)
			checkWhole(t, ms, true)
		})
	}
}

// TestCloneWithoutAChild: where no process can be started, the mirror is still cloned.
func TestCloneWithoutAChild(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.repo().commit("main", files{"a": plain("1\n")}, "first")
	ms := s.mirrors(func(c *Config) { c.CloneCommand = []string{filepath.Join(t.TempDir(), "nowhere")} })
	fetch(t, ms)
	checkWhole(t, ms, true)
	if !strings.Contains(s.logs.String(), "cloning in the bot's own process") {
		t.Error("the log does not tell")
	}
}

// TestCloneChildIsEnded with its parent's wish: when the mirrors are closed, and
// when the parent is no more.
func TestCloneChildIsEnded(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.repo().commit("main", files{"a": plain("1\n")}, "first")
	entered, gate := make(chan struct{}, 2), make(chan struct{})
	defer close(gate)
	s.set(func(*http.Request) {
		entered <- struct{}{}
		<-gate
	}, nil)
	ms := s.mirrors(func(c *Config) { c.CloneCommand = cloneCommand })
	done := make(chan error)
	go func() { done <- ms.Fetch(context.Background(), testRepo) }()
	<-entered
	if err := ms.Close(); err != nil { // waits for the process
		t.Error(err)
	}
	if err := <-done; !bot.IsTrouble(err, bot.TroubleTransient) {
		t.Errorf("got %v", err)
	}
	checkWhole(t, ms, false)

	job, err := json.Marshal(cloneJob{Dir: s.repo().dir, URL: s.http.URL + "/" + string(testRepo) + ".git"})
	if err != nil {
		t.Fatal(err)
	}
	in, parent := io.Pipe()
	var said strings.Builder
	go func() { done <- CloneApart(context.Background(), in, &said) }()
	if _, err := parent.Write(job); err != nil {
		t.Fatal(err)
	}
	<-entered
	if err := parent.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || !strings.Contains(said.String(), "canceled") {
		t.Errorf("got %v, it said %s", err, &said)
	}
}
