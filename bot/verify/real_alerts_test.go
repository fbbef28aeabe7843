package verify

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

// posted reads what Prometheus told Alertmanager, by the alerts' names.
func posted(t *testing.T, alertmanager string) map[string]bot.Alert {
	t.Helper()
	_, body := get(alertmanager + "/api/v2/alerts")
	var list []struct {
		Fingerprint string
		Labels      map[string]string
		StartsAt    time.Time
	}
	if err := json.Unmarshal(body, &list); err != nil {
		t.Fatal(err)
	}
	out := map[string]bot.Alert{}
	for _, a := range list {
		out[a.Labels["alertname"]] = bot.Alert{Fingerprint: a.Fingerprint, Labels: a.Labels, StartsAt: a.StartsAt}
	}
	return out
}

// silence silences all alerts for an hour.
func silence(t *testing.T, alertmanager string) {
	t.Helper()
	now := time.Now().UTC()
	body := fmt.Sprintf(`{"matchers":[{"name":"alertname","value":".+","isRegex":true}],
		"startsAt":%q,"endsAt":%q,"createdBy":"test","comment":"test"}`, now.Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339))
	resp, err := http.Post(alertmanager+"/api/v2/silences", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("silence: %s, %v", resp.Status, err)
	}
}

// TestRealAlerts follows an alert from its cause to its end through the real
// Prometheus and Alertmanager.
func TestRealAlerts(t *testing.T) {
	t.Parallel()
	app := startExporter(t)
	alertmanager := startAlertmanager(t)
	prometheus := startPrometheus(t, app.url, alertmanager, `
groups:
- name: app
  rules:
  - alert: HighErrors
    expr: app_errors > 5
    for: 3s
    labels: {severity: page, odd: 'a"b\c'}
  - alert: AtOnce
    expr: sum(app_errors) > 5
`)
	m, err := New(Config{Prometheus: Endpoint{URL: prometheus}, Alertmanager: Endpoint{URL: alertmanager}})
	if err != nil {
		t.Fatal(err)
	}
	if got := posted(t, alertmanager); len(got) != 0 {
		t.Fatalf("Alertmanager begins with %+v", got)
	}
	began := time.Now()
	app.errors.Store(9)
	until(t, "the alerts are in Alertmanager", func() bool { return len(posted(t, alertmanager)) == 2 })
	// As the webhook brings it: with the external label, which Prometheus'
	// own list does not have.
	a := posted(t, alertmanager)["HighErrors"]
	if a.Labels["cluster"] != "prod-eu" || a.Labels["odd"] != `a"b\c` {
		t.Fatalf("labels %v", a.Labels)
	}
	once := posted(t, alertmanager)["AtOnce"]
	if since, ok, err := m.ActiveSince(t.Context(), once); err != nil || !ok || since.Sub(once.StartsAt).Abs() > time.Millisecond {
		t.Errorf("without for:, ActiveSince = %v, %v, %v; want startsAt, %v", since, ok, err, once.StartsAt)
	}

	since, ok, err := m.ActiveSince(t.Context(), a)
	if err != nil || !ok {
		t.Fatalf("ActiveSince = %v, %v, %v", since, ok, err)
	}
	if lag := a.StartsAt.Sub(since); lag < 3*time.Second-time.Millisecond || lag > 10*time.Second || since.Before(began.Add(-time.Second)) {
		t.Errorf("active since %v, fired at %v, broken since %v: want the onset before the whole for: of 3 s", since, a.StartsAt, began)
	}
	for name, change := range map[string]func(*bot.Alert){
		"the alert":           func(*bot.Alert) {},
		"without fingerprint": func(a *bot.Alert) { a.Fingerprint = "" },
		"by few labels": func(a *bot.Alert) {
			a.Fingerprint, a.Labels = "", map[string]string{"alertname": "HighErrors", "pod": "b"}
		},
	} {
		b := a
		change(&b)
		if firing, known, err := m.Firing(t.Context(), b); !firing || !known || err != nil {
			t.Errorf("%s: Firing = %v, %v, %v", name, firing, known, err)
		}
	}
	other := bot.Alert{Labels: map[string]string{"alertname": "HighErrors", "pod": "a"}}
	if firing, known, err := m.Firing(t.Context(), other); firing || !known || err != nil {
		t.Errorf("another pod's alert: Firing = %v, %v, %v", firing, known, err)
	}

	silence(t, alertmanager)
	until(t, "the silence counts", func() bool {
		_, body := get(alertmanager + "/api/v2/alerts?silenced=false")
		return strings.TrimSpace(string(body)) == "[]"
	})
	if firing, known, err := m.Firing(t.Context(), a); !firing || !known || err != nil {
		t.Errorf("silenced: Firing = %v, %v, %v; a silence is not the end", firing, known, err)
	}

	app.errors.Store(0)
	until(t, "the alert is resolved", func() bool {
		firing, known, err := m.Firing(t.Context(), a)
		return !firing && known && err == nil
	})
	// Its onset can still be told from the past.
	again, ok, err := m.ActiveSince(t.Context(), a)
	if err != nil || !ok || again.Unix() != since.Unix() {
		t.Errorf("after the end, ActiveSince = %v, %v, %v; want %v", again, ok, err, since)
	}
}
