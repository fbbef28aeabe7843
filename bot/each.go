package bot

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// atOnce bounds how many questions about Apps are asked at the same time: a
// culprit may break hundreds, and a control plane must not feel it.
const atOnce = 8

// each asks about every item, some at the same time, and answers in the items'
// order. The first error ends it.
func each[T, R any](ctx context.Context, items []T, ask func(context.Context, T) (R, error)) ([]R, error) {
	if len(items) == 0 {
		return nil, nil
	}
	out := make([]R, len(items))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i, item := range items {
		g.Go(func() (err error) {
			if err := gctx.Err(); err != nil {
				return err
			}
			out[i], err = ask(gctx, item)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}
