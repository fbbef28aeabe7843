package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/backout-dev/backout/bot"
)

// remote is the cluster as the child sees it: over a socket, so that a call can
// be cut off anywhere.
type remote struct {
	world, cluster string
	http           *http.Client
}

var (
	_ bot.Deployer  = (*remote)(nil)
	_ bot.Workloads = (*remote)(nil)
)

func newRemote(world, cluster string) *remote {
	return &remote{world: world, cluster: cluster, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}}
}

// question is one call; each method uses the fields that it needs.
type question struct {
	App    bot.AppID      `json:"app,omitzero"`
	Lease  bot.Lease      `json:"lease,omitzero"`
	Owner  bot.RollbackID `json:"owner,omitempty"`
	Token  string         `json:"token,omitempty"`
	Object bot.Object     `json:"object,omitzero"`
	Of     bot.Workload   `json:"of,omitzero"`
	Many   []bot.Workload `json:"many,omitempty"`
}

// reply is what came of it. Trouble keeps its kind on the way.
type reply struct {
	Value   json.RawMessage `json:"value"`
	Trouble *bot.Trouble    `json:"trouble,omitempty"`
}

// ask calls a method of the cluster. A connection that breaks is transient
// trouble, as it is with a real API server.
func ask[T any](ctx context.Context, r *remote, method string, q question) (T, error) {
	var v T
	body, err := json.Marshal(q)
	if err != nil {
		return v, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.world+"/cluster/"+method, bytes.NewReader(body))
	if err != nil {
		return v, err
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return v, bot.NewTrouble(bot.TroubleTransient, err, "Cluster %s can't be reached.", r.cluster)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read.
	var a reply
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return v, bot.NewTrouble(bot.TroubleTransient, err, "Cluster %s gave no answer.", r.cluster)
	}
	if err := json.Unmarshal(a.Value, &v); err != nil {
		return v, fmt.Errorf("read the cluster's answer to %s: %w", method, err)
	}
	if a.Trouble != nil {
		return v, a.Trouble
	}
	return v, nil
}

// Handles implements bot.Deployer.
func (r *remote) Handles(id bot.AppID) bool { return id.Cluster == r.cluster }

// Apps implements bot.Deployer.
func (r *remote) Apps(ctx context.Context) ([]bot.App, error) {
	return ask[[]bot.App](ctx, r, "apps", question{})
}

// App implements bot.Deployer.
func (r *remote) App(ctx context.Context, id bot.AppID) (bot.App, error) {
	return ask[bot.App](ctx, r, "app", question{App: id})
}

// owned is the answer to Owner.
type owned struct {
	App  bot.AppID
	Mark string
	OK   bool
}

// Owner implements bot.Deployer.
func (r *remote) Owner(o bot.Object) (bot.AppID, string, bool) {
	a, err := ask[owned](context.Background(), r, "owner", question{Object: o})
	return a.App, a.Mark, err == nil && a.OK
}

// Hold implements bot.Deployer.
func (r *remote) Hold(ctx context.Context, l bot.Lease) (bot.Held, error) {
	return ask[bot.Held](ctx, r, "hold", question{App: l.App, Lease: l})
}

// Release implements bot.Deployer.
func (r *remote) Release(ctx context.Context, id bot.AppID, owner bot.RollbackID) (bot.Held, error) {
	return ask[bot.Held](ctx, r, "release", question{App: id, Owner: owner})
}

// Holds implements bot.Deployer.
func (r *remote) Holds(ctx context.Context) ([]bot.Hold, error) {
	return ask[[]bot.Hold](ctx, r, "holds", question{})
}

// Sync implements bot.Deployer.
func (r *remote) Sync(ctx context.Context, id bot.AppID, token string) error {
	_, err := ask[bool](ctx, r, "sync", question{App: id, Token: token})
	return err
}

// Find implements bot.Workloads.
func (r *remote) Find(ctx context.Context, w bot.Workload) ([]bot.Object, error) {
	return ask[[]bot.Object](ctx, r, "find", question{Of: w})
}

// Rollouts implements bot.Workloads.
func (r *remote) Rollouts(ctx context.Context, ws []bot.Workload) ([]bot.Rollout, error) {
	return ask[[]bot.Rollout](ctx, r, "rollouts", question{Many: ws})
}
