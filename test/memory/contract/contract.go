// Package contract holds the tests that every engine must pass: what flows may
// rely on, whatever runs them. Both the engine on DBOS and the one in memory
// run it, so that a story that holds in memory holds in production.
package contract

import (
	"context"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
)

// Engine is what both engines offer.
type Engine interface {
	bot.Engine
	Register(bot.Versions)
	Launch(ctx context.Context) error
	Close(timeout time.Duration) error
	Steps(ctx context.Context, workflowID string) ([]durable.StepName, error)
}

var _ Engine = (*durable.Engine)(nil)

// First is one flow of each kind under its first version.
func First(in func(context.Context, bot.Journal, bot.Event) error, rb func(context.Context, bot.Journal, bot.RollbackID) error) bot.Versions {
	return bot.Versions{
		Intakes:   []bot.Version[bot.Event]{{Name: "intake/v1", Run: in}},
		Rollbacks: []bot.Version[bot.RollbackID]{{Name: "rollback/v1", Run: rb}},
	}
}

// Home is where an engine keeps its record. Open after Close is a restart.
type Home interface {
	Open(t *testing.T, onDead func(context.Context, durable.Dead) error) Engine
	// Advance moves the engine's clock. Whoever waits need not notice before
	// the next restart.
	Advance(d time.Duration)
}

// Run runs every test of the contract, each in a home of its own.
func Run(t *testing.T, home func(t *testing.T) Home) {
	t.Helper()
	tests := []struct {
		name string
		test func(*testing.T, *stage)
	}{
		{"an accepted event is handled once", acceptOnce},
		{"a started rollback runs once", startOnce},
		{"an event without an ID is refused", refuseNameless},
		{"a finished flow does not run again", finishedStays},
		{"a restart resumes at the unfinished step", resume},
		{"nothing of an interruption is recorded", nothingRecorded},
		{"a flow that swallows the interruption is unfinished", swallowed},
		{"an act's error is not recorded", actError},
		{"an act's panic is not recorded", actPanic},
		{"a flow that keeps failing is given up and reported", givenUp},
		{"the death of one flow leaves others alone", othersLive},
		{"changed steps are named with advice", changedSteps},
		{"a flow that ends early is a changed flow", endsEarly},
		{"unfinished work goes on under its version, new work begins under the newest", twoVersions},
		{"work begun again under an older version is left alone", begunUnderOlder},
		{"work of a version that is gone is given up and reported", goneVersion},
		{"an event of a version that is gone is given up and reported", goneIntake},
		{"work of a newer version stops the launch", newerVersion},
		{"versions that are out of order stop the launch", misnamedVersions},
		{"steps are strictly sequential", sequential},
		{"times and identifiers are the same after a restart", sameTimes},
		{"a sleep is not begun anew by a restart", sleepOn},
		{"a sleep ignores hints", sleepDeaf},
		{"a wait ends with a hint", waitHint},
		{"a wait ends with its time", waitTime},
		{"a hint during the look is not missed", hintDuringLook},
		{"a hint about something else wakes nobody", waitOther},
		{"a restart ends a wait early or lets it go on", waitRestart},
		{"a wait takes one row", waitRows},
		{"a hint wakes a flow once", hintOnce},
		{"a flow that only waits does not spin after a restart", waitOnly},
		{"a flow that starts another while the engine closes records nothing", startWhileClosing},
		{"closing twice is no error", closeTwice},
		{"a closed engine accepts nothing", closedRefuses},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.test(t, &stage{t: t, home: home(t)})
		})
	}
}
