package durable_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/test/memory/contract"
)

// refused opens an engine that must not open and returns what it says.
func refused(t *testing.T, cfg durable.Config) string {
	t.Helper()
	cfg.Log = logTo(t)
	e, err := durable.Open(t.Context(), cfg)
	if err == nil {
		closeEngine(t, e)
		t.Fatal("it opened")
	}
	return err.Error()
}

func TestUnsuitableDirectoriesAreRefusedWithAdvice(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "backout.db")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	readOnly := t.TempDir()
	if err := os.Chmod(readOnly, 0o500); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, dir, want string }{
		{"unset", "", "set one on a local disk"},
		{"missing", filepath.Join(t.TempDir(), "nowhere"), "create it"},
		{"a file", file, "name the directory"},
		{"not writable", readOnly, "is not writable"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name == "not writable" && os.Getuid() == 0 {
				t.Skip("root may write everywhere")
			}
			if said := refused(t, durable.Config{Dir: tt.dir}); !strings.Contains(said, tt.want) {
				t.Errorf("%q does not contain %q", said, tt.want)
			}
		})
	}
}

func TestSecondProcessIsToldWhoHoldsTheDirectory(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	e := open(t, durable.Config{Dir: dir}, noIntake, noRollback)
	said := refused(t, durable.Config{Dir: dir})
	if want := fmt.Sprintf("pid %d", os.Getpid()); !strings.Contains(said, want) {
		t.Errorf("%q does not name the holder (%s)", said, want)
	}
	closeEngine(t, e)
	open(t, durable.Config{Dir: dir}, noIntake, noRollback)
}

func TestKilledHolderLeavesNoLock(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	runChild(t, dir, "start", "inside one", "inside one")
	e, err := durable.Open(t.Context(), durable.Config{Dir: dir, Log: logTo(t)})
	if err != nil {
		t.Fatalf("after its holder was killed: %v", err)
	}
	closeEngine(t, e)
}

func TestDatabaseIsPrivateAndSurvivesPowerLoss(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() // really empty: the first start creates everything
	done := make(chan struct{})
	e := open(t, durable.Config{Dir: dir}, noIntake, func(ctx context.Context, j bot.Journal, _ bot.RollbackID) error {
		defer close(done)
		_, err := j.Now(ctx)
		return err
	})
	if err := e.Start(t.Context(), "rb-1"); err != nil {
		t.Fatal(err)
	}
	get(t, done, "the flow")
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o, want 600", f.Name(), info.Mode().Perm())
		}
	}
	if len(files) < 4 {
		t.Errorf("found %v, want database, write-ahead log, its index and the lock", files)
	}
}

func TestEnvironmentDoesNotChangeTheEngine(t *testing.T) {
	dir := dataDir(t)
	t.Setenv("DBOS__VMID", "somebody-else")
	t.Setenv("DBOS__APPVERSION", "v999")
	e := open(t, durable.Config{Dir: dir}, noIntake, noRollback)
	if err := e.Start(t.Context(), "rb-1"); err != nil {
		t.Fatal(err)
	}
	var executor, version string
	row := database(t, dir).QueryRowContext(t.Context(), "SELECT executor_id, application_version FROM workflow_status")
	if err := row.Scan(&executor, &version); err != nil {
		t.Fatal(err)
	}
	if executor != "backout-0" || version != "backout" {
		t.Errorf("recorded under executor %q, version %q; it would not be resumed", executor, version)
	}
}

// TestCancelledContextCancelsNoFlow guards against the engine's worst habit: it
// marks flows as cancelled for good when the context it was opened with ends.
func TestCancelledContextCancelsNoFlow(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	began, goOn, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	e, err := durable.Open(ctx, durable.Config{Dir: dir, Log: logTo(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeEngine(t, e) })
	e.Register(contract.First(noIntake, func(ctx context.Context, j bot.Journal, _ bot.RollbackID) error {
		close(began)
		<-goOn
		_, err := j.Now(ctx)
		done <- err
		return err
	}))
	if err := e.Launch(ctx); err != nil {
		t.Fatal(err)
	}
	request, end := context.WithCancel(ctx)
	if err := e.Start(request, "rb-1"); err != nil {
		t.Fatal(err)
	}
	get(t, began, "the flow")
	end()    // the webhook was answered
	cancel() // SIGTERM
	close(goOn)
	if err := get(t, done, "the flow to go on"); err != nil {
		t.Errorf("a context that is not the flow's interrupted it: %v", err)
	}
	db := database(t, dir)
	until(t, "the flow to end", func() bool { return status(t, db, "rb-1") == "SUCCESS" })
}

func TestCloseKeepsTheLockWhileAnActRuns(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	began, goOn := make(chan struct{}), make(chan struct{})
	e, err := durable.Open(t.Context(), durable.Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	e.Register(contract.First(noIntake, func(ctx context.Context, j bot.Journal, _ bot.RollbackID) error {
		_, err := j.Do(ctx, "deaf", func(context.Context) ([]byte, error) {
			close(began)
			<-goOn
			return nil, nil
		})
		return err
	}))
	if err := e.Launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context(), "rb-1"); err != nil {
		t.Fatal(err)
	}
	get(t, began, "the act")
	if err := e.Close(50 * time.Millisecond); err == nil {
		t.Error("Close says that all is well while an act runs")
	}
	if said := refused(t, durable.Config{Dir: dir}); !strings.Contains(said, "pid") {
		t.Errorf("the second engine says %q", said)
	}
	close(goOn)
}
