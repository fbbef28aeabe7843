package durable

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"

	"github.com/backout-dev/backout/bot"
)

// journal is the record of one flow, seen by one run of it. Every method but
// Sleep and Wait takes exactly one row, and those take one as well: the moment
// until which they wait.
type journal struct {
	// run is the run's own context. It alone may be shown to DBOS: a context
	// derived by the flow would make DBOS lose count of the steps.
	run  dbos.Context
	id   string
	bell *bell
	lane *lane
	now  func() time.Time

	// recorded is how many steps were on record when this run began.
	recorded int
	// recovered is true when an earlier run of this flow was interrupted.
	recovered bool

	next    int         // index of the next step
	current bool        // what the flow knows is not older than this run
	looked  bool        // the flow has acted since it last waited
	heard   uint64      // how often the bell had rung when it did
	busy    atomic.Bool // a step is under way
	lost    error       // why this run can't go on; every later call returns it
}

var _ bot.Journal = (*journal)(nil)

// Do implements bot.Journal.
func (j *journal) Do(ctx context.Context, name string, act func(context.Context) ([]byte, error)) ([]byte, error) {
	out, err := j.record(name, func() (string, error) {
		j.current = true
		if !j.looked {
			j.looked, j.heard = true, j.bell.count()
		}
		b, err := act(ctx)
		return string(b), err
	})
	if err != nil {
		return nil, err
	}
	return []byte(out), nil
}

// Now implements bot.Journal.
func (j *journal) Now(context.Context) (time.Time, error) {
	out, err := j.record("now", func() (string, error) { return j.now().UTC().Format(time.RFC3339Nano), nil })
	if err != nil {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339Nano, out)
	if err != nil {
		return time.Time{}, fmt.Errorf("read recorded time: %w", err)
	}
	return t, nil
}

// NewID implements bot.Journal.
func (j *journal) NewID(context.Context) (string, error) {
	return j.record("id", func() (string, error) { return rand.Text(), nil })
}

// Sleep implements bot.Journal. The row holds the moment of waking, so that a
// restart sleeps only what is left.
func (j *journal) Sleep(ctx context.Context, name string, d time.Duration) error {
	until, err := j.deadline("sleep:"+name, d)
	if err != nil {
		return err
	}
	return j.pause(ctx, until, nil)
}

// Wait implements bot.Journal. The row holds the moment of giving up, and no
// row says that it woke: if steps follow on record, it did. If none does, this
// is where the process ended, and nobody listened for hints since, so the flow
// had better look at once, whatever it waits for. That happens once in a run;
// a flow that only waits would otherwise spin.
func (j *journal) Wait(ctx context.Context, name string, topics []bot.Hint, d time.Duration) error {
	until, err := j.deadline("wait:"+name, d)
	if err != nil {
		return err
	}
	if j.next < j.recorded {
		return nil
	}
	if j.recovered && !j.current {
		j.current = true
		return nil
	}
	ear := j.bell.listen(topics, j.heard)
	defer j.bell.leave(ear)
	err = j.pause(ctx, until, ear.wake)
	// What rang so far has had its effect, even if the flow waits again without
	// having acted.
	j.looked, j.heard = false, j.bell.count()
	return err
}

// pending is the row of a Sleep or Wait. Fields may be added, never renamed or
// reused.
type pending struct {
	Until time.Time `json:"until"`
}

func (j *journal) deadline(name string, d time.Duration) (time.Time, error) {
	out, err := j.record(name, func() (string, error) {
		b, err := json.Marshal(pending{Until: j.now().UTC().Add(d)})
		return string(b), err
	})
	if err != nil {
		return time.Time{}, err
	}
	var p pending
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		return time.Time{}, fmt.Errorf("read record of %s: %w", name, err)
	}
	return p.Until, nil
}

// longestNap bounds one timer, so that a clock that was set or a machine that
// slept is noticed.
const longestNap = time.Minute

// pause gives the flow's place away until the moment comes or wake rings. The
// moment has come, too, when as much time has passed in this process as was left
// at the beginning: a clock that is set back must not turn a poll into hours.
func (j *journal) pause(ctx context.Context, until time.Time, wake <-chan struct{}) error {
	began := time.Now()
	left := until.Sub(j.now())
	whole := left
	if left <= 0 {
		return nil
	}
	j.lane.leave()
	// Whatever happens next, the runner will give the place back.
	defer j.lane.enterAgain()
	timer := time.NewTimer(min(left, longestNap))
	defer timer.Stop()
	for {
		select {
		case <-wake:
			return nil
		case <-timer.C:
		case <-j.run.Done():
			return j.interrupted()
		case <-ctx.Done():
			return fmt.Errorf("wait: %w", context.Cause(ctx))
		}
		if left = min(until.Sub(j.now()), whole-time.Since(began)); left <= 0 {
			return nil
		}
		timer.Reset(min(left, longestNap))
	}
}

func (j *journal) interrupted() error {
	return fmt.Errorf("flow %s interrupted: %w", j.id, context.Cause(j.run))
}

// escape carries an act's failure out of DBOS by panicking through it.
type escape struct{ err error }

// record runs act as the flow's next step, or returns what it returned in an
// earlier run.
//
// DBOS records an error that a step returns as the step's result, and every
// later run gets it back as text. That must not happen here: our acts return
// errors only when this process can't go on, which says nothing about the
// world. DBOS itself records nothing when it is shutting down; in all other
// cases the error leaves as a panic, which passes through DBOS's RunAsStep
// without a trace (it holds neither transaction nor lock while the act runs).
// The contract test named for it fails if a later DBOS handles panics itself.
func (j *journal) record(name string, act func() (string, error)) (out string, err error) {
	if !j.busy.CompareAndSwap(false, true) {
		return "", fmt.Errorf("step %s begun while another is under way: the steps of a flow are strictly sequential", name)
	}
	defer j.busy.Store(false)
	if j.lost != nil {
		return "", j.lost
	}
	if j.run.Err() != nil {
		return "", j.interrupted()
	}
	defer func() {
		if err == nil {
			j.next++
			return
		}
		j.lost = err
	}()
	defer func() {
		switch r := recover().(type) {
		case nil:
		case escape:
			out, err = "", r.err
		default:
			panic(r)
		}
	}()
	out, err = dbos.RunAsStep(j.run, func(context.Context) (string, error) {
		out, err := guarded(act)
		if err == nil && !storable(out) {
			err = errors.New("the result is not text")
		}
		if err != nil && j.run.Err() == nil {
			panic(escape{&actError{step: name, err: err}})
		}
		return out, err
	}, dbos.WithStepName(name))
	return out, j.explain(name, err)
}

// explain turns what DBOS said about a step into a failure of ours.
func (j *journal) explain(name string, err error) error {
	if err == nil {
		return nil
	}
	if j.run.Err() != nil {
		return j.interrupted()
	}
	var said *dbos.Error
	for inner := err; errors.As(inner, &said); inner = said.Unwrap() {
		if said.Code == dbos.ErrorCodeUnexpectedStep {
			return &changedError{flow: j.id, step: j.next, recorded: said.RecordedName, asked: name}
		}
	}
	return &engineError{act: "record step " + name, err: err}
}

// guarded runs act and turns a panic into an error with the stack.
func guarded(act func() (string, error)) (out string, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = "", &panicError{value: r, stack: string(debug.Stack())}
		}
	}()
	return act()
}
