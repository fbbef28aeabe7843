package git

import (
	"bytes"
	"context"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/backout-dev/backout/bot"
)

const (
	testRepo  = bot.RepoName("acme/fleet")
	testToken = "ghs_top+secret/token"
)

// server is GitHub's git side: real repositories behind git http-backend, which
// counts what is asked of it and misbehaves when told to.
type server struct {
	t    testing.TB
	root string
	http *httptest.Server
	logs bytes.Buffer // what the mirrors under test log

	mu      sync.Mutex
	listed  int // advertisements of refs
	packs   int // packs asked for
	lastTry *http.Request
	// hold, when set, is called before each request is served.
	hold func(r *http.Request)
	// answer, when set, may answer a request itself and then reports true.
	answer func(w http.ResponseWriter, r *http.Request) bool
}

func newServer(t testing.TB) *server {
	t.Helper()
	path, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Skip("git is not installed")
	}
	s := &server{t: t, root: t.TempDir()}
	s.http = httptest.NewUnstartedServer(nil)
	backend := filepath.Join(strings.TrimSpace(string(path)), "git-http-backend")
	s.http.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.intercept(w, r) {
			return
		}
		(&cgi.Handler{
			Path: backend,
			Env: []string{
				"GIT_PROJECT_ROOT=" + s.root, "GIT_HTTP_EXPORT_ALL=1", "GIT_PROTOCOL=" + r.Header.Get("Git-Protocol"),
				"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
			},
			Stderr: io.Discard,
		}).ServeHTTP(w, r)
	})
	s.http.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.http.Start()
	t.Cleanup(s.http.Close)
	return s
}

func (s *server) intercept(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	if strings.HasSuffix(r.URL.Path, "/info/refs") {
		s.listed++
	} else {
		s.packs++
	}
	s.lastTry = r
	hold, answer := s.hold, s.answer
	s.mu.Unlock()
	if hold != nil {
		hold(r)
	}
	return answer != nil && answer(w, r)
}

// set changes how the server behaves.
func (s *server) set(hold func(*http.Request), answer func(http.ResponseWriter, *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold, s.answer = hold, answer
}

func (s *server) counts() (listed, packs int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listed, s.packs
}

// repo makes the repository that the mirrors under test mirror.
func (s *server) repo() *bare {
	return newBare(s.t, filepath.Join(s.root, string(testRepo)+".git"))
}

// mirrors are fresh mirrors of the server.
func (s *server) mirrors(change ...func(*Config)) *Mirrors {
	s.t.Helper()
	cfg := Config{
		Dir:     filepath.Join(s.t.TempDir(), "mirrors"),
		BaseURL: s.http.URL + "/",
		Token:   func(context.Context, bot.RepoName) (string, error) { return testToken, nil },
		Log:     slog.New(slog.NewTextHandler(&s.logs, nil)),
	}
	for _, c := range change {
		c(&cfg)
	}
	ms, err := New(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := ms.Close(); err != nil {
			s.t.Error(err)
		}
	})
	return ms
}

func fetch(t testing.TB, ms *Mirrors) {
	t.Helper()
	if err := ms.Fetch(context.Background(), testRepo); err != nil {
		t.Fatal(err)
	}
}

// head resolves a branch, or tells why it can't.
func head(t testing.TB, ms *Mirrors, branch string) string {
	t.Helper()
	sha, err := ms.Resolve(context.Background(), testRepo, branch)
	if err != nil {
		return string(bot.AsTrouble(err).Kind)
	}
	return string(sha)
}
