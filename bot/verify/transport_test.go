package verify

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestCredentials(t *testing.T) {
	token := file(t, "first\n")
	tests := []struct {
		name     string
		endpoint Endpoint
		header   string
		want     string
	}{
		{"bearer", Endpoint{BearerFile: token}, "Authorization", "Bearer first"},
		{"basic", Endpoint{Username: "backout", PasswordFile: token}, "Authorization", "Basic YmFja291dDpmaXJzdA=="},
		{"header", Endpoint{Headers: map[string]string{"X-Scope-OrgID": "team"}}, "X-Scope-OrgID", "team"},
		{"none", Endpoint{}, "Authorization", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := "not asked"
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got = r.Header.Get(tt.header)
				reply(w, "%s", data("scalar", `[1,"0"]`))
			}))
			t.Cleanup(s.Close)
			tt.endpoint.URL = s.URL
			m, err := New(Config{Prometheus: tt.endpoint})
			if err != nil {
				t.Fatal(err)
			}
			if r, err := m.Run(t.Context(), check(), testApp()); err != nil || r.Status != bot.CheckPass || got != tt.want {
				t.Errorf("got %+v, %v with %s %q, want %q", r, err, tt.header, got, tt.want)
			}
		})
	}
}

// A rotated token counts with the next request; one that is gone is said so.
func TestCredentialsRotate(t *testing.T) {
	var got string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Authorization")
		reply(w, "%s", data("scalar", `[1,"0"]`))
	}))
	t.Cleanup(s.Close)
	token := file(t, "first")
	m, err := New(Config{Prometheus: Endpoint{URL: s.URL, BearerFile: token}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(token, []byte("second"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Run(t.Context(), check(), testApp()); err != nil || got != "Bearer second" {
		t.Errorf("sent %q, %v; want the new token", got, err)
	}
	if err := os.Remove(token); err != nil {
		t.Fatal(err)
	}
	r, err := m.Run(t.Context(), check(), testApp())
	if err != nil || r.Status != bot.CheckUnknown || r.Detail != "our credentials for Prometheus could not be read" {
		t.Errorf("got %+v, %v", r, err)
	}
}

// Credentials go to the configured host only.
func TestRedirects(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another host was asked, with %q", r.Header.Get("Authorization"))
	}))
	t.Cleanup(elsewhere.Close)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/here/api/v1/query":
			http.Redirect(w, r, "/there", http.StatusTemporaryRedirect)
		case "/there":
			reply(w, "%s", data("scalar", `[1,"0"]`))
		default:
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}
	}))
	t.Cleanup(s.Close)
	token := file(t, "secret")
	for path, want := range map[string]string{"/here": bot.CheckPass, "/away": bot.CheckUnknown} {
		m, err := New(Config{Prometheus: Endpoint{URL: s.URL + path, BearerFile: token}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := m.Run(t.Context(), check(), testApp())
		if err != nil || r.Status != want {
			t.Errorf("%s: got %+v, %v; want %s", path, r, err, want)
		}
		if want == bot.CheckUnknown && !strings.Contains(r.Detail, "another host") {
			t.Errorf("%s: detail %q", path, r.Detail)
		}
	}
}

func TestCertificates(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reply(w, "%s", data("scalar", `[1,"0"]`))
	}))
	t.Cleanup(s.Close)
	ca := file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	for name, tt := range map[string]struct{ ca, want, detail string }{
		"known":   {ca, bot.CheckPass, "0, wanted"},
		"unknown": {"", bot.CheckUnknown, "a certificate that we do not trust"},
	} {
		m, err := New(Config{Prometheus: Endpoint{URL: s.URL, CAFile: tt.ca}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := m.Run(t.Context(), check(), testApp())
		if err != nil || r.Status != tt.want || !strings.Contains(r.Detail, tt.detail) {
			t.Errorf("%s: got %+v, %v; want %s", name, r, err, tt.want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	token := file(t, "x")
	tests := []struct {
		want string
		e    Endpoint
	}{
		{"not a URL", Endpoint{URL: "prometheus:9090"}},
		{"not a URL", Endpoint{URL: "ftp://prometheus"}},
		{"not a URL", Endpoint{URL: "http://%"}},
		{"password_file", Endpoint{URL: "http://me:secret@prometheus"}},
		{"after ? or #", Endpoint{URL: "http://prometheus/?a=b"}},
		{"keep one", Endpoint{URL: "http://p", BearerFile: token, Username: "u", PasswordFile: token}},
		{"need each other", Endpoint{URL: "http://p", Username: "u"}},
		{"need each other", Endpoint{URL: "http://p", PasswordFile: token}},
		{"secret file", Endpoint{URL: "http://p", BearerFile: "/nowhere"}},
		{"one line", Endpoint{URL: "http://p", BearerFile: file(t, "\n")}},
		{"one line", Endpoint{URL: "http://p", BearerFile: file(t, "a\nb")}},
		{"CA file", Endpoint{URL: "http://p", CAFile: "/nowhere"}},
		{"no certificate", Endpoint{URL: "http://p", CAFile: token}},
	}
	for _, tt := range tests {
		for name, c := range map[string]Config{"Prometheus": {Prometheus: tt.e}, "Alertmanager": {Alertmanager: tt.e}} {
			_, err := New(c)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), name) {
				t.Errorf("New(%+v) = %v, want a word about %q", c, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret@") {
				t.Errorf("the error shows the password: %v", err)
			}
		}
	}
	if _, err := New(Config{Timeout: -1}); err == nil {
		t.Error("a negative timeout was taken")
	}
}
