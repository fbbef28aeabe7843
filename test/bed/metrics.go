package bed

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

//go:embed manifests/prometheus.yaml
var prometheusConfig string

// Prometheus scrapes the exporter and evaluates rules every second.
type Prometheus struct {
	URL     string
	Program *Program

	rules string // folder
}

// Alertmanager groups by alert name and namespace, waits for nothing, and
// sends nowhere until it is told where to.
type Alertmanager struct {
	URL     string
	Program *Program

	config string // file
}

// startMetrics starts both. Prometheus has to know where Alertmanager listens.
func (b *Bed) startMetrics(ctx context.Context) error {
	am, err := b.startAlertmanager(ctx)
	if err != nil {
		return err
	}
	b.Alertmanager = am
	b.Prometheus, err = b.startPrometheus(ctx)
	return err
}

func (b *Bed) startPrometheus(ctx context.Context) (*Prometheus, error) {
	path, err := exec.LookPath("prometheus")
	if err != nil {
		return nil, fmt.Errorf("find Prometheus (Debian package prometheus): %w", err)
	}
	m := &Prometheus{rules: b.path("config", "rules")}
	if err := os.MkdirAll(m.rules, 0o755); err != nil {
		return nil, err
	}
	host := func(u string) string { return strings.TrimPrefix(u, "http://") }
	config, err := b.write("prometheus.yaml", []byte(strings.NewReplacer(
		"EXPORTER", host(b.Exporter.URL), "ALERTMANAGER", host(b.Alertmanager.URL)).Replace(prometheusConfig)))
	if err != nil {
		return nil, err
	}
	m.Program, err = b.progs.start(ctx, launch{
		name: "prometheus", path: path, ports: 1, env: b.env(),
		args: func(p []int) []string {
			m.URL = loopback(p[0])
			return []string{
				"--config.file=" + config, "--storage.tsdb.path=" + b.path("data", "prometheus"),
				"--web.listen-address=" + host(m.URL), "--rules.alert.resend-delay=2s", "--web.enable-lifecycle",
			}
		},
		ready: func(ctx context.Context, p []int) error {
			return get(ctx, http.DefaultClient, loopback(p[0])+"/-/ready")
		},
	})
	return m, err
}

// SetRules writes a rule file of that name, replacing an earlier one, and loads
// it; no rules remove the file. Rules that Prometheus refuses are an error, and
// the file stays out.
func (m *Prometheus) SetRules(ctx context.Context, name, rules string) error {
	path := filepath.Join(m.rules, name+".yaml")
	if rules == "" {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove rules %s: %w", name, err)
		}
	} else if err := os.WriteFile(path, []byte(rules), 0o644); err != nil {
		return fmt.Errorf("write rules %s: %w", name, err)
	}
	if err := reload(ctx, m.URL); err != nil {
		_ = os.Remove(path)
		return fmt.Errorf("load rules %s: %w\n%s", name, err, m.Program.Tail(3)) // why, is in its log only
	}
	return nil
}

// Query evaluates PromQL now and returns the number of series in the answer and
// the value of the first, as Prometheus writes it.
func (m *Prometheus) Query(ctx context.Context, promql string) (series int, value string, err error) {
	var answer struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	err = call(ctx, http.MethodGet, m.URL+"/api/v1/query?query="+url.QueryEscape(promql), "", nil, &answer)
	if err != nil || len(answer.Data.Result) == 0 {
		return 0, "", err
	}
	value, _ = answer.Data.Result[0].Value[1].(string)
	return len(answer.Data.Result), value, nil
}

func (b *Bed) startAlertmanager(ctx context.Context) (*Alertmanager, error) {
	path, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		return nil, fmt.Errorf("find Alertmanager (Debian package prometheus-alertmanager): %w", err)
	}
	a := &Alertmanager{config: b.path("config", "alertmanager.yaml")}
	if err := a.write("", ""); err != nil {
		return nil, err
	}
	a.Program, err = b.progs.start(ctx, launch{
		name: "alertmanager", path: path, ports: 1, env: b.env(),
		args: func(p []int) []string {
			a.URL = loopback(p[0])
			return []string{
				"--config.file=" + a.config, "--storage.path=" + b.path("data", "alertmanager"),
				"--web.listen-address=" + strings.TrimPrefix(a.URL, "http://"), "--web.external-url=" + a.URL,
				"--cluster.listen-address=", // alone
			}
		},
		ready: func(ctx context.Context, p []int) error {
			return get(ctx, http.DefaultClient, loopback(p[0])+"/-/ready")
		},
	})
	return a, err
}

// RouteTo sends all alerts, firing and resolved, to a webhook that asks for a
// bearer token, from now on and to nobody else. Alerts that the former receiver
// has been told of are not told again, until they change.
func (a *Alertmanager) RouteTo(ctx context.Context, url, token string) error {
	if err := a.write(url, token); err != nil {
		return err
	}
	if err := reload(ctx, a.URL); err != nil {
		return fmt.Errorf("load Alertmanager's config: %w\n%s", err, a.Program.Tail(3))
	}
	return nil
}

func (a *Alertmanager) write(url, token string) error {
	receiver := map[string]any{"name": "backout"}
	if url != "" {
		receiver["webhook_configs"] = []any{map[string]any{
			"url": url, "send_resolved": true,
			"http_config": map[string]any{"authorization": map[string]any{"credentials": token}},
		}}
	}
	config, err := yaml.Marshal(map[string]any{
		"route": map[string]any{
			"receiver": "backout", "group_by": []string{"alertname", "namespace"},
			"group_wait": "0s", "group_interval": "1s", "repeat_interval": "1h",
		},
		"receivers": []any{receiver},
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(a.config, config, 0o600); err != nil {
		return fmt.Errorf("write Alertmanager's config: %w", err)
	}
	return nil
}

func reload(ctx context.Context, url string) error {
	return call(ctx, http.MethodPost, url+"/-/reload", "", nil, nil)
}
