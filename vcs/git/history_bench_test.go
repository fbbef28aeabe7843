package git

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

// longHistory makes a repository with n commits on its main line, every tenth a
// merge, of 3,000 files in 300 apps.
func longHistory(t testing.TB, n int) *bare {
	b := newBare(t, filepath.Join(t.TempDir(), "long.git"))
	rnd := rand.New(rand.NewPCG(8, 8))
	var w bytes.Buffer
	say := func(mark, when int, branch string, paths []string, parents ...int) {
		fmt.Fprintf(&w, "commit refs/heads/%s\nmark :%d\ncommitter C <c@example.com> %d +0000\ndata 2\nm\n", branch, mark, 1500000000+60*when)
		for i, p := range parents {
			fmt.Fprintf(&w, "%s :%d\n", []string{"from", "merge"}[i], p)
		}
		for _, p := range paths {
			content := fmt.Sprintf("image: registry.example.com/app:%d\n", rnd.IntN(1e9))
			fmt.Fprintf(&w, "M 100644 inline %s\ndata %d\n%s\n", p, len(content), content)
		}
	}
	file := func(i int) string {
		return fmt.Sprintf("clusters/c%d/apps/app%03d/%s.yaml", i%10, i/10%300, []string{"deploy", "svc", "values", "kustomization", "cm", "ing", "hpa", "pdb", "sa", "np"}[i%10])
	}
	var all []string
	for i := range 3000 {
		all = append(all, file(i))
	}
	say(1, 0, "main", append(all, "rare/once.yaml"))
	mark, tip := 1, 1
	for i := range n - 1 {
		// Few apps change often, most of them seldom.
		paths := []string{file(int(3000 * rnd.Float64() * rnd.Float64() * rnd.Float64())), file(rnd.IntN(3000))}[:1+rnd.IntN(2)]
		mark++
		if i%10 == 0 {
			say(mark, i, "side", paths, tip)
			mark++
			say(mark, i, "main", paths, tip, mark-1)
		} else {
			say(mark, i, "main", paths, tip)
		}
		tip = mark
	}
	b.run(w.Bytes(), "fast-import", "--quiet")
	b.run(nil, "branch", "-D", "side")
	b.run(nil, "repack", "-adq")
	return b
}

// measured is a repository that questions about history are measured in, as it is,
// with git's changed-path Bloom filters, and as a mirror of ours.
type measured struct {
	name         string
	plain, bloom *bare
	ms           *Mirrors
	store        *store
	repo         bot.RepoName
	head         bot.SHA
	built        time.Duration // the index
}

// histories are the corpus, if it is at hand, and a long synthetic history.
func histories(b testing.TB) []*measured {
	var all []*measured
	dirs, _ := filepath.Glob(filepath.Join(os.Getenv("BACKOUT_CORPUS"), "*", "*.git"))
	for _, dir := range dirs {
		all = append(all, &measured{name: filepath.Base(filepath.Dir(dir)), plain: &bare{b, dir}})
	}
	n, _ := strconv.Atoi(os.Getenv("BACKOUT_LONG"))
	all = append(all, &measured{name: fmt.Sprint("synthetic-", max(n, 50000)), plain: longHistory(b, max(n, 50000))})
	for _, m := range all {
		m.prepare(b)
	}
	return all
}

func (m *measured) prepare(b testing.TB) {
	dir := b.TempDir()
	m.head = bot.SHA(m.plain.lines("rev-parse", "HEAD")[0])
	m.bloom = &bare{b, filepath.Join(dir, "bloom.git")}
	m.plain.run(nil, "clone", "--quiet", "--bare", "--shared", ".", m.bloom.dir)
	m.bloom.run(nil, "commit-graph", "write", "--reachable", "--changed-paths")
	// A mirror that reads the same packs.
	m.repo = bot.RepoName("acme/" + m.name)
	mirror := filepath.Join(dir, string(m.repo)+".git")
	if err := os.MkdirAll(filepath.Join(mirror, "refs"), 0o700); err != nil {
		b.Fatal(err)
	}
	at, err := filepath.EvalSymlinks(m.plain.dir)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(at, "objects"), filepath.Join(mirror, "objects")); err != nil {
		b.Fatal(err)
	}
	for name, content := range map[string]string{"HEAD": "ref: refs/heads/main\n", "packed-refs": string(m.head) + " refs/heads/main\n"} {
		if err := os.WriteFile(filepath.Join(mirror, name), []byte(content), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	if m.ms, err = New(Config{Dir: dir, BaseURL: "http://invalid.invalid"}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = m.ms.Close() })
	if m.store, err = m.ms.read(context.Background(), m.repo); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	if _, err := m.store.indexHistory(context.Background(), func() bool { return true }); err != nil {
		b.Fatal(err)
	}
	m.built = time.Since(began)
}

