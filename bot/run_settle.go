package bot

import (
	"context"
	"fmt"
)

// settle ends a Rollback: whatever is still held is released, what the end
// makes pointless is taken away, people are told, and the ledger closes.
// It runs after success, failure and cancellation alike.
func (r *run) settle(ctx context.Context, end *stop) error {
	if err := r.compensate(ctx, end); err != nil {
		return err
	}
	if r.merged.Merged && r.view.Pull != nil {
		d, err := attempt(ctx, r.Flow, r.j, "delete branch", func(ctx context.Context) (bool, error) {
			return true, r.Ports.Reverts.DeleteBranch(ctx, r.rb.Repo, r.view.Pull.Branch)
		})
		if err != nil {
			return err
		}
		if d.Trouble != nil {
			r.view.Notes = append(r.view.Notes, fmt.Sprintf("Branch %s is still there: %s", r.view.Pull.Branch, d.Trouble.Text))
		}
	}
	now, err := r.j.Now(ctx)
	if err != nil {
		return err
	}
	r.view.Now, r.view.Waiting = "", ""
	r.view.Verdict, r.view.Summary, r.view.Ended = end.verdict, end.summary, now
	r.view.Todo = append(r.view.Todo, end.todo...)
	r.log.InfoContext(ctx, "rollback ended", "verdict", end.verdict, "summary", end.summary)

	v := r.snapshot()
	r.herald.wait()
	report := func(ctx context.Context) error { return r.herald.tell(ctx, v, surface{sticky: true, check: true}) }
	told, err := attempt(ctx, r.Flow, r.j, "report", func(ctx context.Context) (bool, error) { return true, report(ctx) })
	if err != nil {
		return err
	}
	// A report that could not be written must not keep the Apps locked: the
	// ledger holds the whole view for /rollback status and the log.
	_, err = attempt(ctx, r.Flow, r.j, "finish", func(ctx context.Context) (bool, error) {
		if err := r.Ports.Ledger.SaveView(ctx, r.id, v); err != nil {
			return false, fmt.Errorf("save view: %w", err)
		}
		return true, r.Ports.Ledger.Finish(ctx, r.id, End{Verdict: end.verdict, Summary: end.summary, At: now})
	})
	if err != nil {
		return err
	}
	return r.late(ctx, r.j, "report", told.Trouble, report)
}

// compensate undoes what must not outlive the Rollback. A merged revert is
// never undone here; an unmerged one is closed only where a person cancelled,
// since in all other ends people may still want to merge it.
func (r *run) compensate(ctx context.Context, end *stop) error {
	r.view.Now = ""
	if _, err := r.releaseAll(ctx, "let go of "); err != nil {
		return err
	}
	for _, h := range r.view.Holds {
		if h.Placed {
			end.todo = append(end.todo, fmt.Sprintf("%s is still held and will be released at its deadline.", h.App))
		}
	}
	if err := r.letImagesGo(ctx, end); err != nil {
		return err
	}
	if end.verdict != VerdictCancelled || r.view.Pull == nil || r.merged.Merged {
		return nil
	}
	d, err := attempt(ctx, r.Flow, r.j, "close revert", func(ctx context.Context) (bool, error) {
		return true, r.Ports.Reverts.Abandon(ctx, r.rb.Repo, r.view.Pull.Number, r.view.Pull.Branch)
	})
	if err != nil {
		return err
	}
	if d.Trouble != nil {
		end.todo = append(end.todo, fmt.Sprintf("Close %s.", r.view.Pull.URL))
	}
	return nil
}
