package durable

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/backout-dev/backout/bot"
)

// Observe implements bot.Ledger. The line before d in time decides, so an
// observation that is told twice or late adds nothing that is not news.
func (l *Ledger) Observe(ctx context.Context, d bot.Deployed) error {
	app, at := d.App.String(), nanos(d.At)
	return l.write(ctx, "record a deployment", func(tx tx) error {
		var revision bot.SHA
		var health bot.Health
		err := tx.row(`SELECT revision, health FROM backout_deployments
			WHERE app = ? AND observed_at <= ? ORDER BY observed_at DESC LIMIT 1`, app, at).Scan(&revision, &health)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err == nil && revision == d.Revision && health == d.Health {
			return nil
		}
		return tx.exec(`INSERT INTO backout_deployments (app, observed_at, revision, health) VALUES (?, ?, ?, ?)
			ON CONFLICT (app, observed_at, revision, health) DO NOTHING`, app, at, string(d.Revision), string(d.Health))
	})
}

// Deployments implements bot.Ledger. Limit 0 means all.
func (l *Ledger) Deployments(ctx context.Context, app bot.AppID, limit int) ([]bot.Deployed, error) {
	query := `SELECT revision, health, observed_at FROM backout_deployments WHERE app = ? ORDER BY observed_at DESC`
	if limit > 0 {
		query += fmt.Sprintf(" LIMIT %d", limit)
	}
	var lines []bot.Deployed
	err := l.rows(ctx, query, []any{app.String()}, func(rows *sql.Rows) error {
		d := bot.Deployed{App: app}
		var at int64
		err := rows.Scan(&d.Revision, &d.Health, &at)
		d.At = moment(at)
		lines = append(lines, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list deployments of %s: %w", app, err)
	}
	return lines, nil
}
