package faults

import (
	"context"
	"sync"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/simcluster"
)

// flaky is the simulated cluster behind a control plane that goes away.
type flaky struct {
	*simcluster.Cluster
	now func() time.Time

	mu    sync.Mutex
	at    string        // the act at which it goes away
	lasts time.Duration // and for how long
	err   error
	late  bool      // the act is still done, and its answer lost
	since time.Time // when it went away
	takes func()    // see slow
}

// breakAt makes the cluster go away for a while when an act is asked for.
func (f *flaky) breakAt(act string, late bool, err error, lasts time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at, f.late, f.err, f.lasts = act, late, err, lasts
}

// slow lets the time pass that each call of a flow takes.
func (f *flaky) slow(takes func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.takes = takes
}

// back is when the cluster returns; ok is false while it has not gone.
func (f *flaky) back() (t time.Time, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.since.Add(f.lasts), !f.since.IsZero()
}

// call returns the error of one call, and whether it is done all the same.
func (f *flaky) call(act string) (done bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.takes != nil && act != "apps" && act != "holds" { // those are upkeep's, which asks again and again
		f.takes()
	}
	first := false
	if act == f.at && f.since.IsZero() {
		f.since, first = f.now(), true
	}
	if f.since.IsZero() || !f.now().Before(f.since.Add(f.lasts)) {
		return true, nil
	}
	return first && f.late, f.err
}

func (f *flaky) Apps(ctx context.Context) ([]bot.App, error) {
	if _, err := f.call("apps"); err != nil {
		return nil, err
	}
	return f.Cluster.Apps(ctx)
}

func (f *flaky) App(ctx context.Context, id bot.AppID) (bot.App, error) {
	if _, err := f.call("app"); err != nil {
		return bot.App{}, err
	}
	return f.Cluster.App(ctx, id)
}

func (f *flaky) Hold(ctx context.Context, l bot.Lease) (bot.Held, error) {
	return act(f, "hold", func() (bot.Held, error) { return f.Cluster.Hold(ctx, l) })
}

func (f *flaky) Release(ctx context.Context, id bot.AppID, owner bot.RollbackID) (bot.Held, error) {
	return act(f, "release", func() (bot.Held, error) { return f.Cluster.Release(ctx, id, owner) })
}

func (f *flaky) Holds(ctx context.Context) ([]bot.Hold, error) {
	if _, err := f.call("holds"); err != nil {
		return nil, err
	}
	return f.Cluster.Holds(ctx)
}

func (f *flaky) Sync(ctx context.Context, id bot.AppID, token string) error {
	_, err := act(f, "sync", func() (bool, error) { return true, f.Cluster.Sync(ctx, id, token) })
	return err
}

// Rollouts are asked for after the sync, and before the decision, where they
// are part of it; "verify" is the first of these calls after a sync.
func (f *flaky) Rollouts(ctx context.Context, ws []bot.Workload) ([]bot.Rollout, error) {
	name := "rollouts"
	if f.Cluster.Effects()["sync web"] > 0 {
		name = "verify"
	}
	if _, err := f.call(name); err != nil {
		return nil, err
	}
	return f.Cluster.Rollouts(ctx, ws)
}

func act[T any](f *flaky, name string, do func() (T, error)) (T, error) {
	done, err := f.call(name)
	var out T
	if done {
		var doErr error
		if out, doErr = do(); err == nil {
			err = doErr
		}
	}
	if err != nil {
		var none T
		return none, err
	}
	return out, nil
}
