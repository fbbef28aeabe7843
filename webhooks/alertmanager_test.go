package webhooks

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

func TestAlertsAreMadeDurable(t *testing.T) {
	h := newHarness(t)
	resp := h.do(notified(fixture(t, "alertmanager/mixed", nil)))
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", resp.Status, resp.Text)
	}
	want := bot.AlertGroup{
		GroupKey: `{}:{alertname="HighErrors"}`, Receiver: "backout", Status: "firing",
		ExternalURL: "http://alertmanager:9093", GroupLabels: map[string]string{"alertname": "HighErrors"},
		Alerts: []bot.Alert{{
			Fingerprint: "c2e7ddbbb3d4b4e8", Firing: true,
			Labels:      map[string]string{"alertname": "HighErrors", "namespace": "shop", "pod": "web-1", "severity": "page"},
			Annotations: map[string]string{"summary": "Checkout fails"},
			StartsAt:    time.Date(2026, 2, 26, 19, 10, 0, 419e6, time.UTC), GeneratorURL: "http://prometheus:9090/graph?g0.expr=x",
		}, {
			Fingerprint: "5f0a5a9c1b2d3e4f",
			Labels:      map[string]string{"alertname": "HighErrors", "namespace": "shop", "pod": "web-2", "severity": "page"},
			Annotations: map[string]string{"summary": "Checkout fails"},
			StartsAt:    time.Date(2026, 2, 26, 19, 0, 0, 0, time.UTC), EndsAt: time.Date(2026, 2, 26, 19, 9, 0, 0, time.UTC),
			GeneratorURL: "http://prometheus:9090/graph?g0.expr=x",
		}},
	}
	if len(h.engine.events) != 1 {
		t.Fatalf("%d events", len(h.engine.events))
	}
	for key, e := range h.engine.events {
		if diff := cmp.Diff(want, *e.Alerts); diff != "" {
			t.Errorf("alerts (-want +got):\n%s", diff)
		}
		if key != e.ID || !strings.HasPrefix(e.ID, "alerts-") || e.Comment != nil || e.Received.IsZero() {
			t.Errorf("event %+v", e)
		}
	}
	for _, never := range []string{token, "Checkout", "web-1"} {
		if strings.Contains(h.log.String(), never) {
			t.Errorf("the log holds %q:\n%s", never, h.log)
		}
	}
}

// TestAlertsID: the same said again is the same event, and nothing else is.
func TestAlertsID(t *testing.T) {
	base := func() bot.AlertGroup {
		g, problem := decodeAlerts(fixture(t, "alertmanager/mixed", nil))
		if problem != "" {
			t.Fatal(problem)
		}
		return g
	}
	tests := []struct {
		name   string
		change func(*bot.AlertGroup)
		same   bool
	}{
		{"sent again", func(*bot.AlertGroup) {}, true},
		{"in another order", func(g *bot.AlertGroup) { slices.Reverse(g.Alerts) }, true},
		{"in another time zone", func(g *bot.AlertGroup) {
			g.Alerts[0].StartsAt = g.Alerts[0].StartsAt.In(time.FixedZone("", 3600))
		}, true},
		{"with other annotations", func(g *bot.AlertGroup) { g.Alerts[0].Annotations = nil }, true},
		{"by another replica", func(g *bot.AlertGroup) { g.ExternalURL = "http://other" }, true},
		{"with an alert twice", func(g *bot.AlertGroup) { g.Alerts = append(g.Alerts, g.Alerts[0]) }, true},
		{"resolved", func(g *bot.AlertGroup) { g.Alerts[0].Firing = false }, false},
		{"firing anew", func(g *bot.AlertGroup) { g.Alerts[0].StartsAt = g.Alerts[0].StartsAt.Add(time.Millisecond) }, false},
		{"with one alert more", func(g *bot.AlertGroup) {
			a := g.Alerts[0]
			a.Fingerprint = "0"
			g.Alerts = append(g.Alerts, a)
		}, false},
		{"with one alert less", func(g *bot.AlertGroup) { g.Alerts = g.Alerts[:1] }, false},
		{"of another group", func(g *bot.AlertGroup) { g.GroupKey += "x" }, false},
	}
	want := alertsID(base())
	for _, tt := range tests {
		g := base()
		tt.change(&g)
		if got := alertsID(g); (got == want) != tt.same {
			t.Errorf("%s: same is %v, want %v", tt.name, got == want, tt.same)
		}
	}
}

