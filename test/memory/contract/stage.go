package contract

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
)

// patience bounds every wait of a test; it is only used up by a test that fails.
const patience = time.Minute

// theRollback is the workflow that most tests run.
const theRollback bot.RollbackID = "rb-000000000001"

type (
	flow   = func(context.Context, bot.Journal) error
	intake = func(context.Context, bot.Journal, bot.Event) error
)

// stage is one engine's home with the engine that lives there now.
type stage struct {
	t      *testing.T
	home   Home
	engine Engine

	mu   sync.Mutex
	dead []durable.Dead
	died chan struct{}
}

func noIntake(context.Context, bot.Journal, bot.Event) error { return nil }

// open starts an engine whose rollback flow is f.
func (s *stage) open(f flow) {
	s.t.Helper()
	s.openWith(noIntake, f)
}

func (s *stage) openWith(in intake, f flow) {
	s.t.Helper()
	if err := s.launch(First(in, alone(f))); err != nil {
		s.t.Fatal(err)
	}
}

// alone is a rollback flow that needs not know which Rollback it runs.
func alone(f flow) func(context.Context, bot.Journal, bot.RollbackID) error {
	return func(ctx context.Context, j bot.Journal, _ bot.RollbackID) error { return f(ctx, j) }
}

// launch starts an engine that has the versions, or returns why it refuses.
func (s *stage) launch(v bot.Versions) error {
	s.t.Helper()
	if s.died == nil {
		s.died = make(chan struct{}, 100)
	}
	s.engine = s.home.Open(s.t, func(_ context.Context, d durable.Dead) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.dead = append(s.dead, d)
		s.died <- struct{}{}
		return nil
	})
	s.engine.Register(v)
	e := s.engine
	s.t.Cleanup(func() { s.closeEngine(e) })
	return e.Launch(s.t.Context())
}

func (s *stage) close() {
	s.t.Helper()
	s.closeEngine(s.engine)
}

func (s *stage) closeEngine(e Engine) {
	s.t.Helper()
	if err := e.Close(patience); err != nil {
		s.t.Error(err)
	}
}

func (s *stage) start() {
	s.t.Helper()
	if err := s.engine.Start(s.t.Context(), theRollback); err != nil {
		s.t.Fatal(err)
	}
}

// wantSteps compares what is on record of the rollback.
func (s *stage) wantSteps(want ...durable.StepName) {
	s.t.Helper()
	s.wantStepsOf(theRollback, want...)
}

func (s *stage) wantStepsOf(id bot.RollbackID, want ...durable.StepName) {
	s.t.Helper()
	got, err := s.engine.Steps(s.t.Context(), string(id))
	if err != nil {
		s.t.Fatal(err)
	}
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("recorded steps of %s (-want +got):\n%s", id, diff)
	}
}

// untilSteps waits until the rollback's record holds as many steps as want, and
// compares them. It polls: the record is the only witness of a flow that waits.
func (s *stage) untilSteps(want ...durable.StepName) {
	s.t.Helper()
	s.untilStepsOf(theRollback, want...)
}

func (s *stage) untilStepsOf(id bot.RollbackID, want ...durable.StepName) {
	s.t.Helper()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	deadline := time.After(patience)
	for {
		got, err := s.engine.Steps(s.t.Context(), string(id))
		if err != nil {
			s.t.Fatal(err)
		}
		if len(got) >= len(want) {
			s.wantStepsOf(id, want...)
			return
		}
		select {
		case <-poll.C:
		case <-deadline:
			s.t.Fatalf("the record holds %v after %v, want %v", got, patience, want)
		}
	}
}

// deaths waits until a flow was reported dead and returns all reports so far.
func (s *stage) deaths() []durable.Dead {
	s.t.Helper()
	s.get(s.died, "a death to be reported")
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead
}

func (s *stage) wantNoDeath() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.dead) > 0 {
		s.t.Errorf("reported dead: %+v", s.dead)
	}
}

// get waits for a signal.
func (s *stage) get(c <-chan struct{}, what string) {
	s.t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		s.t.Fatalf("waited %v for %s", patience, what)
	}
}

// step is an act that counts its runs.
type step struct {
	mu   sync.Mutex
	runs int
}

func (st *step) count() int {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.runs
}

func (st *step) act(context.Context) ([]byte, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.runs++
	return []byte(`"done"`), nil
}

// signal is a channel with room, so that no flow blocks on a test.
func signal() chan struct{} { return make(chan struct{}, 100) }

// stuck is an act that tells that it began and returns when it is interrupted.
func stuck(began chan<- struct{}) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		began <- struct{}{}
		<-ctx.Done()
		return []byte(`"half done"`), ctx.Err()
	}
}

var errEngineDown = errors.New("no route to the database")
