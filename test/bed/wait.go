package bed

import (
	"context"
	"fmt"
	"time"
)

const (
	waitLimit = 2 * time.Minute        // of one condition; a loaded machine is slow, not broken
	waitEvery = 100 * time.Millisecond // between two looks
)

// Wait looks every 100 ms until cond is true. An error of cond is not the end:
// it says what is still missing, and the last one is part of the error that
// Wait returns after two minutes, or when ctx is done.
func (b *Bed) Wait(ctx context.Context, what string, cond func(context.Context) (bool, error)) error {
	return poll(ctx, waitLimit, what, cond)
}

// poll is Wait with a limit of its own.
func poll(ctx context.Context, limit time.Duration, what string, cond func(context.Context) (bool, error)) error {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(waitEvery)
	defer tick.Stop()
	var seen error
	for {
		done, err := cond(ctx)
		if done && err == nil {
			return nil
		}
		// Past the limit a condition can only say that it was cut off.
		if err != nil && ctx.Err() == nil {
			seen = err
		}
		select {
		case <-ctx.Done():
			if seen == nil {
				return fmt.Errorf("wait for %s: %w after %s", what, context.Cause(ctx), since(begun))
			}
			return fmt.Errorf("wait for %s: %w after %s, last seen: %w", what, context.Cause(ctx), since(begun), seen)
		case <-tick.C:
		}
	}
}

// since rounds for people.
func since(t time.Time) time.Duration { return time.Since(t).Round(time.Millisecond) }
