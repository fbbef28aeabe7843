package durable

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"

	"github.com/backout-dev/backout/bot"
)

const (
	// appName and appVersion stand in every row. DBOS recovers only the work of
	// its own version, so the version never changes: what changes is the name
	// of a flow.
	appName    = "backout"
	appVersion = "backout"

	defaultExecutor = "backout-0"

	// startWithin bounds how long Open waits for a database that is not up yet.
	startWithin = 30 * time.Second
)

// Config says where the record is kept and who keeps it.
type Config struct {
	// Dir is the data directory. It must be on a local disk. Used when
	// PostgresURL is empty.
	Dir string
	// PostgresURL selects PostgreSQL instead of SQLite in Dir.
	PostgresURL string
	// ExecutorID names this process in the record and must be the same after a
	// restart, or its unfinished flows are not resumed. Two live processes must
	// never share one. Empty means "backout-0".
	ExecutorID string
	// Log must not be nil.
	Log *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// OnDead is told of every flow that was given up, before that is recorded:
	// after a crash it may be told again. It is called until it returns nil.
	// A dead Rollback has been finished in the Ledger by then.
	OnDead func(ctx context.Context, d Dead) error
}

// Engine runs flows durably on DBOS.
type Engine struct {
	dbos   dbos.Context
	ledger *Ledger
	lock   unlocker
	bell   *bell
	log    *slog.Logger
	now    func() time.Time
	onDead func(ctx context.Context, d Dead) error

	commands  *lane // intakes of people's commands
	alerts    *lane // all other intakes
	rollbacks *lane

	intake, rollback *version // under which new work begins
	names            []string // of all registered flows
	misnamed         error    // what is wrong with them
	executor         string

	mu       sync.Mutex
	failures map[string]failure // by workflow ID
	closing  bool
	starting sync.WaitGroup // calls of Accept and Start under way
	closed   chan struct{}  // closed when Close has stopped the flows
}

var _ bot.Engine = (*Engine)(nil)

// unlocker gives up the right to be the only process on a record.
type unlocker interface{ unlock() error }

// Open takes possession of the record, creating it when there is none, and
// refuses when another process has it. Nothing runs before Launch.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	if cfg.ExecutorID == "" {
		cfg.ExecutorID = defaultExecutor
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if err := dropEngineEnv(); err != nil {
		return nil, err
	}
	e := &Engine{
		bell: newBell(), log: cfg.Log, now: cfg.Now, onDead: cfg.OnDead,
		commands: newLane(commandPlaces), alerts: newLane(alertPlaces), rollbacks: newLane(rollbackPlaces),
		failures: map[string]failure{}, closed: make(chan struct{}), executor: cfg.ExecutorID,
	}
	engine := dbos.Config{
		AppName: appName, ApplicationVersion: appVersion, ExecutorID: cfg.ExecutorID,
		Logger: quiet(cfg.Log), Serializer: text{}, SystemDBStartupTimeout: startWithin,
	}
	var err error
	if cfg.PostgresURL != "" {
		err = e.openPostgres(ctx, cfg, &engine)
	} else {
		err = e.openSQLite(ctx, cfg, &engine)
	}
	if err != nil {
		return nil, errors.Join(err, e.release())
	}
	e.ledger.Now = cfg.Now
	// DBOS marks every running flow as cancelled, for good, when the context it
	// was made from is cancelled by anything but its own Shutdown. A signal
	// that reaches us by ctx must not do that.
	if e.dbos, err = dbos.NewContext(context.WithoutCancel(ctx), engine); err != nil {
		if engine.SQLiteSystemDB != nil {
			err = errors.Join(err, engine.SQLiteSystemDB.Close())
		}
		return nil, errors.Join(fmt.Errorf("open the flow record: %w", err), e.release())
	}
	return e, nil
}

// Ledger is the record of Rollbacks that lives beside the flows.
func (e *Engine) Ledger() *Ledger { return e.ledger }

// Launch resumes the flows that were unfinished when the last process ended and
// begins to take new ones.
func (e *Engine) Launch(ctx context.Context) error {
	if e.misnamed != nil {
		return fmt.Errorf("launch the engine: %w", e.misnamed)
	}
	if e.intake == nil || e.rollback == nil {
		return errors.New("launch the engine: no flows are registered")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := e.registerRetired(); err != nil {
		return err
	}
	if err := e.openQueues(); err != nil {
		return fmt.Errorf("open the queues: %w", err)
	}
	if err := dbos.Launch(e.dbos); err != nil {
		return fmt.Errorf("launch the engine: %w", err)
	}
	return nil
}

// Close stops taking work, interrupts every running flow and waits up to
// timeout for the acts under way to notice. Nothing of the interruption is
// recorded: all of them resume at the next Launch, and the act under way is run
// again.
//
// When an act does not return in time, Close says so and keeps the lock, so
// that no second process begins the same act while the first still runs it. The
// lock goes with the process.
func (e *Engine) Close(timeout time.Duration) error {
	e.mu.Lock()
	again := e.closing
	e.closing = true
	e.mu.Unlock()
	if again {
		return nil
	}
	defer close(e.closed)
	quit := make(chan struct{})
	go func() { e.starting.Wait(); close(quit) }()
	select {
	case <-quit:
	case <-time.After(timeout):
	}
	if err := dbos.Shutdown(e.dbos, timeout); err != nil {
		return fmt.Errorf("close the engine: %w", err)
	}
	return e.release()
}

// release closes what Open opened besides DBOS.
func (e *Engine) release() error {
	var errs []error
	if e.ledger != nil {
		errs = append(errs, e.ledger.Close())
	}
	if e.lock != nil {
		errs = append(errs, e.lock.unlock())
	}
	return errors.Join(errs...)
}
