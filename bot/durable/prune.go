package durable

import (
	"context"
	"fmt"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
)

const (
	// remembered is how long an ended flow is kept at least. GitHub redelivers
	// for three days and our sweeps ask for as long; an event whose row were
	// gone by then would be handled a second time.
	remembered = 7 * 24 * time.Hour
	// pruneAtOnce bounds how long one deletion holds the database.
	pruneAtOnce = 200
)

// Prune forgets the flows that ended before a moment, with their journals, and
// returns how many. Those that ended within the last seven days are kept in any
// case. What people look up is in the Ledger, which forgets nothing.
func (e *Engine) Prune(ctx context.Context, before time.Time) (int, error) {
	if floor := e.now().Add(-remembered); before.After(floor) {
		before = floor
	}
	for pruned := 0; ; {
		if err := ctx.Err(); err != nil {
			return pruned, err
		}
		old, err := dbos.ListWorkflows(e.dbos, dbos.WithFilterCompletedBefore(before), dbos.WithFilterLimit(pruneAtOnce),
			dbos.WithFilterStatus(dbos.WorkflowStatusSuccess, dbos.WorkflowStatusError),
			dbos.WithFilterLoadInput(false), dbos.WithFilterLoadOutput(false))
		if err != nil {
			return pruned, fmt.Errorf("list ended flows: %w", err)
		}
		if len(old) == 0 {
			return pruned, nil
		}
		ids := make([]string, len(old))
		for i, w := range old {
			ids[i] = w.ID
		}
		if err := dbos.DeleteWorkflows(e.dbos, ids); err != nil {
			return pruned, fmt.Errorf("delete ended flows: %w", err)
		}
		pruned += len(ids)
	}
}
