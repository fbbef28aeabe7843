package durable

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx" with database/sql
)

// openPostgres takes the executor ID in a PostgreSQL database. DBOS's tables
// are in the schema "dbos", ours in the connection's default schema.
func (e *Engine) openPostgres(ctx context.Context, cfg Config, engine *dbos.Config) error {
	engine.DatabaseURL = cfg.PostgresURL
	ledger, err := OpenPostgresLedger(ctx, cfg.PostgresURL)
	if err != nil {
		return err
	}
	e.ledger = ledger
	if e.lock, err = lockExecutor(ctx, ledger.db, cfg.ExecutorID); err != nil {
		return err
	}
	return nil
}

// OpenPostgresLedger opens the ledger in a PostgreSQL database.
func OpenPostgresLedger(ctx context.Context, url string) (*Ledger, error) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		// The error may quote the URL, and the URL may hold a password.
		return nil, errors.New("open PostgreSQL: the connection URL is malformed")
	}
	return newLedger(ctx, db, postgresDialect())
}

// executorLock keeps a second live process from using one executor ID: both
// would resume the same flows. It is a session lock, so it ends with the
// connection, and through a pooler in transaction mode it holds nothing.
type executorLock struct{ conn *sql.Conn }

func lockExecutor(ctx context.Context, db *sql.DB, id string) (unlocker, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	var ours bool
	err = conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock(hashtext('backout executor'), hashtext($1))", id).Scan(&ours)
	if err == nil && !ours {
		err = fmt.Errorf("another live backout uses executor ID %q: give every replica its own", id)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return executorLock{conn}, nil
}

func (l executorLock) unlock() error {
	_, err := l.conn.ExecContext(context.Background(), "SELECT pg_advisory_unlock_all()")
	return errors.Join(err, l.conn.Close())
}
