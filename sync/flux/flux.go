package flux

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/backout-dev/backout/bot"
)

// Config says which cluster to speak to. Cluster, Host and either REST or all
// three of Dynamic, Metadata and Discovery are required.
type Config struct {
	// Cluster is the cluster's name in our configuration, as in [bot.AppID].
	Cluster string
	// Host is our GitHub host, "github.com" or "ghe.example.com:8443". A source
	// elsewhere has no repository that we could revert in.
	Host string
	// Namespaces bounds what is looked at; empty means the whole cluster.
	Namespaces []string

	REST      *rest.Config
	Dynamic   dynamic.Interface
	Metadata  metadata.Interface
	Discovery discovery.ServerResourcesInterface

	// FetchWait is how long Sync lets source-controller fetch before it asks for
	// the apply; 15 s when zero.
	FetchWait time.Duration
	Log       *slog.Logger // slog.Default() when nil
}

// Controller is the Flux of one cluster. It keeps no state but which API
// versions the cluster serves, and may be used by many goroutines.
type Controller struct {
	cluster    string
	host       string
	namespaces []string
	dynamic    dynamic.Interface
	metadata   metadata.Interface
	served     *served
	fetchWait  time.Duration
	log        *slog.Logger
}

var _ bot.Deployer = (*Controller)(nil)

const defaultFetchWait = 15 * time.Second

// What client-go allows by default, 5 requests a second, would make a list of
// Apps with many sources take half a minute.
const (
	requestsPerSecond = 50
	requestBurst      = 100
	requestTimeout    = 30 * time.Second
)

// New makes a Controller. It sends no request: a cluster that is down must not
// keep the bot from starting.
func New(c Config) (*Controller, error) {
	if c.Cluster == "" || c.Host == "" {
		return nil, errors.New("flux: the configuration names no cluster or no GitHub host")
	}
	if err := c.connect(); err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.FetchWait == 0 {
		c.FetchWait = defaultFetchWait
	}
	log := c.Log.With("cluster", c.Cluster, "deployer", "flux")
	return &Controller{
		cluster:    c.Cluster,
		host:       strings.ToLower(c.Host),
		namespaces: slices.Clone(c.Namespaces),
		dynamic:    c.Dynamic,
		metadata:   c.Metadata,
		served:     &served{discovery: c.Discovery, log: log},
		fetchWait:  c.FetchWait,
		log:        log,
	}, nil
}

// connect makes the clients that the configuration did not bring.
func (c *Config) connect() error {
	if c.Dynamic != nil && c.Metadata != nil && c.Discovery != nil {
		return nil
	}
	if c.REST == nil {
		return fmt.Errorf("flux: cluster %s has neither a REST configuration nor clients", c.Cluster)
	}
	r := rest.CopyConfig(c.REST)
	if r.QPS == 0 {
		r.QPS, r.Burst = requestsPerSecond, requestBurst
	}
	if r.Timeout == 0 {
		r.Timeout = requestTimeout
	}
	var errs [3]error
	c.Dynamic, errs[0] = dynamic.NewForConfig(r)
	c.Metadata, errs[1] = metadata.NewForConfig(r)
	c.Discovery, errs[2] = discovery.NewDiscoveryClientForConfig(r)
	if err := errors.Join(errs[:]...); err != nil {
		return fmt.Errorf("flux: make clients for cluster %s: %w", c.Cluster, err)
	}
	return nil
}

// Handles reports whether an App is one of ours: by cluster, kind and, when we
// are bound to some, namespace.
func (c *Controller) Handles(id bot.AppID) bool {
	_, ok := kindOf(id.Kind)
	return ok && id.Cluster == c.cluster && c.inScope(id.Namespace)
}

func (c *Controller) inScope(namespace string) bool {
	return len(c.namespaces) == 0 || slices.Contains(c.namespaces, namespace)
}

// id names an App of this cluster.
func (c *Controller) id(kind bot.AppKind, namespace, name string) bot.AppID {
	return bot.AppID{Cluster: c.cluster, Kind: kind, Namespace: namespace, Name: name}
}
