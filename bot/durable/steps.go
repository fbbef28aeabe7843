package durable

import (
	"context"
	"fmt"

	"github.com/dbos-inc/dbos-transact-golang/dbos"

	"github.com/backout-dev/backout/bot"
)

// StepName is the name of one recorded step: what the flow called it, with
// "sleep:" or "wait:" before it for those, "now" and "id" for the clock and
// identifiers.
type StepName string

// Steps lists what is on record of a workflow, in order. Two runs of one flow
// that saw the same world have the same list, however often they were
// interrupted; that is how tests and replay checks compare them.
func (e *Engine) Steps(_ context.Context, workflowID string) ([]StepName, error) {
	steps, err := dbos.GetWorkflowSteps(e.dbos, workflowID, dbos.WithStepsLoadOutput(false))
	if err != nil {
		return nil, fmt.Errorf("read the steps of %s: %w", workflowID, err)
	}
	names := make([]StepName, len(steps))
	for i, s := range steps {
		names[i] = StepName(s.StepName)
	}
	return names, nil
}

// IntakeID is the workflow ID of the intake of an event. A Rollback's workflow
// ID is the Rollback's.
func IntakeID(e bot.Event) string { return intakePrefix + e.ID }
