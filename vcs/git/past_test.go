package git

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

// pastRepository has a line of 12 commits, one an hour from midnight; every third
// one touches a/, one merges a branch that touched a/ too.
func pastRepository(t *testing.T) (*Repository, string) {
	t.Helper()
	dir := t.TempDir()
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	do := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_COMMITTER_DATE="+at.Format(time.RFC3339))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	write := func(name string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(at.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	do("init", "-q", "-b", "main")
	for i := range 12 {
		at = at.Add(time.Hour)
		write([]string{"a/x", "b/y", "c"}[i%3])
		if i == 7 {
			do("checkout", "-q", "-b", "side")
			write("a/side")
			do("add", "-A")
			do("commit", "-q", "-m", "side")
			do("checkout", "-q", "main")
			do("merge", "-q", "--no-ff", "-m", "7", "side")
			continue
		}
		do("add", "-A")
		do("commit", "-q", "-m", fmt.Sprint(i))
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r, dir
}

// TestPastIsGits: the same commits as git's first-parent log.
func TestPastIsGits(t *testing.T) {
	r, dir := pastRepository(t)
	ctx := context.Background()
	head, err := r.Resolve("HEAD")
	if err != nil {
		t.Fatal(err)
	}
	good, err := r.Resolve("HEAD~5")
	if err != nil {
		t.Fatal(err)
	}
	side, err := r.Resolve("side")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, git string
		q         PastQuery
		walked    int
	}{
		{"all", "HEAD", PastQuery{}, 12},
		{"one path", "HEAD -- a", PastQuery{Paths: []string{"a"}}, 12},
		{"a file and a folder", "HEAD -- a/side b", PastQuery{Paths: []string{"a/side", "b/"}}, 12},
		{"never there", "HEAD -- z", PastQuery{Paths: []string{"z"}}, 12},
		{"the newest two", "-2 HEAD -- a", PastQuery{Paths: []string{"a"}, Limit: 2}, 5},
		{"since a good one", "HEAD~5..HEAD", PastQuery{Good: good}, 5},
		{"since a good one that was merged", "side..HEAD", PastQuery{Good: side}, 5},
		{"since the head", "HEAD..HEAD", PastQuery{Good: head}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := exec.Command("git", append([]string{"-C", dir, "log", "--first-parent", "--format=%H"}, strings.Fields(tt.git)...)...).Output() //nolint:gosec // of this table
			if err != nil {
				t.Fatal(err)
			}
			tt.q.From = head
			found, walked, err := r.Log(ctx, tt.q)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range found {
				got = append(got, string(c.SHA))
			}
			if want := strings.Fields(string(out)); strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("log is %v, git's is %v", got, want)
			}
			if walked != tt.walked {
				t.Errorf("%d commits were looked at, want %d", walked, tt.walked)
			}
		})
	}
}

func TestBefore(t *testing.T) {
	r, _ := pastRepository(t)
	head, err := r.Resolve("HEAD")
	if err != nil {
		t.Fatal(err)
	}
	for hour, want := range map[int]string{13: "HEAD", 12: "HEAD", 11: "HEAD~1", 5: "HEAD~7", 0: ""} {
		got, err := r.Before(context.Background(), head, time.Date(2026, 3, 2, hour, 30, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		var sha bot.SHA
		if want != "" {
			if sha, err = r.Resolve(want); err != nil {
				t.Fatal(err)
			}
		}
		if got != sha {
			t.Errorf("at %d:30 the head was %s, want %s (%s)", hour, got, sha, want)
		}
	}
}

// TestPastOfAShallowClone says so instead of ending early.
func TestPastOfAShallowClone(t *testing.T) {
	_, dir := pastRepository(t)
	shallow := filepath.Join(t.TempDir(), "shallow")
	if out, err := exec.Command("git", "clone", "-q", "--depth", "4", "file://"+dir, shallow).CombinedOutput(); err != nil { //nolint:gosec // of this test
		t.Fatalf("%v\n%s", err, out)
	}
	r, err := Open(shallow)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close() //nolint:errcheck // only read from
	head, err := r.Resolve("HEAD")
	if err != nil {
		t.Fatal(err)
	}
	if found, _, err := r.Log(context.Background(), PastQuery{From: head, Limit: 2}); err != nil || len(found) != 2 {
		t.Errorf("within what is there: %d commits, %v", len(found), err)
	}
	if _, _, err := r.Log(context.Background(), PastQuery{From: head, Paths: []string{"a/x"}, Limit: 9}); !bot.IsTrouble(err, bot.TroubleInvalid) {
		t.Errorf("beyond it: %v", err)
	}
}
