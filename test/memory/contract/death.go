package contract

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

func givenUp(t *testing.T, s *stage) {
	var first step
	s.open(func(ctx context.Context, j bot.Journal) error {
		if _, err := j.Do(ctx, "first", first.act); err != nil {
			return err
		}
		panic("this flow has a bug")
	})
	s.start()
	dead := s.deaths()
	if len(dead) != 1 || dead[0].Rollback != theRollback || dead[0].ID != string(theRollback) {
		t.Errorf("reported %+v, want one death of %s", dead, theRollback)
	}
	if !strings.Contains(dead[0].Err.Error(), "this flow has a bug") {
		t.Errorf("the report %q does not say why", dead[0].Err)
	}
	if first.count() != 1 {
		t.Errorf("the recorded act ran %d times", first.count())
	}
}

func othersLive(t *testing.T, s *stage) {
	done := signal()
	s.openWith(func(ctx context.Context, j bot.Journal, e bot.Event) error {
		if e.ID == "bad" {
			return errors.New("can't go on")
		}
		done <- struct{}{}
		return nil
	}, noFlow)
	for _, id := range []string{"bad", "good"} {
		if err := s.engine.Accept(t.Context(), bot.Event{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	s.get(done, "the good intake")
	dead := s.deaths()
	if dead[0].Event == nil || dead[0].Event.ID != "bad" {
		t.Errorf("reported %+v, want the death of the bad event's intake", dead[0])
	}
}

func changedSteps(t *testing.T, s *stage) {
	var first step
	began := signal()
	s.open(func(ctx context.Context, j bot.Journal) error {
		if _, err := j.Do(ctx, "hold", first.act); err != nil {
			return err
		}
		_, err := j.Do(ctx, "stuck", stuck(began))
		return err
	})
	s.start()
	s.get(began, "the second act")
	s.close()

	var other step
	s.open(func(ctx context.Context, j bot.Journal) error {
		_, err := j.Do(ctx, "merge", other.act)
		return err
	})
	said := s.deaths()[0].Err.Error()
	for _, want := range []string{`"hold"`, `"merge"`, "rollback/v2"} {
		if !strings.Contains(said, want) {
			t.Errorf("the report %q does not mention %s", said, want)
		}
	}
	if other.count() != 0 {
		t.Error("an act of the changed flow ran")
	}
}

func endsEarly(t *testing.T, s *stage) {
	var first step
	began := signal()
	s.open(func(ctx context.Context, j bot.Journal) error {
		if _, err := j.Do(ctx, "hold", first.act); err != nil {
			return err
		}
		_, err := j.Do(ctx, "stuck", stuck(began))
		return err
	})
	s.start()
	s.get(began, "the second act")
	s.close()
	s.open(noFlow)
	if said := s.deaths()[0].Err.Error(); !strings.Contains(said, "rollback/v2") {
		t.Errorf("the report %q does not say what to do", said)
	}
}
