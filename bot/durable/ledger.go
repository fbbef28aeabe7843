package durable

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/backout-dev/backout/bot"
)

// Ledger is bot.Ledger in a SQL database. Its rows outlive the flows that wrote
// them and are what people look things up in.
type Ledger struct {
	// Now is the clock; set it before use.
	Now func() time.Time

	db      *sql.DB
	dialect dialect
	writing sync.Mutex
}

var _ bot.Ledger = (*Ledger)(nil)

// OpenLedger opens the ledger in a SQLite file, creating it when there is none;
// ":memory:" is one that ends with the Ledger. A server's ledger is opened by
// Open, which also locks it.
func OpenLedger(ctx context.Context, path string) (*Ledger, error) {
	db, err := openSQLiteFile(path, ledgerConnections)
	if err != nil {
		return nil, err
	}
	return newLedger(ctx, db, sqliteDialect())
}

func newLedger(ctx context.Context, db *sql.DB, d dialect) (*Ledger, error) {
	l := &Ledger{Now: time.Now, db: db, dialect: d}
	if err := l.migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return l, nil
}

// Close gives the database back.
func (l *Ledger) Close() error { return l.db.Close() }

// Writable reports whether something could be recorded now, by recording
// something and taking it back. (An update to the same value would not do:
// SQLite sees that and writes nothing.)
func (l *Ledger) Writable(ctx context.Context) error {
	return l.write(ctx, "write to the store", func(tx tx) error {
		if err := tx.exec(`INSERT INTO backout_schema (version) VALUES (0)`); err != nil {
			return err
		}
		return tx.exec(`DELETE FROM backout_schema WHERE version = 0`)
	})
}

// tx is a transaction in either dialect.
type tx struct {
	ctx     context.Context
	tx      *sql.Tx
	dialect dialect
}

func (t tx) exec(query string, args ...any) error {
	_, err := t.tx.ExecContext(t.ctx, t.dialect.rewrite(query), args...)
	return err
}

// changed is exec that tells whether a row was written.
func (t tx) changed(query string, args ...any) (bool, error) {
	r, err := t.tx.ExecContext(t.ctx, t.dialect.rewrite(query), args...)
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

func (t tx) row(query string, args ...any) *sql.Row {
	return t.tx.QueryRowContext(t.ctx, t.dialect.rewrite(query), args...)
}

// write runs act in one transaction, when it is the only one that writes.
func (l *Ledger) write(ctx context.Context, what string, act func(tx) error) error {
	// Within one process it is cheaper to queue here than at the database.
	l.writing.Lock()
	defer l.writing.Unlock()
	err := l.once(ctx, act)
	var trouble *bot.Trouble
	if err != nil && !errors.As(err, &trouble) {
		err = fmt.Errorf("%s: %w", what, err)
	}
	return err
}

func (l *Ledger) once(ctx context.Context, act func(tx) error) error {
	t, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback() }() // does nothing after Commit
	only := tx{ctx, t, l.dialect}
	if l.dialect.lock != "" {
		if err := only.exec(l.dialect.lock); err != nil {
			return err
		}
	}
	if err := act(only); err != nil {
		return err
	}
	return t.Commit()
}

// rows reads all rows of a query through scan.
func (l *Ledger) rows(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) (err error) {
	rows, err := l.db.QueryContext(ctx, l.dialect.rewrite(query), args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// unknown is the answer to an ID that the ledger does not have.
func unknown(id bot.RollbackID) error {
	return bot.NewTrouble(bot.TroubleNotFound, nil, "There is no Rollback %s.", id)
}

// toJSON encodes a value of ours as a column.
func toJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode %T: %w", v, err)
	}
	return string(b), nil
}

// nanos and moment keep a moment as a number; the zero time is 0.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
