package durable

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

// Rollback implements bot.Ledger.
func (l *Ledger) Rollback(ctx context.Context, id bot.RollbackID) (bot.Record, error) {
	found, err := l.records(ctx, "r.id = ?", []any{string(id)}, 1, false)
	if err != nil {
		return bot.Record{}, fmt.Errorf("read rollback %s: %w", id, err)
	}
	if len(found) == 0 {
		return bot.Record{}, unknown(id)
	}
	return found[0], nil
}

// Find implements bot.Ledger.
func (l *Ledger) Find(ctx context.Context, q bot.RollbackQuery) ([]bot.Record, error) {
	where, args := []string{"1 = 1"}, []any{}
	and := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if q.Repo != "" {
		and("r.repo = ?", string(q.Repo))
	}
	if q.Number != 0 {
		and("(r.culprit_pr = ? OR r.revert_pr = ? OR r.report_to = ?)", q.Number, q.Number, q.Number)
	}
	if q.Culprit != "" {
		and("r.id IN (SELECT rollback FROM backout_rollback_commits WHERE sha = ?)", string(q.Culprit))
	}
	if q.App != nil {
		and("r.id IN (SELECT rollback FROM backout_rollback_apps WHERE app = ?)", q.App.String())
	}
	if q.Unfinished {
		and("r.ended_at IS NULL")
	}
	if !q.Since.IsZero() {
		and("r.begun_at >= ?", nanos(q.Since))
	}
	if !q.EndedSince.IsZero() {
		and("r.ended_at >= ?", nanos(q.EndedSince))
	}
	found, err := l.records(ctx, strings.Join(where, " AND "), args, q.Limit, q.Brief)
	if err != nil {
		return nil, fmt.Errorf("find rollbacks: %w", err)
	}
	return found, nil
}

// records reads Rollbacks, newest first; limit 0 means all, and brief leaves out
// views and resolutions.
func (l *Ledger) records(ctx context.Context, where string, args []any, limit int, brief bool) ([]bot.Record, error) {
	view := "r.view"
	if brief {
		view = "NULL"
	}
	query := `SELECT r.body, r.begun_at, ` + view + `, r.ended, c.person, c.said_at, c.via, a.person, a.said_at, a.via
		FROM backout_rollbacks r
		LEFT JOIN backout_words c ON c.rollback = r.id AND c.kind = '` + wordCancel + `'
		LEFT JOIN backout_words a ON a.rollback = r.id AND a.kind = '` + wordApprove + `'
		WHERE ` + where + ` ORDER BY r.begun_at DESC, r.attempt DESC, r.id`
	if limit > 0 {
		query += fmt.Sprintf(" LIMIT %d", limit)
	}
	var found []bot.Record
	err := l.rows(ctx, query, args, func(rows *sql.Rows) error {
		record, err := scanRecord(rows)
		found = append(found, record)
		return err
	})
	if err != nil || brief {
		return found, err
	}
	return found, l.addResolved(ctx, found)
}

func scanRecord(rows *sql.Rows) (r bot.Record, err error) {
	var body string
	var begun int64
	var view, ended, canceller, approver, cancelVia, approveVia sql.NullString
	var cancelled, approved sql.NullInt64
	if err := rows.Scan(&body, &begun, &view, &ended, &canceller, &cancelled, &cancelVia, &approver, &approved, &approveVia); err != nil {
		return r, err
	}
	r.Begun = moment(begun)
	if canceller.Valid {
		r.Cancelled = &bot.Word{By: canceller.String, At: moment(cancelled.Int64), Via: cancelVia.String}
	}
	if approver.Valid {
		r.Approved = &bot.Word{By: approver.String, At: moment(approved.Int64), Via: approveVia.String}
	}
	if err := json.Unmarshal([]byte(body), &r.Rollback); err != nil {
		return r, err
	}
	if view.Valid {
		if err := json.Unmarshal([]byte(view.String), &r.View); err != nil {
			return r, fmt.Errorf("view of %s: %w", r.ID, err)
		}
	}
	if ended.Valid {
		if err := json.Unmarshal([]byte(ended.String), &r.End); err != nil {
			return r, fmt.Errorf("end of %s: %w", r.ID, err)
		}
	}
	return r, nil
}

// askAtOnce is how many fingerprints one query asks for; databases bound the
// number of arguments.
const askAtOnce = 500

// addResolved fills in which alerts of the records stopped firing. A resolution
// from before an alert began to fire is about an earlier time.
func (l *Ledger) addResolved(ctx context.Context, records []bot.Record) error {
	var prints []any
	for _, r := range records {
		for _, a := range r.Incident.Alerts {
			prints = append(prints, a.Fingerprint)
		}
	}
	at := map[string]time.Time{}
	for len(prints) > 0 {
		ask := prints[:min(askAtOnce, len(prints))]
		prints = prints[len(ask):]
		query := `SELECT fingerprint, resolved_at FROM backout_alert_resolutions
			WHERE fingerprint IN (?` + strings.Repeat(", ?", len(ask)-1) + `)`
		err := l.rows(ctx, query, ask, func(rows *sql.Rows) error {
			var print string
			var resolved int64
			err := rows.Scan(&print, &resolved)
			at[print] = moment(resolved)
			return err
		})
		if err != nil {
			return err
		}
	}
	for i, r := range records {
		for _, a := range r.Incident.Alerts {
			resolved, ok := at[a.Fingerprint]
			if !ok || resolved.Before(a.StartsAt) {
				continue
			}
			if records[i].Resolved == nil {
				records[i].Resolved = map[string]time.Time{}
			}
			records[i].Resolved[a.Fingerprint] = resolved
		}
	}
	return nil
}
