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
	intake   durable.IntakeFunc
	rollback durable.RollbackFunc

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
func (e *Engine) Register(intake durable.IntakeFunc, rollback durable.RollbackFunc) {
	e.intake, e.rollback = intake, rollback
}

// Launch resumes the unfinished flows of the Store and begins to take new ones.
func (e *Engine) Launch(context.Context) error {
	if e.intake == nil || e.rollback == nil {
		return errors.New("launch the engine: no flows are registered")
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

// Close interrupts every flow and waits for them. They stay unfinished in the
// Store.
func (e *Engine) Close(timeout time.Duration) error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.stop(errClosed)
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
	return e.begin("intake", durable.IntakeID(event), string(input))
}

// Start implements bot.Engine.
func (e *Engine) Start(_ context.Context, id bot.RollbackID) error {
	if id == "" {
		return errors.New("start rollback: it has no ID")
	}
	return e.begin("rollback", string(id), string(id))
}

func (e *Engine) begin(kind, id, input string) error {
	e.mu.Lock()
	launched, closed := e.launched, e.closed
	e.mu.Unlock()
	if closed {
		<-e.ctx.Done() // so that a flow that asks is interrupted by now
	}
	if closed || !launched {
		return fmt.Errorf("begin %s: %w", id, errClosed)
	}
	f, isNew := e.store.begin(kind, id, input)
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
