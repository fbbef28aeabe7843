package webhooks

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

// startAlertmanager starts the real Alertmanager (Debian package
// prometheus-alertmanager) on a port that the kernel picks, and returns its URL.
// In CI it must be there; elsewhere its absence skips.
func startAlertmanager(t *testing.T, config string) string {
	t.Helper()
	program, err := exec.LookPath("prometheus-alertmanager")
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatal("prometheus-alertmanager is not installed: run make deps")
	default:
		t.Skip("prometheus-alertmanager is not installed: run make deps")
	}
	file := filepath.Join(t.TempDir(), "alertmanager.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--config.file="+file, "--storage.path="+t.TempDir(), "--web.listen-address=127.0.0.1:0", "--cluster.listen-address=")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address, ended := make(chan string, 1), make(chan struct{})
	var log strings.Builder
	go func() {
		defer close(ended)
		listening := regexp.MustCompile(`msg="Listening on" address=(127\.0\.0\.1:[0-9]+)`)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			fmt.Fprintln(&log, lines.Text())
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				address <- m[1]
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		<-ended
		_ = cmd.Wait() // its status says how it was stopped
		if t.Failed() {
			t.Logf("log of Alertmanager:\n%s", log.String())
		}
	})
	select {
	case a := <-address:
		return "http://" + a
	case <-ended:
		t.Fatalf("Alertmanager ended:\n%s", log.String())
	case <-time.After(time.Minute):
		t.Fatal("Alertmanager does not listen after a minute")
	}
	return ""
}

// received is an engine that hands on what it accepts.
type received struct {
	engine
	events chan bot.Event
}

func (r *received) Accept(ctx context.Context, e bot.Event) error {
	if err := r.engine.Accept(ctx, e); err != nil {
		return err
	}
	r.events <- e
	return nil
}

// TestRealAlertmanager: what the real one sends is understood, and what it
// repeats is the same event. It sends again what was refused.
func TestRealAlertmanager(t *testing.T) {
	e := &received{events: make(chan bot.Event, 100)}
	h := newHarness(t, func(c *Config) { c.Engine = e })
	public, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	internal, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- h.Serve(ctx, public, internal) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	am := startAlertmanager(t, fmt.Sprintf(`
route: {receiver: backout, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1s}
receivers:
- name: backout
  webhook_configs:
  - {url: 'http://%s/webhooks/alertmanager', send_resolved: true, http_config: {authorization: {credentials: %s}}}
`, public.Addr(), token))

	post := func(alerts ...map[string]any) {
		t.Helper()
		body, err := json.Marshal(alerts)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := over(http.MethodPost, am+"/api/v2/alerts", http.Header{"Content-Type": {"application/json"}}, body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%+v, %v", resp, err)
		}
	}
	next := func() bot.Event {
		t.Helper()
		select {
		case ev := <-e.events:
			return ev
		case <-time.After(time.Minute):
			t.Fatal("nothing came within a minute")
			return bot.Event{}
		}
	}

	starts := time.Now().Add(-10 * time.Second).UTC().Truncate(time.Millisecond)
	labels := map[string]string{"alertname": "X", "a": `odd "value"\` + "\n", "namespace": "shop"}
	alert := map[string]any{"labels": labels, "annotations": map[string]string{"summary": "s"}, "startsAt": starts}
	post(alert)

	first := next()
	if len(first.Alerts.Alerts) != 1 || first.Alerts.Status != "firing" || first.Alerts.GroupKey != `{}:{alertname="X"}` || first.Alerts.Receiver != "backout" {
		t.Fatalf("group %+v", first.Alerts)
	}
	a := first.Alerts.Alerts[0]
	if !a.Firing || !a.StartsAt.Equal(starts) || a.Labels["a"] != labels["a"] || a.Annotations["summary"] != "s" {
		t.Errorf("alert %+v", a)
	}
	if got := fingerprint("", labels); got != a.Fingerprint {
		t.Errorf("computed fingerprint %s, Alertmanager's is %s", got, a.Fingerprint)
	}
	if again := next(); again.ID != first.ID {
		t.Errorf("repeated, the event has the ID %s, not %s", again.ID, first.ID)
	}

	// While nothing can be recorded, Alertmanager has to come back.
	e.mu.Lock()
	e.fail = io.ErrClosedPipe
	e.mu.Unlock()
	alert["endsAt"] = time.Now().Add(-time.Second).UTC()
	post(alert)
	e.waitForRefusal(t)
	e.mu.Lock()
	e.fail = nil
	e.mu.Unlock()
	for {
		if ev := next(); ev.ID != first.ID {
			if ev.Alerts.Status != "resolved" || ev.Alerts.Alerts[0].Firing || ev.Alerts.Alerts[0].EndsAt.IsZero() || ev.Alerts.Alerts[0].Fingerprint != a.Fingerprint {
				t.Errorf("the end is told as %+v", ev.Alerts)
			}
			break
		}
	}
}

// waitForRefusal waits until something was not accepted.
func (r *received) waitForRefusal(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	from := r.calls
	r.mu.Unlock()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for {
		select {
		case <-tick.C:
			r.mu.Lock()
			refused := r.calls > from
			r.mu.Unlock()
			if refused {
				return
			}
		case <-late:
			t.Fatal("Alertmanager sent nothing within a minute")
		}
	}
}
