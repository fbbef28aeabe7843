package pack

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// repo is a bare repository in the hands of the installed git.
type repo struct {
	t   testing.TB
	dir string
}

// newRepo has a history of some files that change a little and often, of some that
// are large, and of commits, trees and a tag, all in one pack.
func newRepo(t testing.TB) repo {
	t.Helper()
	r := repo{t, filepath.Join(t.TempDir(), "r.git")}
	isolate(t)
	template.Do(func() {
		first := repo{t, filepath.Join(t.TempDir(), "first.git")}
		first.make()
		// TempDir goes with the test that came first.
		kept, err := os.MkdirTemp("", "pack")
		if err == nil {
			err = os.CopyFS(kept, os.DirFS(first.dir))
		}
		if err != nil {
			t.Fatal(err)
		}
		template.dir = kept
	})
	if err := os.CopyFS(r.dir, os.DirFS(template.dir)); err != nil {
		t.Fatal(err)
	}
	return r
}

// template is the repository that all tests copy.
var template struct {
	sync.Once
	dir string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if template.dir != "" {
		_ = os.RemoveAll(template.dir)
	}
	os.Exit(code)
}

func isolate(t testing.TB) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(home, "none"))
}

func (r repo) make() {
	r.git(nil, "init", "--quiet", "--bare", r.dir)
	var s bytes.Buffer
	data := func(b []byte) { fmt.Fprintf(&s, "data %d\n%s\n", len(b), b) }
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 60 {
		fmt.Fprintf(&s, "commit refs/heads/main\ncommitter A <a@example.com> %d +0000\n", 1700000000+n)
		data(fmt.Appendf(nil, "change %d", n))
		fmt.Fprintf(&s, "M 100644 inline dir/often.yaml\n")
		data([]byte(lines(400, n)))
		fmt.Fprintf(&s, "M 100644 inline dir/%d/some.yaml\n", n%7)
		data([]byte(lines(20, n)))
		if n%20 == 0 {
			noise := make([]byte, 300_000+n)
			for i := range noise {
				noise[i] = byte(random.Uint32())
			}
			s.WriteString("M 100644 inline noise\n")
			data(noise)
			s.WriteString("M 100644 inline long\n")
			data([]byte(lines(70_000, n)))
		}
	}
	s.WriteString("M 100644 inline empty\n")
	data(nil)
	fmt.Fprintf(&s, "tag v1\nfrom refs/heads/main\ntagger A <a@example.com> 1700000000 +0000\n")
	data([]byte("a tag"))
	r.git(s.Bytes(), "fast-import", "--quiet")
	r.git(nil, "repack", "-adfq")
}

// lines is a file of n lines, one of which says something of its own.
func lines(n, own int) string {
	var b strings.Builder
	for i := range n {
		if i == own*37%n {
			fmt.Fprintf(&b, "own: %d\n", own)
		}
		fmt.Fprintf(&b, "line %d of a file\n", i)
	}
	return b.String()
}

func (r repo) git(in []byte, args ...string) []byte {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	if args[0] != "init" {
		cmd.Dir = r.dir
	}
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out
}

func (r repo) packs() string { return filepath.Join(r.dir, "objects", "pack") }

// only is the one file in the folder of packs with an extension.
func (r repo) only(extension string) string {
	r.t.Helper()
	found, err := filepath.Glob(filepath.Join(r.packs(), "*"+extension))
	if err != nil || len(found) != 1 {
		r.t.Fatalf("%d files %s: %v", len(found), extension, err)
	}
	return found[0]
}

// write replaces a file, which git makes read-only.
func (r repo) write(path string, content []byte) {
	r.t.Helper()
	_ = os.Remove(path)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		r.t.Fatal(err)
	}
}

type object struct {
	kind    string
	content []byte
}

// objects asks git for all objects.
func (r repo) objects() map[Name]object {
	r.t.Helper()
	out := r.git(nil, "cat-file", "--batch-all-objects", "--batch", "--unordered")
	all := make(map[Name]object)
	for len(out) > 0 {
		head, rest, _ := bytes.Cut(out, []byte{'\n'})
		f := strings.Fields(string(head))
		size, err := strconv.Atoi(f[2])
		if err != nil {
			r.t.Fatal(err)
		}
		all[name(r.t, f[0])] = object{f[1], rest[:size]}
		out = rest[size+1:]
	}
	return all
}

func name(t testing.TB, digits string) Name {
	b, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	return Name(b)
}

// testLimit is more than any object here has.
const testLimit = 64 << 20

// holds reads all objects and compares them with git's.
func holds(t testing.TB, d *Folder, want map[Name]object) {
	t.Helper()
	for name, o := range want {
		kind, content, err := d.Read(name, testLimit)
		if err != nil || kind.String() != o.kind || !bytes.Equal(content, o.content) {
			t.Fatalf("%x: %v of %d bytes, %v; want %s of %d", name, kind, len(content), err, o.kind, len(o.content))
		}
		if n, err := d.Size(name); err != nil || n != int64(len(o.content)) {
			t.Fatalf("%x: size %d, %v; want %d", name, n, err, len(o.content))
		}
		if !d.Has(name) {
			t.Fatalf("%x is absent", name)
		}
	}
}

func open(t testing.TB, r repo, cacheBytes int) *Folder {
	d := New(r.packs(), cacheBytes)
	t.Cleanup(func() { _ = d.Close() })
	return d
}
