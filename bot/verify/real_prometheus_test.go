package verify

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

// exporter is an app that tells of its errors.
type exporter struct {
	errors atomic.Int64
	url    string
}

func startExporter(t *testing.T) *exporter {
	t.Helper()
	e := &exporter{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := e.errors.Load()
		reply(w, "app_errors{namespace=\"shop\",pod=\"a\"} 0\napp_errors{namespace=\"shop\",pod=\"b\"} %d\n", n)
		reply(w, "%s", `odd{value="a\"b\\c'd\ne}) or vector(1) #"} 1`+"\n")
	}))
	t.Cleanup(s.Close)
	e.url = s.URL
	return e
}

// TestRealPrometheus asks a real Prometheus every kind of question.
func TestRealPrometheus(t *testing.T) {
	t.Parallel()
	app := startExporter(t)
	url := startPrometheus(t, app.url, "127.0.0.1:1", "groups: []")
	m, err := New(Config{Prometheus: Endpoint{URL: url}})
	if err != nil {
		t.Fatal(err)
	}
	run := func(app bot.App, c bot.Check) bot.CheckResult {
		t.Helper()
		c.Name = "check"
		r, err := m.Run(t.Context(), c, app)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	errorsOf := bot.Check{Query: `app_errors{namespace="{{namespace}}"}`, Operator: "<", Threshold: 5}
	until(t, "the app was scraped", func() bool { return run(testApp(), errorsOf).Status == bot.CheckPass })

	odd := testApp()
	odd.Namespace = "a\"b\\c'd\ne}) or vector(1) #"
	tests := []struct {
		name     string
		app      bot.App
		query    string
		operator string
		status   string
		detail   string
	}{
		{"series", testApp(), `app_errors{namespace={{namespace}}}`, "<", bot.CheckPass, "0 in the worst of 2 series, wanted < 5"},
		{"aggregate", testApp(), `sum(app_errors{namespace=~"{{namespace}}"})`, "<", bot.CheckPass, "0, wanted < 5"},
		{"another namespace", testApp(), `app_errors{namespace="x{{namespace}}"}`, "<", bot.CheckUnknown, "no data"},
		{"nothing made zero", testApp(), `app_errors{namespace="none"} or vector(0)`, "<", bot.CheckPass, "0, wanted"},
		{"absent", testApp(), `absent(app_errors{namespace="none"})`, "<", bot.CheckPass, "1, wanted"},
		{"scalar", testApp(), `scalar(vector(7))`, "<", bot.CheckFail, "7, wanted < 5"},
		{"zero by zero", testApp(), `vector(0)/vector(0)`, "<", bot.CheckUnknown, "NaN"},
		{"one by zero", testApp(), `vector(1)/vector(0)`, "<", bot.CheckFail, "+Inf, wanted"},
		{"string", testApp(), `"x"`, "<", bot.CheckUnknown, ""},
		{"range", testApp(), `app_errors[1m]`, "<", bot.CheckUnknown, "could not evaluate"},
		{"no PromQL", testApp(), `sum(`, "<", bot.CheckUnknown, "does not understand"},
		{"many to many", testApp(), `app_errors * on (namespace) app_errors`, "<", bot.CheckUnknown, "could not evaluate"},
		{"odd value", odd, `odd{value="{{namespace}}"}`, "<", bot.CheckPass, "1, wanted"},
		{"odd value in single quotes", odd, `odd{value='{{namespace}}'}`, "<", bot.CheckPass, "1, wanted"},
		{"odd value without quotes", odd, `odd{value={{namespace}}}`, "<", bot.CheckPass, "1, wanted"},
		{"odd value in backticks", odd, "odd{value=`{{namespace}}`}", "<", bot.CheckPass, "1, wanted"},
		{"odd value as a pattern", odd, `odd{value=~".?{{namespace}}"}`, "<", bot.CheckPass, "1, wanted"},
		{"odd value with a comment", odd, "odd{value=\"{{namespace}}\"} # of {{app}}", "<", bot.CheckPass, "1, wanted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := run(tt.app, bot.Check{Query: tt.query, Operator: tt.operator, Threshold: 5})
			if got.Status != tt.status || !strings.Contains(got.Detail, tt.detail) {
				t.Errorf("got %+v, want %s and a word about %q", got, tt.status, tt.detail)
			}
		})
	}

	// A break within the window fails a sustained check, and only while it is
	// in there.
	sustained := errorsOf
	sustained.For = 3 * time.Second
	until(t, "the app has been well for a while", func() bool { return run(testApp(), sustained).Status == bot.CheckPass })
	app.errors.Store(9)
	until(t, "the errors are seen", func() bool { return run(testApp(), errorsOf).Status == bot.CheckFail })
	app.errors.Store(0)
	until(t, "the errors are gone", func() bool { return run(testApp(), errorsOf).Status == bot.CheckPass })
	if got := run(testApp(), sustained); got.Status != bot.CheckFail || !strings.Contains(got.Detail, `9 for app_errors{instance=`) || !strings.Contains(got.Detail, `pod="b"} at`) {
		t.Errorf("got %+v right after the errors, want which pod failed when", got)
	}
	until(t, "the app has been well again", func() bool { return run(testApp(), sustained).Status == bot.CheckPass })

	// Nobody has data from before the beginning.
	sustained.For = 10 * time.Minute
	if got := run(testApp(), sustained); got.Status == bot.CheckPass {
		t.Errorf("got %+v for a time before the first scrape, want no pass", got)
	}
}
