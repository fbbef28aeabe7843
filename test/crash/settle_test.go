package crash

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// settle waits until every flow has ended. A request that outlived its process
// and was not repeated by the next takes effect then.
func (r *run) settle() error {
	for {
		if err := r.until("every flow to end", r.ended); err != nil {
			return err
		}
		landed := r.director.land()
		if err := r.until("nothing to be held", func() (bool, string) {
			holds, err := r.stage.Cluster.Holds(r.ctx)
			return err == nil && len(holds) == 0, fmt.Sprint(holds, err)
		}); err != nil {
			return err
		}
		if !landed {
			return nil
		}
	}
}

// ended reports whether every event that was sent is accepted and every flow
// has ended.
func (r *run) ended() (bool, string) {
	flows, err := r.flows()
	if err != nil {
		return false, err.Error()
	}
	var open []string
	intakes, rollbacks := 0, 0
	for id, status := range flows {
		if strings.HasPrefix(id, "intake-") {
			intakes++
		} else {
			rollbacks++
		}
		if status != "SUCCESS" {
			open = append(open, id+" "+status)
		}
	}
	slices.Sort(open)
	return len(open) == 0 && rollbacks > 0 && intakes >= r.events, fmt.Sprintf("%d of %d events, %d rollbacks; open: %s", intakes, r.events, rollbacks, open)
}

// flows reads the engine's record: the status of each flow by its ID. Nothing
// stays open, so the file is the bot's alone but for this moment.
func (r *run) flows() (map[string]string, error) {
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: r.database(), RawQuery: "mode=ro&_pragma=busy_timeout(5000)"}).String())
	if err != nil {
		return nil, err
	}
	defer db.Close() //nolint:errcheck // it is only read.
	rows, err := db.QueryContext(context.WithoutCancel(r.ctx), "SELECT workflow_uuid, status FROM workflow_status")
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // it is read.
	out := map[string]string{}
	for rows.Next() {
		var id, status string
		if err := rows.Scan(&id, &status); err != nil {
			return nil, err
		}
		out[id] = status
	}
	return out, rows.Err()
}
