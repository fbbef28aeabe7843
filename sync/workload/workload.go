package workload

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/backout-dev/backout/bot"
)

// Config says which cluster to read. Cluster and one of REST and Client are
// required.
type Config struct {
	// Cluster is the cluster's name in our configuration, as in [bot.Workload].
	Cluster string
	REST    *rest.Config
	Client  kubernetes.Interface
	Now     func() time.Time // time.Now when nil
	Log     *slog.Logger     // slog.Default() when nil
}

// Reader reads the workloads of one cluster. It keeps no state and may be used
// by many goroutines.
type Reader struct {
	cluster string
	client  kubernetes.Interface
	now     func() time.Time
	log     *slog.Logger
}

var _ bot.Workloads = (*Reader)(nil)

// client-go allows 5 requests a second by default; an App with forty workloads
// would take half a minute to read.
const (
	requestsPerSecond = 50
	requestBurst      = 100
	requestTimeout    = 30 * time.Second
)

// New makes a Reader. It sends no request: a cluster that is down must not keep
// the bot from starting.
func New(c Config) (*Reader, error) {
	if c.Cluster == "" {
		return nil, errors.New("workload: the configuration names no cluster")
	}
	if c.Client == nil {
		if c.REST == nil {
			return nil, fmt.Errorf("workload: cluster %s has neither a REST configuration nor a client", c.Cluster)
		}
		r := rest.CopyConfig(c.REST)
		if r.QPS == 0 {
			r.QPS, r.Burst = requestsPerSecond, requestBurst
		}
		if r.Timeout == 0 {
			r.Timeout = requestTimeout
		}
		var err error
		if c.Client, err = kubernetes.NewForConfig(r); err != nil {
			return nil, fmt.Errorf("workload: make a client for cluster %s: %w", c.Cluster, err)
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Reader{cluster: c.Cluster, client: c.Client, now: c.Now, log: c.Log.With("cluster", c.Cluster)}, nil
}

// Handles reports whether a cluster is the one that this Reader reads.
func (r *Reader) Handles(cluster string) bool { return cluster == r.cluster }
