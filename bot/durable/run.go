package durable

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"

	"github.com/backout-dev/backout/bot"
)

// intakePrefix keeps the IDs of intakes apart from those of Rollbacks.
const intakePrefix = "intake-"

// runFlow is one run of a flow: from its first step, most of which may be on
// record, to its end or to whatever interrupts it. What it returns while the
// engine shuts down is ignored by DBOS and the flow stays unfinished.
func (e *Engine) runFlow(ctx dbos.Context, lane *lane, about Dead, flow func(bot.Journal) error) error {
	j := &journal{run: ctx, bell: e.bell, lane: lane, now: e.now, heard: e.bell.count()}
	lane.crowd.Add(1)
	defer lane.crowd.Add(-1)
	if err := lane.enter(ctx); err != nil {
		return err
	}
	err := e.recall(ctx, j)
	if err == nil {
		err = attempt(j, flow)
	}
	lane.leave()
	return e.settle(ctx, j, about, err)
}

// recall tells the journal what was on record before this run.
func (e *Engine) recall(ctx dbos.Context, j *journal) error {
	id, err := dbos.GetWorkflowID(ctx)
	if err != nil {
		return err
	}
	j.id = id
	starts, recorded, err := e.history(id)
	if err != nil {
		return &engineError{act: "read the record of flow " + id, err: err}
	}
	j.recorded, j.recovered = recorded, recorded > 0 || starts > 1
	if starts > maxStarts {
		return &wornError{starts: starts}
	}
	return nil
}

// history says how often a flow was started and how many steps it has on
// record. It asks by the engine's own context: asked by the flow's, DBOS would
// record the question as a step.
func (e *Engine) history(id string) (starts, recorded int, err error) {
	states, err := dbos.ListWorkflows(e.dbos, dbos.WithFilterWorkflowIDs(id),
		dbos.WithFilterLoadInput(false), dbos.WithFilterLoadOutput(false))
	if err != nil {
		return 0, 0, err
	}
	if len(states) > 0 {
		starts = states[0].Attempts
	}
	steps, err := dbos.GetWorkflowSteps(e.dbos, id, dbos.WithStepsLoadOutput(false))
	return starts, len(steps), err
}

// attempt runs the flow and catches what it throws.
func attempt(j *journal, flow func(bot.Journal) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &panicError{value: r, stack: string(debug.Stack())}
		}
	}()
	err = flow(j)
	if err == nil && j.lost != nil {
		// The flow swallowed the journal's error; its end means nothing.
		err = j.lost
	}
	if err == nil && j.next < j.recorded {
		err = &changedError{flow: j.id, step: j.next, recorded: "further steps"}
	}
	return err
}

// nap waits for d unless the engine shuts down first.
func nap(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
