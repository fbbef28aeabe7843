package verify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/backout-dev/backout/bot"
)

// defaultTimeout bounds one question, answer included.
const defaultTimeout = 10 * time.Second

// Config is what a Monitoring is made of.
type Config struct {
	// Prometheus and Alertmanager are where to ask. One without a URL is not
	// asked: its answers are "unknown".
	Prometheus, Alertmanager Endpoint
	// Transport makes the connections; each endpoint adds the certificates that
	// it trusts. nil means one that goes anywhere, past all proxies.
	Transport *http.Transport
	// Timeout bounds one question; 0 means 10 seconds.
	Timeout time.Duration
	// Now is the clock by which queries are made; nil means time.Now.
	Now func() time.Time
	// Log gets what the other side said in its own words; nil discards it.
	Log *slog.Logger
}

// Endpoint is one server and how to speak to it. Secrets are in files, and are
// read again for every request, so that rotation needs no restart.
type Endpoint struct {
	// URL is the server's address as its own users know it, with the path
	// prefix if it has one: https://prometheus.example.com/prom.
	URL string
	// BearerFile holds a bearer token.
	BearerFile string
	// Username and PasswordFile are for basic authentication.
	Username, PasswordFile string
	// Headers are sent with every request, such as X-Scope-OrgID.
	Headers map[string]string
	// CAFile holds the certificates (PEM) that the server's must descend from;
	// empty means the system's.
	CAFile string
}

// Monitoring is the monitoring side of production. It is safe for use by
// several goroutines.
type Monitoring struct {
	prometheus   prometheus // nil when there is none
	alertmanager *http.Client
	alertsURL    *url.URL // nil when there is no Alertmanager
	timeout      time.Duration
	now          func() time.Time
	log          *slog.Logger
}

var (
	_ bot.Checks = (*Monitoring)(nil)
	_ bot.Alerts = (*Monitoring)(nil)
)

// prometheus is the part of Prometheus' API that is used here.
type prometheus interface {
	Alerts(ctx context.Context) (promv1.AlertsResult, error)
	Query(ctx context.Context, query string, at time.Time, opts ...promv1.Option) (model.Value, promv1.Warnings, error)
	QueryRange(ctx context.Context, query string, r promv1.Range, opts ...promv1.Option) (model.Value, promv1.Warnings, error)
}

// New makes a Monitoring. It contacts nobody; an error is one of the
// configuration.
func New(c Config) (*Monitoring, error) {
	m := &Monitoring{timeout: c.Timeout, now: c.Now, log: c.Log}
	if m.timeout < 0 {
		return nil, errors.New("configure monitoring: the timeout is negative: give a duration such as 10s")
	}
	if m.timeout == 0 {
		m.timeout = defaultTimeout
	}
	if m.now == nil {
		m.now = time.Now
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	if c.Prometheus.URL != "" {
		client, base, err := c.Prometheus.client("Prometheus", c.Transport)
		if err != nil {
			return nil, fmt.Errorf("configure Prometheus: %w", err)
		}
		p, err := api.NewClient(api.Config{Address: base.String(), Client: client})
		if err != nil {
			return nil, fmt.Errorf("configure Prometheus: %w", err)
		}
		m.prometheus = promv1.NewAPI(p)
	}
	if c.Alertmanager.URL != "" {
		client, base, err := c.Alertmanager.client("Alertmanager", c.Transport)
		if err != nil {
			return nil, fmt.Errorf("configure Alertmanager: %w", err)
		}
		m.alertmanager, m.alertsURL = client, base.JoinPath("api", "v2", "alerts")
	}
	return m, nil
}
