package contract

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

func noFlow(context.Context, bot.Journal) error { return nil }

func acceptOnce(t *testing.T, s *stage) {
	event := bot.Event{ID: "guid-1", Comment: &bot.Comment{Repo: "acme/fleet", Number: 7, Body: "/rollback"}}
	var work step
	var got bot.Event
	done := signal()
	s.openWith(func(ctx context.Context, j bot.Journal, e bot.Event) error {
		if _, err := j.Do(ctx, "work", work.act); err != nil {
			return err
		}
		got = e
		done <- struct{}{}
		return nil
	}, noFlow)
	for range 3 {
		if err := s.engine.Accept(t.Context(), event); err != nil {
			t.Fatal(err)
		}
	}
	s.get(done, "the intake")
	if diff := cmp.Diff(event, got); diff != "" {
		t.Errorf("event (-accepted +handled):\n%s", diff)
	}
	s.close()
	if n := work.count(); n != 1 {
		t.Errorf("the intake's act ran %d times", n)
	}
}

func startOnce(t *testing.T, s *stage) {
	var work step
	done := signal()
	s.open(func(ctx context.Context, j bot.Journal) error {
		_, err := j.Do(ctx, "work", work.act)
		done <- struct{}{}
		return err
	})
	s.start()
	s.start()
	s.get(done, "the rollback")
	s.start()
	s.wantSteps("work")
	s.close()
	if n := work.count(); n != 1 {
		t.Errorf("the act ran %d times", n)
	}
}

func refuseNameless(t *testing.T, s *stage) {
	s.open(noFlow)
	if s.engine.Accept(t.Context(), bot.Event{}) == nil {
		t.Error("an event without an ID was accepted; its redelivery would be handled twice")
	}
	if s.engine.Start(t.Context(), "") == nil {
		t.Error("a rollback without an ID was started")
	}
}

func finishedStays(t *testing.T, s *stage) {
	var work step
	done := signal()
	f := func(ctx context.Context, j bot.Journal) error {
		_, err := j.Do(ctx, "work", work.act)
		done <- struct{}{}
		return err
	}
	s.open(f)
	s.start()
	s.get(done, "the rollback")
	s.wantSteps("work")
	s.close()
	// The end is recorded after the flow returned; a flow that was closed
	// in between may run once more, but never act again.
	s.open(f)
	s.start()
	s.close()
	if n := work.count(); n != 1 {
		t.Errorf("the act ran %d times", n)
	}
}

func closeTwice(_ *testing.T, s *stage) {
	s.open(noFlow)
	s.close()
	s.close()
}

func closedRefuses(t *testing.T, s *stage) {
	s.open(noFlow)
	s.close()
	if s.engine.Accept(t.Context(), bot.Event{ID: "late"}) == nil {
		t.Error("a closed engine accepted an event")
	}
	if s.engine.Start(t.Context(), theRollback) == nil {
		t.Error("a closed engine started a rollback")
	}
}

func sequential(t *testing.T, s *stage) {
	refused := signal()
	s.open(func(ctx context.Context, j bot.Journal) error {
		_, err := j.Do(ctx, "outer", func(ctx context.Context) ([]byte, error) {
			if _, err := j.Do(ctx, "inner", func(context.Context) ([]byte, error) { return nil, nil }); err != nil {
				refused <- struct{}{}
			}
			return nil, nil
		})
		return err
	})
	s.start()
	s.get(refused, "the inner step to be refused")
	s.close()
}

func sameTimes(t *testing.T, s *stage) {
	type taken struct {
		at string
		id string
	}
	seen := make(chan taken, 10)
	began := signal()
	f := func(ctx context.Context, j bot.Journal) error {
		now, err := j.Now(ctx)
		if err != nil {
			return err
		}
		id, err := j.NewID(ctx)
		if err != nil {
			return err
		}
		if now.IsZero() || id == "" {
			return errors.New("empty time or identifier")
		}
		seen <- taken{now.String(), id}
		_, err = j.Do(ctx, "stuck", stuck(began))
		return err
	}
	s.open(f)
	s.start()
	s.get(began, "the act")
	s.close()
	s.open(f)
	s.get(began, "the act after the restart")
	s.wantSteps("now", "id")
	if first, second := <-seen, <-seen; first != second {
		t.Errorf("first %v, after the restart %v", first, second)
	}
}