// paths finds one that many commits touched, one that few did, and one that none
// did.
func (m *measured) paths(b testing.TB) map[string]string {
	all := strings.Split(strings.TrimSpace(string(m.plain.run(nil, "ls-tree", "-r", "-t", "--name-only", "HEAD"))), "\n")
	found := map[string]string{"never": "no/such/path"}
	most := 0
	for i, path := range all {
		if strings.Count(path, "/") < 1 || i%(1+len(all)/400) != 0 {
			continue
		}
		t, n := m.store.trail(toHash(m.head), newScope(path)), 0
		for more := true; more; n++ {
			var err error
			if more, err = t.next(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
		if n--; n > most {
			most, found["hot"] = n, path
		}
		if n > 1 && n < 20 {
			found["rare"] = path
		}
	}
	return found
}

// BenchmarkHistory asks which 20 commits touched a path last. Backout answers in a
// repository that is open: "walk" without an index, "again" once more in the same
// process, when the index has filled, and "index" with the index of a mirror; "once"
// opens the repository for it. Git is one process, plain and with changed-path Bloom
// filters; "git-version" is what a process costs that does nothing. Milliseconds are
// of processor time, which a busy machine does not change much.
func BenchmarkHistory(b *testing.B) {
	for _, m := range histories(b) {
		paths := m.paths(b)
		for _, kind := range []string{"hot", "rare", "never"} {
			path := paths[kind]
			b.Run(m.name+"/"+kind, func(b *testing.B) { m.compare(b, path) })
		}
	}
}

func (m *measured) compare(b *testing.B, path string) {
	want := m.plain.lines("log", "-20", "--first-parent", "--format=%H", string(m.head), "--", path)
	log := func(act func() ([]bot.Commit, error)) func() {
		return func() {
			found, err := act()
			if err != nil {
				b.Fatal(err)
			}
			got := make([]string, 0, len(found))
			for _, c := range found {
				got = append(got, string(c.SHA))
			}
			if !slices.Equal(got, want) {
				b.Fatalf("%s: %v, git says %v", path, got, want)
			}
		}
	}
	var spent time.Duration // by the last git
	git := func(in *bare, args ...string) func() {
		return func() {
			cmd := exec.Command("git", append([]string{"-C", in.dir}, args...)...) //nolint:gosec // Of this test.
			if err := cmd.Run(); err != nil {
				b.Fatal(err)
			}
			spent = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		}
	}
	q := PastQuery{From: m.head, Paths: []string{path}, Limit: 20}
	open := func() *Repository {
		r, err := Open(m.plain.dir)
		if err != nil {
			b.Fatal(err)
		}
		return r
	}
	warm := open()
	defer warm.Close() //nolint:errcheck // Only read from.
	question := []string{"log", "-20", "--first-parent", "--format=%H", string(m.head), "--", path}
	acts := []struct {
		name string
		act  func()
	}{
		{"once", log(func() ([]bot.Commit, error) {
			r := open()
			defer r.Close() //nolint:errcheck // Only read from.
			found, _, err := r.Log(context.Background(), q)
			return found, err
		})},
		{"walk", log(func() ([]bot.Commit, error) {
			warm.store.index = newIndex()
			found, _, err := warm.Log(context.Background(), q)
			return found, err
		})},
		{"index", log(func() ([]bot.Commit, error) {
			return m.ms.Log(context.Background(), bot.LogQuery{Repo: m.repo, From: m.head, Paths: q.Paths, Limit: 20})
		})},
		{"git", git(m.plain, question...)},
		{"git-bloom", git(m.bloom, question...)},
		{"git-version", git(m.plain, "version")},
	}
	took := make([][]time.Duration, len(acts))
	for b.Loop() {
		for i, a := range acts {
			runtime.GC()
			began := processorTime(b)
			spent = 0
			a.act()
			if spent == 0 {
				spent = processorTime(b) - began
			}
			took[i] = append(took[i], spent)
		}
	}
	for i, a := range acts {
		slices.Sort(took[i])
		b.ReportMetric(float64(took[i][len(took[i])/2].Microseconds())/1000, a.name+"-ms")
	}
	b.ReportMetric(0, "ns/op")
}

// processorTime is what this process has used so far.
func processorTime(b testing.TB) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// TestHistoryIndex prints what the index of a mirror costs: BACKOUT_CORPUS and
// BACKOUT_LONG as for BenchmarkHistory.
func TestHistoryIndex(t *testing.T) {
	if os.Getenv("BACKOUT_CORPUS")+os.Getenv("BACKOUT_LONG") == "" {
		t.Skip("BACKOUT_CORPUS is not set")
	}
	for _, m := range histories(t) {
		path := filepath.Join(t.TempDir(), indexFile)
		if err := m.store.index.save(path); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		x, err := loadIndex(path)
		loaded := time.Since(began)
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		wide := 0
		for _, r := range x.rows {
			if r.list == rowWide {
				wide++
			}
		}
		n := len(x.rows)
		t.Logf("%-20s %7d commits, %3d wide, %6d paths: built in %6v, file %9d bytes, %5.1f a commit; read in %5v, %9d bytes in memory (%d by its own account)",
			m.name, n, wide, len(x.paths.nodes), m.built.Round(time.Millisecond), info.Size(), float64(info.Size())/float64(n),
			loaded.Round(time.Millisecond), after.HeapAlloc-before.HeapAlloc, x.bytes())
		runtime.KeepAlive(x)
	}
}
