package bot

import (
	"context"
	"log/slog"
	"time"
)

// Ports are the flow's hands and eyes.
type Ports struct {
	People  People
	Pulls   Pulls
	Reverts Reverts
	Board   Board
	Talk    Talk
	History History
	Fleet   *Fleet
	Alerts  Alerts
	Checks  Checks
	Locator *Locator
	Grammar Grammar
	Ranker  Ranker
	Judge   Judge
	Switch  Switch
	Teller  Teller
	Ledger  Ledger
	Engine  Engine
	// Teams, Authorship, Owners and Labels may be nil. Then nobody is a member of
	// a team or an owner of a path, the author of a commit is not known, and no
	// label freezes anything.
	Teams      Teams
	Authorship Authorship
	Owners     CodeOwners
	Labels     Labels
	// Images may be nil: then no image automation is recognised.
	Images ImageFinder
}

// Timing are the flow's polling intervals. Hints wake a wait earlier.
type Timing struct {
	Gate      time.Duration // between looks at the merge gate
	Mergeable time.Duration // while GitHub still computes mergeability
	Sync      time.Duration // between looks at an App that applies the merge
	Resync    time.Duration // between repeated sync requests
	Verify    time.Duration // between samples of the checks
	Approve   time.Duration // between looks for an approval
	Retry     time.Duration // first pause after transient trouble; doubles
}

// DefaultTiming suits production: a lost webhook costs at most a minute.
func DefaultTiming() Timing {
	return Timing{
		Gate: 30 * time.Second, Mergeable: time.Second, Sync: 2 * time.Second, Resync: 20 * time.Second,
		Verify: 5 * time.Second, Approve: time.Minute, Retry: time.Second,
	}
}

// Config is what a Flow is made of.
type Config struct {
	Ports  Ports
	Timing Timing
	// Host is the GitHub host, "github.com" or that of a GHES; Server is its
	// web address for links.
	Host, Server string
	// Observe makes every flow a dry run: it decides and records, and writes
	// nowhere.
	Observe bool
	// FreezeLabel on an issue stops all acting in its repository; "" looks for none.
	FreezeLabel string
	// MaxFor is the longest "for:" of the alert rules: how far before startsAt
	// an onset may lie when Prometheus does not tell.
	MaxFor time.Duration
	// Now is the clock that is read inside steps only.
	Now func() time.Time
	Log *slog.Logger
}

// Flow is the pipeline from an incident to a verified revert: two durable
// functions over the ports, Intake and Rollback. All that must survive is in the
// journal and the ledger.
type Flow struct {
	Config
	// What saves work, and is nothing that must survive.
	closures closures
	named    named
	labels   switches
}

// NewFlow returns the flow over its ports.
func NewFlow(c Config) *Flow { return &Flow{Config: c} }

// Intake handles one accepted event: it finds out what is asked, by whom, for
// which Apps, and starts or joins a Rollback.
func (f *Flow) Intake(ctx context.Context, j Journal, e Event) error {
	switch {
	case e.Comment != nil:
		return f.intakeComment(ctx, j, e)
	case e.Alerts != nil:
		return f.intakeAlerts(ctx, j, e)
	}
	return nil
}

// maxTries bounds the tries of one act under transient trouble. With the
// doubling pause of Timing.Retry (1 s, at most 5 min) they span about twenty
// minutes before a person is asked.
const maxTries = 12

// maxPause bounds the pause between two tries, unless GitHub asks for more.
const maxPause = 5 * time.Minute

// commandTries bounds them where a person waits for an answer and can ask
// again: about a minute.
const commandTries = 7

// What people must be told is tried for so long after the ordinary tries: an
// outage may outlast them, and a verdict that nobody learns of is silence.
const (
	lateEvery = 30 * time.Minute
	lateTries = 3 * 24 * 2 // three days
)

// late goes on telling people after a telling that did not work, and does
// nothing after one that did.
func (f *Flow) late(ctx context.Context, j Journal, name string, t *Trouble, tell func(context.Context) error) error {
	for range lateTries {
		if t == nil || t.Kind != TroubleTransient && t.Kind != TroubleForbidden {
			break
		}
		if err := j.Sleep(ctx, name+" late: pause", max(lateEvery, t.RetryAfter)); err != nil {
			return err
		}
		d, err := Step(ctx, j, f.Now, name+" late", func(ctx context.Context) (bool, error) { return true, tell(ctx) })
		if err != nil {
			return err
		}
		t = d.Trouble
	}
	if t != nil {
		f.Log.ErrorContext(ctx, "people could not be told", "what", name, "trouble", t.Text, "advice", t.Advice)
	}
	return nil
}

// attempt is Step with bounded retries: each try is a step of its own and each
// pause a durable sleep, so no goroutine spins and a restart goes on where it
// was. Trouble that can't pass is returned at once.
func attempt[T any](ctx context.Context, f *Flow, j Journal, name string, act func(context.Context) (T, error)) (Done[T], error) {
	return attemptUpTo(ctx, f, j, maxTries, name, act)
}

func attemptUpTo[T any](ctx context.Context, f *Flow, j Journal, tries int, name string, act func(context.Context) (T, error)) (Done[T], error) {
	pause := f.Timing.Retry
	for try := 1; ; try++ {
		d, err := Step(ctx, j, f.Now, name, act)
		if err != nil {
			return d, err
		}
		if d.Trouble != nil {
			f.Log.WarnContext(ctx, "step met trouble", "step", name, "try", try, "kind", d.Trouble.Kind, "trouble", d.Trouble.Text, "advice", d.Trouble.Advice)
		}
		if d.Trouble == nil || d.Trouble.Kind != TroubleTransient || try == tries {
			return d, nil
		}
		if err := j.Sleep(ctx, name+": pause", max(pause, d.Trouble.RetryAfter)); err != nil {
			return d, err
		}
		pause = min(2*pause, maxPause)
	}
}
