package durable

import (
	"errors"
	"fmt"
)

// Why a run of a flow ended although the process goes on. None of these is
// ever recorded as a step's result.

// actError is an act that returned a Go error or panicked, which by the rules
// of bot.Journal says nothing about the world.
type actError struct {
	step string
	err  error
}

func (e *actError) Error() string { return fmt.Sprintf("step %s: %v", e.step, e.err) }
func (e *actError) Unwrap() error { return e.err }

// panicError is a panic of a flow or an act. The stack goes to the log.
type panicError struct {
	value any
	stack string
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// engineError is the database refusing to read or write. It passes when the
// database comes back, so it never counts against a flow.
type engineError struct {
	act string
	err error
}

func (e *engineError) Error() string { return fmt.Sprintf("%s: %v", e.act, e.err) }
func (e *engineError) Unwrap() error { return e.err }

// changedError is a flow that asks for other steps than its record holds.
// Running it again can't help.
type changedError struct {
	flow            string
	step            int
	recorded, asked string
}

func (e *changedError) Error() string {
	const advice = "the flow's steps were changed while this one was unfinished: " +
		"register the changed flow under a new version (rollback/v2) and keep the old one registered until its last run has ended"
	if e.asked == "" {
		return fmt.Sprintf("flow %s ended before step %d, but its journal goes on with %q; %s", e.flow, e.step, e.recorded, advice)
	}
	return fmt.Sprintf("flow %s asks for %q as step %d, but its journal has %q there; %s", e.flow, e.asked, e.step, e.recorded, advice)
}

// wornError is a flow that has been started too often.
type wornError struct{ starts int }

func (e *wornError) Error() string {
	return fmt.Sprintf("started %d times without coming to an end", e.starts)
}

// hopeless reports whether another run would end the same way for sure.
func hopeless(err error) bool {
	var changed *changedError
	var worn *wornError
	return errors.As(err, &changed) || errors.As(err, &worn) || isRetired(err)
}

// blameless reports whether the failure is the database's and not the flow's.
func blameless(err error) bool {
	var engine *engineError
	return errors.As(err, &engine)
}

// stackOf is the stack of the panic behind err, for the log; empty if none.
func stackOf(err error) string {
	var p *panicError
	if errors.As(err, &p) {
		return p.stack
	}
	return ""
}
