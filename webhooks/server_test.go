package webhooks

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/backout-dev/backout/bot"
)

func TestNewSaysWhatToConfigure(t *testing.T) {
	long := []byte(secret)
	tests := []struct {
		name string
		cfg  Config
		want string
	}{
		{"no engine", Config{Secrets: [][]byte{long}}, "engine"},
		{"no secret", Config{Engine: &engine{}}, "openssl rand"},
		{"an empty secret", Config{Engine: &engine{}, Secrets: [][]byte{nil}}, "0 bytes"},
		{"a short secret", Config{Engine: &engine{}, Secrets: [][]byte{long, []byte("short")}}, "webhook secret number 2 has 5 bytes"},
		{"three secrets", Config{Engine: &engine{}, Secrets: [][]byte{long, long, long}}, "while it is rotated"},
		{"a short alert token", Config{Engine: &engine{}, Secrets: [][]byte{long}, AlertTokens: [][]byte{{1}}}, "Alertmanager token"},
		{"a short metrics token", Config{Engine: &engine{}, Secrets: [][]byte{long}, MetricsTokens: [][]byte{{1}}}, "metrics token"},
	}
	for _, tt := range tests {
		if _, err := New(tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "short\"") {
			t.Errorf("%s: %v, want a word about %q", tt.name, err, tt.want)
		}
	}
	r := prometheus.NewRegistry()
	cfg := Config{Engine: &engine{}, Secrets: [][]byte{long}, Registry: r}
	if _, err := New(cfg); err != nil {
		t.Error(err)
	}
	if _, err := New(cfg); err == nil {
		t.Error("metrics were registered twice")
	}
}

func TestPathsAndMethods(t *testing.T) {
	h := newHarness(t)
	tests := []struct {
		handler http.Handler
		method  string
		path    string
		status  int
	}{
		{h.Public(), "POST", "/", 404},
		{h.Public(), "POST", "/webhooks", 404},
		{h.Public(), "POST", "/webhooks/github/", 404},
		{h.Public(), "POST", "//webhooks/github", 404},
		{h.Public(), "POST", "/x/../webhooks/github", 404},
		{h.Public(), "POST", "/webhooks/flux", 404},
		{h.Public(), "GET", "/webhooks/github", 405},
		{h.Public(), "OPTIONS", "/webhooks/alertmanager", 405},
		{h.Public(), "GET", "/metrics", 404},
		{h.Public(), "GET", "/healthz", 404},
		{h.Internal(), "POST", "/webhooks/github", 404},
		{h.Internal(), "GET", "/debug/pprof/", 404},
		{h.Internal(), "POST", "/metrics", 405},
		{h.Internal(), "GET", "/healthz", 200},
		{h.Internal(), "HEAD", "/healthz", 200},
		{h.Internal(), "GET", "/readyz", 200},
		{h.Internal(), "GET", "/metrics", 200},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		tt.handler.ServeHTTP(w, httptest.NewRequest(tt.method, tt.path, nil))
		if w.Code != tt.status {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.path, w.Code, tt.status)
		}
		if w.Code == http.StatusMethodNotAllowed && w.Header().Get("Allow") == "" {
			t.Errorf("%s %s: 405 without Allow", tt.method, tt.path)
		}
	}
}

func TestReady(t *testing.T) {
	var err error
	h := newHarness(t, func(c *Config) { c.Ready = func(context.Context) error { return err } })
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		h.Internal().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	if code, _ := get("/readyz"); code != http.StatusOK {
		t.Error("not ready")
	}
	err = errors.New("postgres://user:password@host is down")
	if code, body := get("/readyz"); code != http.StatusServiceUnavailable || strings.Contains(body, "password") {
		t.Errorf("%d %s", code, body)
	}
	if code, _ := get("/healthz"); code != http.StatusOK {
		t.Error("not to be ready is not to be dead")
	}
	err = nil
	h.draining.Store(true)
	if code, _ := get("/readyz"); code != http.StatusServiceUnavailable {
		t.Error("ready while it stops")
	}
}

func TestMetricsToken(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.MetricsTokens = [][]byte{[]byte(second)} })
	h.do(delivered("push", fixture(t, "github/push", nil)))
	for auth, want := range map[string]int{"": 401, "Bearer " + token: 401, "Bearer " + second: 200} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Header.Set("Authorization", auth)
		h.Internal().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d, want %d", auth, w.Code, want)
		}
		if line := `backout_webhook_requests_total{event="push",result="hinted",source="github"} 1`; want == 200 && !strings.Contains(w.Body.String(), line) {
			t.Errorf("metrics lack %s", line)
		}
	}
}

