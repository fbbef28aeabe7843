package bot

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// StickyMarker is hidden in the sticky comment of a Rollback. Fixed forever:
// comments written by older versions must be found.
func StickyMarker(id RollbackID) string { return fmt.Sprintf("<!-- backout:rollback:%s -->", id) }

// ReplyMarker is hidden in the answer to one comment. Fixed forever.
func ReplyMarker(comment int64) string { return fmt.Sprintf("<!-- backout:reply:%d -->", comment) }

// CheckName is the name of our check run.
const CheckName = "Backout"

// tell brings the sticky comment and, once there is a commit to put it on, the
// check run up to date, both at once. It runs inside a step, beside an act
// that does not depend on it, so that people are told without the rollback
// waiting for it.
func (r *run) tell(ctx context.Context, v View, t told) (told, error) {
	if r.Observe || v.Decision.Verb == VerbObserve {
		return t, nil
	}
	g, ctx := errgroup.WithContext(ctx)
	if v.Rollback.ReportTo != 0 {
		g.Go(func() error {
			id, err := r.Ports.Board.Post(ctx, Post{
				Repo: v.Rollback.Repo, Number: v.Rollback.ReportTo,
				Marker: StickyMarker(r.id), Body: StickyMarker(r.id) + "\n" + r.Ports.Teller.Sticky(v), ID: t.Sticky,
			})
			if err == nil {
				t.Sticky = id
			}
			return err
		})
	}
	var check int64
	if v.Pull != nil {
		g.Go(func() error {
			title, summary, conclusion := r.Ports.Teller.CheckRun(v)
			id, err := r.Ports.Board.Check(ctx, CheckRun{
				Repo: v.Rollback.Repo, Head: v.Pull.Head, Name: CheckName, ExternalID: string(r.id), ID: t.Check,
				Done: v.Verdict != "", Conclusion: conclusion, Title: title, Summary: summary,
			})
			check = id
			return err
		})
	}
	err := g.Wait()
	if check != 0 {
		t.Check = check
	}
	return t, err
}

// tellBeside is tell for a place where an act matters more: its trouble goes
// to the log, and the next tell catches up.
func (r *run) tellBeside(ctx context.Context, v View, t told) told {
	after, err := r.tell(ctx, v, t)
	if err != nil {
		r.log.WarnContext(ctx, "telling people met trouble", "trouble", AsTrouble(err).Text)
	}
	if err := r.Ports.Ledger.SaveView(ctx, r.id, v); err != nil {
		r.log.WarnContext(ctx, "saving the view met trouble", "error", err)
	}
	return after
}

// beside runs act while people are told what v shows.
func beside[T any](ctx context.Context, r *run, v View, act func(context.Context) (T, error)) (withTold[T], error) {
	out := withTold[T]{Told: r.told}
	var g errgroup.Group
	g.Go(func() error {
		out.Told = r.tellBeside(ctx, v, r.told)
		return nil
	})
	var err error
	out.Value, err = act(ctx)
	_ = g.Wait() // the goroutine above returns nil
	return out, err
}

// withTold is a step's result together with what was written beside it.
type withTold[T any] struct {
	Value T    `json:"value"`
	Told  told `json:"told"`
}

// snapshot copies the view for use beside a running act.
func (r *run) snapshot() View {
	v := r.view
	v.Steps = append([]Stage(nil), v.Steps...)
	return v
}
