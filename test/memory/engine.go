package memory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
)

// Options say how an Engine behaves. The zero value is fine.
type Options struct {
	// Clock is what Sleep, Wait and Now go by; nil makes one.
	Clock *Clock
	// Store holds the flows; nil makes one. Launch resumes what is unfinished
	// in it.
	Store *Store
	// RestartAfterEachStep aborts the flow after each newly recorded step and
	// runs it again from its journal.
	RestartAfterEachStep bool
	// LoseEachResult runs each act twice: the first result is lost as if the
	// process had died between act and record. An act whose effect has no
	// natural key shows up.
	LoseEachResult bool
	// OnStep, if set, is called in each flow's new step twice: when the act is
	// done and nothing recorded yet, and again when it is recorded. It may call
	// Kill, which is a process that dies right there.
	OnStep func(flow string, step durable.StepName, recorded bool)
	// Log is nil for none.
	Log *slog.Logger
	// OnDead is told of every flow that was given up, as by durable.Config.
	OnDead func(ctx context.Context, d durable.Dead) error
}

// Engine is bot.Engine in memory.
type Engine struct {
	opts     Options
	clock    *Clock
	store    *Store
	log      *slog.Logger
	versions bot.Versions

	ctx  context.Context // the engine's own lifetime
	stop context.CancelCauseFunc
	done sync.WaitGroup

	mu       sync.Mutex
	launched bool
	closed   bool
	running  int           // flows that neither wait nor have ended
	changed  chan struct{} // closed when running falls to 0
	waiting  map[*waiter]struct{}
	hints    []bot.Hint // all of them: tests are short
	failures []error    // flows that were given up
}

var _ bot.Engine = (*Engine)(nil)

// waiter is one flow in Sleep or Wait.
type waiter struct {
	topics []bot.Hint
	wake   chan struct{}
}

var errClosed = errors.New("the engine is closed")

// New returns an engine. Nothing runs before Launch.
func New(o Options) *Engine {
	if o.Clock == nil {
		o.Clock = NewClock()
	}
	if o.Store == nil {
		o.Store = NewStore()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	e := &Engine{
		opts: o, clock: o.Clock, store: o.Store, log: o.Log,
		changed: make(chan struct{}), waiting: map[*waiter]struct{}{},
	}
	e.ctx, e.stop = context.WithCancelCause(context.Background())
	return e
}

// Clock is the engine's clock.
func (e *Engine) Clock() *Clock { return e.clock }

// Store holds the engine's flows and outlives it.
func (e *Engine) Store() *Store { return e.store }

// Register names the flows; see durable.Engine.
func (e *Engine) Register(v bot.Versions) { e.versions = v }

// Launch resumes the unfinished flows of the Store and begins to take new ones.
func (e *Engine) Launch(context.Context) error {
	if err := durable.CheckVersions(e.versions); err != nil {
		return fmt.Errorf("launch the engine: %w", err)
	}
	for _, f := range e.store.unfinished() {
		if e.flow(f) != nil {
			continue
		}
		if _, err := durable.Retired(f.Name, e.names()); err != nil {
			return fmt.Errorf("resume %s: %w", f.ID, err)
		}
	}
	e.mu.Lock()
	e.launched = true
	e.mu.Unlock()
	for _, f := range e.store.unfinished() {
		if err := e.spawn(f, true); err != nil {
			return err
		}
	}
	return nil
}

// Kill ends the engine as if its process had been killed at this moment: what
// is under way records nothing any more. It does not wait; Close does. What is
// unfinished goes on in the next engine on the same Store.
func (e *Engine) Kill() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.stop(errClosed)
}

// Close interrupts every flow and waits for them. They stay unfinished in the
// Store.
func (e *Engine) Close(timeout time.Duration) error {
	e.Kill()
	done := make(chan struct{})
	go func() { e.done.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-time.After(timeout):
		return fmt.Errorf("close the engine: flows still run after %v", timeout)
	}
}

// Accept implements bot.Engine.
func (e *Engine) Accept(_ context.Context, event bot.Event) error {
	if event.ID == "" {
		return errors.New("accept event: it has no ID")
	}
	input, err := json.Marshal(event)
	if err != nil {
		return err
	}
	return e.begin(newest(e.versions.Intakes), durable.IntakeID(event), string(input))
}

// Start implements bot.Engine.
func (e *Engine) Start(_ context.Context, id bot.RollbackID) error {
	if id == "" {
		return errors.New("start rollback: it has no ID")
	}
	return e.begin(newest(e.versions.Rollbacks), string(id), string(id))
}

func (e *Engine) begin(name, id, input string) error {
	e.mu.Lock()
	launched, closed := e.launched, e.closed
	e.mu.Unlock()
	if closed {
		<-e.ctx.Done() // so that a flow that asks is interrupted by now
	}
	if closed || !launched {
		return fmt.Errorf("begin %s: %w", id, errClosed)
	}
	f, isNew := e.store.begin(name, id, input)
	if !isNew {
		return nil
	}
	return e.spawn(f, false)
}

// Hint implements bot.Engine.
func (e *Engine) Hint(h bot.Hint) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hints = append(e.hints, h)
	for w := range e.waiting {
		if matches(w.topics, h) {
			e.rouse(w)
		}
	}
}

// Steps lists what is on record of a workflow.
func (e *Engine) Steps(_ context.Context, workflowID string) ([]durable.StepName, error) {
	return e.store.Steps()[workflowID], nil
}

func matches(topics []bot.Hint, h bot.Hint) bool {
	for _, t := range topics {
		if durable.Matches(t, h) {
			return true
		}
	}
	return false
}
