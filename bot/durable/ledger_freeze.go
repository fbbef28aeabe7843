package durable

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// Freeze implements bot.Ledger.
func (l *Ledger) Freeze(ctx context.Context, repo bot.RepoName, z bot.Frozen) error {
	body, err := toJSON(z)
	if err != nil {
		return err
	}
	return l.write(ctx, "freeze a repository", func(tx tx) error {
		return tx.exec(`INSERT INTO backout_freezes (repo, said, body) VALUES (?, ?, ?)
			ON CONFLICT (repo) DO UPDATE SET said = excluded.said, body = excluded.body
			WHERE excluded.said > backout_freezes.said`, freezeKey(repo), z.Comment, body)
	})
}

// Unfreeze implements bot.Ledger.
func (l *Ledger) Unfreeze(ctx context.Context, repo bot.RepoName, comment int64, w bot.Word) error {
	return l.write(ctx, "end a freeze", func(tx tx) error {
		var body string
		var said int64
		err := tx.row(`SELECT said, body FROM backout_freezes WHERE repo = ?`, freezeKey(repo)).Scan(&said, &body)
		// A row also where nothing was frozen: a freeze that was said before this
		// word may come after it.
		z := bot.Frozen{By: w.By, At: w.At}
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return err
		case comment <= said:
			return nil
		default:
			if err := json.Unmarshal([]byte(body), &z); err != nil {
				return fmt.Errorf("read the freeze of %s: %w", repo, err)
			}
		}
		z.Comment, z.Ended = comment, &w
		if body, err = toJSON(z); err != nil {
			return err
		}
		return tx.exec(`INSERT INTO backout_freezes (repo, said, body) VALUES (?, ?, ?)
			ON CONFLICT (repo) DO UPDATE SET said = excluded.said, body = excluded.body`, freezeKey(repo), comment, body)
	})
}

// Frozen implements bot.Ledger.
func (l *Ledger) Frozen(ctx context.Context, repo bot.RepoName) (*bot.Frozen, error) {
	var z *bot.Frozen
	err := l.rows(ctx, `SELECT body FROM backout_freezes WHERE repo = ?`, []any{freezeKey(repo)}, func(rows *sql.Rows) error {
		var body string
		if err := rows.Scan(&body); err != nil {
			return err
		}
		return json.Unmarshal([]byte(body), &z)
	})
	if err != nil {
		return nil, fmt.Errorf("read the freeze of %s: %w", repo, err)
	}
	return z, nil
}

// freezeKey is a repository's name as GitHub compares it. Apps name it as their
// source is written, and comments as GitHub does.
func freezeKey(repo bot.RepoName) string { return strings.ToLower(string(repo)) }
