package argo

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	applicationpkg "github.com/argoproj/argo-cd/v2/pkg/apiclient/application"
	versionpkg "github.com/argoproj/argo-cd/v2/pkg/apiclient/version"
	"google.golang.org/grpc"

	"github.com/backout-dev/backout/bot"
)

// Config tells how to reach one Argo CD and how its world maps onto ours.
type Config struct {
	// Cluster is our name for the cluster that Argo CD runs in, which is the
	// destination https://kubernetes.default.svc, called in-cluster.
	Cluster string
	// Clusters maps further destinations, by server URL or by name, to our
	// names. A destination in neither map keeps Argo CD's own name or host.
	Clusters map[string]string

	// Server is argocd-server's "host:port", without a scheme. The port
	// defaults to 443, with PlainText to 80.
	Server string
	// PlainText speaks without TLS. The token then crosses the network as it
	// is: for loopback and service meshes only.
	PlainText bool
	// Insecure accepts any certificate.
	Insecure bool
	// CAFile holds the PEM certificates to trust besides the system's.
	CAFile string
	// GRPCWeb speaks gRPC-web over HTTP/1, for proxies that know no HTTP/2.
	// RootPath is the path that the proxy serves Argo CD under, if any.
	GRPCWeb  bool
	RootPath string
	// Token returns the account's API token; it is called for every request.
	Token func() (string, error)
	// Timeout bounds each request, the longest of which waits for a refresh.
	// 30 s by default.
	Timeout time.Duration

	// Host is the GitHub host of our repositories ("github.com"), with its
	// port when that is not the default.
	Host string
	// Namespace is the control plane's own; "argocd" by default.
	Namespace string
	// Namespaces and Projects restrict which Applications exist for us; empty
	// means all that the account may see.
	Namespaces []string
	Projects   []string
	// InstanceLabel is application.instanceLabelKey of argocd-cm.
	InstanceLabel string
	// InstallationID is installationID of argocd-cm, where several Argo CDs
	// deliver to one cluster.
	InstallationID string
	// HardRefresh makes Sync drop cached manifests, for sources that read
	// more than their own commit (remote bases). It costs a full render.
	HardRefresh bool

	Now func() time.Time
	Log *slog.Logger // required
}

// Server is one Argo CD. It is safe for concurrent use.
type Server struct {
	cfg     Config
	conn    *grpc.ClientConn
	apps    applicationpkg.ApplicationServiceClient
	version versionpkg.VersionServiceClient
	seen    index
}

var _ bot.Deployer = (*Server)(nil)

// New prepares the connection; nothing is sent before the first call, so an
// Argo CD that is down does not keep us from starting.
func New(c Config) (*Server, error) {
	if err := c.complete(); err != nil {
		return nil, fmt.Errorf("configure Argo CD: %w", err)
	}
	conn, err := dial(c)
	if err != nil {
		return nil, fmt.Errorf("prepare the connection to Argo CD: %w", err)
	}
	return &Server{
		cfg:     c,
		conn:    conn,
		apps:    applicationpkg.NewApplicationServiceClient(conn),
		version: versionpkg.NewVersionServiceClient(conn),
	}, nil
}

// Close ends the connection.
func (s *Server) Close() error { return s.conn.Close() }

// TokenFile reads the token from a file each time it is wanted, so that a
// rotated one counts at once.
func TokenFile(path string) func() (string, error) {
	return func() (string, error) {
		b, err := os.ReadFile(path)
		return string(b), err
	}
}

func (c *Config) complete() error {
	switch {
	case c.Cluster == "":
		return errors.New("no cluster name")
	case c.Server == "":
		return errors.New("no server address")
	case strings.Contains(c.Server, "/"):
		return fmt.Errorf("server %q: give host:port, without scheme or path", c.Server)
	case c.Host == "":
		return errors.New("no GitHub host")
	case c.Token == nil:
		return errors.New("no token")
	case c.Log == nil:
		return errors.New("no logger")
	}
	if _, _, err := net.SplitHostPort(c.Server); err != nil {
		port := "443"
		if c.PlainText {
			port = "80"
		}
		c.Server = net.JoinHostPort(strings.Trim(c.Server, "[]"), port)
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Namespace == "" {
		c.Namespace = "argocd"
	}
	if c.InstanceLabel == "" {
		c.InstanceLabel = "app.kubernetes.io/instance"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}
