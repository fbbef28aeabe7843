package git

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// TestNeverAWrongAnswer asks where the answer can't be known.
func TestNeverAWrongAnswer(t *testing.T) {
	w := newWork(t)
	dir := t.TempDir()
	clone := func(name string, args ...string) string {
		to := filepath.Join(dir, name)
		w.run(nil, append(append([]string{"clone", "--quiet"}, args...), to)...)
		return to
	}
	w.run(nil, "config", "uploadpack.allowFilter", "true")
	url := "file://" + w.dir
	damaged := clone("damaged", "--no-hardlinks", w.dir)
	blob := w.lines("rev-parse", "HEAD~1:a")[0]
	_ = os.Remove(filepath.Join(damaged, ".git", "objects", blob[:2], blob[2:]))
	for name, tt := range map[string]struct{ dir, rev, want string }{
		"shallow culprit": {clone("shallow", "--depth=1", url), "HEAD", "git fetch --unshallow"},
		"shallow range":   {filepath.Join(dir, "shallow"), "HEAD~1", "git fetch --unshallow"},
		"partial":         {clone("partial", "--filter=blob:none", "--no-checkout", url), "HEAD~1", "partial"},
		"treeless":        {clone("treeless", "--filter=tree:0", "--no-checkout", url), "HEAD~1", "partial"},
		"damaged":         {damaged, "HEAD~1", "damaged"},
		"no repository":   {dir, "HEAD", "not in a git repository"},
		"no folder":       {filepath.Join(dir, "none"), "HEAD", "no folder"},
		"unknown":         {w.dir, "nosuch", "not a commit, branch or tag"},
		"unknown SHA":     {w.dir, strings.Repeat("1", 40), "not a commit, branch or tag"},
		"a tree":          {w.dir, string(w.sha("HEAD^{tree}")), "not a commit"},
		"ranges of lines": {w.dir, "HEAD~1...HEAD", "A..B"},
		"empty range":     {w.dir, "HEAD..HEAD~1", "older end first"},
	} {
		err := func() error {
			r, err := Open(tt.dir)
			if err != nil {
				return err
			}
			defer r.Close()
			commits, err := r.Range(t.Context(), tt.rev)
			if err != nil {
				return err
			}
			onto, err := r.Resolve("HEAD")
			if err != nil {
				return err
			}
			taken, err := r.Revert(t.Context(), onto, bot.Change{Commits: commits})
			if err == nil {
				t.Errorf("%s: %+v", name, taken.Revert)
			}
			return err
		}()
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if text := err.Error() + " " + bot.AsTrouble(err).Advice; !strings.Contains(text, tt.want) {
			t.Errorf("%s: %s, want %q", name, text, tt.want)
		}
	}
}

// TestShallowBelow takes back what a shallow clone knows whole, and ends its
// explanation where the history ends.
func TestShallowBelow(t *testing.T) {
	w := newWork(t)
	w.commit("three", map[string]string{"a": numbered(20, "2", "worse", "15", "good")})
	to := filepath.Join(t.TempDir(), "shallow")
	w.run(nil, "clone", "--quiet", "--depth=3", "file://"+w.dir, to)
	r, err := Open(to)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if taken := w.revert(r, 0, "HEAD~1"); taken.Status != bot.RevertClean {
		t.Errorf("%+v", taken.Revert)
	}
}

// TestSmallest finds what has to go together.
func TestSmallest(t *testing.T) {
	w := newWork(t)
	culprit := w.sha("HEAD~1")
	w.commit("elsewhere", map[string]string{"c": "1\n"})
	near := w.commit("near", map[string]string{"a": numbered(20, "2", "bad", "3", "near", "15", "good")})
	w.commit("far", map[string]string{"a": numbered(20, "2", "bad", "3", "near", "15", "good", "18", "far")})
	taken := w.revert(w.open(), 0, string(culprit))
	if taken.Status != bot.RevertConflict {
		t.Fatalf("%+v", taken.Revert)
	}
	got, err := taken.Smallest(t.Context())
	if want := []bot.SHA{near, culprit}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

// TestPatchApplies has git apply what Patch writes, for all kinds of changes.
func TestPatchApplies(t *testing.T) {
	w := newWork(t)
	w.commit("kinds", map[string]string{
		"with blank": "1\n", "q\"uote\t": "1\n", "ünï": "1\n", "no newline": "1\n2", "crlf": "1\r\n2\r\n", "empty": "",
		"gone": "1\n2\n3\n", "long": numbered(60),
	})
	before := w.sha("HEAD^{tree}")
	w.run(nil, "rm", "--quiet", "gone")
	if err := os.Chmod(filepath.Join(w.dir, "long"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.commit("changed", map[string]string{
		"with blank": "2\n", "q\"uote\t": "2\n", "ünï": "2\n", "no newline": "1\n3", "crlf": "1\r\n3\r\n", "fresh": "", "empty": "x",
		"long": numbered(60, "1", "x", "6", "y", "30", "z", "58", "end"),
	})
	taken := w.revert(w.open(), 0, "HEAD")
	files, err := taken.Contents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var patch strings.Builder
	for _, f := range files {
		patch.WriteString(Patch(f))
	}
	cmd := exec.Command("git", "apply", "--index", "-")
	cmd.Dir, cmd.Stdin = w.dir, strings.NewReader(patch.String())
	var out bytes.Buffer
	cmd.Stderr = &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out.String(), patch.String())
	}
	if got := bot.SHA(w.lines("write-tree")[0]); got != before {
		t.Errorf("applied, it makes tree %s, want %s\n%s", got, before, patch.String())
	}
}
