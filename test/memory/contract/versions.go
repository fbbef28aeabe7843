package contract

import (
	"context"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
)

// The flow changes its order of steps: the first version holds, waits for news
// and merges; the second merges first.
var (
	news      = bot.Hint{Repo: "acme/fleet", Number: 7}
	oldOrder  = []durable.StepName{"hold", "wait:news", "merge"}
	newOrder  = []durable.StepName{"merge", "wait:news", "hold"}
	elsewhere = bot.RollbackID("rb-000000000002")
)

// inOrder is a flow that does two acts with a wait between them.
func inOrder(order []durable.StepName, work *step, ended chan<- struct{}) flow {
	return func(ctx context.Context, j bot.Journal) error {
		if _, err := j.Do(ctx, string(order[0]), work.act); err != nil {
			return err
		}
		if err := j.Wait(ctx, "news", []bot.Hint{news}, long); err != nil {
			return err
		}
		if _, err := j.Do(ctx, string(order[2]), work.act); err != nil {
			return err
		}
		ended <- struct{}{}
		return nil
	}
}

// upgraded has the second version beside the first.
func upgraded(first, second flow) bot.Versions {
	v := First(noIntake, alone(first))
	v.Rollbacks = append(v.Rollbacks, bot.Version[bot.RollbackID]{Name: "rollback/v2", Run: alone(second)})
	return v
}

func (s *stage) mustLaunch(v bot.Versions) {
	s.t.Helper()
	if err := s.launch(v); err != nil {
		s.t.Fatal(err)
	}
}

func twoVersions(t *testing.T, s *stage) {
	var work step
	ended := signal()
	first, second := inOrder(oldOrder, &work, ended), inOrder(newOrder, &work, ended)
	s.open(first)
	s.start()
	s.untilSteps(oldOrder[:2]...)
	s.close()

	// After a restart a wait is over at once.
	s.mustLaunch(upgraded(first, second))
	s.get(ended, "the rollback begun by the first version")
	if err := s.engine.Start(t.Context(), elsewhere); err != nil {
		t.Fatal(err)
	}
	s.untilStepsOf(elsewhere, newOrder[:2]...)
	s.engine.Hint(news)
	s.get(ended, "the rollback begun by the second version")
	s.wantSteps(oldOrder...)
	s.wantStepsOf(elsewhere, newOrder...)
	if n := work.count(); n != 4 {
		t.Errorf("%d acts, want two of each rollback", n)
	}
	s.wantNoDeath()
}

func begunUnderOlder(t *testing.T, s *stage) {
	var work step
	ended := signal()
	first, second := inOrder(oldOrder, &work, ended), inOrder(newOrder, &work, ended)
	s.open(first)
	s.start()
	s.untilSteps(oldOrder[:2]...)
	s.close()
	s.mustLaunch(upgraded(first, second))
	// A second incident joins the same Rollback, while it runs and afterwards.
	s.start()
	s.get(ended, "the rollback begun by the first version")
	s.start()
	s.wantSteps(oldOrder...)
	if n := work.count(); n != 2 {
		t.Errorf("%d acts, want 2", n)
	}
	s.wantNoDeath()
}

// goneVersion skips a release: the version of the unfinished work is no longer
// there.
func goneVersion(t *testing.T, s *stage) {
	var work step
	ended := signal()
	s.open(inOrder(oldOrder, &work, ended))
	s.start()
	s.untilSteps(oldOrder[:2]...)
	s.close()

	v := upgraded(nil, inOrder(newOrder, &work, ended))
	v.Rollbacks = v.Rollbacks[1:]
	s.mustLaunch(v)
	dead := s.deaths()
	if len(dead) != 1 || dead[0].Rollback != theRollback || dead[0].Flow != "rollback/v1" {
		t.Fatalf("reported %+v, want one death of %s", dead, theRollback)
	}
	for _, want := range []string{"rollback/v1", "rollback/v2", "minor release"} {
		if said := dead[0].Err.Error(); !strings.Contains(said, want) {
			t.Errorf("the report %q does not mention %s", said, want)
		}
	}
	if said := dead[0].Summary(); !strings.Contains(said, "older Backout") {
		t.Errorf("people are told %q", said)
	}
	if n := work.count(); n != 1 {
		t.Errorf("%d acts, want only the one from before", n)
	}
	s.close()
	s.mustLaunch(v)
	s.start()
	if n := work.count(); n != 1 {
		t.Errorf("%d acts after the end", n)
	}
}

func goneIntake(t *testing.T, s *stage) {
	began := signal()
	s.openWith(func(ctx context.Context, j bot.Journal, _ bot.Event) error {
		_, err := j.Do(ctx, "authorise", stuck(began))
		return err
	}, noFlow)
	if err := s.engine.Accept(t.Context(), bot.Event{ID: "guid-1"}); err != nil {
		t.Fatal(err)
	}
	s.get(began, "the intake")
	s.close()
	v := First(noIntake, alone(noFlow))
	v.Intakes[0].Name = "intake/v2"
	s.mustLaunch(v)
	if dead := s.deaths(); dead[0].Event == nil || dead[0].Event.ID != "guid-1" || dead[0].Flow != "intake/v1" {
		t.Errorf("reported %+v, want the death of the event's intake", dead[0])
	}
}

func newerVersion(t *testing.T, s *stage) {
	var work step
	ended := signal()
	first, second := inOrder(oldOrder, &work, ended), inOrder(newOrder, &work, ended)
	s.mustLaunch(upgraded(first, second))
	s.start()
	s.untilSteps(newOrder[:2]...)
	s.close()

	err := s.launch(First(noIntake, alone(first)))
	if err == nil {
		t.Fatal("a program that does not know rollback/v2 was launched over its unfinished work")
	}
	for _, want := range []string{string(theRollback), "rollback/v2", "newer"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the refusal %q does not mention %s", err, want)
		}
	}
	s.close()
	// The newer one takes it up as if nothing had been.
	s.mustLaunch(upgraded(first, second))
	s.get(ended, "the rollback begun by the second version")
	s.wantSteps(newOrder...)
	s.wantNoDeath()
}

func misnamedVersions(t *testing.T, s *stage) {
	tests := map[string]func(*bot.Versions){
		"none":  func(v *bot.Versions) { v.Rollbacks = nil },
		"twice": func(v *bot.Versions) { v.Rollbacks = append(v.Rollbacks, v.Rollbacks[0]) },
		"oldest": func(v *bot.Versions) {
			v.Intakes[0].Name = "intake/v2"
			v.Intakes = append(v.Intakes, v.Intakes[0])
			v.Intakes[1].Name = "intake/v1"
		},
		"no number": func(v *bot.Versions) { v.Intakes[0].Name = "intake" },
		"other":     func(v *bot.Versions) { v.Intakes[0].Name = "rollback/v9" },
		"zero":      func(v *bot.Versions) { v.Rollbacks[0].Name = "rollback/v0" },
	}
	for name, spoil := range tests {
		v := First(noIntake, alone(noFlow))
		spoil(&v)
		if err := s.launch(v); err == nil {
			t.Errorf("%s: launched with %+v", name, v)
		}
		s.close()
	}
}
