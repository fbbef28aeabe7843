package durable_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
)

// The variables by which a crash test tells the process it kills what to do.
const (
	childDir  = "BACKOUT_TEST_CHILD_DIR"  // data directory
	childHang = "BACKOUT_TEST_CHILD_HANG" // where to stop and wait for the end
	childSend = "BACKOUT_TEST_CHILD_SEND" // what to begin: accept, start or nothing
)

const victim bot.RollbackID = "rb-c4a5c4a5c4a5"

// TestCrashChild is not a test: it is the process that crash tests kill.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("runs only as a child of the crash tests")
	}
	c := child{dir: dir, hang: os.Getenv(childHang), ended: make(chan struct{})}
	e := open(t, durable.Config{Dir: dir, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}, c.intake, c.rollback)
	switch os.Getenv(childSend) {
	case "accept":
		if err := e.Accept(t.Context(), bot.Event{ID: "guid-9"}); err != nil {
			t.Fatal(err)
		}
		c.reach("accepted")
	case "start":
		if err := e.Start(t.Context(), victim); err != nil {
			t.Fatal(err)
		}
		if c.hang == "waiting" {
			until(t, "the wait to be recorded", func() bool {
				steps, err := e.Steps(t.Context(), string(victim))
				return err == nil && len(steps) == 2
			})
			c.reach("waiting")
		}
	}
	<-c.ended
	say("ended")
}

func say(word string) { fmt.Printf("\n@%s\n", word) }

// child is the program under fire: three acts with a wait and a sleep between.
type child struct {
	dir, hang string
	ended     chan struct{}
}

// reach tells the parent and, where it was told to hang, does not come back.
func (c child) reach(place string) {
	if c.hang == place {
		say(place)
		select {}
	}
}

// act leaves a mark on disk: what an outside effect would be.
func (c child) act(name string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) {
		f, err := os.OpenFile(filepath.Join(c.dir, "acts"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		if _, err := fmt.Fprintln(f, name); err != nil {
			return nil, err
		}
		c.reach("inside " + name)
		return []byte(`"` + name + `"`), nil
	}
}

func (c child) intake(ctx context.Context, j bot.Journal, e bot.Event) error {
	if c.hang != "" {
		select {} // the event must be handled by the next process
	}
	_, err := j.Do(ctx, "handle", c.act("handle "+e.ID))
	close(c.ended)
	return err
}

func (c child) rollback(ctx context.Context, j bot.Journal, _ bot.RollbackID) error {
	if _, err := j.Do(ctx, "one", c.act("one")); err != nil {
		return err
	}
	c.reach("after one")
	patient := []bot.Hint{{Repo: "acme/fleet", Number: 7}}
	if err := j.Wait(ctx, "news", patient, waitOf(c.hang)); err != nil {
		return err
	}
	if _, err := j.Do(ctx, "two", c.act("two")); err != nil {
		return err
	}
	c.reach("after two")
	if err := j.Sleep(ctx, "settle", 10*time.Millisecond); err != nil {
		return err
	}
	if _, err := j.Do(ctx, "three", c.act("three")); err != nil {
		return err
	}
	close(c.ended)
	return nil
}

// waitOf is long only for the process that is killed while it waits: the next
// one must not wait that long again.
func waitOf(hang string) time.Duration {
	if hang == "waiting" {
		return 1000 * time.Hour
	}
	return time.Millisecond
}

// runChild runs the child until it says word, kills it there without warning,
// and waits until it is gone.
func runChild(t *testing.T, dir, send, hang, word string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrashChild$")
	cmd.Env = append(os.Environ(), childDir+"="+dir, childSend+"="+send, childHang+"="+hang)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	said := false
	for lines := bufio.NewScanner(out); !said && lines.Scan(); {
		said = lines.Text() == "@"+word
	}
	_ = cmd.Process.Kill() // SIGKILL
	_ = cmd.Wait()
	if !said {
		t.Fatalf("the child never said %q", word)
	}
}

func acts(t *testing.T, dir string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "acts"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}

// TestKilledProcessResumesAtTheUnfinishedStep is promise 5 of the design.
func TestKilledProcessResumesAtTheUnfinishedStep(t *testing.T) {
	tests := []struct {
		place string
		want  []string
	}{
		{"inside one", []string{"one", "one", "two", "three"}},
		{"after one", []string{"one", "two", "three"}},
		{"waiting", []string{"one", "two", "three"}},
		{"inside two", []string{"one", "two", "two", "three"}},
		{"after two", []string{"one", "two", "three"}},
		{"inside three", []string{"one", "two", "three", "three"}},
	}
	for _, tt := range tests {
		t.Run(tt.place, func(t *testing.T) {
			t.Parallel()
			dir := dataDir(t)
			runChild(t, dir, "start", tt.place, tt.place)
			runChild(t, dir, "", "", "ended")
			if diff := cmp.Diff(tt.want, acts(t, dir)); diff != "" {
				t.Errorf("acts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestKilledAgainAndAgain kills every process at the next place.
func TestKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	runChild(t, dir, "start", "inside one", "inside one")
	for _, place := range []string{"after one", "inside two", "after two", "inside three"} {
		runChild(t, dir, "", place, place)
	}
	runChild(t, dir, "", "", "ended")
	want := []string{"one", "one", "two", "two", "three", "three"}
	if diff := cmp.Diff(want, acts(t, dir)); diff != "" {
		t.Errorf("acts (-want +got):\n%s", diff)
	}
}

// TestAcceptedEventSurvivesTheProcess is promise 1: what was answered 2xx is
// never lost.
func TestAcceptedEventSurvivesTheProcess(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	runChild(t, dir, "accept", "accepted", "accepted")
	runChild(t, dir, "", "", "ended")
	if diff := cmp.Diff([]string{"handle guid-9"}, acts(t, dir)); diff != "" {
		t.Errorf("acts (-want +got):\n%s", diff)
	}
}
