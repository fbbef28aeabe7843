package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/simcluster"
)

// clusterWrites are the calls that change the cluster.
var clusterWrites = map[string]bool{"hold": true, "release": true, "sync": true}

// face is the cluster's side of remote. Its writes go past the director.
type face struct {
	cluster  *simcluster.Cluster
	director *director
}

// ServeHTTP answers one call.
func (f *face) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.PathValue("method")
	var q question
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var c cut
	if clusterWrites[method] {
		c = f.director.arrives(method + " " + q.App.Name)
	}
	if !c.before() {
		panic(http.ErrAbortHandler)
	}
	v, err := f.do(method, q)
	c.acted()
	if c.lost() {
		panic(http.ErrAbortHandler)
	}
	value, encodeErr := json.Marshal(v)
	if encodeErr != nil {
		http.Error(w, encodeErr.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(reply{Value: value, Trouble: bot.AsTrouble(err)})
	_ = http.NewResponseController(w).Flush()
	c.sent()
}

func (f *face) do(method string, q question) (v any, err error) {
	ctx, c := context.Background(), f.cluster // an act goes on when who asked is dead
	switch method {
	case "apps":
		return c.Apps(ctx)
	case "app":
		return c.App(ctx, q.App)
	case "owner":
		var a owned
		a.App, a.Mark, a.OK = c.Owner(q.Object)
		return a, nil
	case "hold":
		return c.Hold(ctx, q.Lease)
	case "release":
		return c.Release(ctx, q.App, q.Owner)
	case "holds":
		return c.Holds(ctx)
	case "sync":
		return true, c.Sync(ctx, q.App, q.Token)
	case "find":
		return c.Find(ctx, q.Of)
	case "rollouts":
		return c.Rollouts(ctx, q.Many)
	}
	return nil, fmt.Errorf("the cluster knows no %q", method)
}
