package durable_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
)

func TestAcceptFailsWhenNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	handled := make(chan string, 10)
	e := open(t, durable.Config{Dir: dir}, func(_ context.Context, _ bot.Journal, ev bot.Event) error {
		handled <- ev.ID
		return nil
	}, noRollback)
	db := database(t, dir)
	execute(t, db, `CREATE TRIGGER full BEFORE INSERT ON workflow_status BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`)
	if err := e.Accept(t.Context(), bot.Event{ID: "a"}); err == nil {
		t.Error("accepted what was not written; the webhook would have answered 2xx")
	}
	execute(t, db, `DROP TRIGGER full`)
	if err := e.Accept(t.Context(), bot.Event{ID: "a"}); err != nil {
		t.Errorf("redelivered after the disk has room: %v", err)
	}
	if id := get(t, handled, "the event to be handled"); id != "a" {
		t.Errorf("handled %q", id)
	}
}

func TestAcceptGivesUpWithItsCaller(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	var handled atomic.Int32
	e := open(t, durable.Config{Dir: dir}, func(context.Context, bot.Journal, bot.Event) error {
		handled.Add(1)
		return nil
	}, noRollback)
	db := database(t, dir)
	db.SetMaxOpenConns(1)
	execute(t, db, "BEGIN IMMEDIATE") // somebody keeps the file locked
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if err := e.Accept(ctx, bot.Event{ID: "a"}); err == nil {
		t.Error("accepted while the database was locked")
	}
	execute(t, db, "ROLLBACK")
	if err := e.Accept(t.Context(), bot.Event{ID: "a"}); err != nil {
		t.Error(err)
	}
	until(t, "the event to be handled", func() bool { return handled.Load() > 0 })
	closeEngine(t, e)
	if n := handled.Load(); n != 1 {
		t.Errorf("handled %d times", n)
	}
}

// TestFullDiskOnlyDelaysAFlow: the database fails in the middle of a flow and
// comes back. Nothing counts against the flow, and nobody is told it died.
func TestFullDiskOnlyDelaysAFlow(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	db := database(t, dir)
	var one, two atomic.Int32
	done := make(chan struct{}, 1)
	cfg := durable.Config{Dir: dir, OnDead: func(_ context.Context, d durable.Dead) error {
		t.Errorf("given up: %v", d.Err)
		return nil
	}}
	e := open(t, cfg, noIntake, func(ctx context.Context, j bot.Journal, _ bot.RollbackID) error {
		_, err := j.Do(ctx, "one", func(context.Context) ([]byte, error) { one.Add(1); return nil, nil })
		if err != nil {
			return err
		}
		_, err = j.Do(ctx, "two", func(context.Context) ([]byte, error) {
			if two.Add(1) == 1 {
				execute(t, db, `CREATE TRIGGER full BEFORE INSERT ON operation_outputs BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`)
			} else {
				execute(t, db, `DROP TRIGGER full`)
			}
			return nil, nil
		})
		if err != nil {
			return err
		}
		done <- struct{}{}
		return nil
	})
	if err := e.Start(t.Context(), "rb-1"); err != nil {
		t.Fatal(err)
	}
	get(t, done, "the flow to get over it")
	if one.Load() != 1 || two.Load() != 2 {
		t.Errorf("the first act ran %d times, the second %d, want 1 and 2", one.Load(), two.Load())
	}
}

func TestDeadRollbackIsFinishedAndItsAppsAreFree(t *testing.T) {
	t.Parallel()
	dead := make(chan durable.Dead, 1)
	cfg := durable.Config{Dir: dataDir(t), OnDead: func(_ context.Context, d durable.Dead) error {
		dead <- d
		return nil
	}}
	e := open(t, cfg, noIntake, func(context.Context, bot.Journal, bot.RollbackID) error {
		panic("a bug with a secret in it")
	})
	r := aRollback("aaa", "shop")
	begun, err := e.Ledger().Begin(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context(), begun.ID); err != nil {
		t.Fatal(err)
	}
	get(t, dead, "the report")
	record, err := e.Ledger().Rollback(t.Context(), begun.ID)
	if err != nil {
		t.Fatal(err)
	}
	if record.End == nil || record.End.Verdict != bot.VerdictNeedsHuman {
		t.Fatalf("the dead Rollback ended as %+v, want needs human", record.End)
	}
	if strings.Contains(record.End.Summary, "secret") {
		t.Errorf("the summary %q quotes the error, which is for the log", record.End.Summary)
	}
	r.Incident.ID = "another"
	again, err := e.Ledger().Begin(t.Context(), r)
	if err != nil || again.Joined || again.Busy != "" || again.Attempt != 2 {
		t.Errorf("the next attempt is answered %+v, %v", again, err)
	}
}

