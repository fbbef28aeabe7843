package durable

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"

	"github.com/backout-dev/backout/bot"
)

const (
	// maxFailures is how often a flow may fail without getting a step further
	// before it is given up. Five tries with growing pauses take two seconds.
	maxFailures = 5
	// maxStarts is how often a flow may be started in all. It stops one that
	// takes the whole process down each time; a flow that merely waits survives
	// that many restarts of a healthy server.
	maxStarts = 100

	firstPause   = 50 * time.Millisecond
	longestPause = 30 * time.Second
)

// Dead is a flow that was given up. It never runs again.
type Dead struct {
	// Flow is the name it was registered under ("rollback/v1").
	Flow string
	// ID is the workflow's, by which the log and the database know it.
	ID string
	// Event is what an intake was to handle.
	Event *bot.Event
	// Rollback is what a rollback flow worked on.
	Rollback bot.RollbackID
	// Err is why, in words for the log and not for people.
	Err error
}

// Summary says to people why the flow ended.
func (d Dead) Summary() string {
	if isRetired(d.Err) {
		return "This was begun by an older Backout in a way that the one that runs now no longer knows, so it stopped working on this."
	}
	return fmt.Sprintf("Backout met an internal error that it could not get past and stopped working on this. The server's log tells more under %q.", d.ID)
}

// failure counts the failed runs of a flow in this process.
type failure struct {
	runs  int
	steps int // how far the last one came
}

// settle decides what becomes of a flow after a run ended with err, and returns
// what DBOS may be told. Its order matters: a flow's end is recorded by DBOS
// after settle returns, so everything that must follow from the end comes
// first, and comes again if the process dies in between.
func (e *Engine) settle(ctx dbos.Context, j *journal, about Dead, err error) error {
	if j.id == "" {
		j.id, _ = dbos.GetWorkflowID(ctx)
	}
	if err == nil {
		e.forget(j.id)
		return nil
	}
	if ctx.Err() != nil {
		return err // shutting down: DBOS leaves it unfinished
	}
	about.ID, about.Err = j.id, err
	log := e.log.With("flow", about.Flow, "id", about.ID, "step", j.next)
	pause, over := e.blame(j, err)
	if over {
		log.Error("flow given up", "error", err, "stack", stackOf(err))
		e.bury(ctx, about)
		return err
	}
	log.Error("flow failed and will run again", "error", err, "stack", stackOf(err), "pause", pause)
	e.runAgain(ctx, j.id, pause)
	return err
}

// blame counts a failed run. It returns how long to pause before the next, or
// that there is none.
func (e *Engine) blame(j *journal, err error) (pause time.Duration, over bool) {
	if hopeless(err) {
		return 0, true
	}
	if blameless(err) {
		return time.Second, false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	f := e.failures[j.id]
	if j.next > f.steps {
		f = failure{steps: j.next}
	}
	f.runs++
	e.failures[j.id] = f
	return min(firstPause<<(f.runs-1), longestPause), f.runs >= maxFailures
}

func (e *Engine) forget(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.failures, id)
}

// runAgain hands the flow back to DBOS, which soon starts it from its record.
// The run that ends here loses its claim on the flow by that, so the error it
// returns is not recorded. If the process dies first, the flow is simply still
// unfinished.
func (e *Engine) runAgain(ctx dbos.Context, id string, pause time.Duration) {
	for {
		if nap(ctx, pause) != nil {
			return
		}
		_, err := dbos.ResumeWorkflow[string](e.dbos, id, dbos.WithResumeQueue(againQueue))
		if err == nil {
			return
		}
		e.log.Error("flow could not be scheduled again", "id", id, "error", err)
		pause = longestPause
	}
}

// bury ends the Rollback of a dead flow, so that its Apps are free and its holds
// belong to no live Rollback, and reports the death. Both are tried until they
// succeed or the engine shuts down; then the flow is still unfinished and dies
// again at the next start.
func (e *Engine) bury(ctx dbos.Context, d Dead) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := e.report(ctx, d)
		if err == nil {
			e.forget(d.ID)
			return
		}
		e.log.Error("death of a flow could not be reported", "id", d.ID, "error", err)
		if nap(ctx, pause) != nil {
			return
		}
	}
}

func (e *Engine) report(ctx context.Context, d Dead) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &panicError{value: r, stack: string(debug.Stack())}
		}
	}()
	if d.Rollback != "" {
		err := e.ledger.Finish(ctx, d.Rollback, bot.End{Verdict: bot.VerdictNeedsHuman, Summary: d.Summary(), At: e.now().UTC()})
		if err != nil && !bot.IsTrouble(err, bot.TroubleNotFound) {
			return err
		}
	}
	if e.onDead == nil {
		return nil
	}
	return e.onDead(ctx, d)
}
