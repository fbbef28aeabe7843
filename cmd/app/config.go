package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/bot/strict"
)

// Config is the server's configuration file. docs/configuration.md documents
// every key; the example there is parsed by a test.
type Config struct {
	// DataDir holds the store and the mirrors; created on first start.
	DataDir string `json:"data_dir"`
	Listen  Listen `json:"listen"`
	GitHub  GitHub `json:"github"`
	// Alertmanager posts alerts to us, and is asked whether they still fire.
	Alertmanager Alertmanager `json:"alertmanager"`
	Prometheus   Prometheus   `json:"prometheus"`
	Clusters     []Cluster    `json:"clusters"`
	Locate       []Locate     `json:"locate"`
	Policy       Policy       `json:"policy"`
	// KillSwitchFile stops all acting while it exists, or while it can't be
	// looked at.
	KillSwitchFile string `json:"kill_switch_file"`
	// RecordEvery is how often Apps are observed; JanitorEvery how often holds
	// are swept.
	RecordEvery  policy.Duration `json:"record_every"`
	JanitorEvery policy.Duration `json:"janitor_every"`
	Log          Log             `json:"log"`
	Outbound     Outbound        `json:"outbound"`
	Audit        Audit           `json:"audit"`
	Mirrors      Mirrors         `json:"mirrors"`
}

// Mirrors are the local copies of the repositories.
type Mirrors struct {
	// MaxMiB is how much one clone or fetch may download, 0 for any amount.
	MaxMiB int64 `json:"max_mib"`
}

// Listen are the listeners' addresses.
type Listen struct {
	Public   string `json:"public"`
	Internal string `json:"internal"`
}

// GitHub is the App and where GitHub is.
type GitHub struct {
	AppID          int64  `json:"app_id"`
	PrivateKeyFile string `json:"private_key_file"`
	// WebhookSecretFiles: one, or two while a secret is rotated.
	WebhookSecretFiles []string `json:"webhook_secret_files"`
	// WebURL is https://github.com or the address of a GHES; APIURL follows
	// from it unless given.
	WebURL string `json:"web_url"`
	APIURL string `json:"api_url"`
	// SweepEvery is how often the App's delivery log is swept for webhooks that
	// did not reach us, SweepBack how far back at the start.
	SweepEvery policy.Duration `json:"sweep_every"`
	SweepBack  policy.Duration `json:"sweep_back"`
	// AllowApps are the slugs of other GitHub Apps by which people and bots may
	// command; nobody may by an App that is not named.
	AllowApps []string `json:"allow_apps"`
	// FreezeLabel on an issue stops all acting in its repository; "" turns that off.
	FreezeLabel string `json:"freeze_label"`
}

// Alertmanager is one Alertmanager.
type Alertmanager struct {
	URL string `json:"url"`
	// WebhookTokenFiles are the bearer tokens that it sends to us.
	WebhookTokenFiles []string `json:"webhook_token_files"`
	BearerTokenFile   string   `json:"bearer_token_file"`
	// MaxFor is the longest "for:" of the alerting rules.
	MaxFor policy.Duration `json:"max_for"`
}

// Prometheus answers queries.
type Prometheus struct {
	URL             string `json:"url"`
	BearerTokenFile string `json:"bearer_token_file"`
	CAFile          string `json:"ca_file"`
}

// Cluster is one cluster and what delivers to it.
type Cluster struct {
	Name           string `json:"name"`
	KubeconfigFile string `json:"kubeconfig_file"`
	InCluster      bool   `json:"in_cluster"`
	// AlertLabel marks the alerts of this cluster, as "label=value".
	AlertLabel string  `json:"alert_label"`
	Flux       *Flux   `json:"flux"`
	ArgoCD     *ArgoCD `json:"argocd"`
}

// Flux says that Flux runs in the cluster.
type Flux struct {
	Namespaces []string `json:"namespaces"` // empty: all
}

// ArgoCD is the API server of an Argo CD that delivers to the cluster.
type ArgoCD struct {
	Server    string   `json:"server"` // host:port
	TokenFile string   `json:"token_file"`
	PlainText bool     `json:"plain_text"`
	Insecure  bool     `json:"insecure_skip_verify"`
	CAFile    string   `json:"ca_file"`
	GRPCWeb   bool     `json:"grpc_web"`
	Projects  []string `json:"projects"`
	Namespace []string `json:"namespaces"`
}

