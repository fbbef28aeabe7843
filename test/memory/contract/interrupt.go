package contract

import (
	"context"
	"testing"

	"github.com/backout-dev/backout/bot"
)

func resume(t *testing.T, s *stage) {
	var first, second step
	began, done := signal(), signal()
	interrupt := true
	f := func(ctx context.Context, j bot.Journal) error {
		if _, err := j.Do(ctx, "first", first.act); err != nil {
			return err
		}
		_, err := j.Do(ctx, "second", func(ctx context.Context) ([]byte, error) {
			if interrupt {
				return stuck(began)(ctx)
			}
			return second.act(ctx)
		})
		if err != nil {
			return err
		}
		done <- struct{}{}
		return nil
	}
	s.open(f)
	s.start()
	s.get(began, "the second act")
	s.close()
	interrupt = false
	s.open(f)
	s.get(done, "the rollback to end")
	s.wantSteps("first", "second")
	if first.count() != 1 || second.count() != 1 {
		t.Errorf("first act ran %d times, second %d, want 1 each", first.count(), second.count())
	}
}

func nothingRecorded(_ *testing.T, s *stage) {
	var first step
	began := signal()
	f := func(ctx context.Context, j bot.Journal) error {
		if _, err := j.Do(ctx, "first", first.act); err != nil {
			return err
		}
		// An act that hides the interruption: it returns a result, not an error.
		_, err := j.Do(ctx, "second", func(ctx context.Context) ([]byte, error) {
			out, _ := stuck(began)(ctx)
			return out, nil
		})
		return err
	}
	s.open(f)
	s.start()
	for range 3 {
		s.get(began, "the second act")
		s.wantSteps("first")
		s.close()
		s.open(f)
	}
	s.get(began, "the second act")
	s.wantSteps("first")
}

func swallowed(t *testing.T, s *stage) {
	began, done := signal(), signal()
	interrupt := true
	var work step
	f := func(ctx context.Context, j bot.Journal) error {
		_, _ = j.Do(ctx, "first", func(ctx context.Context) ([]byte, error) {
			if interrupt {
				return stuck(began)(ctx)
			}
			return work.act(ctx)
		})
		if ctx.Err() == nil {
			done <- struct{}{}
		}
		return nil
	}
	s.open(f)
	s.start()
	s.get(began, "the act")
	s.close()
	interrupt = false
	s.open(f)
	s.get(done, "the flow to be resumed")
	s.wantSteps("first")
	if work.count() != 1 {
		t.Errorf("the act ran %d times after the restart", work.count())
	}
}

// fails runs a flow whose second act fails once in a certain way.
func fails(t *testing.T, s *stage, fail func() ([]byte, error)) {
	t.Helper()
	var first, second step
	done := signal()
	failed := false
	s.open(func(ctx context.Context, j bot.Journal) error {
		if _, err := j.Do(ctx, "first", first.act); err != nil {
			return err
		}
		out, err := j.Do(ctx, "second", func(ctx context.Context) ([]byte, error) {
			if !failed {
				failed = true
				return fail()
			}
			return second.act(ctx)
		})
		if err != nil {
			return err
		}
		if string(out) != `"done"` {
			t.Errorf("the failed run left the result %q", out)
		}
		done <- struct{}{}
		return nil
	})
	s.start()
	s.get(done, "the flow to be run again")
	s.wantSteps("first", "second")
	if first.count() != 1 || second.count() != 1 {
		t.Errorf("first act ran %d times, second %d after its failure, want 1 each", first.count(), second.count())
	}
}

func actError(t *testing.T, s *stage) {
	fails(t, s, func() ([]byte, error) { return nil, errEngineDown })
}

func actPanic(t *testing.T, s *stage) {
	fails(t, s, func() ([]byte, error) { panic("nil map") })
}

func startWhileClosing(t *testing.T, s *stage) {
	began := signal()
	var e Engine
	s.openWith(func(ctx context.Context, j bot.Journal, _ bot.Event) error {
		_, err := j.Do(ctx, "start", func(ctx context.Context) ([]byte, error) {
			began <- struct{}{}
			// From some moment of the shutdown on it is refused. That must not
			// look like an answer of the world.
			for e.Start(ctx, theRollback) == nil {
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
			}
			if ctx.Err() == nil {
				return []byte(`"refused"`), nil
			}
			return nil, ctx.Err()
		})
		return err
	}, noFlow)
	e = s.engine
	if err := e.Accept(t.Context(), bot.Event{ID: "guid-1"}); err != nil {
		t.Fatal(err)
	}
	s.get(began, "the act")
	s.close()

	s.openWith(func(ctx context.Context, j bot.Journal, _ bot.Event) error {
		_, err := j.Do(ctx, "start", stuck(began))
		return err
	}, noFlow)
	s.get(began, "the act to be run again, since nothing was recorded")
}
