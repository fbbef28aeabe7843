package durable

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
	_ "github.com/dbos-inc/dbos-transact-golang/dbos/driver/sqlite" // registers "sqlite" with database/sql and DBOS
)

// openSQLite takes the data directory.
//
// DBOS gets a handle that we made (Config.SQLiteSystemDB) and not a URL. Given a
// URL it runs PRAGMA synchronous = NORMAL on one connection of its pool after
// opening it, whatever the URL says, so that the last commits through that
// connection could be lost in a power cut.
//
// Our own tables live in the same file, through a handle of their own: one file
// is one consistent backup and one thing to restore, and a Rollback's row never
// comes from another day than its journal. The handle is separate because DBOS
// closes the one it gets.
func (e *Engine) openSQLite(ctx context.Context, cfg Config, engine *dbos.Config) error {
	if err := checkDir(cfg.Dir); err != nil {
		return err
	}
	lock, err := lockDir(filepath.Join(cfg.Dir, lockFile))
	if err != nil {
		return err
	}
	e.lock = lock
	path := filepath.Join(cfg.Dir, databaseFile)
	if err := createPrivate(path); err != nil {
		return err
	}
	if e.ledger, err = OpenLedger(ctx, path); err != nil {
		return err
	}
	engine.SQLiteSystemDB, err = openSQLiteFile(path, engineConnections)
	return err
}

const (
	// engineConnections is one because SQLite lets one write at a time anyway.
	// Two or more would poll for the file's lock in growing pauses, which
	// doubled the median time of an Accept and made the slowest of 800 take a
	// second; waiting for the connection is in order and immediate. DBOS 1.8.0
	// never asks for a second one while it holds one, in all that we use of it.
	engineConnections = 1
	// ledgerConnections lets the dashboard read while a Rollback is written.
	ledgerConnections = 4
)

// inMemory is the path of a database that lives as long as its handle.
const inMemory = ":memory:"

// openSQLiteFile opens a database file so that a commit that returned is on the
// disk: with write-ahead log and synchronous=FULL, SQLite syncs the log at each
// commit.
func openSQLiteFile(path string, connections int) (*sql.DB, error) {
	q := url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)"},
		// A transaction that reads before it writes would otherwise fail when
		// another one wrote in between.
		"_txlock": {"immediate"},
	}
	dsn := inMemory + "?" + q.Encode()
	if path != inMemory {
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, fmt.Errorf("locate database file: %w", err)
		}
		dsn = (&url.URL{Scheme: "file", Path: filepath.ToSlash(abs), RawQuery: q.Encode()}).String()
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if path == inMemory {
		connections = 1 // each would be a database of its own
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}
