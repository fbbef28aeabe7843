package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/dbos-inc/dbos-transact-golang/dbos"

	"github.com/backout-dev/backout/bot"
)

// version is a registered version of a flow. All of them are methods of this
// one type, which DBOS tells apart by what ConfigName returns; it records that
// name beside the flow's, so both are the same and fixed forever.
type version struct {
	name string
	flow dbos.Workflow[string, string]
}

// ConfigName implements dbos.ConfiguredInstance.
func (v *version) ConfigName() string { return v.name }

func (v *version) run(ctx dbos.Context, input string) (string, error) { return v.flow(ctx, input) }

// Register names the flows that the engine can run. It must be called once,
// before Launch, which refuses names that are not in order.
//
// A flow returns nil when it has ended. An error that comes from its Journal it
// returns at once. It must not give the Journal a context with a deadline of
// its own; bounds in time belong inside an act.
func (e *Engine) Register(v bot.Versions) {
	if e.misnamed = CheckVersions(v); e.misnamed != nil {
		return
	}
	for _, one := range v.Intakes {
		e.intake = e.register(one.Name, e.intakeOf(one))
	}
	for _, one := range v.Rollbacks {
		e.rollback = e.register(one.Name, e.rollbackOf(one))
	}
}

func (e *Engine) register(name string, flow dbos.Workflow[string, string]) *version {
	v := &version{name: name, flow: flow}
	// No bound on DBOS's side: it would put a flow aside without telling anyone.
	// See maxStarts.
	dbos.RegisterWorkflow(e.dbos, v.run, dbos.WithWorkflowName(name), dbos.WithInstance(v), dbos.WithMaxRecoveryAttempts(0))
	e.names = append(e.names, name)
	return v
}

func (e *Engine) intakeOf(v bot.Version[bot.Event]) dbos.Workflow[string, string] {
	return func(ctx dbos.Context, input string) (string, error) {
		var event bot.Event
		if err := json.Unmarshal([]byte(input), &event); err != nil {
			return "", e.settle(ctx, &journal{run: ctx}, Dead{Flow: v.Name}, fmt.Errorf("read accepted event: %w", err))
		}
		return "", e.runFlow(ctx, e.laneOf(event.Comment != nil), Dead{Flow: v.Name, Event: &event}, func(j bot.Journal) error {
			return v.Run(ctx, j, event)
		})
	}
}

func (e *Engine) rollbackOf(v bot.Version[bot.RollbackID]) dbos.Workflow[string, string] {
	return func(ctx dbos.Context, input string) (string, error) {
		id := bot.RollbackID(input)
		return "", e.runFlow(ctx, e.rollbacks, Dead{Flow: v.Name, Rollback: id}, func(j bot.Journal) error {
			return v.Run(ctx, j, id)
		})
	}
}

// registerRetired finds unfinished flows of this process whose version is not
// registered. Those of an older one are registered to be given up, in the same
// way as a flow that can't go on, so that nothing they did is forgotten. A newer
// one, or one of an unknown kind, is the work of another program, which must
// finish it: the error says so.
func (e *Engine) registerRetired() error {
	open, err := dbos.ListWorkflows(e.dbos, dbos.WithFilterLoadInput(false), dbos.WithFilterLoadOutput(false),
		dbos.WithFilterStatus(dbos.WorkflowStatusPending, dbos.WorkflowStatusEnqueued), dbos.WithFilterExecutorIDs(e.executor))
	if err != nil {
		return fmt.Errorf("look for unfinished flows: %w", err)
	}
	known := slices.Clone(e.names)
	for _, w := range open {
		if slices.Contains(e.names, w.Name) {
			continue
		}
		kind, err := Retired(w.Name, known)
		if err != nil {
			return fmt.Errorf("resume %s: %w", w.ID, err)
		}
		e.log.Warn("unfinished flow is of a version that is gone and will be given up", "flow", w.Name, "id", w.ID)
		gone := &RetiredError{Flow: w.Name, Known: known}
		switch kind {
		case kindIntake:
			e.register(w.Name, e.intakeOf(bot.Version[bot.Event]{Name: w.Name, Run: giveUp[bot.Event](gone)}))
		case kindRollback:
			e.register(w.Name, e.rollbackOf(bot.Version[bot.RollbackID]{Name: w.Name, Run: giveUp[bot.RollbackID](gone)}))
		}
	}
	return nil
}

// nameForm is what a flow's name looks like.
var nameForm = regexp.MustCompile(`^(intake|rollback)/v([1-9][0-9]{0,8})$`)

const (
	kindIntake   = "intake"
	kindRollback = "rollback"
)

// Retired returns the kind of an unfinished flow whose name is not among the
// known ones, if it is older than the newest known of its kind. Otherwise the
// error says which program must finish it.
func Retired(name string, known []string) (kind string, err error) {
	m := nameForm.FindStringSubmatch(name)
	if m == nil {
		return "", fmt.Errorf("it is a flow of the kind %q, which Backout does not have: this is another program's record", name)
	}
	number, _ := strconv.Atoi(m[2]) // at most nine digits
	for _, k := range known {
		if n := nameForm.FindStringSubmatch(k); n != nil && n[1] == m[1] {
			if newest, _ := strconv.Atoi(n[2]); number < newest {
				return m[1], nil
			}
		}
	}
	return "", fmt.Errorf("it was begun as %s by a newer Backout, and this one knows %v: start the newer one again, and go back only when it has finished its work", name, known)
}

// RetiredError is why a flow is given up whose version is no longer registered.
type RetiredError struct {
	Flow  string
	Known []string
}

func (e *RetiredError) Error() string {
	return fmt.Sprintf("flow %s is no longer known, only %v: its run was begun by a Backout of more than one minor release ago", e.Flow, e.Known)
}

func isRetired(err error) bool {
	var r *RetiredError
	return errors.As(err, &r)
}

// giveUp is the run of a flow whose version is gone.
func giveUp[In any](why *RetiredError) func(context.Context, bot.Journal, In) error {
	return func(context.Context, bot.Journal, In) error { return why }
}

// CheckVersions refuses names that could not be told apart later: each flow
// needs at least one version, of its own kind, and the newest last.
func CheckVersions(v bot.Versions) error {
	var intakes, rollbacks []string
	for _, one := range v.Intakes {
		intakes = append(intakes, one.Name)
	}
	for _, one := range v.Rollbacks {
		rollbacks = append(rollbacks, one.Name)
	}
	return errors.Join(checkNames(kindIntake, intakes), checkNames(kindRollback, rollbacks))
}

func checkNames(kind string, names []string) error {
	if len(names) == 0 {
		return fmt.Errorf("no version of the flow %s is registered", kind)
	}
	last := 0
	for _, name := range names {
		m := nameForm.FindStringSubmatch(name)
		if m == nil || m[1] != kind {
			return fmt.Errorf("flow %q is not named like %s/v1", name, kind)
		}
		number, _ := strconv.Atoi(m[2]) // at most nine digits
		if number <= last {
			return fmt.Errorf("flow %s is not newer than the version before it: the newest comes last", name)
		}
		last = number
	}
	return nil
}
