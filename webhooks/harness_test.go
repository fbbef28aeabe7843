package webhooks

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

const (
	secret = "0123456789abcdef0123456789abcdef"
	second = "fedcba9876543210fedcba9876543210"
	token  = "alertmanager-alertmanager-alertma"
	id     = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
	ourApp = 31337
)

// engine remembers what it was told.
type engine struct {
	mu     sync.Mutex
	fail   error
	events map[string]bot.Event
	calls  int
	hints  []bot.Hint
}

func (e *engine) Accept(_ context.Context, ev bot.Event) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls++
	if e.fail != nil {
		return e.fail
	}
	if e.events == nil {
		e.events = map[string]bot.Event{}
	}
	if _, known := e.events[ev.ID]; !known {
		e.events[ev.ID] = ev
	}
	return nil
}

func (e *engine) Hint(h bot.Hint) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hints = append(e.hints, h)
}

func (e *engine) Start(context.Context, bot.RollbackID) error { panic("webhooks start nothing") }

// quiet reports whether the engine was told nothing.
func (e *engine) quiet() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.calls == 0 && len(e.hints) == 0
}

// harness is a server with an engine that remembers.
type harness struct {
	*Server
	engine *engine
	log    *bytes.Buffer
}

func newHarness(t *testing.T, change ...func(*Config)) *harness {
	t.Helper()
	h := &harness{engine: &engine{}, log: &bytes.Buffer{}}
	cfg := Config{
		Engine: h.engine, Secrets: [][]byte{[]byte(secret), []byte(second)}, AlertTokens: [][]byte{[]byte(token)}, AppID: ourApp,
		Mentions: func(body string) bool { return strings.Contains(body, "/rollback") },
		Now:      func() time.Time { return time.Date(2026, 2, 26, 19, 11, 0, 0, time.UTC) },
		Log:      slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.pushes.stop)
	h.Server = s
	return h
}

// answer is what came back.
type answer struct {
	StatusCode int
	Status     string
	Header     http.Header
	Text       string
}

// do sends a request to the public handler.
func (h *harness) do(r *http.Request) answer {
	w := httptest.NewRecorder()
	h.Public().ServeHTTP(w, r)
	return answer{w.Code, http.StatusText(w.Code), w.Header(), strings.TrimSpace(w.Body.String())}
}

// wantMetric looks for a line on the metrics page.
func (h *harness) wantMetric(t *testing.T, line string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.Internal().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if !strings.Contains(w.Body.String(), line) {
		t.Errorf("metrics lack %s", line)
	}
}

// fixture reads a payload, with changes made to it: "a.b" names a field within
// a field; nil removes it.
func fixture(t *testing.T, name string, changes map[string]any) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(changes) == 0 {
		return body
	}
	var doc map[string]any
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	for path, value := range changes {
		at, parts := doc, strings.Split(path, ".")
		for _, p := range parts[:len(parts)-1] {
			at = at[p].(map[string]any)
		}
		last := parts[len(parts)-1]
		if value == nil {
			delete(at, last)
		} else {
			at[last] = value
		}
	}
	if body, err = json.Marshal(doc); err != nil {
		t.Fatal(err)
	}
	return body
}

// signature256 signs a body as GitHub does.
func signature256(body []byte, key string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func signatureSHA1(body []byte, key string) string {
	mac := hmac.New(sha1.New, []byte(key))
	mac.Write(body)
	return "sha1=" + hex.EncodeToString(mac.Sum(nil))
}

// delivered is a delivery as GitHub sends it.
func delivered(event string, body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/webhooks/github", bytes.NewReader(body))
	for name, value := range map[string]string{
		"Content-Type":                           "application/json",
		"User-Agent":                             "GitHub-Hookshot/044aadd",
		"X-GitHub-Delivery":                      id,
		"X-GitHub-Event":                         event,
		"X-GitHub-Hook-ID":                       "292430182",
		"X-GitHub-Hook-Installation-Target-ID":   "31337",
		"X-GitHub-Hook-Installation-Target-Type": "integration",
		"X-Hub-Signature":                        signatureSHA1(body, secret),
		"X-Hub-Signature-256":                    signature256(body, secret),
	} {
		r.Header.Set(name, value)
	}
	return r
}

// notified is a notification as Alertmanager sends it.
func notified(body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/webhooks/alertmanager", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Alertmanager/0.25.0")
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// over sends a request over the network and reads the answer.
func over(method, url string, header http.Header, body []byte) (answer, error) {
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	maps.Copy(req.Header, header)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Status, resp.Header, string(text)}, errors.Join(err, resp.Body.Close())
}
