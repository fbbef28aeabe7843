package durable_test

import (
	"context"
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/test/memory/contract"
)

// patience bounds every wait of a test; it is only used up by a test that fails.
const patience = time.Minute

// emptyDatabase is a database file with its tables and nothing in them. Making
// one anew in each test would take most of the time.
var emptyDatabase = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "backout-durable-*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	e, err := durable.Open(context.Background(), durable.Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	if err := e.Close(patience); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "backout.db"))
})

// dataDir is a data directory with an empty database.
func dataDir(t *testing.T) string {
	t.Helper()
	db, err := emptyDatabase()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "backout.db"), db, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// logTo sends the engine's log to the test's output.
func logTo(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

type (
	intakeFlow   = func(context.Context, bot.Journal, bot.Event) error
	rollbackFlow = func(context.Context, bot.Journal, bot.RollbackID) error
)

func noIntake(context.Context, bot.Journal, bot.Event) error        { return nil }
func noRollback(context.Context, bot.Journal, bot.RollbackID) error { return nil }

// open opens and launches an engine.
func open(t *testing.T, cfg durable.Config, in intakeFlow, rb rollbackFlow) *durable.Engine {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = logTo(t)
	}
	e, err := durable.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeEngine(t, e) })
	e.Register(contract.First(in, rb))
	if err := e.Launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e
}

func closeEngine(t *testing.T, e *durable.Engine) {
	t.Helper()
	if err := e.Close(patience); err != nil {
		t.Error(err)
	}
}

// get waits for a value.
func get[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("waited %v for %s", patience, what)
		panic("unreachable")
	}
}

// until polls a condition that nobody can signal.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-poll.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

// database is a second handle on the file, for looking and for breaking things.
func database(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "backout.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func execute(t *testing.T, db *sql.DB, query string) {
	t.Helper()
	if _, err := db.ExecContext(context.Background(), query); err != nil {
		t.Fatal(err)
	}
}

func status(t *testing.T, db *sql.DB, id string) string {
	t.Helper()
	var s string
	if err := db.QueryRowContext(t.Context(), "SELECT status FROM workflow_status WHERE workflow_uuid = ?", id).Scan(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// count counts workflows.
func count(t *testing.T, db *sql.DB, where string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM workflow_status WHERE "+where).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// home is a place for contract tests: a configuration and a clock.
type home struct {
	config durable.Config
	mu     sync.Mutex
	ahead  time.Duration
}

func (h *home) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Add(h.ahead)
}

func (h *home) Advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ahead += d
}

func (h *home) Open(t *testing.T, onDead func(context.Context, durable.Dead) error) contract.Engine {
	t.Helper()
	cfg := h.config
	cfg.Log, cfg.Now, cfg.OnDead = logTo(t), h.now, onDead
	e, err := durable.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestContractOnSQLite(t *testing.T) {
	contract.Run(t, func(t *testing.T) contract.Home {
		return &home{config: durable.Config{Dir: dataDir(t)}}
	})
}

var discard = slog.New(slog.DiscardHandler)
