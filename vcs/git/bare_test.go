package git

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// bare is a bare repository in the hands of the installed git.
type bare struct {
	t   testing.TB
	dir string
}

func newBare(t testing.TB, dir string) *bare {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	b := &bare{t, dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	b.run(nil, "init", "--quiet", "--bare", "--initial-branch=main", ".")
	return b
}

// run executes git, away from anybody's configuration.
func (b *bare) run(stdin []byte, args ...string) []byte {
	b.t.Helper()
	out, stderr, err := b.try(stdin, args...)
	if err != nil {
		b.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	return out
}

func (b *bare) try(stdin []byte, args ...string) (out []byte, stderr string, err error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C")
	cmd.Stdin = bytes.NewReader(stdin)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err = cmd.Output()
	return out, errs.String(), err
}

// lines is run for commands that print names.
func (b *bare) lines(args ...string) []string {
	b.t.Helper()
	return strings.Fields(string(b.run(nil, args...)))
}

// leaf is a file of a tree in a test: a git mode and what it holds.
type leaf struct {
	mode string
	data string
}

// files is a whole tree in a test, by path.
type files map[string]leaf

func plain(data string) leaf { return leaf{"100644", data} }

// snapshot is one commit for fast-import. Parents are marks of the same stream or
// names of commits.
type snapshot struct {
	branch  string
	parents []string
	files   files
	message string
	when    int // Unix time
}

// importer writes a fast-import stream.
type importer struct {
	stream bytes.Buffer
	marks  int
}

// add appends a commit and returns its mark.
func (im *importer) add(s snapshot) string {
	im.marks++
	w := &im.stream
	if s.when == 0 {
		s.when = 1700000000 + im.marks
	}
	// Without the reset, the branch's tip would become the parent.
	fmt.Fprintf(w, "reset refs/heads/%s\n\ncommit refs/heads/%s\nmark :%d\n", s.branch, s.branch, im.marks)
	fmt.Fprintf(w, "author Ada <ada@example.com> %d +0000\ncommitter C <c@example.com> %d +0000\n", s.when-60, s.when)
	fmt.Fprintf(w, "data %d\n%s\n", len(s.message), s.message)
	for i, p := range s.parents {
		fmt.Fprintf(w, "%s %s\n", []string{"from", "merge"}[min(i, 1)], p)
	}
	w.WriteString("deleteall\n")
	for _, path := range slices.Sorted(maps.Keys(s.files)) {
		l := s.files[path]
		if l.mode == "160000" {
			fmt.Fprintf(w, "M 160000 %s %s\n", l.data, quotePath(path))
			continue
		}
		fmt.Fprintf(w, "M %s inline %s\ndata %d\n%s\n", l.mode, quotePath(path), len(l.data), l.data)
	}
	w.WriteByte('\n')
	return fmt.Sprintf(":%d", im.marks)
}

// load makes the commits and returns their SHAs by mark.
func (b *bare) load(im *importer) map[string]bot.SHA {
	b.t.Helper()
	marks := filepath.Join(b.t.TempDir(), "marks")
	b.run(im.stream.Bytes(), "fast-import", "--quiet", "--force", "--export-marks="+marks)
	text, err := os.ReadFile(marks)
	if err != nil {
		b.t.Fatal(err)
	}
	shas := make(map[string]bot.SHA)
	for sc := bufio.NewScanner(bytes.NewReader(text)); sc.Scan(); {
		mark, sha, _ := strings.Cut(sc.Text(), " ")
		shas[mark] = bot.SHA(sha)
	}
	return shas
}

// commit makes one commit on a branch, with the branch's tip as its parent unless
// others are named.
func (b *bare) commit(branch string, fs files, message string, parents ...bot.SHA) bot.SHA {
	b.t.Helper()
	s := snapshot{branch: branch, files: fs, message: message}
	for _, p := range parents {
		s.parents = append(s.parents, string(p))
	}
	if len(parents) == 0 {
		if tip, _, err := b.try(nil, "rev-parse", "--verify", "--quiet", "refs/heads/"+branch); err == nil {
			s.parents = []string{strings.TrimSpace(string(tip))}
		}
	}
	im := &importer{}
	mark := im.add(s)
	return b.load(im)[mark]
}

func quotePath(p string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(p) + `"`
}
