package memory_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/test/memory"
	"github.com/backout-dev/backout/test/memory/contract"
)

// world is what a small story acts on: a pull request that becomes mergeable
// after a while and is merged once.
type world struct {
	clock  *memory.Clock
	ready  time.Time
	looks  int
	merges map[string]bool
}

func (w *world) look(context.Context) ([]byte, error) {
	w.looks++
	return json.Marshal(!w.clock.Now().Before(w.ready))
}

// mergeAndWait is a flow like ours: it polls a gate every minute, merges under
// a natural key and settles.
func (w *world) mergeAndWait(ctx context.Context, j bot.Journal, id bot.RollbackID) error {
	for ready := false; !ready; {
		raw, err := j.Do(ctx, "look", w.look)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(raw, &ready); err != nil {
			return err
		}
		if ready {
			break
		}
		if err := j.Wait(ctx, "gate", []bot.Hint{{Repo: "acme/fleet"}}, time.Minute); err != nil {
			return err
		}
	}
	_, err := j.Do(ctx, "merge", func(context.Context) ([]byte, error) {
		w.merges[string(id)] = true
		return []byte("null"), nil
	})
	if err != nil {
		return err
	}
	return j.Sleep(ctx, "settle", 2*time.Minute)
}

func noIntake(context.Context, bot.Journal, bot.Event) error { return nil }

func closeEngine(t *testing.T, e *memory.Engine) {
	t.Helper()
	if err := e.Close(time.Minute); err != nil {
		t.Error(err)
	}
}

// play runs the story for ten minutes and returns what is on record.
func play(t *testing.T, o memory.Options) (*world, map[string][]durable.StepName) {
	t.Helper()
	e := memory.New(o)
	w := &world{clock: e.Clock(), ready: e.Clock().Now().Add(3*time.Minute + time.Second), merges: map[string]bool{}}
	e.Register(contract.First(noIntake, w.mergeAndWait))
	if err := e.Launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeEngine(t, e) })
	if err := e.Start(t.Context(), "rb-1"); err != nil {
		t.Fatal(err)
	}
	if err := e.Advance(t.Context(), 10*time.Minute); err != nil {
		t.Fatal(err)
	}
	return w, e.Store().Steps()
}

// TestRestartsChangeNothing is what the package is for: the same story with the
// process dying after each step, and before each record.
func TestRestartsChangeNothing(t *testing.T) {
	t.Parallel()
	_, plain := play(t, memory.Options{})
	want := map[string][]durable.StepName{"rb-1": {
		"look", "wait:gate", "look", "wait:gate", "look", "wait:gate", "look", "wait:gate", "look", "merge", "sleep:settle",
	}}
	if diff := cmp.Diff(want, plain); diff != "" {
		t.Fatalf("steps without restarts (-want +got):\n%s", diff)
	}
	for name, o := range map[string]memory.Options{
		"restart after each step": {RestartAfterEachStep: true},
		"lose each result":        {LoseEachResult: true},
		"both":                    {RestartAfterEachStep: true, LoseEachResult: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, got := play(t, o)
			if diff := cmp.Diff(plain, got); diff != "" {
				t.Errorf("steps (-without restarts +with):\n%s", diff)
			}
			if len(w.merges) != 1 {
				t.Errorf("merged %v", w.merges)
			}
			if o.LoseEachResult && w.looks != 10 {
				t.Errorf("looked %d times, want each of 5 looks done twice", w.looks)
			}
		})
	}
}

func TestStoreOutlivesTheEngine(t *testing.T) {
	t.Parallel()
	clock, store := memory.NewClock(), memory.NewStore()
	w := &world{clock: clock, ready: clock.Now().Add(time.Hour), merges: map[string]bool{}}
	live := func() *memory.Engine {
		e := memory.New(memory.Options{Clock: clock, Store: store})
		e.Register(contract.First(noIntake, w.mergeAndWait))
		if err := e.Launch(t.Context()); err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := live()
	if err := e.Start(t.Context(), "rb-1"); err != nil {
		t.Fatal(err)
	}
	if err := e.Idle(t.Context()); err != nil {
		t.Fatal(err)
	}
	closeEngine(t, e)
	clock.Advance(2 * time.Hour) // nobody was there to hear of it
	e = live()
	defer closeEngine(t, e)
	if err := e.Advance(t.Context(), 5*time.Minute); err != nil {
		t.Fatal(err)
	}
	want := []durable.StepName{"look", "wait:gate", "look", "merge", "sleep:settle"}
	if diff := cmp.Diff(want, store.Steps()["rb-1"]); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if got := store.Workflows(); len(got) != 1 {
		t.Errorf("workflows %v", got)
	}
}

func TestIdleWaitsForHintedFlows(t *testing.T) {
	t.Parallel()
	e := memory.New(memory.Options{})
	w := &world{clock: e.Clock(), ready: e.Clock().Now().Add(time.Hour), merges: map[string]bool{}}
	e.Register(contract.First(noIntake, w.mergeAndWait))
	if err := e.Launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer closeEngine(t, e)
	if err := e.Start(t.Context(), "rb-1"); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 50; n++ {
		if err := e.Idle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if w.looks != n {
			t.Fatalf("idle after %d looks, want %d", w.looks, n)
		}
		e.Hint(bot.Hint{Repo: "acme/fleet"})
	}
}

func TestIdleTellsOfDeadFlows(t *testing.T) {
	t.Parallel()
	e := memory.New(memory.Options{})
	e.Register(contract.First(noIntake, func(context.Context, bot.Journal, bot.RollbackID) error { return errors.New("lost its way") }))
	if err := e.Launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer closeEngine(t, e)
	if err := e.Start(t.Context(), "rb-1"); err != nil {
		t.Fatal(err)
	}
	if err := e.Idle(t.Context()); err == nil || !strings.Contains(err.Error(), "lost its way") {
		t.Errorf("Idle says %v", err)
	}
	if err := e.Idle(t.Context()); err != nil {
		t.Errorf("Idle says it twice: %v", err)
	}
}

func TestIdleEndsWithItsContext(t *testing.T) {
	t.Parallel()
	e := memory.New(memory.Options{})
	e.Register(contract.First(noIntake, func(ctx context.Context, _ bot.Journal, _ bot.RollbackID) error {
		<-ctx.Done()
		return ctx.Err()
	}))
	if err := e.Launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer closeEngine(t, e)
	if err := e.Start(t.Context(), "rb-1"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Idle(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Idle with a running flow and a cancelled context: %v", err)
	}
}
