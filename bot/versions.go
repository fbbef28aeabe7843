package bot

import "context"

// Version is one version of a flow. Event or RollbackID is what a run of it is
// begun with.
type Version[In Event | RollbackID] struct {
	// Name stands in the record of every run ("rollback/v1"): the kind of the
	// flow, then a number that grows. It never changes and is never used again.
	Name string
	Run  func(ctx context.Context, j Journal, in In) error
}

// Versions are the flows that this program can run, each list from the oldest
// version to the newest. New work begins under the newest. Unfinished work goes
// on under the version that it was begun with, whose steps its journal holds.
type Versions struct {
	Intakes   []Version[Event]
	Rollbacks []Version[RollbackID]
}

// Versions is the one place that names the flows.
//
// A flow whose steps come in another order, or under other names, for the same
// recorded results, is a new version: append it here, and keep the stages that
// it replaces for the version before it. The older version stays for one minor
// release, so that whoever upgrades one minor release at a time loses nothing.
// Work of a version that is no longer here is given up, loudly, at the start.
// The journals kept in test/replay fail when this was forgotten.
func (f *Flow) Versions() Versions {
	return Versions{
		Intakes:   []Version[Event]{{Name: "intake/v1", Run: f.Intake}},
		Rollbacks: []Version[RollbackID]{{Name: "rollback/v1", Run: f.Rollback}},
	}
}