// TestServe serves on real listeners, and at the end answers what is under way.
func TestServe(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	h := newHarness(t, func(c *Config) {
		c.OnInstallation = func(context.Context, Installation) error {
			close(entered)
			<-release
			return nil
		}
	})
	listen := func() (net.Listener, string) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l, "http://" + l.Addr().String()
	}
	public, outside := listen()
	internal, inside := listen()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- h.Serve(ctx, public, internal) }()

	if resp, err := over(http.MethodGet, inside+"/healthz", nil, nil); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%+v, %v", resp, err)
	}

	last := make(chan answer, 1)
	body := fixture(t, "github/installation", nil)
	go func() {
		resp, err := over(http.MethodPost, outside+"/webhooks/github", delivered("installation", body).Header, body)
		if err != nil {
			t.Error(err)
		}
		last <- resp
	}()
	<-entered
	cancel()
	close(release)
	if resp := <-last; resp.StatusCode != http.StatusAccepted {
		t.Errorf("the last delivery got %+v", resp)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if _, err := over(http.MethodGet, outside, nil, nil); err == nil {
		t.Error("it still listens")
	}
}

func TestServeReportsABrokenListener(t *testing.T) {
	h := newHarness(t)
	var listeners []net.Listener
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, l)
	}
	if err := listeners[0].Close(); err != nil {
		t.Fatal(err)
	}
	if err := h.Serve(t.Context(), listeners[0], listeners[1]); err == nil || !strings.Contains(err.Error(), "public") {
		t.Errorf("Serve = %v", err)
	}
}

// A slow sender is cut off (https://en.wikipedia.org/wiki/Slowloris_(cyber_attack)).
func TestSlowHeadersAreCutOff(t *testing.T) {
	srv := newHarness(t).server(t.Context(), http.NotFoundHandler())
	if srv.ReadHeaderTimeout == 0 || srv.ReadTimeout == 0 || srv.WriteTimeout <= srv.ReadTimeout || srv.IdleTimeout == 0 || srv.MaxHeaderBytes == 0 {
		t.Errorf("server without bounds: %+v", srv)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv.ReadHeaderTimeout = time.Millisecond
	go func() { _ = srv.Serve(l) }()      // it ends with the test
	t.Cleanup(func() { _ = srv.Close() }) // it may be at its end
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }() // the other side closes it, too
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection is still open")
	}
}

// TestPushes: the answer never waits for work, a repository is worked on once
// at a time, and a push during the work is one more run.
func TestPushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs, most, now := map[bot.RepoName]int{}, 0, 0
		release := make(chan struct{})
		var p *pushes
		p = newPushes(func(_ context.Context, repo bot.RepoName) {
			p.mu.Lock()
			runs[repo]++
			now++
			most = max(most, now)
			p.mu.Unlock()
			<-release
			p.mu.Lock()
			now--
			p.mu.Unlock()
		})
		for range 10 {
			p.add("acme/fleet")
		}
		for _, repo := range []bot.RepoName{"a/1", "a/2", "a/3", "a/4", "a/5"} {
			p.add(repo)
		}
		synctest.Wait()
		if most != pushesAtOnce {
			t.Errorf("%d at once, want %d", most, pushesAtOnce)
		}
		close(release)
		synctest.Wait()
		if runs["acme/fleet"] < 1 || runs["acme/fleet"] > 2 || runs["a/5"] != 1 || len(p.running) != 0 {
			t.Errorf("runs %v, running %v", runs, p.running)
		}
		p.add("a/1")
		synctest.Wait()
		if runs["a/1"] != 2 {
			t.Errorf("a later push made %d runs, want one more", runs["a/1"])
		}
		p.stop()
		p.add("a/6")
		synctest.Wait()
		if runs["a/6"] != 0 {
			t.Error("work began after the end")
		}
	})
}

// The end interrupts what runs, and waits for it.
func TestPushesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		p := newPushes(func(ctx context.Context, _ bot.RepoName) {
			<-ctx.Done()
			ended = true
		})
		p.add("acme/fleet")
		synctest.Wait()
		p.add("acme/fleet")
		p.stop()
		if !ended {
			t.Error("the work was left behind")
		}
	})
}

func TestAPushWarmsTheMirror(t *testing.T) {
	got := make(chan bot.RepoName, 1)
	block := make(chan struct{})
	h := newHarness(t, func(c *Config) {
		c.OnPush = func(_ context.Context, repo bot.RepoName) {
			got <- repo
			<-block
		}
	})
	if resp := h.do(delivered("push", fixture(t, "github/push", nil))); resp.StatusCode != http.StatusAccepted {
		t.Error(resp.Status) // and it came while the work goes on
	}
	if repo := <-got; repo != "acme/fleet" {
		t.Errorf("told of %s", repo)
	}
	close(block)
}
