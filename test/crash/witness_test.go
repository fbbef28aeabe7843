package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/cmd/app"
)

// hello is the first that a child says.
type hello struct {
	Pid int
	URL string // where it takes webhooks
}

// local is a moment of an effect on the bot's own record.
type local struct {
	Pid    int
	Effect string
	When   moment
}

// witness tells the world, from inside the child, of what no request shows. The
// child waits for the answer, which does not come where it is to be killed.
type witness struct {
	world string
	http  *http.Client
}

func newWitness(world string) *witness {
	return &witness{world: world, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}}
}

func (w *witness) tell(what string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	resp, err := w.http.Post(w.world+"/witness/"+what, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the world answered %s", resp.Status)
	}
	return nil
}

// at is called at a moment of an effect. A world that is gone ends the process:
// its run is over.
func (w *witness) at(effect string, when moment) {
	if err := w.tell("local", local{Pid: os.Getpid(), Effect: effect, When: when}); err != nil {
		os.Exit(1)
	}
}

// around tells of an act's two moments; one that did not work has no second.
func (w *witness) around(effect string, act func() error) error {
	w.at(effect, before)
	err := act()
	if err == nil {
		w.at(effect, after)
	}
	return err
}

// watchedEngine is the durable engine with a witness.
type watchedEngine struct {
	*durable.Engine

	w *witness
}

var _ app.Engine = watchedEngine{}

// Register lets the flows run on journals with a witness.
func (e watchedEngine) Register(v bot.Versions) {
	for i, one := range v.Intakes {
		v.Intakes[i].Run = func(ctx context.Context, j bot.Journal, in bot.Event) error {
			return one.Run(ctx, watchedJournal{j, "intake", e.w}, in)
		}
	}
	for i, one := range v.Rollbacks {
		v.Rollbacks[i].Run = func(ctx context.Context, j bot.Journal, in bot.RollbackID) error {
			return one.Run(ctx, watchedJournal{j, "rollback", e.w}, in)
		}
	}
	e.Engine.Register(v)
}

// Accept implements bot.Engine.
func (e watchedEngine) Accept(ctx context.Context, event bot.Event) error {
	kind := "comment"
	if event.Comment == nil {
		kind = "alerts"
	}
	return e.w.around("accept "+kind, func() error { return e.Engine.Accept(ctx, event) })
}

// Start implements bot.Engine.
func (e watchedEngine) Start(ctx context.Context, id bot.RollbackID) error {
	return e.w.around("start rollback", func() error { return e.Engine.Start(ctx, id) })
}

// watchedJournal tells of every step that is recorded, and not of those that
// are only read again.
type watchedJournal struct {
	bot.Journal

	flow string
	w    *witness
}

// Do implements bot.Journal.
func (j watchedJournal) Do(ctx context.Context, name string, act func(context.Context) ([]byte, error)) ([]byte, error) {
	effect, acted := "record "+j.flow+": "+name, false
	b, err := j.Journal.Do(ctx, name, func(ctx context.Context) ([]byte, error) {
		acted = true
		b, err := act(ctx)
		j.w.at(effect, before)
		return b, err
	})
	if acted && err == nil {
		j.w.at(effect, after)
	}
	return b, err
}

// Now implements bot.Journal.
func (j watchedJournal) Now(ctx context.Context) (t time.Time, err error) {
	err = j.w.around("record "+j.flow+": now", func() error {
		t, err = j.Journal.Now(ctx)
		return err
	})
	return t, err
}

// watchedLedger tells of what is written to the ledger. Views and observations
// are left out: they are written all the time and no promise rests on them.
type watchedLedger struct {
	*durable.Ledger

	w *witness
}

// Begin implements bot.Ledger.
func (l watchedLedger) Begin(ctx context.Context, r bot.Rollback) (out bot.Begun, err error) {
	err = l.w.around("ledger begin", func() error {
		out, err = l.Ledger.Begin(ctx, r)
		return err
	})
	return out, err
}

// Cancel implements bot.Ledger.
func (l watchedLedger) Cancel(ctx context.Context, id bot.RollbackID, w bot.Word) error {
	return l.w.around("ledger cancel", func() error { return l.Ledger.Cancel(ctx, id, w) })
}

// Approve implements bot.Ledger.
func (l watchedLedger) Approve(ctx context.Context, id bot.RollbackID, w bot.Word) error {
	return l.w.around("ledger approve", func() error { return l.Ledger.Approve(ctx, id, w) })
}

// Resolve implements bot.Ledger.
func (l watchedLedger) Resolve(ctx context.Context, fingerprint string, at time.Time) error {
	return l.w.around("ledger resolve", func() error { return l.Ledger.Resolve(ctx, fingerprint, at) })
}

// Finish implements bot.Ledger.
func (l watchedLedger) Finish(ctx context.Context, id bot.RollbackID, end bot.End) error {
	return l.w.around("ledger finish", func() error { return l.Ledger.Finish(ctx, id, end) })
}
