package simcluster

import (
	"context"

	"github.com/backout-dev/backout/bot"
)

var (
	_ bot.Deployer  = (*Cluster)(nil)
	_ bot.Workloads = (*Cluster)(nil)
)

// Fleet is this cluster as the bot sees it.
func (c *Cluster) Fleet() *bot.Fleet {
	return &bot.Fleet{Deployers: []bot.Deployer{c}, Workloads: map[string]bot.Workloads{c.cfg.Name: c}, Images: []bot.ImageAutomations{c}}
}

// Handles implements bot.Deployer.
func (c *Cluster) Handles(id bot.AppID) bool { return id.Cluster == c.cfg.Name }

// Apps implements bot.Deployer.
func (c *Cluster) Apps(context.Context) ([]bot.App, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return nil, c.broken
	}
	var out []bot.App
	for _, a := range c.apps {
		out = append(out, c.observe(a))
	}
	return out, nil
}

// App implements bot.Deployer.
func (c *Cluster) App(_ context.Context, id bot.AppID) (bot.App, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return bot.App{}, c.broken
	}
	a := c.find(id)
	if a == nil {
		return bot.App{}, bot.NewTrouble(bot.TroubleNotFound, nil, "There is no %s.", id)
	}
	return c.observe(a), nil
}

func (c *Cluster) observe(a *app) bot.App {
	out := bot.App{
		ID: a.spec.ID, Namespace: a.spec.Workload.Namespace, Revision: a.revision, AppliedAt: a.applied, Current: true, Synced: true,
		Health: bot.HealthGood, AutoSync: a.spec.AutoSync, Workloads: []bot.Workload{a.spec.Workload},
		Source: bot.Source{Repo: c.cfg.Repo, Branch: a.spec.Branch, Paths: []string{a.spec.Path}, Untracked: a.spec.Untracked},
	}
	if a.bad() {
		out.Health, out.Message = bot.HealthBad, "pods crash-loop"
	}
	if a.revision == "" {
		out.Health = bot.HealthUnknown
	}
	if a.hold != nil {
		h := *a.hold
		out.Hold = &h
	}
	return out
}

// Owner implements bot.Deployer by the label that the simulation puts on all
// that it delivers.
func (c *Cluster) Owner(o bot.Object) (bot.AppID, string, bool) {
	name, ok := o.Labels["simcluster/app"]
	if !ok || o.Cluster != c.cfg.Name {
		return bot.AppID{}, "", false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.apps {
		if a.spec.ID.Name == name {
			return a.spec.ID, "label simcluster/app=" + name, true
		}
	}
	return bot.AppID{}, "", false
}

// Hold implements bot.Deployer.
func (c *Cluster) Hold(_ context.Context, l bot.Lease) (bot.Held, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return bot.Held{App: l.App}, c.broken
	}
	a := c.find(l.App)
	switch {
	case a == nil:
		return bot.Held{App: l.App}, bot.NewTrouble(bot.TroubleNotFound, nil, "There is no %s.", l.App)
	case a.hold != nil && a.hold.Owner == l.Owner:
		return bot.Held{App: l.App, Placed: true}, nil
	case a.hold != nil:
		return bot.Held{App: l.App, Left: "It is held by somebody else: " + a.hold.Reason}, nil
	}
	a.hold = &bot.Hold{App: l.App, Owner: l.Owner, Reason: l.Reason, Deadline: l.Deadline}
	c.effects["hold "+l.App.Name]++
	return bot.Held{App: l.App, Placed: true}, nil
}

// Release implements bot.Deployer.
func (c *Cluster) Release(_ context.Context, id bot.AppID, owner bot.RollbackID) (bot.Held, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return bot.Held{App: id}, c.broken
	}
	a := c.find(id)
	if a == nil || a.hold == nil {
		return bot.Held{App: id}, nil
	}
	if a.hold.Owner != owner {
		return bot.Held{App: id, Left: "It is held by somebody else: " + a.hold.Reason}, nil
	}
	a.hold = nil
	c.effects["release "+id.Name]++
	return bot.Held{App: id}, nil
}

// Holds implements bot.Deployer.
func (c *Cluster) Holds(context.Context) ([]bot.Hold, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []bot.Hold
	for _, a := range c.apps {
		if a.hold.Ours() {
			out = append(out, *a.hold)
		}
	}
	return out, c.broken
}

// Sync implements bot.Deployer: the head is applied at once.
func (c *Cluster) Sync(_ context.Context, id bot.AppID, token string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return c.broken
	}
	a := c.find(id)
	switch {
	case a == nil:
		return bot.NewTrouble(bot.TroubleNotFound, nil, "There is no %s.", id)
	case a.hold != nil:
		return bot.NewTrouble(bot.TroubleStale, nil, "%s is held.", id)
	case a.token == token:
		return nil
	}
	a.token = token
	c.effects["sync "+id.Name]++
	return c.apply(a)
}

// Find implements bot.Workloads.
func (c *Cluster) Find(_ context.Context, w bot.Workload) ([]bot.Object, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return nil, c.broken
	}
	for _, a := range c.apps {
		if a.spec.Workload == w {
			return []bot.Object{{Workload: w, Labels: map[string]string{"simcluster/app": a.spec.ID.Name}}}, nil
		}
	}
	return nil, bot.NewTrouble(bot.TroubleNotFound, nil, "There is no %s.", w)
}

// Rollouts implements bot.Workloads.
func (c *Cluster) Rollouts(_ context.Context, ws []bot.Workload) ([]bot.Rollout, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return nil, c.broken
	}
	var out []bot.Rollout
	for _, w := range ws {
		r := bot.Rollout{Workload: w, Gone: true, Reason: "not found"}
		for _, a := range c.apps {
			if a.spec.Workload != w {
				continue
			}
			r = bot.Rollout{Workload: w, Done: !a.bad(), Images: []string{a.image}}
			if a.bad() {
				r.Failed, r.Reason, r.CrashLooping = true, "progress deadline exceeded", []string{w.Name + "-0"}
			}
		}
		out = append(out, r)
	}
	return out, nil
}
