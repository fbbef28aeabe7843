package bed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/backout-dev/backout/test/bed/build"
)

// Options choose what a bed has besides its Kubernetes.
type Options struct {
	Flux    bool // kustomize-controller and the stand-in source
	Argo    bool // Argo CD
	Metrics bool // Prometheus, Alertmanager and the exporter

	// Dir is where the bed makes a folder of its own, the system's folder
	// for temporary files by default. Keep leaves that folder behind.
	Dir  string
	Keep bool

	Log *slog.Logger // required
}

// Bed is a running control plane. Parts that were not asked for are nil.
type Bed struct {
	Flux         *Flux
	Argo         *Argo
	Prometheus   *Prometheus
	Alertmanager *Alertmanager
	Exporter     *Exporter

	dir   string
	keep  bool
	log   *slog.Logger
	tools *build.Tools
	progs *programs
	ca    *authority

	server  string // URL of the API server
	rest    *rest.Config
	kube    kubernetes.Interface
	dynamic dynamic.Interface
	mapper  *restmapper.DeferredDiscoveryRESTMapper

	background context.Context // ends with Down
	stop       context.CancelFunc
	running    sync.WaitGroup // stand-ins in this process
	down       sync.Once
}

// Up brings a bed up, after building what the cache of programs lacks. When a
// part does not come up, everything is taken down again and the error carries
// the end of that part's log.
//
// ctx bounds the start only; a bed that is up lives until [Bed.Down].
func Up(ctx context.Context, o Options) (*Bed, error) {
	begun := time.Now()
	tools, err := programsFor(ctx, o.Log)
	if err != nil {
		return nil, err
	}
	built := time.Now()
	b, err := newBed(o, tools)
	if err != nil {
		return nil, err
	}
	if err := b.up(ctx, o); err != nil {
		return nil, errors.Join(err, b.Down())
	}
	o.Log.Info("bed is up", "took", time.Since(built).Round(time.Millisecond),
		"building", built.Sub(begun).Round(time.Millisecond), "dir", b.dir)
	return b, nil
}

// programsFor finds, or builds, the programs.
func programsFor(ctx context.Context, log *slog.Logger) (*build.Tools, error) {
	modules, err := build.ModulesDir(ctx)
	if err != nil {
		return nil, err
	}
	cache, err := build.CacheDir()
	if err != nil {
		return nil, err
	}
	return build.Ensure(ctx, modules, cache, log)
}

func newBed(o Options, tools *build.Tools) (*Bed, error) {
	ca, err := newAuthority()
	if err != nil {
		return nil, fmt.Errorf("make the cluster's authority: %w", err)
	}
	dir, err := os.MkdirTemp(o.Dir, "bed-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the bed: %w", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	b := &Bed{dir: dir, keep: o.Keep, log: o.Log, tools: tools, ca: ca}
	b.progs = newPrograms(b.path("logs"), o.Log)
	b.background, b.stop = context.WithCancel(context.Background())
	return b, nil
}

// up starts the parts. What needs no Kubernetes starts beside it.
func (b *Bed) up(ctx context.Context, o Options) error {
	for _, d := range []string{"logs", "tmp", "home", "data", "config"} {
		if err := os.MkdirAll(b.path(d), 0o755); err != nil {
			return err
		}
	}
	if o.Argo {
		b.Argo = &Argo{Namespace: "argocd", bed: b}
	}
	if o.Metrics {
		var err error
		if b.Exporter, err = b.startExporter(); err != nil {
			return err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	backends := make(chan struct{})
	if o.Argo {
		g.Go(func() error {
			defer close(backends)
			return b.Argo.startBackends(ctx)
		})
	}
	if o.Metrics {
		g.Go(func() error { return b.startMetrics(ctx) })
	}
	g.Go(func() error {
		if err := b.startAPI(ctx); err != nil {
			return err
		}
		g.Go(func() error { return b.startControllers(ctx) })
		if o.Metrics {
			b.goBackground(func(ctx context.Context) { b.Exporter.watch(ctx, b.kube) })
		}
		if o.Flux {
			g.Go(func() error { return b.startFlux(ctx) })
		}
		if o.Argo {
			g.Go(func() error { return b.Argo.start(ctx, backends) })
		}
		return nil
	})
	return g.Wait()
}

// Down kills every process of the bed, waits until they are gone and removes
// the bed's folder, unless it is to be kept. It may be called more than once.
func (b *Bed) Down() error {
	var err error
	b.down.Do(func() {
		begun := time.Now()
		b.stop()
		b.progs.stopAll()
		b.running.Wait()
		if !b.keep {
			err = os.RemoveAll(b.dir)
		}
		b.log.Info("bed is down", "took", time.Since(begun).Round(time.Millisecond))
	})
	return err
}

// Dir is the bed's own folder. Its subfolder logs has one file per program.
func (b *Bed) Dir() string { return b.dir }

// Programs are the processes of the bed in the order in which they started.
func (b *Bed) Programs() []*Program { return b.progs.list() }

// WriteTails writes the end of every program's log, for a test that has gone
// wrong.
func (b *Bed) WriteTails(w io.Writer, lines int) error {
	for _, p := range b.Programs() {
		if _, err := fmt.Fprintf(w, "--- %s\n%s\n", p.Name(), p.Tail(lines)); err != nil {
			return err
		}
	}
	return nil
}

// path joins the bed's folder and the given elements.
func (b *Bed) path(elem ...string) string {
	return filepath.Join(append([]string{b.dir}, elem...)...)
}

// goBackground runs a stand-in of this process until the bed goes down.
func (b *Bed) goBackground(f func(context.Context)) {
	b.running.Go(func() { f(b.background) })
}
