package memory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/backout-dev/backout/bot"
)

// rest counts a flow as no longer running.
func (e *Engine) rest() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.restLocked()
}

func (e *Engine) restLocked() {
	e.running--
	if e.running == 0 {
		close(e.changed)
		e.changed = make(chan struct{})
	}
}

// rouse wakes a waiter and counts its flow as running from this moment on, not
// from when its goroutine gets the processor: whoever hints or advances the
// clock and then asks for Idle must not be told of the time before. It is
// called with the lock held.
func (e *Engine) rouse(w *waiter) {
	if _, ok := e.waiting[w]; !ok {
		return
	}
	delete(e.waiting, w)
	e.running++
	close(w.wake)
}

// wait blocks a flow until a hint after the first heard ones, the moment, or the
// end of its run.
func (e *Engine) wait(ctx, run context.Context, until time.Time, topics []bot.Hint, heard int) error {
	e.mu.Lock()
	for _, h := range e.hints[heard:] {
		if matches(topics, h) {
			e.mu.Unlock()
			return nil
		}
	}
	if !until.After(e.clock.Now()) {
		e.mu.Unlock()
		return nil
	}
	w := &waiter{topics: topics, wake: make(chan struct{})}
	e.waiting[w] = struct{}{}
	stop := e.clock.At(until, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.rouse(w)
	})
	e.restLocked()
	e.mu.Unlock()
	defer stop()
	select {
	case <-w.wake:
		return nil
	case <-ctx.Done():
	case <-run.Done():
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rouse(w)
	return fmt.Errorf("wait: %w", errors.Join(context.Cause(ctx), context.Cause(run)))
}

func (e *Engine) heard() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.hints)
}

// Idle returns when every flow waits (in Sleep or Wait) or has ended. The error
// is the context's, or tells which flows were given up since the last call.
func (e *Engine) Idle(ctx context.Context) error {
	for {
		e.mu.Lock()
		running, changed := e.running, e.changed
		if running == 0 {
			failures := e.failures
			e.failures = nil
			e.mu.Unlock()
			return errors.Join(failures...)
		}
		e.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for idle flows (%d still run): %w", running, context.Cause(ctx))
		}
	}
}

// Advance passes d on the clock from one alarm to the next and lets the flows
// come to rest after each, so that whoever polls every minute polls sixty times
// an hour.
func (e *Engine) Advance(ctx context.Context, d time.Duration) error {
	end := e.clock.Now().Add(d)
	for {
		if err := e.Idle(ctx); err != nil {
			return err
		}
		now := e.clock.Now()
		next, ok := e.clock.Next()
		if !ok || next.After(end) {
			next = end
		}
		e.clock.Advance(max(next.Sub(now), 0))
		if next.Equal(end) {
			return e.Idle(ctx)
		}
	}
}