// Locate maps alerts to an App by labels.
type Locate struct {
	Match map[string]string `json:"match"`
	App   string            `json:"app"` // cluster/Kind/namespace/name
}

// Policy is what Backout may do, as far as the server says it: the repositories'
// own files say the rest.
type Policy = policy.Server

// Log is how the server logs.
type Log struct {
	Level  string `json:"level"`  // debug, info, warn, error
	Format string `json:"format"` // json or text
}

// LoadConfig reads and checks a configuration file. Every problem found is in
// the one error, each with what to do. File names are relative to the file's
// folder, and absolute in what is returned.
func LoadConfig(file string) (Config, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	c, err := ParseConfig(b)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", file, err)
	}
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return Config{}, fmt.Errorf("find the folder of %s: %w", file, err)
	}
	return c.relativeTo(dir), nil
}

// ParseConfig decodes and checks a configuration.
func ParseConfig(b []byte) (Config, error) {
	c := Config{
		Listen: Listen{Public: ":8080", Internal: "127.0.0.1:8081"},
		GitHub: GitHub{
			WebURL: "https://github.com", SweepEvery: policy.Duration(2 * time.Minute), SweepBack: policy.Duration(72 * time.Hour),
			FreezeLabel: bot.DefaultFreezeLabel,
		},
		Alertmanager: Alertmanager{MaxFor: policy.Duration(15 * time.Minute)},
		RecordEvery:  policy.Duration(5 * time.Second),
		JanitorEvery: policy.Duration(15 * time.Second),
		Log:          Log{Level: "info", Format: "json"},
	}
	_, found, err := strict.Look(b, c, "the configuration")
	if err != nil {
		return Config{}, err
	}
	var problems []error
	for _, p := range found {
		problems = append(problems, p)
	}
	decode := yaml.UnmarshalStrict
	if len(problems) > 0 {
		decode = yaml.Unmarshal // what can be read is checked, too: one look finds all
	}
	if err := decode(b, &c); err == nil {
		problems = append(problems, c.check())
	} else if len(problems) == 0 {
		problems = append(problems, fmt.Errorf("decode configuration: %w", err))
	}
	if err := errors.Join(problems...); err != nil {
		return Config{}, err
	}
	return c, nil
}

// relativeTo makes file names that are relative to a folder absolute.
func (c Config) relativeTo(dir string) Config {
	abs := func(p *string) {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	abs(&c.DataDir)
	abs(&c.GitHub.PrivateKeyFile)
	abs(&c.KillSwitchFile)
	abs(&c.Prometheus.BearerTokenFile)
	abs(&c.Prometheus.CAFile)
	abs(&c.Alertmanager.BearerTokenFile)
	for i := range c.GitHub.WebhookSecretFiles {
		abs(&c.GitHub.WebhookSecretFiles[i])
	}
	for i := range c.Alertmanager.WebhookTokenFiles {
		abs(&c.Alertmanager.WebhookTokenFiles[i])
	}
	for i := range c.Clusters {
		abs(&c.Clusters[i].KubeconfigFile)
		if a := c.Clusters[i].ArgoCD; a != nil {
			abs(&a.TokenFile)
			abs(&a.CAFile)
		}
	}
	return c
}

// ParseAppID reads "cluster/Kind/namespace/name".
func ParseAppID(s string) (bot.AppID, error) {
	p := strings.Split(s, "/")
	if len(p) != 4 || slices.Contains(p, "") {
		return bot.AppID{}, fmt.Errorf("%q is not cluster/Kind/namespace/name", s)
	}
	kinds := []bot.AppKind{bot.KindKustomization, bot.KindHelmRelease, bot.KindApplication}
	if !slices.Contains(kinds, bot.AppKind(p[1])) {
		return bot.AppID{}, fmt.Errorf("%q is none of Kustomization, HelmRelease, Application", p[1])
	}
	return bot.AppID{Cluster: p[0], Kind: bot.AppKind(p[1]), Namespace: p[2], Name: p[3]}, nil
}
