package verify

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// These tests speak to the real Prometheus and Alertmanager (Debian packages
// prometheus and prometheus-alertmanager), on loopback ports that the kernel
// picks. In CI they must be there; elsewhere their absence skips.

// binary finds a program.
func binary(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is not installed: run make deps", name)
	default:
		t.Skipf("%s is not installed: run make deps", name)
	}
	return path
}

var listening = regexp.MustCompile(`msg="Listening on" address=(127\.0\.0\.1:[0-9]+)`)

// serve starts a server that logs the address on which it listens, waits until
// it is ready, and stops it at the end of the test. It returns its URL.
func serve(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	ended := make(chan struct{})
	var log strings.Builder
	go func() {
		defer close(ended)
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
			t.Logf("log of %s:\n%s", filepath.Base(program), log.String())
		}
	})
	select {
	case a := <-address:
		until(t, program+" is ready", func() bool {
			status, _ := get("http://" + a + "/-/ready")
			return status == http.StatusOK
		})
		return "http://" + a
	case <-ended:
		t.Fatalf("%s ended:\n%s", program, log.String())
	case <-time.After(time.Minute):
		t.Fatalf("%s does not listen after a minute", program)
	}
	return ""
}

// get reads a page. The status is 0 when there is no answer.
func get(url string) (status int, body []byte) {
	resp, err := http.Get(url)
	if err != nil {
		return 0, nil
	}
	body, err = io.ReadAll(resp.Body)
	if errors.Join(err, resp.Body.Close()) != nil {
		return 0, nil
	}
	return resp.StatusCode, body
}

// until asks again and again until something is so.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("after a minute, it is not so that %s", what)
		}
	}
}

// write puts a file into a directory of the test and returns its path.
func write(t *testing.T, name, format string, args ...any) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, fmt.Appendf(nil, format, args...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// startAlertmanager returns the URL of an Alertmanager that tells nobody.
func startAlertmanager(t *testing.T) string {
	t.Helper()
	config := write(t, "alertmanager.yml", "route: {receiver: none}\nreceivers: [{name: none}]\n")
	return serve(t, binary(t, "prometheus-alertmanager"), "--config.file="+config, "--storage.path="+t.TempDir(),
		"--web.listen-address=127.0.0.1:0", "--cluster.listen-address=")
}

// startPrometheus returns the URL of a Prometheus that scrapes and evaluates
// every second and adds the external label cluster.
func startPrometheus(t *testing.T, target, alertmanager, rules string) string {
	t.Helper()
	config := write(t, "prometheus.yml", `
global: {scrape_interval: 1s, evaluation_interval: 1s, external_labels: {cluster: prod-eu}}
scrape_configs: [{job_name: app, honor_labels: true, static_configs: [{targets: [%q]}]}]
rule_files: [%q]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
`, strings.TrimPrefix(target, "http://"), write(t, "rules.yml", "%s", rules), strings.TrimPrefix(alertmanager, "http://"))
	return serve(t, binary(t, "prometheus"), "--config.file="+config, "--storage.tsdb.path="+t.TempDir(),
		"--web.listen-address=127.0.0.1:0", "--rules.alert.resend-delay=1s")
}
