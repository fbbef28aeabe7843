package memory

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
)

var errChanged = errors.New("the flow's steps differ from its journal (register a changed flow under a new version, like rollback/v2)")

// journal is one run's view of a flow's record. It keeps to the rules of
// package durable; the contract tests hold the two together.
type journal struct {
	engine    *Engine
	flow      *Flow
	run       context.Context // the run's lifetime
	abort     context.CancelCauseFunc
	recovered bool // resumed from a Store by Launch
	*memory

	next    int
	current bool // what the flow knows is not older than this run
	busy    atomic.Bool
	broken  error
}

// memory is what the runs of a flow in one engine share.
type memory struct {
	lost   map[int]bool // steps whose result was lost, see Options.LoseEachResult
	looked bool         // the flow has acted since it last waited
	heard  int          // how many hints there were when it did
}

var _ bot.Journal = (*journal)(nil)

// Do implements bot.Journal.
func (j *journal) Do(ctx context.Context, name string, act func(context.Context) ([]byte, error)) ([]byte, error) {
	out, err := j.record(name, func() (string, error) {
		j.current = true
		if !j.looked {
			j.looked, j.heard = true, j.engine.heard()
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
	out, err := j.record("now", func() (string, error) {
		return j.engine.clock.Now().UTC().Format(time.RFC3339Nano), nil
	})
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339Nano, out)
}

// NewID implements bot.Journal.
func (j *journal) NewID(context.Context) (string, error) {
	return j.record("id", func() (string, error) { return rand.Text(), nil })
}

// Sleep implements bot.Journal.
func (j *journal) Sleep(ctx context.Context, name string, d time.Duration) error {
	until, err := j.deadline("sleep:"+name, d)
	if err != nil {
		return err
	}
	return j.engine.wait(ctx, j.run, until, nil, 0)
}

// Wait implements bot.Journal. After a restart in the middle of a Wait the rest
// is waited for: such a restart takes no time, so no hint was missed. After one
// through a Store it returns at once, as in package durable.
func (j *journal) Wait(ctx context.Context, name string, topics []bot.Hint, d time.Duration) error {
	until, err := j.deadline("wait:"+name, d)
	if err != nil {
		return err
	}
	if _, later, _ := j.engine.store.recorded(j.flow, j.next); later {
		return nil
	}
	if j.recovered && !j.current {
		j.current = true
		return nil
	}
	err = j.engine.wait(ctx, j.run, until, topics, j.heard)
	j.looked, j.heard = false, j.engine.heard()
	return err
}

func (j *journal) deadline(name string, d time.Duration) (time.Time, error) {
	out, err := j.record(name, func() (string, error) {
		b, err := json.Marshal(j.engine.clock.Now().Add(d))
		return string(b), err
	})
	if err != nil {
		return time.Time{}, err
	}
	var until time.Time
	err = json.Unmarshal([]byte(out), &until)
	return until, err
}

// record runs act as the next step or returns what is on record for it.
func (j *journal) record(name string, act func() (string, error)) (string, error) {
	if !j.busy.CompareAndSwap(false, true) {
		return "", fmt.Errorf("step %s begun while another is under way: the steps of a flow are strictly sequential", name)
	}
	defer j.busy.Store(false)
	if j.broken != nil {
		return "", j.broken
	}
	out, err := j.play(name, act)
	if err != nil {
		j.broken = err
		return "", err
	}
	j.next++
	return out, nil
}

func (j *journal) play(name string, act func() (string, error)) (string, error) {
	if j.run.Err() != nil {
		return "", j.interrupted()
	}
	if st, ok, _ := j.engine.store.recorded(j.flow, j.next); ok {
		if string(st.name) != name {
			return "", fmt.Errorf("%w: flow %s asks for %q as step %d, its journal has %q", errChanged, j.flow.ID, name, j.next, st.name)
		}
		return st.out, nil
	}
	out, err := guarded(act)
	switch {
	case j.run.Err() != nil:
		return "", j.interrupted()
	case err != nil:
		return "", fmt.Errorf("step %s: %w", name, err)
	case !utf8.ValidString(out) || strings.ContainsRune(out, 0):
		return "", fmt.Errorf("step %s: the result is not text", name)
	}
	if j.told(name, false) {
		return "", j.interrupted()
	}
	if j.engine.opts.LoseEachResult && !j.lost[j.next] {
		j.lost[j.next] = true
		j.abort(errRestart)
		return "", j.interrupted()
	}
	j.engine.store.record(j.flow, step{name: durable.StepName(name), out: out})
	if j.told(name, true) {
		return "", j.interrupted()
	}
	if j.engine.opts.RestartAfterEachStep {
		j.abort(errRestart)
		return "", j.interrupted()
	}
	return out, nil
}

// told calls Options.OnStep and reports whether the process died of it.
func (j *journal) told(name string, recorded bool) bool {
	if j.engine.opts.OnStep != nil {
		j.engine.opts.OnStep(j.flow.ID, durable.StepName(name), recorded)
	}
	return j.run.Err() != nil
}

func (j *journal) interrupted() error {
	return fmt.Errorf("flow %s interrupted: %w", j.flow.ID, context.Cause(j.run))
}

// guarded runs act and turns a panic into an error.
func guarded(act func() (string, error)) (out string, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = "", fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return act()
}
