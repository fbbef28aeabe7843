package app

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/bot/verify"
)

// maxJanitor is how often holds must be swept at least: nothing stays held
// longer than 60 s past its deadline.
const maxJanitor = time.Minute

// maxSweep is how often the delivery log must be swept at least: a webhook that
// was missed is found within 5 minutes. minSweepBack is how far back a sweep must
// look at least: younger commands are obeyed.
const (
	maxSweep     = 4 * time.Minute
	minSweepBack = time.Hour
)

// check finds every problem that shows without opening a file or a connection.
func (c Config) check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.DataDir == "" {
		bad("data_dir: missing; name a directory that survives restarts")
	}
	checkListen("listen.public", c.Listen.Public, bad)
	checkListen("listen.internal", c.Listen.Internal, bad)
	if c.Listen.Public == c.Listen.Internal && !strings.HasSuffix(c.Listen.Public, ":0") {
		bad("listen: public and internal are both %q; they must differ, since only the first may be reached from outside", c.Listen.Public)
	}
	c.checkGitHub(bad)
	c.checkMonitoring(bad)
	for i, cl := range c.Clusters {
		c.checkCluster(i, cl, bad)
	}
	for i, l := range c.Locate {
		c.checkLocate(i, l, bad)
	}
	if c.RecordEvery <= 0 {
		bad("record_every: %v; it must be more than 0s", time.Duration(c.RecordEvery))
	}
	if d := time.Duration(c.JanitorEvery); d <= 0 || d > maxJanitor {
		bad("janitor_every: %v; it must be more than 0s and at most %v, since it bounds how long an App stays held", d, maxJanitor)
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level) {
		bad("log.level: %q is none of debug, info, warn, error", c.Log.Level)
	}
	if !slices.Contains([]string{"json", "text"}, c.Log.Format) {
		bad("log.format: %q is none of json, text", c.Log.Format)
	}
	c.checkPolicy(bad)
	c.Outbound.check(bad)
	if c.Mirrors.MaxMiB < 0 {
		bad("mirrors.max_mib: %d; give how many MiB a repository may have, or 0 for any number", c.Mirrors.MaxMiB)
	}
	if c.Audit.KeepFiles < 0 {
		bad("audit.keep_files: %d; give how many files to keep, or 0 for all", c.Audit.KeepFiles)
	}
	return errors.Join(errs...)
}