func TestRepeatedNotificationsAreOneEvent(t *testing.T) {
	h := newHarness(t)
	for range 3 {
		if resp := h.do(notified(fixture(t, "alertmanager/mixed", nil))); resp.StatusCode != http.StatusOK {
			t.Fatal(resp.Status)
		}
	}
	if len(h.engine.events) != 1 {
		t.Errorf("%d events", len(h.engine.events))
	}
}

func TestAlertsThatAreNotRecorded(t *testing.T) {
	h := newHarness(t)
	h.engine.fail = errors.New("disk full")
	resp := h.do(notified(fixture(t, "alertmanager/mixed", nil)))
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Error(resp.Status)
	}
}

// one is the fixture with only its first alert, changed.
func one(t *testing.T, change func(alert map[string]any)) []byte {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(fixture(t, "alertmanager/mixed", nil), &doc); err != nil {
		t.Fatal(err)
	}
	alert := doc["alerts"].([]any)[0].(map[string]any)
	change(alert)
	doc["alerts"] = []any{alert}
	body, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestFingerprints(t *testing.T) {
	// github.com/prometheus/common's fingerprint of {a="b",alertname="X"}, as
	// Alertmanager 0.25 shows it (TestRealAlertmanager compares, too).
	labels := map[string]any{"alertname": "X", "a": "b"}
	computed := fingerprint("", map[string]string{"alertname": "X", "a": "b"})
	for sent, want := range map[any]string{
		"c2e7ddbbb3d4b4e8": "c2e7ddbbb3d4b4e8", nil: computed, "": computed, "not one\n": computed, strings.Repeat("a", 65): computed,
	} {
		g, problem := decodeAlerts(one(t, func(a map[string]any) { a["fingerprint"], a["labels"] = sent, labels }))
		if problem != "" || g.Alerts[0].Fingerprint != want {
			t.Errorf("%q: %s %+v, want %s", sent, problem, g.Alerts, want)
		}
	}
}

func TestAStormIsCut(t *testing.T) {
	var doc map[string]any
	if err := json.Unmarshal(fixture(t, "alertmanager/mixed", map[string]any{"truncatedAlerts": 7}), &doc); err != nil {
		t.Fatal(err)
	}
	first := doc["alerts"].([]any)[0]
	doc["alerts"] = slices.Repeat([]any{first}, maxAlerts+5)
	body, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	g, problem := decodeAlerts(body)
	if problem != "" || len(g.Alerts) != maxAlerts || g.Truncated != 12 {
		t.Errorf("%s: %d alerts, %d cut", problem, len(g.Alerts), g.Truncated)
	}
}

// Fields that Alertmanager adds within version 4 are no reason to lose alerts.
func TestUnknownFieldsPass(t *testing.T) {
	if _, problem := decodeAlerts(fixture(t, "alertmanager/mixed", map[string]any{"later": true})); problem != "" {
		t.Error(problem)
	}
}

func TestNotificationsThatMakeNoSense(t *testing.T) {
	good := string(fixture(t, "alertmanager/mixed", nil))
	tests := []struct {
		name string
		body string
		want string
	}{
		{"empty", ``, "ends too early"},
		{"half", good[:len(good)/2], "ends too early"},
		{"no JSON", `alert!`, "no JSON from byte 1"},
		{"a list", `[]`, "not a notification"},
		{"null", `null`, "version"},
		{"more", good + `{}`, "goes on"},
		{"rubbish at the end", good + `x`, "goes on"},
		{"version 3", string(fixture(t, "alertmanager/mixed", map[string]any{"version": "3"})), `"3"`},
		{"no version (Grafana)", string(fixture(t, "alertmanager/mixed", map[string]any{"version": nil})), "version"},
		{"no group", string(fixture(t, "alertmanager/mixed", map[string]any{"groupKey": nil})), "groupKey"},
		{"a strange status", string(fixture(t, "alertmanager/mixed", map[string]any{"status": "pending"})), "pending"},
		{"no alerts", string(fixture(t, "alertmanager/mixed", map[string]any{"alerts": []any{}})), "no alerts"},
		{"alerts of no kind", string(fixture(t, "alertmanager/mixed", map[string]any{"alerts": "x"})), "alerts is of the wrong kind"},
		{"negative count", string(fixture(t, "alertmanager/mixed", map[string]any{"truncatedAlerts": -1})), "truncatedAlerts"},
		{"an alert with a strange status", string(one(t, func(a map[string]any) { a["status"] = "" })), "status of alert 1"},
		{"an alert without labels", string(one(t, func(a map[string]any) { a["labels"] = map[string]any{} })), "no labels"},
		{"labels that are no words", string(one(t, func(a map[string]any) { a["labels"] = map[string]any{"a": 1} })), "wrong kind"},
		{"no beginning", string(one(t, func(a map[string]any) { delete(a, "startsAt") })), "no startsAt"},
		{"a beginning that is no time", string(one(t, func(a map[string]any) { a["startsAt"] = "noon" })), "not what it should be"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHarness(t)
			resp := h.do(notified([]byte(tt.body)))
			if got := resp.Text; resp.StatusCode != http.StatusBadRequest || !strings.Contains(got, tt.want) || !h.engine.quiet() {
				t.Errorf("%s: %s; want a word about %q", resp.Status, got, tt.want)
			}
		})
	}
}

