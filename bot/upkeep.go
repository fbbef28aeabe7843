package bot

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Sweep is the janitor: it releases every hold of ours that is past its
// deadline or belongs to no unfinished Rollback. It looks only at the
// annotations on the objects and at the ledger, so it needs no flow to be
// alive. It goes on after errors and returns them joined.
func (f *Flow) Sweep(ctx context.Context) (released []Hold, err error) {
	if f.Observe {
		return nil, nil
	}
	var errs []error
	for _, d := range f.Ports.Fleet.Deployers {
		holds, err := d.Holds(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("list holds: %w", err))
			continue
		}
		for _, h := range holds {
			why, err := f.overdue(ctx, h)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			if why == "" {
				continue
			}
			held, err := d.Release(ctx, h.App, h.Owner)
			if err != nil {
				errs = append(errs, fmt.Errorf("release %s: %w", h.App, err))
				continue
			}
			f.Log.WarnContext(ctx, "janitor released a hold", "app", h.App.String(), "rollback", h.Owner, "why", why, "left", held.Left)
			released = append(released, h)
		}
	}
	images, err := SweepImages(ctx, f.Ports.Fleet.Images, f.Now())
	for _, h := range images {
		f.Log.WarnContext(ctx, "janitor released an image automation", "object", h.String(), "cluster", h.Cluster, "rollback", h.Owner)
	}
	return released, errors.Join(append(errs, err)...)
}

// overdue says why a hold must go; "" when it may stay. A ledger that can't be
// read keeps a hold only until its deadline.
func (f *Flow) overdue(ctx context.Context, h Hold) (string, error) {
	if !h.Ours() {
		return "", nil
	}
	if !f.Now().Before(h.Deadline) {
		return "past its deadline", nil
	}
	rec, err := f.Ports.Ledger.Rollback(ctx, h.Owner)
	switch {
	case IsTrouble(err, TroubleNotFound):
		return "belongs to no rollback", nil
	case err != nil:
		return "", fmt.Errorf("read rollback %s: %w", h.Owner, err)
	case rec.End != nil:
		return "its rollback has ended", nil
	}
	return "", nil
}

// Record observes every App once and adds what changed to our record of
// revisions over time: the facts that the ranking rests on.
func (f *Flow) Record(ctx context.Context) error {
	var errs []error
	for _, d := range f.Ports.Fleet.Deployers {
		apps, err := d.Apps(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("list apps: %w", err))
			continue
		}
		for _, app := range apps {
			if err := f.record(ctx, app); err != nil {
				errs = append(errs, fmt.Errorf("record %s: %w", app.ID, err))
			}
		}
	}
	return errors.Join(errs...)
}

// record adds a line for one App. A new revision is dated by the control plane
// where it tells: our own look comes later by up to one interval.
func (f *Flow) record(ctx context.Context, app App) error {
	if app.Running() == "" {
		return nil
	}
	line := Deployed{App: app.ID, Revision: app.Running(), Health: app.Health, At: f.Now()}
	last, err := f.Ports.Ledger.Deployments(ctx, app.ID, 1)
	if err != nil {
		return err
	}
	if len(last) > 0 && last[0].Revision == line.Revision && last[0].Health == line.Health {
		return nil // most looks end here: a write each would stand in the way of others
	}
	if applied := endOfSecond(app.AppliedAt); len(last) > 0 && last[0].Revision != line.Revision && applied.After(last[0].At) && applied.Before(line.At) {
		line.At = applied
	}
	return f.Ports.Ledger.Observe(ctx, line)
}

// endOfSecond is the latest moment that a time may mean. Control planes tell
// whole seconds, and a revision must not seem older than trouble that began
// within the same one: the safe error is to call an innocent change late.
func endOfSecond(t time.Time) time.Time {
	if t.Nanosecond() == 0 {
		return t.Add(time.Second)
	}
	return t
}

// Bury tells people that a Rollback's flow was given up after it failed again
// and again. The ledger has closed it by then, and the janitor releases what it
// held.
func (f *Flow) Bury(ctx context.Context, id RollbackID) error {
	rec, err := f.Ports.Ledger.Rollback(ctx, id)
	if err != nil {
		return fmt.Errorf("read rollback %s: %w", id, err)
	}
	v := View{Rollback: rec.Rollback, Server: f.Server}
	if rec.View != nil {
		v = *rec.View
	}
	if rec.End != nil {
		v.Verdict, v.Summary, v.Ended = rec.End.Verdict, rec.End.Summary, rec.End.At
	}
	v.Todo = append(v.Todo, "Look at the revert and at the Apps below; what was held is released by itself.", "Comment `/rollback` to try again.")
	r := &run{Flow: f, id: id, log: f.Log.With("rollback", id)}
	r.herald.run = r
	return r.herald.tell(ctx, v, surface{sticky: true, check: true})
}

// BuryEvent tells the person whose command is lost because its intake was given
// up. An alert's intake has nobody to tell: the log has it.
func (f *Flow) BuryEvent(ctx context.Context, e Event) error {
	if e.Comment == nil || e.Comment.AuthorIsBot || f.Observe {
		return nil
	}
	c := *e.Comment
	cmd, bad := f.Ports.Grammar.Parse(c.Body)
	a := Answer{
		Kind: AnswerRefused, To: c.Author,
		Detail: "Backout met an internal error that it could not get past while it worked on this command, and stopped.",
		Advice: "Look at `/rollback status`, then comment the command again.",
	}
	switch {
	case cmd != nil:
		a.Command = cmd.Line
	case bad != nil:
		a.Command = bad.Line
	default:
		return nil
	}
	_, err := f.Ports.Board.Post(ctx, Post{Repo: c.Repo, Number: c.Number, Marker: ReplyMarker(c.ID), Body: ReplyMarker(c.ID) + "\n" + f.Ports.Teller.Reply(a)})
	return err
}
