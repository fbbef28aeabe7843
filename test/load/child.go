package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/cmd/app"
)

// childVar holds, in the environment of a child, what it is to be.
const childVar = "BACKOUT_LOAD_CHILD"

// part is what a child is told.
type part struct {
	Plain   bool   `json:"plain"` // the handler that the bot is measured against
	Dir     string `json:"dir"`
	HubURL  string `json:"hub_url"`
	AppID   int64  `json:"app_id"`
	World   string `json:"world"` // address of the cluster and the monitoring
	Profile bool   `json:"profile"`
	// RecordEvery is how often the bot observes all Apps.
	RecordEvery time.Duration `json:"record_every"`
}

// child is a running one.
type child struct {
	cmd *exec.Cmd
	url string // where it takes webhooks
	log string // file
}

// playChild runs this process as a child, if it is one.
func playChild() bool {
	told := os.Getenv(childVar)
	if told == "" {
		return false
	}
	var p part
	err := json.Unmarshal([]byte(told), &p)
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		if p.Plain {
			err = servePlain(ctx, p)
		} else {
			err = serveBot(ctx, p)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

// startChild starts this program again, as p says, and waits until it serves.
func startChild(p part) (*child, error) {
	told, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(self), log: filepath.Join(p.Dir, "log")}
	log, err := os.Create(c.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the child has its own
	c.cmd.Env = append(os.Environ(), childVar+"="+string(told))
	c.cmd.Stderr = log
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		said, _ := os.ReadFile(c.log)
		return nil, errors.Join(fmt.Errorf("start child: %w\n%s", err, said), c.stop())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	c.url = strings.TrimSpace(line)
	return c, nil
}

// stop ends the child as a deployment would.
func (c *child) stop() error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	return c.cmd.Wait()
}

// announce tells the parent where the child serves.
func announce(l net.Listener) { fmt.Printf("http://%s\n", l.Addr()) }

func listen() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }

// serveBot runs the bot in its real wiring, with the intervals of production.
func serveBot(ctx context.Context, p part) error {
	public, err := listen()
	if err != nil {
		return err
	}
	inside, err := listen()
	if err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 16
	c := &remote{url: p.World, client: &http.Client{Transport: transport, Timeout: 30 * time.Second}}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	a, err := app.New(ctx, config(p), app.Options{Log: log, Fleet: c.fleet(), Public: public, Internal: inside})
	if err != nil {
		return err
	}
	if p.Profile {
		if err := profile(p.Dir); err != nil {
			return err
		}
	}
	announce(public)
	return errors.Join(a.Run(ctx), a.Close())
}

// profile serves pprof and writes its address beside the log.
func profile(dir string) error {
	l, err := listen()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	go func() { _ = http.Serve(l, mux) }() //nolint:gosec // it ends with the process
	return os.WriteFile(filepath.Join(dir, "pprof"), []byte("http://"+l.Addr().String()+"/debug/pprof/"), 0o600)
}

// config is that of production but for what the storm's story needs.
func config(p part) app.Config {
	at := func(name string) string { return filepath.Join(p.Dir, name) }
	auto, one, wide := bot.ModeAuto, 1, 100_000
	match := func(team string) string { return "prod/Kustomization/flux-system/" + team + "-*" }
	return app.Config{
		DataDir: at("data"),
		GitHub: app.GitHub{
			AppID: p.AppID, PrivateKeyFile: at("key.pem"), WebhookSecretFiles: []string{at("webhook-secret")}, WebURL: p.HubURL,
		},
		Alertmanager: app.Alertmanager{URL: p.World, WebhookTokenFiles: []string{at("alert-token")}, MaxFor: policy.Duration(15 * time.Minute)},
		Prometheus:   app.Prometheus{URL: p.World},
		Policy: app.Policy{Apps: []policy.AppSettings{
			{Match: match(teams[0]), Settings: policy.Settings{Alerts: &auto}},
			{Match: match(teams[1]), Settings: policy.Settings{Alerts: &auto, PerDay: &one, MaxAffected: &wide}},
			{Match: match(teams[2]), Settings: policy.Settings{Alerts: &auto, MaxAffected: &wide}},
		}},
		RecordEvery: policy.Duration(p.RecordEvery), JanitorEvery: policy.Duration(15 * time.Second),
	}
}

// writeSecrets puts the bot's secrets where config looks for them.
func (w *world) writeSecrets(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, b := range map[string][]byte{"key.pem": w.app.PrivateKeyPEM(), "webhook-secret": []byte(secret), "alert-token": []byte(token)} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}
