package git

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

func TestFetchFollowsBranches(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	origin := s.repo()
	first := origin.commit("main", files{"a": plain("1\n")}, "first")
	side := origin.commit("feature", files{"a": plain("2\n")}, "side", first)
	ms := s.mirrors()
	fetch(t, ms)
	want := func(branches map[string]bot.SHA) {
		t.Helper()
		for branch, sha := range branches {
			if got := head(t, ms, branch); got != string(sha) {
				t.Errorf("%s is %s, want %s", branch, got, sha)
			}
		}
	}
	want(map[string]bot.SHA{"main": first, "feature": side})

	// A branch moves on, another goes, and a name becomes a directory of names.
	second := origin.commit("main", files{"a": plain("3\n")}, "second")
	origin.run(nil, "branch", "-D", "feature")
	nested := origin.commit("feature/nested", files{"a": plain("4\n")}, "nested", first)
	fetch(t, ms)
	want(map[string]bot.SHA{"main": second, "feature": "not-found", "feature/nested": nested})

	// History is rewritten.
	rewritten := origin.commit("main", files{"a": plain("5\n")}, "rewritten", first)
	fetch(t, ms)
	want(map[string]bot.SHA{"main": rewritten})

	// A fetch that brings nothing downloads nothing.
	_, before := s.counts()
	fetch(t, ms)
	if _, after := s.counts(); after != before {
		t.Errorf("a pack was asked for though nothing had changed")
	}

	// Another process finds the mirror as it was left.
	if err := ms.Close(); err != nil {
		t.Fatal(err)
	}
	ms = s.mirrors(func(c *Config) { c.Dir = ms.cfg.Dir })
	listed, _ := s.counts()
	want(map[string]bot.SHA{"main": rewritten, "feature/nested": nested})
	if again, _ := s.counts(); again != listed {
		t.Error("reading an existing mirror asked the server")
	}
}

func TestFetchOfEmptyRepository(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	origin := s.repo()
	ms := s.mirrors()
	fetch(t, ms)
	if got := head(t, ms, "main"); got != "not-found" {
		t.Errorf("main is %s", got)
	}
	first := origin.commit("main", files{"a": plain("1\n")}, "first")
	fetch(t, ms)
	if got := head(t, ms, "main"); got != string(first) {
		t.Errorf("main is %s", got)
	}
}

func TestTokenStaysInMemory(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	origin := s.repo()
	origin.commit("main", files{"a": plain("1\n")}, "first")
	ms := s.mirrors()
	fetch(t, ms)
	if user, password, _ := s.lastTry.BasicAuth(); user != "x-access-token" || password != testToken {
		t.Errorf("authorised as %q with %q", user, password)
	}

	// A server that echoes what it was sent.
	s.set(nil, func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("bad credentials: " + testToken + " " + r.Header.Get("Authorization")))
		return true
	})
	err := ms.Fetch(context.Background(), testRepo)
	if err == nil {
		t.Fatal("no error")
	}
	encoded := base64.StdEncoding.EncodeToString([]byte("x-access-token:" + testToken))
	found := func(where string, text []byte) {
		for _, secret := range []string{testToken, encoded} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("the token is in %s", where)
			}
		}
	}
	found("the error", []byte(err.Error()))
	for e := err; e != nil; e = errors.Unwrap(e) {
		found("a wrapped error", []byte(e.Error()))
	}
	found("the log", s.logs.Bytes())
	err = filepath.WalkDir(ms.cfg.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		found(path, text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFetchTrouble(t *testing.T) {
	t.Parallel()
	status := func(code int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(code)
			return true
		}
	}
	for name, tt := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request) bool
		want   bot.TroubleKind
	}{
		"401": {status(401), bot.TroubleForbidden},
		"403": {status(403), bot.TroubleForbidden},
		"404": {status(404), bot.TroubleNotFound},
		"410": {status(410), bot.TroubleInvalid},
		"429": {status(429), bot.TroubleTransient},
		"500": {status(500), bot.TroubleTransient},
		"503": {status(503), bot.TroubleTransient},
		"cut": {func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }, bot.TroubleTransient},
		"nonsense": {func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write([]byte("<html>maintenance</html>"))
			return true
		}, bot.TroubleTransient},
		"cut in the pack": {func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPost {
				return false
			}
			_, _ = w.Write([]byte("0008NAK\n0010\x01PACK\x00\x00\x00\x02"))
			panic(http.ErrAbortHandler)
		}, bot.TroubleTransient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			origin := s.repo()
			first := origin.commit("main", files{"a": plain("1\n")}, "first")
			for _, how := range []string{"cloned", "cloned apart", "fetched"} {
				existing := how == "fetched"
				s.set(nil, nil)
				ms := s.mirrors()
				if how == "cloned apart" {
					ms.cfg.CloneCommand = cloneCommand
				}
				if existing {
					fetch(t, ms)
					origin.commit("main", files{"a": plain(t.Name())}, "second", first)
				}
				s.set(nil, tt.answer)
				err := ms.Fetch(context.Background(), testRepo)
				if got := bot.AsTrouble(err).Kind; err == nil || got != tt.want {
					t.Fatalf("%s: %v is %s, want %s", how, err, got, tt.want)
				}
				checkWhole(t, ms, existing)
				s.set(nil, nil)
				fetch(t, ms)
			}
		})
	}
}

