package faults

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/cmd/app"
)

// TestMonitoring lets Prometheus and Alertmanager fail in all ways: what can't
// be read is never taken for healthy.
func TestMonitoring(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc // nil: nobody listens
	}{
		{"unreachable", nil},
		{"error 500", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "boom", http.StatusInternalServerError) }},
		{"unavailable", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "starting", http.StatusServiceUnavailable)
		}},
		{"unauthorized", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusUnauthorized) }},
		{"HTML", text("text/html", "<html>Log in!</html>")},
		{"truncated", text("application/json", `{"status":"success","data":{"resultType":"vector","result":[{"met`)},
		{"wrong types", text("application/json", `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":["now",{}]}]}}`)},
		{"nothing", text("application/json", `{"status":"success","data":{"resultType":"vector","result":[]}}`)},
		{"null", text("application/json", `null`)},
		{"not a number", text("application/json", `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"NaN"]}]}}`)},
		{"a refusal", text("application/json", `{"status":"error","errorType":"execution","error":"too many samples"}`)},
		{"cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := monitor(t, tt.answer)
			w := newWorld(t, setup{
				policy: "checks: [{name: errors, query: 'errors{deployment=\"web\"}', operator: <, threshold: 0.05}]\nalerts: auto\n",
				config: func(c *app.Config) { c.Prometheus.URL, c.Alertmanager.URL = url, url },
			})
			w.faulty = w.clock.Now()
			w.comment("/rollback")
			rec := w.ended(2 * time.Hour)
			w.toldBy(rec, time.Hour)
			w.settled(rec, want{verdict: bot.VerdictUnverified, says: []string{"could not be verified", "errors", "Check production yourself."}})
		})
	}
}

func text(kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write([]byte(body))
	}
}

// monitor serves an answer, or nothing, and returns its address.
func monitor(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	if answer == nil {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		url := "http://" + l.Addr().String()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return url
	}
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s.URL
}
