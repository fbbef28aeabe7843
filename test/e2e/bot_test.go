//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/cmd/app"
)

// pace polls more often than production does: loopback is not far away.
func pace() *bot.Timing {
	return &bot.Timing{
		Gate: 500 * time.Millisecond, Mergeable: 200 * time.Millisecond, Sync: 300 * time.Millisecond,
		Resync: 5 * time.Second, Verify: 500 * time.Millisecond, Approve: 500 * time.Millisecond, Retry: 100 * time.Millisecond,
	}
}

const (
	// webhookSecret and alertToken are as long as the bot demands.
	webhookSecret = "a-webhook-secret-of-more-than-32-bytes-for-stories"
	alertToken    = "an-alertmanager-token-of-more-than-32-bytes"
)

// config writes the configuration file that a bot of this world starts with.
func (w *world) config(change func(*app.Config)) (file string) {
	w.Helper()
	write := func(name string, content []byte) string {
		w.must(os.WriteFile(w.path(name), content, 0o600))
		return w.path(name)
	}
	c := app.Config{
		DataDir: w.path("data"),
		Listen:  app.Listen{Public: "127.0.0.1:0", Internal: "localhost:0"},
		GitHub: app.GitHub{
			AppID: w.github.ID(), PrivateKeyFile: write("key.pem", w.github.PrivateKeyPEM()),
			WebhookSecretFiles: []string{write("webhook-secret", []byte(webhookSecret))}, WebURL: w.hub.URL(),
			SweepEvery: policy.Duration(time.Minute), SweepBack: policy.Duration(time.Hour),
		},
		Alertmanager: app.Alertmanager{
			URL: plane.Alertmanager.URL, WebhookTokenFiles: []string{write("alert-token", []byte(alertToken))},
			MaxFor: policy.Duration(time.Minute),
		},
		Prometheus:  app.Prometheus{URL: plane.Prometheus.URL},
		RecordEvery: policy.Duration(500 * time.Millisecond), JanitorEvery: policy.Duration(time.Second),
		Log: app.Log{Level: "info", Format: "text"},
	}
	change(&c)
	text, err := yaml.Marshal(c)
	w.must(err)
	return write("backout.yaml", text)
}

// serve runs a bot until the story ends.
func (w *world) serve(file string, change ...func(*app.Options)) *app.App {
	w.Helper()
	cfg, err := app.LoadConfig(file)
	w.must(err)
	public, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	o := app.Options{
		Log:    slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Timing: pace(), Public: public,
	}
	for _, f := range change {
		f(&o)
	}
	ctx, cancel := context.WithCancel(w.ctx)
	a, err := app.New(ctx, cfg, o)
	if err != nil {
		cancel()
		w.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	w.Cleanup(func() {
		w.github.SetWebhook("", "")
		cancel()
		if err := <-done; err != nil {
			w.Errorf("the bot ended: %v", err)
		}
		if err := a.Close(); err != nil {
			w.Errorf("close the bot: %v", err)
		}
	})
	w.listenAt(public.Addr().String())
	return a
}

// listenAt tells GitHub where the bot listens.
func (w *world) listenAt(addr string) {
	w.addr = addr
	w.github.SetWebhook("http://"+addr+"/webhooks/github", webhookSecret)
}

// tail keeps what a bot logs.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.Write(p)
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

func (t *tail) last(n int) string {
	lines := strings.Split(strings.TrimSpace(t.text()), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// to makes a pointer for an optional setting.
func to[T any](v T) *T { return &v }
