package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/simcluster"
)

// The cluster stands in the parent, and the bot reads it over HTTP: as in
// production, it is another process, and takes none of the bot's memory.

// ask is one call: the arguments that its method needs.
type ask struct {
	ID        bot.AppID      `json:"id"`
	Owner     bot.RollbackID `json:"owner"`
	Token     string         `json:"token"`
	Lease     bot.Lease      `json:"lease"`
	Workloads []bot.Workload `json:"workloads"`
}

// told is its answer.
type told struct {
	Apps     []bot.App     `json:"apps,omitempty"`
	Held     bot.Held      `json:"held"`
	Holds    []bot.Hold    `json:"holds,omitempty"`
	Objects  []bot.Object  `json:"objects,omitempty"`
	Rollouts []bot.Rollout `json:"rollouts,omitempty"`
	Trouble  *bot.Trouble  `json:"trouble,omitempty"`
}

func serveCluster(c *simcluster.Cluster) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q ask
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var t told
		var err error
		ctx := r.Context()
		switch r.URL.Path {
		case "/cluster/apps":
			t.Apps, err = c.Apps(ctx)
		case "/cluster/app":
			var app bot.App
			app, err = c.App(ctx, q.ID)
			t.Apps = []bot.App{app}
		case "/cluster/hold":
			t.Held, err = c.Hold(ctx, q.Lease)
		case "/cluster/release":
			t.Held, err = c.Release(ctx, q.ID, q.Owner)
		case "/cluster/holds":
			t.Holds, err = c.Holds(ctx)
		case "/cluster/sync":
			err = c.Sync(ctx, q.ID, q.Token)
		case "/cluster/find":
			t.Objects, err = c.Find(ctx, q.Workloads[0])
		case "/cluster/rollouts":
			t.Rollouts, err = c.Rollouts(ctx, q.Workloads)
		default:
			err = errors.New("no such method")
		}
		if err != nil {
			t.Trouble = bot.AsTrouble(err)
		}
		_ = json.NewEncoder(w).Encode(t)
	})
}

// remote is the cluster as the bot sees it.
type remote struct {
	url    string
	client *http.Client
}

var (
	_ bot.Deployer  = (*remote)(nil)
	_ bot.Workloads = (*remote)(nil)
)

func (c *remote) fleet() *bot.Fleet {
	return &bot.Fleet{Deployers: []bot.Deployer{c}, Workloads: map[string]bot.Workloads{cluster: c}}
}

func (c *remote) call(ctx context.Context, method string, q ask) (told, error) {
	var t told
	body, err := json.Marshal(q)
	if err != nil {
		return t, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/cluster/"+method, bytes.NewReader(body))
	if err != nil {
		return t, err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return t, bot.NewTrouble(bot.TroubleTransient, err, "The cluster does not answer.")
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	if err := json.NewDecoder(resp.Body).Decode(&t); err != nil {
		return t, bot.NewTrouble(bot.TroubleTransient, err, "The cluster answers strangely.")
	}
	if t.Trouble != nil {
		return t, t.Trouble
	}
	return t, nil
}

// Handles implements bot.Deployer.
func (c *remote) Handles(id bot.AppID) bool { return id.Cluster == cluster }

// Apps implements bot.Deployer.
func (c *remote) Apps(ctx context.Context) ([]bot.App, error) {
	t, err := c.call(ctx, "apps", ask{})
	return t.Apps, err
}

// App implements bot.Deployer.
func (c *remote) App(ctx context.Context, id bot.AppID) (bot.App, error) {
	t, err := c.call(ctx, "app", ask{ID: id})
	if err != nil {
		return bot.App{}, err
	}
	return t.Apps[0], nil
}

// Owner implements bot.Deployer.
func (c *remote) Owner(o bot.Object) (bot.AppID, string, bool) {
	name, ok := o.Labels["simcluster/app"]
	return appID(name), fmt.Sprintf("label simcluster/app=%s", name), ok
}

// Hold implements bot.Deployer.
func (c *remote) Hold(ctx context.Context, l bot.Lease) (bot.Held, error) {
	t, err := c.call(ctx, "hold", ask{Lease: l})
	return t.Held, err
}

// Release implements bot.Deployer.
func (c *remote) Release(ctx context.Context, id bot.AppID, owner bot.RollbackID) (bot.Held, error) {
	t, err := c.call(ctx, "release", ask{ID: id, Owner: owner})
	return t.Held, err
}

// Holds implements bot.Deployer.
func (c *remote) Holds(ctx context.Context) ([]bot.Hold, error) {
	t, err := c.call(ctx, "holds", ask{})
	return t.Holds, err
}

// Sync implements bot.Deployer.
func (c *remote) Sync(ctx context.Context, id bot.AppID, token string) error {
	_, err := c.call(ctx, "sync", ask{ID: id, Token: token})
	return err
}

// Find implements bot.Workloads.
func (c *remote) Find(ctx context.Context, w bot.Workload) ([]bot.Object, error) {
	t, err := c.call(ctx, "find", ask{Workloads: []bot.Workload{w}})
	return t.Objects, err
}

// Rollouts implements bot.Workloads.
func (c *remote) Rollouts(ctx context.Context, ws []bot.Workload) ([]bot.Rollout, error) {
	t, err := c.call(ctx, "rollouts", ask{Workloads: ws})
	return t.Rollouts, err
}
