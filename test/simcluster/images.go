package simcluster

import (
	"context"
	"slices"

	"github.com/backout-dev/backout/bot"
)

var _ bot.ImageAutomations = (*Cluster)(nil)

// Choose makes the cluster's one image automation choose a tag for a policy,
// "namespace:name". It writes nothing by itself: stories look at what holds it.
func (c *Cluster) Choose(ref, tag string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.chosen == nil {
		c.chosen = map[string]string{}
	}
	c.chosen[ref] = tag
}

// HeldImages is the hold on the image automation; nil while it is free.
func (c *Cluster) HeldImages() *bot.ImageHold {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.imageHold
}

// HoldImages implements bot.ImageAutomations.
func (c *Cluster) HoldImages(_ context.Context, l bot.ImageLease) ([]bot.ImageHeld, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return nil, c.broken
	}
	writes := slices.DeleteFunc(slices.Clone(l.Updates), func(u bot.ImageUpdate) bool { return c.chosen[u.Ref] == "" })
	if len(writes) == 0 {
		return nil, nil
	}
	if c.imageHold == nil {
		c.effects["hold-images "+writes[0].Ref]++
		c.imageHold = &bot.ImageHold{
			Cluster: c.cfg.Name, Kind: "ImageUpdateAutomation", Namespace: "flux-system", Name: "all",
			Owner: l.Owner, Reason: l.Reason, Deadline: l.Deadline, Updates: writes,
		}
	}
	return []bot.ImageHeld{{ImageHold: *c.imageHold, Placed: c.imageHold.Owner == l.Owner}}, nil
}

// ReleaseImages implements bot.ImageAutomations.
func (c *Cluster) ReleaseImages(_ context.Context, h bot.ImageHold) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.imageHold != nil && c.imageHold.Owner == h.Owner {
		c.effects["release-images "+h.Updates[0].Ref]++
		c.imageHold = nil
	}
	return "", c.broken
}

// ImageHolds implements bot.ImageAutomations.
func (c *Cluster) ImageHolds(context.Context) ([]bot.ImageHold, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.imageHold == nil {
		return nil, c.broken
	}
	return []bot.ImageHold{*c.imageHold}, c.broken
}

// Newer implements bot.ImageAutomations.
func (c *Cluster) Newer(_ context.Context, h bot.ImageHold) (string, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, u := range h.Updates {
		if tag := c.chosen[u.Ref]; tag == "" || tag == u.Bad {
			return "", false, c.broken
		}
	}
	return "newer", c.broken == nil, c.broken
}
