package audit

import (
	"context"
	"time"

	"github.com/backout-dev/backout/bot"
)

// who is for whom something is done. It is known where a flow begins and is
// needed where the flow acts on the world, below ports that have no place for
// it: so it goes along in the context, as the name of a trace would. Nothing is
// decided by it.
type who struct {
	flow     string
	rollback bot.RollbackID
	repo     bot.RepoName
	actor    string
	why      string
}

type whoKey struct{}

func as(ctx context.Context, w who) context.Context { return context.WithValue(ctx, whoKey{}, w) }

func of(ctx context.Context) who {
	if w, ok := ctx.Value(whoKey{}).(who); ok {
		return w
	}
	return who{actor: "backout"} // upkeep
}

// entry is a line of the one who acts in ctx.
func entry(ctx context.Context, kind Kind, act string) Entry {
	w := of(ctx)
	return Entry{Kind: kind, Act: act, Flow: w.flow, Rollback: w.rollback, Repo: w.repo, Actor: w.actor, Why: w.why}
}

// effect is one act on the outside world.
type effect struct {
	act      string
	rollback bot.RollbackID // where the arguments name it
	repo     bot.RepoName
	app      string
	what     any
	// anyway lets it be done when its attempt can't be written: it makes things
	// safer, or tells people.
	anyway bool
}

// do writes the attempt, acts, and writes what came of it.
func do[T any](ctx context.Context, l *Log, x effect, act func() (T, error)) (T, error) {
	e := entry(ctx, KindAttempt, x.act)
	e.App, e.What = x.app, what(x.what)
	if x.repo != "" {
		e.Repo = x.repo
	}
	if x.rollback != "" {
		e.Rollback = x.rollback
	}
	at, err := l.Append(e, true)
	if err != nil {
		l.cfg.Log.ErrorContext(ctx, "the audit log can't be written", "act", x.act, "done_anyway", x.anyway, "error", err)
		if !x.anyway {
			var none T
			return none, bot.NewTrouble(bot.TroubleTransient, err, "The audit log can't be written, so this was not done.").
				WithAdvice("Look at the folder audit in data_dir: is the disk full, or read-only?")
		}
	}
	began := time.Now()
	out, err := act()
	e.Kind, e.Of, e.TookMS = KindEffect, at, time.Since(began).Milliseconds()
	e.Result, e.What = "done", what(out)
	if err != nil {
		t := bot.AsTrouble(err)
		e.Result, e.Detail, e.What = string(t.Kind), t.Text, nil
		if ctx.Err() != nil {
			e.Result = "interrupted"
		}
	}
	if _, err := l.Append(e, true); err != nil {
		l.cfg.Log.ErrorContext(ctx, "the audit log lacks what came of an act", "act", x.act, "result", e.Result, "attempt", at, "error", err)
	}
	return out, err
}

// nothing adapts an act without an answer.
func nothing(act func() error) func() (struct{}, error) {
	return func() (struct{}, error) { return struct{}{}, act() }
}

// text stands for one that is too long for a line: who has the text can tell
// whether it is the one.
type text struct {
	SHA256 string `json:"sha256"`
	Bytes  int    `json:"bytes"`
}

func textOf(s string) text { return text{digest([]byte(s)), len(s)} }
