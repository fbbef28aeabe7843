package verify

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

func TestFiring(t *testing.T) {
	const (
		same   = `{"fingerprint":"aaaa","labels":{"alertname":"HighErrors","namespace":"shop","cluster":"prod-eu"},"status":{"state":"active"}}`
		muted  = `{"fingerprint":"aaaa","labels":{},"status":{"state":"suppressed"}}`
		equal  = `{"fingerprint":"other","labels":{"alertname":"HighErrors","namespace":"shop","cluster":"prod-eu"}}`
		more   = `{"fingerprint":"bbbb","labels":{"alertname":"HighErrors","namespace":"shop","cluster":"prod-eu","pod":"x"}}`
		others = `{"fingerprint":"cccc","labels":{"alertname":"HighErrors","namespace":"pay","cluster":"prod-eu"}}`
	)
	tests := []struct {
		name        string
		fingerprint string
		list        string
		want        bool
	}{
		{"active", "aaaa", same, true},
		{"silenced", "aaaa", muted, true},
		{"the same labels", "aaaa", equal, true},
		{"gone", "aaaa", "", false},
		{"others only", "aaaa", others, false},
		{"one with a label more is another", "aaaa", more, false},
		{"without a fingerprint, labels decide", "", more, true},
		{"without a fingerprint, others", "", others, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				q := r.URL.Query()
				want := []string{`alertname="HighErrors"`, `cluster="prod-eu"`, `namespace="shop"`}
				if r.URL.Path != "/am/api/v2/alerts" || !slices.Equal(q["filter"], want) || q.Get("silenced") != "true" || q.Get("inhibited") != "true" {
					t.Errorf("asked %s", r.URL)
				}
				reply(w, "[%s]", tt.list)
			}))
			t.Cleanup(s.Close)
			m, err := New(Config{Alertmanager: Endpoint{URL: s.URL + "/am/"}})
			if err != nil {
				t.Fatal(err)
			}
			a := alert()
			a.Fingerprint = tt.fingerprint
			firing, known, err := m.Firing(t.Context(), a)
			if err != nil || !known || firing != tt.want {
				t.Errorf("Firing = %v, %v, %v; want %v", firing, known, err, tt.want)
			}
		})
	}
}

// No answer is never "not firing".
func TestFiringWithoutAnAnswer(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"error":    func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "oops", http.StatusInternalServerError) },
		"refused":  func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusUnauthorized) },
		"not JSON": func(w http.ResponseWriter, _ *http.Request) { reply(w, "<html>") },
		"null":     func(w http.ResponseWriter, _ *http.Request) { reply(w, "null") },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://alertmanager.invalid/", http.StatusFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(h)
			t.Cleanup(s.Close)
			m, err := New(Config{Alertmanager: Endpoint{URL: s.URL}})
			if err != nil {
				t.Fatal(err)
			}
			firing, known, err := m.Firing(t.Context(), alert())
			if firing || known || err == nil || bot.AsTrouble(err).Text == "" {
				t.Errorf("Firing = %v, %v, %v; want trouble", firing, known, err)
			}
		})
	}
	m, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if firing, known, err := m.Firing(t.Context(), alert()); firing || known || err != nil {
		t.Errorf("Firing = %v, %v, %v with nobody to ask; want not known", firing, known, err)
	}
}

func TestFilters(t *testing.T) {
	got := filters(map[string]string{
		"a": `q"b\` + "\n", "bad-name": "x", `x="y",z`: "x", "empty": "", "long": strings.Repeat("l", 5<<10), "z": "é",
	})
	want := []string{`a="q\"b\\\n"`, `z="é"`}
	if !slices.Equal(got, want) {
		t.Errorf("filters = %q, want %q", got, want)
	}
}
