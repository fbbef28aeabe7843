package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sync/errgroup"
)

// Run serves until ctx ends, then shuts down so that unfinished flows resume
// at the next start.
func (a *App) Run(ctx context.Context) error {
	public, internal, err := a.listen()
	if err != nil {
		return err
	}
	if err := a.engine.Launch(ctx); err != nil {
		return fmt.Errorf("resume unfinished work: %w", err)
	}
	a.log.InfoContext(ctx, "backout serves", "public", public.Addr().String(), "internal", internal.Addr().String(), "observe", a.opts.Observe)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.server.Serve(ctx, public, internal) })
	g.Go(func() error {
		a.every(ctx, time.Duration(a.cfg.RecordEvery), "recording what runs", a.Flow.Record)
		return nil
	})
	g.Go(func() error {
		a.every(ctx, grantsEvery, "looking at the App's permissions", a.lookAtGrants)
		return nil
	})
	g.Go(func() error {
		a.every(ctx, refreshSecrets, "looking for rotated secrets", func(context.Context) error {
			a.secrets.Refresh()
			return nil
		})
		return nil
	})
	if p, ok := a.engine.(pruner); ok {
		g.Go(func() error {
			a.every(ctx, pruneEvery, "pruning old journals", func(ctx context.Context) error {
				_, err := p.Prune(ctx, a.opts.Now().Add(-keepJournals))
				return err
			})
			return nil
		})
	}
	if d := time.Duration(a.cfg.GitHub.SweepEvery); d > 0 {
		g.Go(func() error {
			a.every(ctx, d, "sweeping the delivery log", a.catchUp.sweep)
			return nil
		})
	}
	g.Go(func() error {
		a.every(ctx, time.Duration(a.cfg.JanitorEvery), "sweeping holds", func(ctx context.Context) error {
			_, err := a.Flow.Sweep(ctx)
			return err
		})
		return nil
	})
	return g.Wait()
}

// pruner is an engine whose journals pile up. The ledger keeps every Rollback;
// the journals of ended flows serve only to look into what happened.
type pruner interface {
	Prune(ctx context.Context, before time.Time) (int, error)
}

const (
	pruneEvery   = time.Hour
	keepJournals = 30 * 24 * time.Hour
)

// every runs act at once and then in intervals, until ctx ends. Trouble is
// logged: the next round may do better.
func (a *App) every(ctx context.Context, d time.Duration, what string, act func(context.Context) error) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		if err := act(ctx); err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "upkeep met trouble", "act", what, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (a *App) listen() (public, internal net.Listener, err error) {
	public, internal = a.opts.Public, a.opts.Internal
	if public == nil {
		if public, err = net.Listen("tcp", a.cfg.Listen.Public); err != nil {
			return nil, nil, fmt.Errorf("listen.public: %w", err)
		}
	}
	if internal == nil {
		if internal, err = net.Listen("tcp", a.cfg.Listen.Internal); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("listen.internal: %w", err), public.Close())
		}
	}
	return public, internal, nil
}

// closeWithin is how long flows get to come to the end of a step.
const closeWithin = 10 * time.Second

// Close ends the engine and the connections. Unfinished flows resume at the
// next start.
func (a *App) Close() error {
	var errs []error
	if a.engine != nil {
		errs = append(errs, a.engine.Close(closeWithin))
	}
	if a.git != nil {
		errs = append(errs, a.git.Close())
	}
	for _, c := range a.close {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}
