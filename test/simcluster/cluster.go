package simcluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/backout-dev/backout/bot"
)

// Source is the branch that Apps are delivered from.
type Source interface {
	// Head is the newest commit of a branch.
	Head(branch string) (bot.SHA, error)
	// File is a file's content at a commit; nil when it does not exist.
	File(rev bot.SHA, path string) ([]byte, error)
}

// Config describes a simulated cluster.
type Config struct {
	Name   string
	Repo   bot.RepoName
	Source Source
	Now    func() time.Time
	// Rules are the names of the alerting rules, each of which fires for every
	// App that runs a bad image; none means AlertName alone.
	Rules []string
}

// AppSpec describes one App. Its only manifest is Path + "/deploy.yaml".
type AppSpec struct {
	ID       bot.AppID
	Branch   string
	Path     string
	AutoSync bool
	Workload bot.Workload
	// Untracked makes it an App that follows no branch.
	Untracked string
}

// Cluster is the simulated cluster. It is safe for concurrent use.
type Cluster struct {
	cfg Config

	mu   sync.Mutex
	apps []*app
	// Effects counts holds, releases and syncs per App, for tests that assert
	// that nothing happened twice.
	effects  map[string]int
	alertAge time.Duration
	broken   error
	// The image automation: what it chooses for each policy, and what holds it.
	chosen    map[string]string
	imageHold *bot.ImageHold
}

type app struct {
	spec     AppSpec
	revision bot.SHA
	image    string
	mended   string    // an image that does no harm any more
	applied  time.Time // when the revision was applied
	since    time.Time // when the present image started
	hold     *bot.Hold
	token    string
}

// New returns an empty cluster.
func New(cfg Config) *Cluster {
	return &Cluster{cfg: cfg, effects: map[string]int{}}
}

// Add puts an App into the cluster; nothing runs until Reconcile.
func (c *Cluster) Add(spec AppSpec) {
	c.mu.Lock()
	defer c.mu.Unlock()
	spec.ID.Cluster, spec.Workload.Cluster = c.cfg.Name, c.cfg.Name
	c.apps = append(c.apps, &app{spec: spec})
}

// Reconcile lets every App with automated sync that is not held apply the head
// of its branch.
func (c *Cluster) Reconcile() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	heads := map[string]bot.SHA{}
	for _, a := range c.apps {
		if a.hold != nil || !a.spec.AutoSync {
			continue
		}
		head, known := heads[a.spec.Branch]
		if !known {
			var err error
			if head, err = c.head(a); err != nil {
				return err
			}
			heads[a.spec.Branch] = head
		}
		if err := c.applyHead(a, head); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) head(a *app) (bot.SHA, error) {
	head, err := c.cfg.Source.Head(a.spec.Branch)
	if err != nil {
		return "", fmt.Errorf("read head of %s: %w", a.spec.Branch, err)
	}
	return head, nil
}

// apply deploys the head of an App's branch.
func (c *Cluster) apply(a *app) error {
	head, err := c.head(a)
	if err != nil {
		return err
	}
	return c.applyHead(a, head)
}

func (c *Cluster) applyHead(a *app, head bot.SHA) error {
	if head == a.revision {
		return nil
	}
	manifest, err := c.cfg.Source.File(head, a.spec.Path+"/deploy.yaml")
	if err != nil {
		return fmt.Errorf("read manifest of %s: %w", a.spec.ID, err)
	}
	a.revision, a.applied = head, c.cfg.Now()
	if image := imageOf(manifest); image != a.image {
		a.image, a.since = image, a.applied
	}
	return nil
}

func imageOf(manifest []byte) string {
	for line := range strings.Lines(string(manifest)) {
		if _, image, ok := strings.Cut(line, "image:"); ok {
			return strings.Trim(strings.TrimSpace(image), `"}]`)
		}
	}
	return ""
}

// bad is the one rule of the simulation.
func (a *app) bad() bool { return strings.Contains(a.image, "bad") && a.image != a.mended }

// Mend makes an App well with the image that it runs: the trouble went away by
// itself.
func (c *Cluster) Mend(id bot.AppID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a := c.find(id); a != nil {
		a.mended = a.image
	}
}

// Suspend holds an App as a human does: without our annotations.
func (c *Cluster) Suspend(id bot.AppID) { c.setHold(id, &bot.Hold{Reason: "suspended by hand"}) }

// Resume releases whatever holds an App.
func (c *Cluster) Resume(id bot.AppID) { c.setHold(id, nil) }

func (c *Cluster) setHold(id bot.AppID, h *bot.Hold) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a := c.find(id); a != nil {
		if h != nil {
			h.App = a.spec.ID
		}
		a.hold = h
	}
}

// EditHold lets a person change the hold that is written on an App; an edit
// that returns nil takes it away.
func (c *Cluster) EditHold(id bot.AppID, edit func(bot.Hold) *bot.Hold) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a := c.find(id); a != nil && a.hold != nil {
		a.hold = edit(*a.hold)
	}
}

// Remove deletes an App from the cluster.
func (c *Cluster) Remove(id bot.AppID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.apps = slices.DeleteFunc(c.apps, func(a *app) bool { return a.spec.ID == id })
}

// Break makes every call fail until it is called with nil.
func (c *Cluster) Break(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = err
}

// Effects returns how often each act was done, by "act App".
func (c *Cluster) Effects() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.effects)
}

func (c *Cluster) find(id bot.AppID) *app {
	for _, a := range c.apps {
		if a.spec.ID == id {
			return a
		}
	}
	return nil
}
