package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/backout-dev/backout/bot"
)

// record is the bot's database as the proof reads it: beside the running bot,
// without writing, and by SQL, so that it does not take the bot's word.
type record struct{ db *sql.DB }

func openRecord(dir string) (record, error) {
	file := filepath.Join(dir, "data", "backout.db")
	q := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(5000)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: file, RawQuery: q.Encode()}).String())
	return record{db}, err
}

func (r record) number(ctx context.Context, query string, args ...any) (n int, err error) {
	err = r.db.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}

// intakes counts what was accepted, and what of it is not done with.
func (r record) intakes(ctx context.Context) (all, open int, err error) {
	if all, err = r.number(ctx, `SELECT COUNT(*) FROM workflow_status WHERE name LIKE 'intake/%'`); err != nil {
		return 0, 0, err
	}
	open, err = r.number(ctx, `SELECT COUNT(*) FROM workflow_status WHERE name LIKE 'intake/%' AND status <> 'SUCCESS'`)
	return all, open, err
}

// runs counts the Apps whose newest line shows a revision.
func (r record) runs(ctx context.Context, rev string) (int, error) {
	return r.number(ctx, `SELECT COUNT(DISTINCT app) FROM backout_deployments WHERE revision = ?`, rev)
}

// ended counts the Rollbacks that have.
func (r record) ended(ctx context.Context) (int, error) {
	return r.number(ctx, `SELECT COUNT(*) FROM backout_rollbacks WHERE ended_at IS NOT NULL`)
}

// events reads every accepted event, with the state of its intake.
func (r record) events(ctx context.Context) (map[string]bot.Event, map[string]string, error) {
	rows, err := r.db.QueryContext(ctx, `SELECT s.workflow_uuid, s.status, i.inputs FROM workflow_status s
		JOIN workflow_input i ON i.workflow_uuid = s.workflow_uuid WHERE s.name LIKE 'intake/%'`)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }() // it was only read
	events, states := map[string]bot.Event{}, map[string]string{}
	for rows.Next() {
		var id, state, input string
		if err := rows.Scan(&id, &state, &input); err != nil {
			return nil, nil, err
		}
		var e bot.Event
		if err := json.Unmarshal([]byte(input), &e); err != nil {
			return nil, nil, fmt.Errorf("event %s: %w: %.80s", id, err, input)
		}
		events[id], states[id] = e, state
	}
	return events, states, rows.Err()
}
