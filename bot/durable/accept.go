package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dbos-inc/dbos-transact-golang/dbos"

	"github.com/backout-dev/backout/bot"
)

// errClosing is what webhooks answer 503 to while the process goes down.
var errClosing = errors.New("the server is shutting down")

// Accept implements bot.Engine. The row that holds the event is also the flow
// that handles it: there is no moment at which one exists without the other.
// Accept returns when that row is committed to disk, and never waits for work.
func (e *Engine) Accept(ctx context.Context, event bot.Event) error {
	if event.ID == "" {
		return errors.New("accept event: it has no ID, so a repeated delivery could not be told apart")
	}
	input, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("encode event %s: %w", event.ID, err)
	}
	lane := e.laneOf(event.Comment != nil)
	if err := e.begin(ctx, lane, e.intake, intakePrefix+event.ID, string(input)); err != nil {
		return fmt.Errorf("accept event %s: %w", event.ID, err)
	}
	return nil
}

// Start implements bot.Engine.
//
// A flow that starts another while the engine closes is about to be interrupted
// itself. Start waits for that, so that the flow does not record as a failure
// what is only the end of this process.
func (e *Engine) Start(ctx context.Context, id bot.RollbackID) error {
	if id == "" {
		return errors.New("start rollback: it has no ID")
	}
	err := e.begin(ctx, e.rollbacks, e.rollback, string(id), string(id))
	if errors.Is(err, errClosing) {
		select {
		case <-ctx.Done():
		case <-e.closed:
		}
	}
	if err != nil {
		return fmt.Errorf("start rollback %s: %w", id, err)
	}
	return nil
}

// Hint implements bot.Engine.
func (e *Engine) Hint(h bot.Hint) { e.bell.ring(h) }

// begin inserts the flow and starts it, or leaves it to the lane's queue when
// the lane is crowded.
//
// DBOS derives the flow's context from the one it is called with, so a request's
// context must not reach it: the flow would end with the request. The caller's
// patience is kept to from outside; an insert that is committed after the caller
// left is found to be there already when the event comes again.
func (e *Engine) begin(ctx context.Context, lane *lane, flow *version, id, input string) error {
	e.mu.Lock()
	if e.closing {
		e.mu.Unlock()
		return errClosing
	}
	e.starting.Add(1)
	e.mu.Unlock()

	done := make(chan error, 1)
	go func() {
		defer e.starting.Done()
		done <- e.insert(lane, flow, id, input)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (e *Engine) insert(lane *lane, flow *version, id, input string) error {
	named, which := dbos.WithWorkflowID(id), dbos.WithRunInstance(flow)
	if lane.queue == nil || lane.crowd.Load() < crowd {
		_, err := dbos.RunWorkflow(e.dbos, flow.run, input, named, which)
		if errors.Is(err, dbos.ErrUnexpectedWorkflow) {
			// It was begun under an older version and goes on under that.
			return nil
		}
		return err
	}
	// A flow that is there already may be in another queue (a recovered one is in
	// DBOS's own), which DBOS would take for a contradiction.
	there, err := dbos.ListWorkflows(e.dbos, dbos.WithFilterWorkflowIDs(id),
		dbos.WithFilterLoadInput(false), dbos.WithFilterLoadOutput(false))
	if err != nil || len(there) > 0 {
		return err
	}
	_, err = dbos.RunWorkflow(e.dbos, flow.run, input, named, which, dbos.WithQueue(lane.queue))
	return err
}