// appSlug is the form of a GitHub App's name in addresses, and maxLabel the
// longest name of a label.
var appSlug = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,38}$`)

const maxLabel = 50

// problem collects one problem.
type problem = func(format string, args ...any)

func checkListen(key, addr string, bad problem) {
	if _, port, err := net.SplitHostPort(addr); err != nil || port == "" {
		bad("%s: %q is not an address like :8080 or 127.0.0.1:8081", key, addr)
	}
}

// checkURL checks an address; empty is allowed where the key is optional.
func checkURL(key, addr string, bad problem) {
	u, err := url.Parse(addr)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		bad("%s: %q is not an address like https://%s.example.com", key, addr, strings.SplitN(key, ".", 2)[0])
	case u.User != nil:
		bad("%s: it holds a password; name a file with a token instead", key)
	}
}

func (c Config) checkGitHub(bad problem) {
	g := c.GitHub
	if g.AppID <= 0 {
		bad("github.app_id: missing; it stands on the App's settings page")
	}
	for _, slug := range g.AllowApps {
		if !appSlug.MatchString(slug) {
			bad("github.allow_apps: %q is not the name of a GitHub App as it stands in its address, such as deploy-bot (without [bot])", slug)
		}
	}
	if len(g.FreezeLabel) > maxLabel || strings.ContainsAny(g.FreezeLabel, ",\n") {
		bad("github.freeze_label: %q is not one label of at most %d characters", g.FreezeLabel, maxLabel)
	}
	if g.PrivateKeyFile == "" {
		bad("github.private_key_file: missing; name the PEM file that GitHub gave you for the App")
	}
	if n := len(g.WebhookSecretFiles); n == 0 || n > 2 || slices.Contains(g.WebhookSecretFiles, "") {
		bad("github.webhook_secret_files: %d files; name one, or two while you rotate the secret", n)
	}
	checkURL("github.web_url", g.WebURL, bad)
	if g.APIURL != "" {
		checkURL("github.api_url", g.APIURL, bad)
	}
	if d := time.Duration(g.SweepEvery); d <= 0 || d > maxSweep {
		bad("github.sweep_every: %v; it must be more than 0s and at most %v, since it bounds how long a missed webhook stays unseen", d, maxSweep)
	}
	if d := time.Duration(g.SweepBack); d < minSweepBack {
		bad("github.sweep_back: %v; it must be at least %v, or commands that were missed are never seen", d, minSweepBack)
	}
}

func (c Config) checkMonitoring(bad problem) {
	a, p := c.Alertmanager, c.Prometheus
	if a.URL != "" {
		checkURL("alertmanager.url", a.URL, bad)
	} else if a.BearerTokenFile != "" {
		bad("alertmanager.url: missing, and there is a token for it")
	}
	if n := len(a.WebhookTokenFiles); n > 2 || slices.Contains(a.WebhookTokenFiles, "") {
		bad("alertmanager.webhook_token_files: %d files; name one, or two while you rotate the token", n)
	}
	if a.MaxFor <= 0 {
		bad("alertmanager.max_for: %v; it must be more than 0s: name the longest \"for:\" of your alerting rules", time.Duration(a.MaxFor))
	}
	if p.URL != "" {
		checkURL("prometheus.url", p.URL, bad)
	} else if p.BearerTokenFile != "" || p.CAFile != "" {
		bad("prometheus.url: missing, and there is a token or a certificate for it")
	}
}

func (c Config) checkCluster(i int, cl Cluster, bad problem) {
	where := fmt.Sprintf("clusters[%d]", i)
	if cl.Name == "" || strings.ContainsAny(cl.Name, "/*?[\\") {
		bad("%s.name: %q; give every cluster a name without slashes and wildcards", where, cl.Name)
	}
	if (cl.KubeconfigFile == "") != cl.InCluster {
		bad("%s: give either kubeconfig_file or in_cluster: true", where)
	}
	if name, value, _ := strings.Cut(cl.AlertLabel, "="); cl.AlertLabel != "" && (name == "" || value == "") {
		bad("%s.alert_label: %q; write it as label=value", where, cl.AlertLabel)
	}
	if cl.AlertLabel == "" && len(c.Clusters) > 1 {
		bad("%s.alert_label: missing; with several clusters, alerts must tell which one they speak of", where)
	}
	for _, other := range c.Clusters[:i] {
		switch {
		case other.Name == cl.Name:
			bad("%s.name: %q is used twice", where, cl.Name)
		case other.AlertLabel == cl.AlertLabel && cl.AlertLabel != "":
			bad("%s.alert_label: %q is that of cluster %s, too", where, cl.AlertLabel, other.Name)
		}
	}
	if cl.Flux == nil && cl.ArgoCD == nil {
		bad("%s: nothing delivers to it; add flux: {} or argocd:", where)
	}
	if a := cl.ArgoCD; a != nil {
		if a.Server == "" || a.TokenFile == "" {
			bad("%s.argocd: server and token_file are needed", where)
		}
		if strings.Contains(a.Server, "://") {
			bad("%s.argocd.server: %q; write it as host:port, without a scheme", where, a.Server)
		}
	}
}

func (c Config) checkLocate(i int, l Locate, bad problem) {
	id, err := ParseAppID(l.App)
	switch {
	case err != nil:
		bad("locate[%d].app: %w", i, err)
	case !c.hasCluster(func(name string) bool { return name == id.Cluster }):
		bad("locate[%d].app: there is no cluster %q", i, id.Cluster)
	}
	if len(l.Match) == 0 {
		bad("locate[%d].match: missing; name at least one label", i)
	}
}

func (c Config) hasCluster(is func(name string) bool) bool {
	return slices.ContainsFunc(c.Clusters, func(cl Cluster) bool { return is(cl.Name) })
}

func (c Config) checkPolicy(bad problem) {
	if _, err := policy.Open(c.Policy, verify.Validate); err != nil {
		bad("%w", err)
	}
	known := func(where, match string) {
		glob, _, _ := strings.Cut(match, "/")
		if !c.hasCluster(func(name string) bool { ok, err := path.Match(glob, name); return ok && err == nil }) {
			bad("%s.match: there is no cluster %q", where, glob)
		}
	}
	for i, a := range c.Policy.Apps {
		known(fmt.Sprintf("policy.apps[%d]", i), a.Match)
	}
	for i, a := range c.Policy.Limits.Apps {
		known(fmt.Sprintf("policy.limits.apps[%d]", i), a.Match)
	}
}