// checkWhole fails when a broken fetch left anything behind.
func checkWhole(t *testing.T, ms *Mirrors, want bool) {
	t.Helper()
	mirror := filepath.Join(ms.cfg.Dir, string(testRepo)+".git")
	if _, err := os.Stat(mirror); (err == nil) != want {
		t.Errorf("mirror exists: %v, want %v", err == nil, want)
	}
	for _, pattern := range []string{filepath.Join(ms.cfg.Dir, unfinished+"*"), filepath.Join(mirror, "objects", "pack", "tmp_*")} {
		if left, _ := filepath.Glob(pattern); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
}

func TestFetchStopsAtTheSizeLimit(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	noise := make([]byte, 200_000)
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	s.repo().commit("main", files{"big": plain(string(noise))}, "first")
	for _, command := range [][]string{nil, cloneCommand} {
		ms := s.mirrors(func(c *Config) { c.MaxBytes, c.CloneCommand = 100_000, command })
		err := ms.Fetch(context.Background(), testRepo)
		if !bot.IsTrouble(err, bot.TroubleInvalid) || bot.AsTrouble(err).Advice == "" {
			t.Errorf("got %v, want advice to raise the limit", err)
		}
		checkWhole(t, ms, false)
	}
}

func TestConcurrentFetchesShare(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.repo().commit("main", files{"a": plain("1\n")}, "first")
	ms := s.mirrors()
	entered, gate := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.set(func(*http.Request) {
		once.Do(func() { close(entered) })
		<-gate
	}, nil)
	var wg sync.WaitGroup
	start := func() {
		wg.Go(func() {
			if err := ms.Fetch(context.Background(), testRepo); err != nil {
				t.Error(err)
			}
		})
	}
	start()
	<-entered
	for range 20 {
		start()
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := ms.Fetch(ctx, testRepo); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that gave up got %v", err)
	}
	close(gate)
	wg.Wait()
	// How many of the twenty came while the first was under way is up to the
	// scheduler; those share one more.
	listed, packs := s.counts()
	if packs != 1 || listed > 21 {
		t.Errorf("%d fetches, %d packs", listed, packs)
	}
}

// TestFetchIsNeverOlderThanTheCall pushes while a fetch has already read the
// branches: whoever asks after the push must see it.
func TestFetchIsNeverOlderThanTheCall(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	origin := s.repo()
	origin.commit("main", files{"a": plain("1\n")}, "first")
	ms := s.mirrors()
	packing, gate := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.set(func(r *http.Request) {
		if r.Method == http.MethodPost {
			once.Do(func() {
				close(packing)
				<-gate
			})
		}
	}, nil)
	early := make(chan error)
	go func() { early <- ms.Fetch(context.Background(), testRepo) }()
	<-packing
	second := origin.commit("main", files{"a": plain("2\n")}, "second")
	late := make(chan error)
	go func() { late <- ms.Fetch(context.Background(), testRepo) }()
	close(gate)
	for _, c := range []chan error{early, late} {
		if err := <-c; err != nil {
			t.Fatal(err)
		}
	}
	if got := head(t, ms, "main"); got != string(second) {
		t.Errorf("main is %s, want %s", got, second)
	}
}

func TestDamagedMirrorIsClonedAnew(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, dir string){
		"packs gone":    func(t *testing.T, dir string) { remove(t, dir, "objects/pack/*") },
		"pack gone":     func(t *testing.T, dir string) { remove(t, dir, "objects/pack/*.pack") },
		"index is torn": func(t *testing.T, dir string) { tear(t, dir, "objects/pack/*.idx") },
		"pack is torn":  func(t *testing.T, dir string) { tear(t, dir, "objects/pack/*.pack") },
		"branches torn": func(t *testing.T, dir string) { tear(t, dir, "packed-refs") },
		"half a mirror": func(t *testing.T, dir string) { remove(t, dir, "packed-refs") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			origin := s.repo()
			first := origin.commit("main", files{"a": plain("1\n")}, "first")
			ms := s.mirrors()
			fetch(t, ms)
			if err := ms.Close(); err != nil {
				t.Fatal(err)
			}
			damage(t, filepath.Join(ms.cfg.Dir, string(testRepo)+".git"))
			ms = s.mirrors(func(c *Config) { c.Dir = ms.cfg.Dir })
			// Whoever reads first may be told of trouble; a fetch mends it.
			if _, err := ms.Commit(context.Background(), testRepo, first); err != nil {
				if !bot.IsTrouble(err, bot.TroubleTransient) && !bot.IsTrouble(err, bot.TroubleNotFound) {
					t.Errorf("reading a damaged mirror: %v", err)
				}
			}
			fetch(t, ms)
			c, err := ms.Commit(context.Background(), testRepo, first)
			if err != nil || c.Subject != "first" {
				t.Errorf("after the fetch: %+v, %v", c, err)
			}
			checkWhole(t, ms, true)
		})
	}
}

