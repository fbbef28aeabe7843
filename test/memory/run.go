package memory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
)

// maxFailures is how often a flow may fail without getting a step further.
const maxFailures = 5

// errRestart aborts a run that is to begin again at once.
var errRestart = errors.New("the process is restarted here")

// spawn runs a flow until it ends or the engine closes.
func (e *Engine) spawn(f *Flow, recovered bool) error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return errClosed
	}
	e.running++
	e.done.Add(1)
	e.mu.Unlock()
	go func() {
		defer e.done.Done()
		defer e.rest()
		e.untilEnd(f, recovered)
	}()
	return nil
}

// untilEnd runs a flow again and again until it ends or the engine closes.
func (e *Engine) untilEnd(f *Flow, recovered bool) {
	failed, reached := 0, 0
	shared := &memory{lost: map[int]bool{}, heard: e.heard()}
	for {
		ctx, abort := context.WithCancelCause(e.ctx)
		j := &journal{engine: e, flow: f, run: ctx, abort: abort, recovered: recovered, memory: shared}
		err := e.attempt(j)
		interrupted := context.Cause(ctx)
		abort(nil)
		switch {
		case e.ctx.Err() != nil:
			return
		case errors.Is(interrupted, errRestart):
			// Only the first run begins late: a flow that never waited after a
			// restart at each step would spin.
			recovered = false
			continue
		case err == nil:
			e.store.end(f, nil)
			return
		}
		if j.next > reached {
			failed, reached = 0, j.next
		}
		failed++
		e.log.Error("flow failed", "id", f.ID, "error", err)
		if hopeless(err) || failed >= maxFailures {
			e.bury(f, err)
			return
		}
	}
}

// hopeless reports whether another run would end the same way for sure.
func hopeless(err error) bool {
	var retired *durable.RetiredError
	return errors.Is(err, errChanged) || errors.As(err, &retired)
}

// attempt is one run of the flow.
func (e *Engine) attempt(j *journal) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	run := e.flow(j.flow)
	if run == nil {
		return &durable.RetiredError{Flow: j.flow.Name, Known: e.names()}
	}
	err = run(j)
	if err == nil {
		err = j.broken
	}
	if _, more, length := e.store.recorded(j.flow, j.next); err == nil && more {
		err = fmt.Errorf("%w: flow %s ended after %d of %d recorded steps", errChanged, j.flow.ID, j.next, length)
	}
	return err
}

// bury reports a flow that was given up. Idle returns it as an error, so that no
// story goes on without its flow.
func (e *Engine) bury(f *Flow, err error) {
	e.mu.Lock()
	e.failures = append(e.failures, fmt.Errorf("flow %s given up: %w", f.ID, err))
	e.mu.Unlock()
	if e.opts.OnDead != nil {
		d := durable.Dead{Flow: f.Name, ID: f.ID, Err: err}
		if f.isIntake() {
			d.Event = new(bot.Event)
			_ = json.Unmarshal([]byte(f.input), d.Event) // it was read before
		} else {
			d.Rollback = bot.RollbackID(f.input)
		}
		if err := e.opts.OnDead(e.ctx, d); err != nil {
			e.log.Error("death of a flow could not be reported", "id", f.ID, "error", err)
		}
	}
	e.store.end(f, err)
}
