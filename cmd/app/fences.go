package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/audit"
	"github.com/backout-dev/backout/cmd/app/outbound"
	"github.com/backout-dev/backout/cmd/app/redact"
)

// AuditDir is the folder of the audit log in the data directory.
const AuditDir = "audit"

// refreshSecrets is how often the files that hold secrets are looked at, so
// that a rotated one does not show in the log.
const refreshSecrets = 10 * time.Second

// secretFiles are the files whose contents must not be read by people.
func (c Config) secretFiles() []string {
	list := []string{c.GitHub.PrivateKeyFile, c.Prometheus.BearerTokenFile, c.Alertmanager.BearerTokenFile}
	list = append(list, c.GitHub.WebhookSecretFiles...)
	list = append(list, c.Alertmanager.WebhookTokenFiles...)
	for _, cl := range c.Clusters {
		if cl.ArgoCD != nil {
			list = append(list, cl.ArgoCD.TokenFile)
		}
	}
	return list
}

// wireSecrets lets nothing through to the log that stands in a file of secrets.
func (a *App) wireSecrets() {
	a.secrets = redact.New()
	a.secrets.Files(a.cfg.secretFiles()...)
	a.log = slog.New(a.secrets.Handler(a.log.Handler()))
	a.opts.Log = a.log
}

// wireAudit opens the audit log. It comes after the store, whose lock keeps a
// second process out of the data directory.
func (a *App) wireAudit(ctx context.Context) error {
	l, err := audit.Open(audit.Config{
		Dir: filepath.Join(a.cfg.DataDir, AuditDir), Keep: a.cfg.Audit.KeepFiles, Redact: a.secrets.Text, Now: a.opts.Now, Log: a.log,
	})
	if err != nil {
		return err
	}
	a.audit = l
	a.close = append(a.close, l.Close)
	seq, head := l.Head()
	a.log.InfoContext(ctx, "audit log goes on", "seq", seq, "head", head)
	if _, err := l.Append(audit.Entry{Kind: audit.KindStart, Act: "start", Actor: "backout"}, true); err != nil {
		return err
	}
	return nil
}

// clean takes secrets out of what is written for people: an error text or a
// label may have brought one along.
type clean struct {
	bot.Teller

	secrets *redact.Secrets
}

// Sticky implements bot.Teller.
func (c clean) Sticky(v bot.View) string { return c.secrets.Text(c.Teller.Sticky(v)) }

// Pull implements bot.Teller.
func (c clean) Pull(v bot.View) (title, body, commitMessage string) {
	title, body, commitMessage = c.Teller.Pull(v)
	return c.secrets.Text(title), c.secrets.Text(body), c.secrets.Text(commitMessage)
}

// CheckRun implements bot.Teller.
func (c clean) CheckRun(v bot.View) (title, summary, conclusion string) {
	title, summary, conclusion = c.Teller.CheckRun(v)
	return c.secrets.Text(title), c.secrets.Text(summary), conclusion
}

// Reply implements bot.Teller.
func (c clean) Reply(answer bot.Answer) string { return c.secrets.Text(c.Teller.Reply(answer)) }

// Outbound is how the bot reaches what the configuration names.
type Outbound struct {
	// Proxy carries the requests to Prometheus and Alertmanager: an address, or
	// "environment" for HTTP_PROXY, HTTPS_PROXY and NO_PROXY; empty is none.
	Proxy string `json:"proxy"`
}

// Audit is the audit log.
type Audit struct {
	// KeepFiles is how many files of 64 MiB are kept, 0 all.
	KeepFiles int `json:"keep_files"`
}

func (o Outbound) check(bad problem) {
	if o.Proxy != "" && o.Proxy != "environment" {
		checkURL("outbound.proxy", o.Proxy, bad)
	}
}

// dialer connects to what the configuration names.
func (o Outbound) dialer() (outbound.Dialer, error) {
	d := outbound.Dialer{Origin: outbound.FromConfig}
	switch o.Proxy {
	case "":
	case "environment":
		d.Proxy = http.ProxyFromEnvironment
	default:
		u, err := url.Parse(o.Proxy)
		if err != nil {
			return d, fmt.Errorf("outbound.proxy: %w", err)
		}
		d.Proxy = http.ProxyURL(u)
	}
	return d, nil
}