func remove(t *testing.T, dir, pattern string) {
	t.Helper()
	paths, _ := filepath.Glob(filepath.Join(dir, pattern))
	for _, p := range paths {
		if err := os.Remove(p); err != nil {
			t.Fatal(err)
		}
	}
}

// tear keeps the first third of some files, as a full disk would.
func tear(t *testing.T, dir, pattern string) {
	t.Helper()
	paths, _ := filepath.Glob(filepath.Join(dir, pattern))
	for _, p := range paths {
		info, err := os.Stat(p)
		if err == nil {
			err = os.Chmod(p, 0o600)
		}
		if err == nil {
			err = os.Truncate(p, info.Size()/3)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadingWhileFetching(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	origin := s.repo()
	first := origin.commit("main", files{"a": plain("1\n"), "dir/b": plain("2\n")}, "first")
	ms := s.mirrors()
	fetch(t, ms)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				tree, err := ms.Tree(context.Background(), testRepo, first)
				if err == nil {
					_, err = fs.ReadFile(tree, "dir/b")
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 5 {
		sha := origin.commit("main", files{"a": plain(strings.Repeat("x\n", i))}, "more")
		fetch(t, ms)
		if got := head(t, ms, "main"); got != string(sha) {
			t.Errorf("main is %s, want %s", got, sha)
		}
	}
	close(done)
	wg.Wait()
}

// TestManyPacksAreRenewed fetches often; readers never notice when the mirror is
// replaced by one with fewer packs.
func TestManyPacksAreRenewed(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	origin := s.repo()
	ms := s.mirrors()
	ms.maxPacks = 2
	var all []bot.SHA
	for i := range 6 {
		all = append(all, origin.commit("main", files{"a": plain(strings.Repeat("x\n", i))}, "more"))
		fetch(t, ms)
		if got := head(t, ms, "main"); got != string(all[i]) {
			t.Fatalf("main is %s, want %s", got, all[i])
		}
	}
	ms.wait.Wait()
	for _, sha := range all {
		if _, err := ms.Commit(context.Background(), testRepo, sha); err != nil {
			t.Error(err)
		}
	}
	st, err := ms.read(context.Background(), testRepo)
	if err != nil {
		t.Fatal(err)
	}
	if n := st.packs(); n > 5 {
		t.Errorf("%d packs", n)
	}
	checkWhole(t, ms, true)
}

func TestMirrorNames(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ms := s.mirrors()
	for _, repo := range []bot.RepoName{
		"", "fleet", "acme/", "/fleet", "acme/fleet/x", "../fleet", "acme/..", "acme/.", "-acme/fleet", ".unfinished-1/mirror", "acme/fl\x00eet", "acme\\x/fleet",
	} {
		if err := ms.Fetch(context.Background(), repo); !bot.IsTrouble(err, bot.TroubleInvalid) {
			t.Errorf("%q: %v", repo, err)
		}
	}
	if listed, _ := s.counts(); listed != 0 {
		t.Error("the server was asked for a repository that can't be")
	}
}

func TestBaseURLHoldsNoCredentials(t *testing.T) {
	for _, base := range []string{"https://x:" + testToken + "@example.com", "https://token@example.com", "ht tp://x"} {
		_, err := New(Config{Dir: t.TempDir(), BaseURL: base})
		if err == nil || strings.Contains(err.Error(), "token") {
			t.Errorf("%s: %v", base, err)
		}
	}
}

func TestRemoveAndClose(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	first := s.repo().commit("main", files{"a": plain("1\n")}, "first")
	ms := s.mirrors()
	fetch(t, ms)
	if err := ms.Remove(testRepo); err != nil {
		t.Fatal(err)
	}
	checkWhole(t, ms, false)
	// Reading clones again.
	if _, err := ms.Commit(context.Background(), testRepo, first); err != nil {
		t.Fatal(err)
	}
	if err := ms.Close(); err != nil {
		t.Fatal(err)
	}
	if err := ms.Fetch(context.Background(), testRepo); !bot.IsTrouble(err, bot.TroubleTransient) {
		t.Errorf("fetch after Close: %v", err)
	}
}

func TestLeftoversAreSwept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{"old": 2 * time.Hour, "young": time.Minute} {
		path := filepath.Join(dir, unfinished+name)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		when := time.Now().Add(-age)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	ms, err := New(Config{Dir: dir, Timeout: 10 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer ms.Close()
	left, _ := filepath.Glob(filepath.Join(dir, unfinished+"*"))
	if diff := cmp.Diff([]string{filepath.Join(dir, unfinished+"young")}, left); diff != "" {
		t.Error(diff)
	}
}

// TestAbbreviatedAfterFetch resolves the first digits of a commit before and after
// it has come, when nothing else was missed that would tell of its pack.
func TestAbbreviatedAfterFetch(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	origin := s.repo()
	first := origin.commit("main", files{"a": plain("1\n")}, "first")
	ms := s.mirrors()
	fetch(t, ms)
	for n := range 5 {
		if got, err := ms.Resolve(t.Context(), testRepo, string(first[:8])); err != nil || got != first {
			t.Fatalf("after %d fetches %s is %s: %v", n, first[:8], got, err)
		}
		next := origin.commit("main", files{"a": plain(fmt.Sprintf("%d\n", n))}, "next")
		fetch(t, ms)
		if got, err := ms.Resolve(t.Context(), testRepo, string(next[:8])); err != nil || got != next {
			t.Fatalf("%s, which fetch %d brought, is %s: %v", next[:8], n, got, err)
		}
	}
}
