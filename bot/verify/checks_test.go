package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

// answering is a Prometheus that gives one answer to every question.
func answering(t *testing.T, status int, body string) *Monitoring {
	t.Helper()
	return monitoring(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		reply(w, "%s", body)
	})
}

// reply writes an answer. Who went away does not hear it.
func reply(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

// monitoring asks a handler instead of Prometheus.
func monitoring(t *testing.T, h http.HandlerFunc) *Monitoring {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	m, err := New(Config{Prometheus: Endpoint{URL: s.URL}, Now: func() time.Time { return time.Unix(1700000000, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// data is the body of a good answer.
func data(kind, result string, more ...string) string {
	return fmt.Sprintf(`{"status":"success","data":{"resultType":%q,"result":%s}%s}`, kind, result, strings.Join(more, ""))
}

func check() bot.Check {
	return bot.Check{Name: "errors", Query: "errors", Operator: "<", Threshold: 1}
}

func TestRun(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		want   string
		detail string
	}{
		{"vector", 200, data("vector", `[{"metric":{},"value":[1700000000,"0.5"]}]`), bot.CheckPass, "0.5, wanted < 1"},
		{"vector that fails", 200, data("vector", `[{"metric":{},"value":[1700000000,"2"]}]`), bot.CheckFail, "2, wanted < 1"},
		{"scalar", 200, data("scalar", `[1700000000,"0.5"]`), bot.CheckPass, "0.5, wanted"},
		{"no data", 200, data("vector", `[]`), bot.CheckUnknown, "no data"},
		{"NaN", 200, data("vector", `[{"metric":{},"value":[1700000000,"NaN"]}]`), bot.CheckUnknown, "NaN"},
		{"string", 200, data("string", `[1700000000,"x"]`), bot.CheckUnknown, "did not answer as it should"},
		{"range", 200, data("matrix", `[{"metric":{},"values":[[1700000000,"0"]]}]`), bot.CheckUnknown, "could not evaluate"},
		{"histogram", 200, data("vector", `[{"metric":{},"histogram":[1700000000,{"count":"1","sum":"1"}]}]`), bot.CheckUnknown, "could not evaluate"},
		{"warnings", 200, data("vector", `[{"metric":{},"value":[1700000000,"0.5"]}]`, `,"warnings":["store down"]`), bot.CheckUnknown, "may not be complete"},
		{"warnings beside a failure", 200, data("vector", `[{"metric":{},"value":[1700000000,"2"]}]`, `,"warnings":["store down"]`), bot.CheckFail, "2, wanted"},
		{"remark on style", 200, data("vector", `[{"metric":{},"value":[1700000000,"0.5"]}]`, `,"warnings":["PromQL info: not a counter"]`), bot.CheckPass, "0.5, wanted"},

		{"bad query", 400, `{"status":"error","errorType":"bad_data","error":"parse error"}`, bot.CheckUnknown, "does not understand the query"},
		{"query that fails", 422, `{"status":"error","errorType":"execution","error":"many-to-many"}`, bot.CheckUnknown, "could not evaluate"},
		{"slow query", 503, `{"status":"error","errorType":"timeout","error":"took too long"}`, bot.CheckUnknown, "too slow"},
		{"query given up", 422, `{"status":"error","errorType":"timeout","error":"took too long"}`, bot.CheckUnknown, "too long"},
		{"not our credentials", 401, `no`, bot.CheckUnknown, "refused our credentials"},
		{"forbidden", 403, `no`, bot.CheckUnknown, "refused our credentials"},
		{"broken server", 500, `oops`, bot.CheckUnknown, "an error of its own"},
		{"not Prometheus", 404, `<html>`, bot.CheckUnknown, "did not answer as it should"},
		{"not JSON", 200, `<html>`, bot.CheckUnknown, "did not answer as it should"},
		{"an error that says success", 400, `{"status":"success","data":{"resultType":"scalar","result":[1,"0"]}}`, bot.CheckUnknown, ""},
		{"endless", 200, `{"status":"success","data":"` + strings.Repeat("x", maxAnswer) + `"}`, bot.CheckUnknown, "16 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := answering(t, tt.status, tt.body)
			got, err := m.Run(t.Context(), check(), testApp())
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != tt.want || !strings.Contains(got.Detail, tt.detail) {
				t.Errorf("got %+v, want %s and a word about %q", got, tt.want, tt.detail)
			}
		})
	}
}

// TestRunSustained: a check with For holds only where it held at every moment.
func TestRunSustained(t *testing.T) {
	series := func(values ...string) string {
		var out []string
		for i, v := range values {
			if v != "" {
				out = append(out, fmt.Sprintf(`[%d,%q]`, 1700000000-len(values)+1+i, v))
			}
		}
		return `{"metric":{"pod":"` + strings.Join(values, "-") + `"},"values":[` + strings.Join(out, ",") + `]}`
	}
	tests := []struct {
		name   string
		result string
		want   string
		detail string
	}{
		{"holds", `[` + series("0", "0.1", "0.2", "0", "0", "0") + `]`, bot.CheckPass, "0.2 at worst, wanted < 1 for 5s"},
		{"one break", `[` + series("0", "0", "5", "0", "0", "0") + `]`, bot.CheckFail, "5 at 22:13:1"},
		{"one NaN", `[` + series("0", "0", "NaN", "0", "0", "0") + `]`, bot.CheckUnknown, "NaN"},
		{"a gap", `[` + series("0", "0", "", "0", "0", "0") + `]`, bot.CheckUnknown, "only 5 of 6 moments"},
		{"a gap and a break", `[` + series("0", "5", "", "0", "0", "0") + `]`, bot.CheckFail, "5 at 22:13:1"},
		{"too young", `[` + series("", "", "", "", "0", "0") + `]`, bot.CheckUnknown, "only 2 of 6 moments"},
		{"pods that take over", `[` + series("0", "0", "0", "", "", "") + `,` + series("", "", "", "0", "0", "0") + `]`, bot.CheckPass, "worst of 2 series"},
		{"nothing", `[]`, bot.CheckUnknown, "no data"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := monitoring(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/api/v1/query_range" {
					t.Errorf("asked %s", r.URL.Path)
				}
				for k, want := range map[string]string{"start": "1699999995", "end": "1700000000", "step": "1"} {
					if got := r.FormValue(k); got != want {
						t.Errorf("%s = %s, want %s", k, got, want)
					}
				}
				reply(w, "%s", data("matrix", tt.result))
			})
			c := check()
			c.For = 5 * time.Second
			got, err := m.Run(t.Context(), c, testApp())
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != tt.want || !strings.Contains(got.Detail, tt.detail) {
				t.Errorf("got %+v, want %s and a word about %q", got, tt.want, tt.detail)
			}
		})
	}
}

func TestRunAsksForTheApp(t *testing.T) {
	var query, at string
	m := monitoring(t, func(w http.ResponseWriter, r *http.Request) {
		query, at = r.FormValue("query"), r.FormValue("time")
		reply(w, "%s", data("scalar", `[1,"0"]`))
	})
	c := check()
	c.Query = `rate(errors{ns="{{namespace}}"}[5m])`
	if got, err := m.Run(t.Context(), c, testApp()); err != nil || got.Status != bot.CheckPass {
		t.Fatalf("got %+v, %v", got, err)
	}
	if want := `rate(errors{ns="shop"}[5m])`; query != want || at != "1700000000" {
		t.Errorf("asked %s at %s, want %s", query, at, want)
	}
}

func TestRunWithNobodyToAsk(t *testing.T) {
	m, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Run(t.Context(), check(), testApp())
	if err != nil || got.Status != bot.CheckUnknown || !strings.Contains(got.Detail, "no Prometheus") {
		t.Errorf("got %+v, %v", got, err)
	}

	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	if m, err = New(Config{Prometheus: Endpoint{URL: s.URL}}); err != nil {
		t.Fatal(err)
	}
	got, err = m.Run(t.Context(), check(), testApp())
	if err != nil || got.Status != bot.CheckUnknown || got.Detail != "Prometheus could not be reached" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestRunEndsInTime(t *testing.T) {
	end := make(chan struct{})
	hang := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-end }))
	t.Cleanup(hang.Close)
	t.Cleanup(func() { close(end) })
	m, err := New(Config{Prometheus: Endpoint{URL: hang.URL}, Timeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Run(t.Context(), check(), testApp())
	if err != nil || got.Status != bot.CheckUnknown || got.Detail != "Prometheus did not answer within 50ms" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A cancelled check is not an unknown one: the engine is going down.
func TestRunCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := monitoring(t, func(http.ResponseWriter, *http.Request) { cancel() })
	if got, err := m.Run(ctx, check(), testApp()); !errors.Is(err, context.Canceled) || got != (bot.CheckResult{}) {
		t.Errorf("got %+v, %v; want the context's error alone", got, err)
	}
}

func TestValidate(t *testing.T) {
	good := check()
	if err := Validate(good); err != nil {
		t.Errorf("Validate(good) = %v", err)
	}
	tests := []struct {
		want   string
		change func(*bot.Check)
	}{
		{"no name", func(c *bot.Check) { c.Name = "" }},
		{"no query", func(c *bot.Check) { c.Query = " \n" }},
		{"operator", func(c *bot.Check) { c.Operator = "" }},
		{"operator", func(c *bot.Check) { c.Operator = "=" }},
		{"negative", func(c *bot.Check) { c.For = -1 }},
		{"{{pod}}", func(c *bot.Check) { c.Query = "{{pod}}" }},
	}
	m := answering(t, 200, data("scalar", `[1,"0"]`))
	for _, tt := range tests {
		c := good
		tt.change(&c)
		if err := Validate(c); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Validate(%+v) = %v, want a word about %q", c, err, tt.want)
		}
		if got, err := m.Run(t.Context(), c, testApp()); err != nil || got.Status != bot.CheckUnknown {
			t.Errorf("Run(%+v) = %+v, %v; want unknown", c, got, err)
		}
	}
}
