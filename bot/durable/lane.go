package durable

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
)

// How many flows of a kind may work at the same time. A flow that sleeps or
// waits gives its place away, so hundreds of Rollbacks can wait for approval
// while a few work. People's commands have places of their own: a storm of
// alerts must not stand between a person and the rollback.
const (
	commandPlaces  = 8
	alertPlaces    = 8
	rollbackPlaces = 32
)

const (
	// crowd is how many intakes of a lane may be in memory, working or queueing
	// for a place. Those accepted beyond it stay in the database until there is
	// room. An intake in memory costs 17 kB: ten thousand at once would kill a
	// small pod, and again each time it comes back.
	crowd = 64
	// queuePoll is how soon a queued flow is noticed when there is room. Only a
	// flood and failed flows meet it; others start with the call that accepts
	// them.
	queuePoll = 250 * time.Millisecond
)

// lane bounds how many flows work at once. Those that wait for a place are
// served in the order they came.
type lane struct {
	places chan struct{}
	crowd  atomic.Int64 // flows in memory
	queue  dbos.Queue   // for intakes beyond the crowd; nil if there are none
}

func newLane(places int) *lane { return &lane{places: make(chan struct{}, places)} }

// enter waits for a place.
func (l *lane) enter(ctx context.Context) error {
	select {
	case l.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// enterAgain takes the place back that leave gave away, however long it takes.
func (l *lane) enterAgain() { l.places <- struct{}{} }

func (l *lane) leave() { <-l.places }

// The queues' names, which are in the database.
const (
	commandQueue = "commands"
	alertQueue   = "alerts"
	// againQueue takes flows of every kind that failed and shall run again.
	againQueue = "again"
)

// openQueues makes the queues.
func (e *Engine) openQueues() (err error) {
	poll, room := dbos.WithQueueBasePollingInterval(queuePoll), dbos.WithWorkerConcurrency(crowd)
	if e.commands.queue, err = dbos.RegisterQueue(e.dbos, commandQueue, poll, room); err != nil {
		return err
	}
	if e.alerts.queue, err = dbos.RegisterQueue(e.dbos, alertQueue, poll, room); err != nil {
		return err
	}
	_, err = dbos.RegisterQueue(e.dbos, againQueue, poll)
	return err
}

// laneOf is where the intake of an event works.
func (e *Engine) laneOf(isCommand bool) *lane {
	if isCommand {
		return e.commands
	}
	return e.alerts
}
