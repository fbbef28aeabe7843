package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

// errOver ends the replay of a run that the story left unfinished.
var errOver = errors.New("the kept journal ends here")

// journal answers from a kept journal and does nothing else.
type journal struct {
	kept   *Kept
	next   int
	acting bool  // the last act is being run
	lost   error // why the replay can't go on
}

var _ bot.Journal = (*journal)(nil)

// step checks that the flow asks for what the record holds next.
func (j *journal) step(asked string) (string, error) {
	switch {
	case j.lost != nil:
	case j.next == len(j.kept.Steps) && !j.kept.Ended:
		j.lost = errOver
	case j.next == len(j.kept.Steps):
		j.lost = j.differ(fmt.Sprintf("asks for %q", asked), "ends")
	case j.kept.Steps[j.next].Name != asked:
		j.lost = j.differ(fmt.Sprintf("asks for %q", asked), fmt.Sprintf("has %q", j.kept.Steps[j.next].Name))
	}
	if j.lost != nil {
		return "", j.lost
	}
	j.next++
	return j.kept.Steps[j.next-1].Out, nil
}

// last is the step at which a Rollback says what it came to.
const last = "do finish"

// Do implements bot.Journal. No act is run but the last one of a Rollback that
// ended: it is handed a ledger that only listens (see Replay).
func (j *journal) Do(ctx context.Context, name string, act func(context.Context) ([]byte, error)) ([]byte, error) {
	out, err := j.step(describe(name))
	if err != nil {
		return nil, err
	}
	if j.next == len(j.kept.Steps) && j.kept.Steps[j.next-1].Name == last {
		j.acting = true
		if _, err := act(ctx); err != nil {
			return nil, err
		}
		j.acting = false
	}
	return []byte(out), nil
}

// Sleep implements bot.Journal.
func (j *journal) Sleep(_ context.Context, name string, _ time.Duration) error {
	_, err := j.step("sleep " + name)
	return err
}

// Wait implements bot.Journal.
func (j *journal) Wait(_ context.Context, name string, _ []bot.Hint, _ time.Duration) error {
	_, err := j.step("wait " + name)
	return err
}

// Now implements bot.Journal.
func (j *journal) Now(context.Context) (time.Time, error) {
	out, err := j.step("now")
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339Nano, out)
}

// NewID implements bot.Journal.
func (j *journal) NewID(context.Context) (string, error) { return j.step("id") }

// ear is a ledger that hears what a Rollback came to; all else panics.
type ear struct {
	bot.Ledger
	view bot.View
}

// SaveView implements bot.Ledger.
func (e *ear) SaveView(_ context.Context, _ bot.RollbackID, v bot.View) error {
	e.view = v
	return nil
}

// Finish implements bot.Ledger.
func (e *ear) Finish(context.Context, bot.RollbackID, bot.End) error { return nil }

// now is the flow's clock, which only the last act may read.
func (j *journal) now() time.Time {
	if !j.acting {
		panic("the clock was read")
	}
	return time.Time{}
}

// Code makes the flows for a replay, which must have no port that works but the
// ledger.
type Code func(l bot.Ledger, now func() time.Time) bot.Versions

// Replay runs the code of the version that wrote a journal over it. A
// *Difference says what is not as it was.
func Replay(ctx context.Context, k *Kept, code Code) error {
	j, heard := &journal{kept: k}, &ear{}
	err := run(ctx, j, code(heard, j.now))
	switch {
	case errors.Is(j.lost, errOver):
		return nil
	case j.lost != nil:
		return j.lost
	case err != nil:
		return j.differ(fmt.Sprintf("fails: %v", err), "goes on")
	case j.next < len(k.Steps):
		return j.differ("ends", fmt.Sprintf("has %q", k.Steps[j.next].Name))
	}
	if got := Outcome(heard.view); k.Outcome != "" && got != k.Outcome {
		return j.differ(fmt.Sprintf("ends with %q", got), fmt.Sprintf("came to %q", k.Outcome))
	}
	return nil
}

// culprit is the line of the flow that panicked. It is called while the panic is
// being recovered from.
func culprit() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	for more := true; more; {
		var f runtime.Frame
		if f, more = frames.Next(); strings.HasPrefix(f.Function, "github.com/backout-dev/backout/bot.") {
			return fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line)
		}
	}
	return "an unknown place"
}

// run finds the version and runs it. A panic is a flow that touches the world
// between two steps, where nothing is at hand.
func run(ctx context.Context, j *journal, v bot.Versions) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it uses the clock or a port outside of a step, at %s: %v", culprit(), r)
		}
	}()
	for _, one := range v.Intakes {
		if one.Name == j.kept.Flow {
			var e bot.Event
			if err := json.Unmarshal([]byte(j.kept.Input), &e); err != nil {
				return err
			}
			return one.Run(ctx, j, e)
		}
	}
	for _, one := range v.Rollbacks {
		if one.Name == j.kept.Flow {
			return one.Run(ctx, j, bot.RollbackID(j.kept.Input))
		}
	}
	return fmt.Errorf("%s is not registered", j.kept.Flow)
}
