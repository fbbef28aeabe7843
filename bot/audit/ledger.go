package audit

import (
	"context"

	"github.com/backout-dev/backout/bot"
)

// ledger records what begins and ends, and the words of people that count.
// Those are effects on our own store, which has its own way of being durable:
// one line after the act is enough.
type ledger struct {
	bot.Ledger

	log *Log
}

// note writes one line. That it can't be written does not undo what is durable
// elsewhere.
func (p ledger) note(ctx context.Context, e Entry, err error) {
	e.Result = "done"
	if err != nil {
		t := bot.AsTrouble(err)
		e.Result, e.Detail = string(t.Kind), t.Text
	}
	if _, err := p.log.Append(e, false); err != nil {
		p.log.cfg.Log.ErrorContext(ctx, "the audit log lacks what the ledger took down", "act", e.Act, "error", err)
	}
}

// Writable asks the store, where it can tell, whether it takes anything down.
func (p ledger) Writable(ctx context.Context) error {
	if s, ok := p.Ledger.(interface{ Writable(context.Context) error }); ok {
		return s.Writable(ctx)
	}
	return nil
}

// Begin implements bot.Ledger.
func (p ledger) Begin(ctx context.Context, r bot.Rollback) (bot.Begun, error) {
	begun, err := p.Ledger.Begin(ctx, r)
	e := entry(ctx, KindRecord, "begin")
	e.Repo, e.Rollback, e.Why = r.Repo, begun.ID, r.Incident.Reason
	if by := actor(r); by != "" {
		e.Actor = by
	}
	e.What = what(struct {
		Begun    bot.Begun    `json:"begun"`
		Rollback bot.Rollback `json:"rollback"`
	}{begun, r})
	p.note(ctx, e, err)
	return begun, err
}

// Cancel implements bot.Ledger.
func (p ledger) Cancel(ctx context.Context, id bot.RollbackID, w bot.Word) error {
	return p.word(ctx, "cancel", id, w, p.Ledger.Cancel(ctx, id, w))
}

// Approve implements bot.Ledger.
func (p ledger) Approve(ctx context.Context, id bot.RollbackID, w bot.Word) error {
	return p.word(ctx, "approve", id, w, p.Ledger.Approve(ctx, id, w))
}

func (p ledger) word(ctx context.Context, act string, id bot.RollbackID, w bot.Word, err error) error {
	e := entry(ctx, KindRecord, act)
	e.Rollback, e.Actor, e.What = id, w.By, what(w)
	p.note(ctx, e, err)
	return err
}

// Freeze implements bot.Ledger.
func (p ledger) Freeze(ctx context.Context, repo bot.RepoName, z bot.Frozen) error {
	err := p.Ledger.Freeze(ctx, repo, z)
	e := entry(ctx, KindRecord, "freeze")
	e.Repo, e.Actor, e.Why, e.What = repo, z.By, z.Reason, what(z)
	p.note(ctx, e, err)
	return err
}

// Unfreeze implements bot.Ledger.
func (p ledger) Unfreeze(ctx context.Context, repo bot.RepoName, comment int64, w bot.Word) error {
	err := p.Ledger.Unfreeze(ctx, repo, comment, w)
	e := entry(ctx, KindRecord, "unfreeze")
	e.Repo, e.Actor, e.What = repo, w.By, what(w)
	p.note(ctx, e, err)
	return err
}

// Finish implements bot.Ledger.
func (p ledger) Finish(ctx context.Context, id bot.RollbackID, end bot.End) error {
	err := p.Ledger.Finish(ctx, id, end)
	e := entry(ctx, KindRecord, "finish")
	e.Rollback, e.What = id, what(end)
	p.note(ctx, e, err)
	return err
}

// actor is for whom a Rollback is.
func actor(r bot.Rollback) string {
	switch {
	case r.Incident.Requester != "":
		return r.Incident.Requester
	case len(r.Incident.Alerts) > 0:
		return "alertmanager"
	}
	return ""
}
