package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/policy"
)

// least is the shortest configuration that is enough.
const least = `
data_dir: data
github:
  app_id: 7
  private_key_file: key.pem
  webhook_secret_files: [secret]
`

func TestDefaults(t *testing.T) {
	got, err := ParseConfig([]byte(least))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		DataDir: "data", Listen: Listen{Public: ":8080", Internal: "127.0.0.1:8081"},
		GitHub: GitHub{
			AppID: 7, PrivateKeyFile: "key.pem", WebhookSecretFiles: []string{"secret"}, WebURL: "https://github.com",
			SweepEvery: policy.Duration(2 * time.Minute), SweepBack: policy.Duration(72 * time.Hour), FreezeLabel: "backout-freeze",
		},
		Alertmanager: Alertmanager{MaxFor: policy.Duration(15 * time.Minute)},
		RecordEvery:  policy.Duration(5 * time.Second), JanitorEvery: policy.Duration(15 * time.Second),
		Log: Log{Level: "info", Format: "json"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

// TestProblems: each is told with where it is and what to do. A case is added
// to the least configuration, or replaces the key of the same name in it.
func TestProblems(t *testing.T) {
	const cluster = "clusters: [{name: prod, kubeconfig_file: k, flux: {}}]\n"
	tests := []struct {
		name, text string
		want       []string // the beginnings of the lines of the error
	}{
		{"nothing", "=", []string{"the configuration is empty"}},
		{"comments only", "=# nothing\n", []string{"the configuration is empty"}},
		{"no YAML", "=data_dir: [", []string{"parse configuration: yaml: line 1:"}},
		{"a tab", "=data_dir: x\n\tlog: {}", []string{"parse configuration: yaml: line 2:"}},
		{"a text", "=hello", []string{"line 1: the configuration: a section belongs here, with keys of these: alertmanager, audit, clusters, data_dir,"}},
		{"everything is missing", "=log: {}", []string{"data_dir: missing;", "github.app_id: missing;", "github.private_key_file: missing;", "github.webhook_secret_files: 0 files;"}},

		{"an unknown key", "data-dir: x", []string{"line 8: unknown key data-dir; did you mean data_dir?"}},
		{"an unknown key, deep", cluster + "policy:\n  apps:\n  - match: '*/*/*/*'\n    alert: auto", []string{"line 12: unknown key policy.apps[0].alert; did you mean alerts?"}},
		{"an unknown key unlike any", "log: {colour: true}", []string{"line 8: unknown key log.colour; known here: format, level"}},
		{"a key in capitals", "Log: {}", []string{"line 8: unknown key Log; did you mean log?"}},
		{"a key twice", "log: {level: warn}\nlog: {level: info}", []string{"line 9: key log stands twice"}},
		{"a key twice, deep", "log: {level: warn, level: info}", []string{"line 8: key log.level stands twice"}},
		{"a label twice", cluster + "locate:\n- app: prod/Kustomization/a/b\n  match:\n    x: 1\n    x: 2", []string{"line 13: key locate[0].match.x stands twice"}},
		{"a second document", "---\npolicy: {}", []string{"line 8: a second document begins here;"}},
		{"a broken second document", "---\npolicy: [", []string{"parse configuration: yaml: line"}},

		{"a list for a section", "log: [info]", []string{"line 8: log: a section belongs here, with keys of these: format, level"}},
		{"a switch for a section", "clusters: [{name: prod, kubeconfig_file: k, flux: true}]", []string{"line 8: clusters[0].flux: a section belongs here, with keys of these: namespaces"}},
		{"a text for a list", "alertmanager: {webhook_token_files: token}", []string{"line 8: alertmanager.webhook_token_files: a list belongs here,"}},
		{"a text for labels", cluster + "locate: [{app: prod/Kustomization/a/b, match: severity}]", []string{"line 9: locate[0].match: a section belongs here,"}},
		{"a text for a number", "policy: {defaults: {per_day: many}}", []string{"line 8: policy.defaults.per_day: a whole number belongs here"}},
		{"a number with a part", "policy: {defaults: {per_day: 1.5}}", []string{"line 8: policy.defaults.per_day: a whole number belongs here"}},
		{"a text for a threshold", "policy: {defaults: {checks: [{name: a, query: up, operator: '>', threshold: high}]}}", []string{"line 8: policy.defaults.checks[0].threshold: a number belongs here"}},
		{"a text for a switch", "clusters: [{name: prod, in_cluster: sure, flux: {}}]", []string{"line 8: clusters[0].in_cluster: true or false belongs here"}},
		{"a list for a text", "data_dir: [x]", []string{"line 3: data_dir: a text belongs here"}},
		{"a word that YAML takes for a switch", "clusters: [{name: no, kubeconfig_file: k, flux: {}}]", []string{`line 8: clusters[0].name: no is a boolean in YAML; write it in quotes: "no"`}},
		{"a bad duration", "record_every: 5", []string{`line 8: record_every: 5 is not a duration: write it like "30m" or "90s"`}},
		{"several bad durations", "policy:\n  defaults:\n    hold_for: 1 day\n    merge_within: -5m\n    sync_within: {}", []string{
			`line 10: policy.defaults.hold_for: "1 day" is not a duration:`, `line 11: policy.defaults.merge_within: "-5m" is not a duration:`, `line 12: policy.defaults.sync_within: {} is not a duration:`,
		}},

		{"no directory", "data_dir: ''", []string{"data_dir: missing; name a directory that survives restarts"}},
		{"listeners", "listen: {public: '8080', internal: 'localhost:'}", []string{`listen.public: "8080" is not an address like`, `listen.internal: "localhost:" is not an address like`}},
		{"one listener", "listen: {public: ':1', internal: ':1'}", []string{`listen: public and internal are both ":1";`}},
		{"an App without a number", "github: {app_id: 0, private_key_file: k, webhook_secret_files: [s]}", []string{"github.app_id: missing; it stands on the App's settings page"}},
		{"no key", "github: {app_id: 1, webhook_secret_files: [s]}", []string{"github.private_key_file: missing;"}},
		{"no secret", "github: {app_id: 1, private_key_file: k, webhook_secret_files: []}", []string{"github.webhook_secret_files: 0 files;"}},
		{"an empty secret", "github: {app_id: 1, private_key_file: k, webhook_secret_files: ['']}", []string{"github.webhook_secret_files: 1 files;"}},
		{"three secrets", "github: {app_id: 1, private_key_file: k, webhook_secret_files: [a, b, c]}", []string{"github.webhook_secret_files: 3 files; name one, or two while you rotate the secret"}},
		{"addresses", "github: {app_id: 1, private_key_file: k, webhook_secret_files: [a], web_url: github.com, api_url: 'ftp://x'}", []string{`github.web_url: "github.com" is not an address like`, `github.api_url: "ftp://x" is not an address like`}},
		{"no address", "github: {app_id: 1, private_key_file: k, webhook_secret_files: [a], web_url: ''}", []string{`github.web_url: "" is not an address like`}},
		{"sweeps", "github: {app_id: 1, private_key_file: k, webhook_secret_files: [a], sweep_every: 5m, sweep_back: 59m}", []string{"github.sweep_every: 5m0s; it must be more than 0s and at most 4m0s,", "github.sweep_back: 59m0s; it must be at least 1h0m0s,"}},
		{"apps and label", "github: {app_id: 1, private_key_file: k, webhook_secret_files: [a], allow_apps: [\"deploy[bot]\"], freeze_label: \"a,b\"}", []string{`github.allow_apps: "deploy[bot]" is not the name of a GitHub App`, `github.freeze_label: "a,b" is not one label`}},
		{"no sweeps", "github: {app_id: 1, private_key_file: k, webhook_secret_files: [a], sweep_every: 0s}", []string{"github.sweep_every: 0s;"}},
		{"monitoring", "alertmanager: {url: 'alerts:9093', webhook_token_files: [a, b, c], max_for: 0s}\nprometheus: {url: 'https://me:pass@prom.example'}", []string{
			`alertmanager.url: "alerts:9093" is not an address like`, "alertmanager.webhook_token_files: 3 files;", "alertmanager.max_for: 0s; it must be more than 0s:", "prometheus.url: it holds a password;",
		}},
		{"tokens for nobody", "alertmanager: {bearer_token_file: t}\nprometheus: {ca_file: c}", []string{"alertmanager.url: missing,", "prometheus.url: missing,"}},
		{"never", "record_every: 0s\njanitor_every: 2m", []string{"record_every: 0s;", "janitor_every: 2m0s; it must be more than 0s and at most 1m0s,"}},
		{"never sweep", "janitor_every: 0s", []string{"janitor_every: 0s;"}},
		{"logging", "log: {level: loud, format: xml}", []string{`log.level: "loud" is none of debug, info, warn, error`, `log.format: "xml" is none of json, text`}},

		{"a cluster that says nothing", "clusters: [{}]", []string{`clusters[0].name: "";`, "clusters[0]: give either kubeconfig_file or in_cluster: true", "clusters[0]: nothing delivers to it; add flux: {} or argocd:"}},
		{"a cluster reached in two ways", "clusters: [{name: a, kubeconfig_file: k, in_cluster: true, flux: {}}]", []string{"clusters[0]: give either"}},
		{"flux left empty", "clusters: [{name: a, in_cluster: true, flux: }]", []string{"clusters[0]: nothing delivers to it; add flux: {} or argocd:"}},
		{"a cluster's name", "clusters: [{name: eu/prod, in_cluster: true, flux: {}}]", []string{`clusters[0].name: "eu/prod";`}},
		{"a cluster's label", "clusters: [{name: a, in_cluster: true, flux: {}, alert_label: 'cluster='}]", []string{`clusters[0].alert_label: "cluster="; write it as label=value`}},
		{"one name twice", "clusters: [{name: a, in_cluster: true, flux: {}, alert_label: c=a}, {name: a, kubeconfig_file: k, flux: {}, alert_label: c=b}]", []string{`clusters[1].name: "a" is used twice`}},
		{"one label twice", "clusters: [{name: a, in_cluster: true, flux: {}, alert_label: c=a}, {name: b, kubeconfig_file: k, flux: {}, alert_label: c=a}]", []string{`clusters[1].alert_label: "c=a" is that of cluster a, too`}},
		{"several clusters, one without a label", "clusters: [{name: a, in_cluster: true, flux: {}, alert_label: c=a}, {name: b, kubeconfig_file: k, flux: {}}]", []string{"clusters[1].alert_label: missing; with several clusters,"}},
		{"Argo CD without a token", "clusters: [{name: a, in_cluster: true, argocd: {server: 'argo:443'}}]", []string{"clusters[0].argocd: server and token_file are needed"}},
		{"Argo CD with a scheme", "clusters: [{name: a, in_cluster: true, argocd: {server: 'https://argo', token_file: t}}]", []string{`clusters[0].argocd.server: "https://argo"; write it as host:port,`}},

		{"an App's name", cluster + "locate: [{app: web, match: {a: b}}, {app: prod/Deployment/a/b}, {app: dev/Application/a/b, match: {a: b}}]", []string{
			`locate[0].app: "web" is not cluster/Kind/namespace/name`, `locate[1].app: "Deployment" is none of Kustomization, HelmRelease, Application`, "locate[1].match: missing;", `locate[2].app: there is no cluster "dev"`,
		}},
		{"a policy", cluster + "policy: {defaults: {alerts: yolo}, apps: [{match: prod, hold: x}]}", []string{
			`policy.defaults.alerts: "yolo" is none of`, `policy.apps[0].match: "prod" is not a glob over`, `policy.apps[0].hold: "x" is none of`,
		}},
		{"a policy for a cluster that is not there", cluster + "policy: {apps: [{match: dev-*/*/*/*}]}", []string{`policy.apps[0].match: there is no cluster "dev-*"`}},
		{"a query", cluster + "policy: {apps: [{match: '*/*/*/*', checks: [{name: a, query: 'up{pod=\"{{pod}}\"}', operator: '<'}]}]}", []string{`policy.apps[0].checks[0]: check "a" can't be asked:`}},

		{"problems of all sorts at once", "recrod_every: 1s\nlog: {level: loud}\npolicy: {defaults: {hold: x}}", []string{
			"line 8: unknown key recrod_every; did you mean record_every?", `log.level: "loud"`, `policy.defaults.hold: "x"`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, whole := strings.CutPrefix(tt.text, "=")
			if !whole {
				text = with(least, text)
			}
			_, err := ParseConfig([]byte(text))
			if err == nil {
				t.Fatalf("no problem was found in\n%s", text)
			}
			lines := strings.Split(err.Error(), "\n")
			ok := len(lines) == len(tt.want)
			for i := range min(len(lines), len(tt.want)) {
				ok = ok && strings.HasPrefix(lines[i], tt.want[i])
			}
			if !ok {
				t.Errorf("error is\n%v\nwant\n%s", err, strings.Join(tt.want, "\n"))
			}
		})
	}
}

// with adds keys to a configuration, and takes out what they replace.
func with(base, text string) string {
	key, _, _ := strings.Cut(text, ":")
	switch key {
	case "data_dir":
		return strings.Replace(base, "\ndata_dir: data\n", "\n\n"+text+"\n", 1)
	case "github":
		return "data_dir: data\n" + text
	}
	return base + "\n" + text + "\n"
}

// TestNullIsAsIfAbsent: an optional section may be left empty.
func TestNullIsAsIfAbsent(t *testing.T) {
	want, err := ParseConfig([]byte(least))
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseConfig([]byte(least + "clusters:\nlocate: ~\npolicy:\n  defaults:\nlog:\nrecord_every:\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

// TestAliasesEnd: an anchor may hold itself.
func TestAliasesEnd(t *testing.T) {
	for _, text := range []string{"clusters: &a [*a]", "clusters: &a [{name: *a}]", "policy: &p {defaults: *p}"} {
		if _, err := ParseConfig([]byte(least + text)); err == nil {
			t.Errorf("%s is no problem", text)
		}
	}
}

func TestLoadConfig(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "backout.yaml")
	text := `
data_dir: data
kill_switch_file: stop
github: {app_id: 7, private_key_file: key.pem, webhook_secret_files: [secret, /run/old]}
alertmanager: {url: https://alerts.example, webhook_token_files: [token], bearer_token_file: sub/../bearer}
prometheus: {url: https://prom.example, bearer_token_file: prom, ca_file: ca.pem}
clusters:
- {name: a, kubeconfig_file: kube/a, alert_label: c=a, flux: {}}
- {name: b, in_cluster: true, alert_label: c=b, argocd: {server: "argo:443", token_file: argo, ca_file: argo.pem}}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, name := range []string{file, "backout.yaml"} {
		c, err := LoadConfig(name)
		if err != nil {
			t.Fatal(err)
		}
		at := func(name string) string { return filepath.Join(dir, name) }
		got := []string{
			c.DataDir, c.KillSwitchFile, c.GitHub.PrivateKeyFile, c.GitHub.WebhookSecretFiles[0], c.GitHub.WebhookSecretFiles[1],
			c.Alertmanager.WebhookTokenFiles[0], c.Alertmanager.BearerTokenFile, c.Prometheus.BearerTokenFile, c.Prometheus.CAFile,
			c.Clusters[0].KubeconfigFile, c.Clusters[1].KubeconfigFile, c.Clusters[1].ArgoCD.TokenFile, c.Clusters[1].ArgoCD.CAFile,
		}
		want := []string{
			at("data"), at("stop"), at("key.pem"), at("secret"), "/run/old", at("token"), at("bearer"), at("prom"), at("ca.pem"), at("kube/a"), "", at("argo"), at("argo.pem"),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: files (-want +got):\n%s", name, diff)
		}
	}
	if _, err := LoadConfig(filepath.Join(dir, "gone.yaml")); err == nil || !strings.HasPrefix(err.Error(), "read configuration: ") {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := os.WriteFile(file, []byte("log: {}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadConfig(file); err == nil || !strings.HasPrefix(err.Error(), file+": data_dir: missing") {
		t.Errorf("a file with problems: %v", err)
	}
}

func TestParseAppID(t *testing.T) {
	want := bot.AppID{Cluster: "prod", Kind: bot.KindHelmRelease, Namespace: "shop", Name: "web"}
	got, err := ParseAppID(want.String())
	if err != nil || got != want {
		t.Errorf("%s is read as %v, %v", want, got, err)
	}
	for _, s := range []string{"", "web", "a/HelmRelease/c", "a/HelmRelease/c/d/e", "a/HelmRelease//d", "a/helmrelease/c/d", "*/HelmRelease/c"} {
		if id, err := ParseAppID(s); err == nil {
			t.Errorf("%q is read as %v", s, id)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(least))
	f.Add([]byte(least + "clusters: &a [*a]\n---\nx: y"))
	f.Add([]byte("? [a]\n: b"))
	f.Add([]byte("<<: {data_dir: x}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := ParseConfig(b); err == nil && c.check() != nil {
			t.Errorf("taken, though %v", c.check())
		}
	})
}
