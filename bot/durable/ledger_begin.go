package durable

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/backout-dev/backout/bot"
)

// Begin implements bot.Ledger. It asks, in this order: was this incident
// answered before (a crash between the answer and its record repeats the
// question), is the culprit being rolled back already, has that been done since
// its alerts fired, is an App busy, and only then begins. The answers Settled
// and Busy are not kept: the same incident may ask again.
//
// Two processes that begin at once are told apart by the unique indexes; the
// slower one is sent back to the first question.
func (l *Ledger) Begin(ctx context.Context, r bot.Rollback) (bot.Begun, error) {
	if len(r.Culprit.Commits) == 0 {
		return bot.Begun{}, bot.NewTrouble(bot.TroubleInvalid, nil, "A Rollback needs at least one commit to take back.")
	}
	var begun bot.Begun
	err := l.write(ctx, "begin a rollback", func(tx tx) error {
		begun = bot.Begun{}
		known, err := answered(tx, r, &begun)
		if err != nil {
			return err
		}
		if known {
			// One incident may speak of several Apps that one culprit broke: the
			// answer stands, and the Apps are taken in all the same.
			_, err := join(tx, r, &bot.Begun{})
			return err
		}
		joined, err := join(tx, r, &begun)
		if joined || err != nil {
			return err
		}
		if begun.Settled, err = settled(tx, r); begun.Settled != "" || err != nil {
			return err
		}
		for _, app := range r.Apps {
			busy, err := worker(tx, app)
			if err != nil {
				return err
			}
			if busy != "" {
				begun.Busy = busy
				return nil
			}
		}
		return insert(tx, r, &begun, nanos(l.Now()))
	})
	if err != nil {
		return bot.Begun{}, err
	}
	return begun, nil
}

// answered looks up what this incident was told about this culprit before.
func answered(tx tx, r bot.Rollback, b *bot.Begun) (bool, error) {
	if r.Incident.ID == "" {
		return false, nil
	}
	err := tx.row(`SELECT b.rollback, b.joined, r.attempt FROM backout_begun b
		JOIN backout_rollbacks r ON r.id = b.rollback
		WHERE b.incident = ? AND b.culprit_key = ?`, r.Incident.ID, r.CulpritKey()).
		Scan(&b.ID, &b.Joined, &b.Attempt)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func remember(tx tx, r bot.Rollback, b *bot.Begun) error {
	if r.Incident.ID == "" {
		return nil
	}
	joined := 0
	if b.Joined {
		joined = 1
	}
	return tx.exec(`INSERT INTO backout_begun (incident, culprit_key, rollback, joined) VALUES (?, ?, ?, ?)
		ON CONFLICT (incident, culprit_key) DO NOTHING`,
		r.Incident.ID, r.CulpritKey(), string(b.ID), joined)
}

// settled is the ended Rollback of this culprit that has dealt with the alerts:
// all of them fired before it ended. Alertmanager repeats what still fires, and
// in a storm alerts wait for their turn; neither is a new incident, and what
// people decided about the old one stands. A person's command always begins.
func settled(tx tx, r bot.Rollback) (id bot.RollbackID, err error) {
	if r.Incident.Kind != bot.IncidentAlert || len(r.Incident.Alerts) == 0 {
		return "", nil
	}
	err = tx.row(`SELECT id FROM backout_rollbacks WHERE culprit_key = ? AND ended_at >= ? ORDER BY ended_at DESC LIMIT 1`,
		r.CulpritKey(), nanos(bot.FiredLast(r.Incident.Alerts))).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, err
}

// join adds the incident to the unfinished Rollback of its culprit. An App that
// another Rollback works on is left to that one.
func join(tx tx, r bot.Rollback, b *bot.Begun) (bool, error) {
	var body string
	err := tx.row(`SELECT id, attempt, body FROM backout_rollbacks
		WHERE culprit_key = ? AND ended_at IS NULL`, r.CulpritKey()).
		Scan(&b.ID, &b.Attempt, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	b.Joined = true
	var stored bot.Rollback
	if err := json.Unmarshal([]byte(body), &stored); err != nil {
		return false, fmt.Errorf("read rollback %s: %w", b.ID, err)
	}
	news := false
	for _, app := range r.Apps {
		if slices.Contains(stored.Apps, app) {
			continue
		}
		busy, err := worker(tx, app)
		if err != nil {
			return false, err
		}
		if busy != "" {
			continue
		}
		if err := occupy(tx, b.ID, app); err != nil {
			return false, err
		}
		stored.Apps, news = append(stored.Apps, app), true
	}
	if !stored.Incident.Take(r.Incident.Alerts, news) && !news {
		return true, remember(tx, r, b)
	}
	if body, err = toJSON(stored); err != nil {
		return false, err
	}
	if err := tx.exec(`UPDATE backout_rollbacks SET body = ? WHERE id = ?`, body, string(b.ID)); err != nil {
		return false, err
	}
	return true, remember(tx, r, b)
}

// worker is the unfinished Rollback that works on an App; empty if none does.
func worker(tx tx, app bot.AppID) (id bot.RollbackID, err error) {
	err = tx.row(`SELECT rollback FROM backout_rollback_apps WHERE app = ? AND active = 1`, app.String()).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, err
}

func occupy(tx tx, id bot.RollbackID, app bot.AppID) error {
	return tx.exec(`INSERT INTO backout_rollback_apps (rollback, app, active) VALUES (?, ?, 1)
		ON CONFLICT (rollback, app) DO NOTHING`, string(id), app.String())
}

func insert(tx tx, r bot.Rollback, b *bot.Begun, now int64) error {
	err := tx.row(`SELECT COALESCE(MAX(attempt), 0) + 1 FROM backout_rollbacks WHERE culprit_key = ?`, r.CulpritKey()).
		Scan(&r.Attempt)
	if err != nil {
		return err
	}
	r.ID = r.MakeID(r.Attempt)
	alerts := r.Incident.Alerts
	r.Incident.Alerts = nil
	r.Incident.Take(alerts, false)
	body, err := toJSON(r)
	if err != nil {
		return err
	}
	err = tx.exec(`INSERT INTO backout_rollbacks
		(id, culprit_key, attempt, repo, culprit_pr, report_to, revert_pr, begun_at, body)
		VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)`,
		string(r.ID), r.CulpritKey(), r.Attempt, string(r.Repo), r.Culprit.PR, r.ReportTo, now, body)
	if err != nil {
		return err
	}
	for _, sha := range r.Culprit.Commits {
		err := tx.exec(`INSERT INTO backout_rollback_commits (rollback, sha) VALUES (?, ?)
			ON CONFLICT (sha, rollback) DO NOTHING`, string(r.ID), string(sha))
		if err != nil {
			return err
		}
	}
	for _, app := range r.Apps {
		if err := occupy(tx, r.ID, app); err != nil {
			return err
		}
	}
	b.ID, b.Attempt = r.ID, r.Attempt
	return remember(tx, r, b)
}