func TestNotificationsFromStrangers(t *testing.T) {
	body := fixture(t, "alertmanager/mixed", nil)
	verified := &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{{}}}}
	tests := []struct {
		name   string
		config func(*Config)
		change func(*http.Request)
		status int
		text   string
	}{
		{"no token", nil, func(r *http.Request) { r.Header.Del("Authorization") }, http.StatusUnauthorized, "http_config.authorization"},
		{"another token", nil, func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, http.StatusUnauthorized, ""},
		{"a token and more", nil, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token+"x") }, http.StatusUnauthorized, ""},
		{"the webhook secret", nil, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret) }, http.StatusUnauthorized, ""},
		{"basic", nil, func(r *http.Request) { r.SetBasicAuth("a", token) }, http.StatusUnauthorized, ""},
		{"a certificate where a token is wanted", nil, func(r *http.Request) { r.Header.Del("Authorization"); r.TLS = verified }, http.StatusUnauthorized, ""},
		{"nothing is configured", func(c *Config) { c.AlertTokens = nil }, func(*http.Request) {}, http.StatusUnauthorized, "not let in"},
		{"no certificate", func(c *Config) { c.AlertTokens, c.AlertClientCerts = nil, true }, func(*http.Request) {}, http.StatusUnauthorized, "certificate"},
		{"a certificate that nobody verified", func(c *Config) { c.AlertTokens, c.AlertClientCerts = nil, true },
			func(r *http.Request) { r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{}}} }, http.StatusUnauthorized, "certificate"},
		{"GET", nil, func(r *http.Request) { r.Method = http.MethodGet }, http.StatusMethodNotAllowed, ""},
		{"a form", nil, func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, http.StatusUnsupportedMediaType, ""},
		{"too long", func(c *Config) { c.MaxAlertBody = 100 }, func(*http.Request) {}, http.StatusRequestEntityTooLarge, "max_alerts"},

		{"the token", nil, func(*http.Request) {}, http.StatusOK, ""},
		{"the token, in other letters of the scheme", nil, func(r *http.Request) { r.Header.Set("Authorization", "bearer "+token) }, http.StatusOK, ""},
		{"the second token", func(c *Config) { c.AlertTokens = append(c.AlertTokens, []byte(second)) },
			func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+second) }, http.StatusOK, ""},
		{"a certificate", func(c *Config) { c.AlertTokens, c.AlertClientCerts = nil, true },
			func(r *http.Request) { r.Header.Del("Authorization"); r.TLS = verified }, http.StatusOK, ""},
		{"with a charset", nil, func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-8") }, http.StatusOK, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHarness(t)
			if tt.config != nil {
				h = newHarness(t, tt.config)
			}
			r := notified(body)
			tt.change(r)
			resp := h.do(r)
			if got := resp.Text; resp.StatusCode != tt.status || !strings.Contains(got, tt.text) {
				t.Errorf("%s: %s; want %d and a word about %q", resp.Status, got, tt.status, tt.text)
			}
			if h.engine.quiet() != (tt.status != http.StatusOK) {
				t.Errorf("the engine was told %d times", h.engine.calls)
			}
			if resp.StatusCode == http.StatusUnauthorized && resp.Header.Get("WWW-Authenticate") == "" {
				t.Error("401 without WWW-Authenticate")
			}
		})
	}
}
