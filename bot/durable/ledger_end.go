package durable

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/backout-dev/backout/bot"
)

// The kinds of words.
const (
	wordCancel  = "cancel"
	wordApprove = "approve"
)

// Cancel implements bot.Ledger.
func (l *Ledger) Cancel(ctx context.Context, id bot.RollbackID, w bot.Word) error {
	return l.say(ctx, id, wordCancel, w)
}

// Approve implements bot.Ledger.
func (l *Ledger) Approve(ctx context.Context, id bot.RollbackID, w bot.Word) error {
	return l.say(ctx, id, wordApprove, w)
}

// say records a word unless one of its kind stands. A word about a Rollback
// that has ended is TroubleStale: it would change nothing, and whoever said it
// should be told so.
func (l *Ledger) say(ctx context.Context, id bot.RollbackID, kind string, w bot.Word) error {
	return l.write(ctx, kind+" a rollback", func(tx tx) error {
		var ended, said bool
		err := tx.row(`SELECT ended_at IS NOT NULL,
			EXISTS (SELECT 1 FROM backout_words w WHERE w.rollback = r.id AND w.kind = ?)
			FROM backout_rollbacks r WHERE id = ?`, kind, string(id)).Scan(&ended, &said)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return unknown(id)
		case err != nil || said:
			return err
		case ended:
			return bot.NewTrouble(bot.TroubleStale, nil, "Rollback %s has already ended.", id)
		}
		return tx.exec(`INSERT INTO backout_words (rollback, kind, person, said_at, via) VALUES (?, ?, ?, ?, ?)`,
			string(id), kind, w.By, nanos(w.At), w.Via)
	})
}

// Finish implements bot.Ledger.
func (l *Ledger) Finish(ctx context.Context, id bot.RollbackID, end bot.End) error {
	if end.At.IsZero() {
		end.At = l.Now().UTC()
	}
	ended, err := toJSON(end)
	if err != nil {
		return err
	}
	return l.write(ctx, "finish a rollback", func(tx tx) error {
		first, err := tx.changed(`UPDATE backout_rollbacks SET ended_at = ?, ended = ?
			WHERE id = ? AND ended_at IS NULL`, nanos(end.At), ended, string(id))
		if err != nil {
			return err
		}
		if !first {
			return exists(tx, id)
		}
		return tx.exec(`UPDATE backout_rollback_apps SET active = 0 WHERE rollback = ?`, string(id))
	})
}

// SaveView implements bot.Ledger. A revert's number, once known, stays known.
func (l *Ledger) SaveView(ctx context.Context, id bot.RollbackID, v bot.View) error {
	view, err := toJSON(v)
	if err != nil {
		return err
	}
	revert := 0
	if v.Pull != nil {
		revert = v.Pull.Number
	}
	return l.write(ctx, "save a rollback's view", func(tx tx) error {
		found, err := tx.changed(`UPDATE backout_rollbacks SET view = ?,
			revert_pr = CASE WHEN ? = 0 THEN revert_pr ELSE ? END WHERE id = ?`, view, revert, revert, string(id))
		if err == nil && !found {
			return unknown(id)
		}
		return err
	})
}

func exists(tx tx, id bot.RollbackID) error {
	var one int
	err := tx.row(`SELECT 1 FROM backout_rollbacks WHERE id = ?`, string(id)).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return unknown(id)
	}
	return err
}

// Resolve implements bot.Ledger. The latest resolution counts. It is kept
// whether or not a Rollback knows the alert yet: the two come in any order.
func (l *Ledger) Resolve(ctx context.Context, fingerprint string, at time.Time) error {
	return l.write(ctx, "record a resolved alert", func(tx tx) error {
		return tx.exec(`INSERT INTO backout_alert_resolutions (fingerprint, resolved_at) VALUES (?, ?)
			ON CONFLICT (fingerprint) DO UPDATE SET resolved_at = excluded.resolved_at
			WHERE excluded.resolved_at > backout_alert_resolutions.resolved_at`, fingerprint, nanos(at))
	})
}