// TestFlowThatKillsTheProcessIsGivenUp plays the hundredth restart.
func TestFlowThatKillsTheProcessIsGivenUp(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	began := make(chan struct{}, 1)
	f := func(ctx context.Context, j bot.Journal, _ bot.RollbackID) error {
		_, err := j.Do(ctx, "boom", func(ctx context.Context) ([]byte, error) {
			began <- struct{}{}
			<-ctx.Done()
			return nil, ctx.Err()
		})
		return err
	}
	e := open(t, durable.Config{Dir: dir}, noIntake, f)
	if err := e.Start(t.Context(), "rb-1"); err != nil {
		t.Fatal(err)
	}
	get(t, began, "the act")
	closeEngine(t, e)
	execute(t, database(t, dir), "UPDATE workflow_status SET recovery_attempts = 100")

	dead := make(chan durable.Dead, 1)
	cfg := durable.Config{Dir: dir, OnDead: func(_ context.Context, d durable.Dead) error {
		dead <- d
		return nil
	}}
	open(t, cfg, noIntake, f)
	if d := get(t, dead, "the report"); d.Rollback != "rb-1" || !strings.Contains(d.Err.Error(), "101 times") {
		t.Errorf("reported %+v", d)
	}
	if len(began) > 0 {
		t.Error("the act ran once more")
	}
}

// TestDeathIsReportedUntilItIsHeard: a report that fails is repeated, in this
// process or the next.
func TestDeathIsReportedUntilItIsHeard(t *testing.T) {
	t.Parallel()
	var told atomic.Int32
	heard := make(chan struct{})
	cfg := durable.Config{Dir: dataDir(t), OnDead: func(context.Context, durable.Dead) error {
		switch told.Add(1) {
		case 1:
			return fmt.Errorf("GitHub is down")
		case 2:
			panic("so are we")
		case 3:
			close(heard)
		}
		return nil
	}}
	e := open(t, cfg, noIntake, func(ctx context.Context, j bot.Journal, _ bot.RollbackID) error {
		return fmt.Errorf("can't go on")
	})
	if err := e.Start(t.Context(), "rb-1"); err != nil {
		t.Fatal(err)
	}
	get(t, heard, "the third report")
}

// TestFloodStaysInTheDatabase: what is beyond the crowd takes no memory, is
// handled all the same, and can be delivered again at any time.
func TestFloodStaysInTheDatabase(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	const flood = 160 // more than are let into memory at once
	var handled atomic.Int32
	goOn := make(chan struct{})
	in := func(ctx context.Context, j bot.Journal, ev bot.Event) error {
		_, err := j.Do(ctx, "handle", func(ctx context.Context) ([]byte, error) {
			select {
			case <-goOn:
				handled.Add(1)
			case <-ctx.Done():
			}
			return nil, ctx.Err()
		})
		return err
	}
	deliver := func(e *durable.Engine) {
		t.Helper()
		for i := range flood {
			if err := e.Accept(t.Context(), bot.Event{ID: fmt.Sprint(i), Alerts: &bot.AlertGroup{}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	e := open(t, durable.Config{Dir: dir}, in, noRollback)
	deliver(e)
	db := database(t, dir)
	if n := count(t, db, "status = 'PENDING'"); n > flood-20 {
		t.Errorf("%d of %d events were let into memory", n, flood)
	}
	closeEngine(t, e)
	// What ran directly is now in a queue of the engine's own, the rest in ours.
	e = open(t, durable.Config{Dir: dir}, in, noRollback)
	deliver(e)
	close(goOn)
	until(t, "the flood to be handled", func() bool { return count(t, db, "status <> 'SUCCESS'") == 0 })
	if n := handled.Load(); n != flood {
		t.Errorf("handled %d of %d events", n, flood)
	}
}

// TestAlertsDoNotHoldUpACommand: people's commands have places of their own.
func TestAlertsDoNotHoldUpACommand(t *testing.T) {
	t.Parallel()
	command := make(chan struct{})
	e := open(t, durable.Config{Dir: dataDir(t)}, func(ctx context.Context, _ bot.Journal, ev bot.Event) error {
		if ev.Comment != nil {
			close(command)
			return nil
		}
		<-ctx.Done()
		return context.Cause(ctx)
	}, noRollback)
	for i := range 100 {
		if err := e.Accept(t.Context(), bot.Event{ID: fmt.Sprint(i), Alerts: &bot.AlertGroup{}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Accept(t.Context(), bot.Event{ID: "command", Comment: &bot.Comment{}}); err != nil {
		t.Fatal(err)
	}
	get(t, command, "the command")
}
