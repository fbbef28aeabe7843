package bot

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// StickyMarker is hidden in the sticky comment of a Rollback. Fixed forever:
// comments written by older versions must be found.
func StickyMarker(id RollbackID) string { return fmt.Sprintf("<!-- backout:rollback:%s -->", id) }

// ReplyMarker is hidden in the answer to one comment. Fixed forever.
func ReplyMarker(comment int64) string { return fmt.Sprintf("<!-- backout:reply:%d -->", comment) }

// CheckName is the name of our check run.
const CheckName = "Backout"

// herald tells people how a Rollback stands while it goes on: nothing waits
// for it but the final report, so it adds nothing to the time to the merge.
// The IDs of what it wrote are not recorded; after a crash they are found
// again by marker and external ID. One herald writes at a time, or the same
// comment could be created twice.
type herald struct {
	run *run

	mu     sync.Mutex
	wg     sync.WaitGroup
	sticky int64
	check  int64
	head   SHA // the commit that the check run is on
}

// tellWithin bounds one telling in the background.
const tellWithin = 30 * time.Second

// surface selects what is brought up to date.
type surface struct{ sticky, check bool }

// soon keeps the view for status and tells in the background. It is called
// inside acts only: a replay must not write an old view over a newer one. ctx
// is the flow's, since the act may be over sooner. Trouble goes to the log: the
// final report brings everything up to date.
func (h *herald) soon(ctx context.Context, s surface) {
	h.show(ctx, h.run.snapshot(), s)
}

// show is soon for a view that differs from the flow's.
func (h *herald) show(ctx context.Context, v View, s surface) {
	h.run.save(ctx, v)
	if s == (surface{}) {
		return
	}
	h.wg.Go(func() {
		// What is being written is finished even when the flow is interrupted:
		// a request that was cut off may still take effect, after its successor
		// has looked for the comment in vain.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellWithin)
		defer cancel()
		if err := h.tell(ctx, v, s); err != nil {
			h.run.log.WarnContext(ctx, "telling people met trouble", "trouble", AsTrouble(err).Text)
		}
	})
}

// wait returns when nothing is being written any more. A flow must not return
// before: its successor after a restart would look for a comment that is just
// being created.
func (h *herald) wait() { h.wg.Wait() }

// tell brings the sticky comment and the check run up to date, both at once.
func (h *herald) tell(ctx context.Context, v View, s surface) error {
	if h.run.Observe {
		return nil
	}
	if v.Decision.Verb == VerbObserve {
		return h.decline(ctx, v)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	// Neither ends the other: a comment that is being created when a check run
	// is refused would be created all the same, and its ID be lost.
	var comment, check error
	var g sync.WaitGroup
	ports := h.run.Ports
	if s.sticky && v.Rollback.ReportTo != 0 {
		g.Go(func() {
			var id int64
			id, comment = ports.Board.Post(ctx, Post{
				Repo: v.Rollback.Repo, Number: v.Rollback.ReportTo, ID: h.sticky,
				Marker: StickyMarker(h.run.id), Body: StickyMarker(h.run.id) + "\n" + ports.Teller.Sticky(v), Final: v.Verdict != "",
			})
			if comment == nil {
				h.sticky = id
			}
		})
	}
	if s.check && v.Pull != nil {
		g.Go(func() {
			title, summary, conclusion := ports.Teller.CheckRun(v)
			// A proposal waits for people: a run in progress would make its pull
			// request look unfinished all the while.
			done := v.Verdict != "" || v.Decision.Verb == VerbPropose
			if done && conclusion == "" {
				conclusion = "neutral"
			}
			if h.head != v.Pull.Head {
				h.check = 0 // a check run never changes its commit
			}
			var id int64
			id, check = ports.Board.Check(ctx, CheckRun{
				Repo: v.Rollback.Repo, Head: v.Pull.Head, Name: CheckName, ExternalID: string(h.run.id), ID: h.check, Final: v.Verdict != "",
				Done: done, Conclusion: conclusion, Title: title, Summary: summary,
			})
			if check == nil {
				h.check, h.head = id, v.Pull.Head
			}
		})
	}
	g.Wait()
	if comment != nil {
		return comment // it is what people read.
	}
	return check
}

// decline answers, once, a command that the policy lets Backout only record: who
// asks must not wait for nothing.
func (h *herald) decline(ctx context.Context, v View) error {
	rb := v.Rollback
	if v.Verdict == "" || rb.Incident.Kind != IncidentCommand || rb.Comment == 0 {
		return nil
	}
	a := Answer{
		Kind: AnswerRefused, To: rb.Incident.Requester, Detail: "Nothing was done. " + reasons(v.Decision),
		Advice: fmt.Sprintf("Take it back by hand (`git revert %s`), or let the policy allow more.", revertArgs(rb.Culprit)),
	}
	_, err := h.run.Ports.Board.Post(ctx, Post{
		Repo: rb.Repo, Number: rb.ReportTo, Marker: ReplyMarker(rb.Comment), Body: ReplyMarker(rb.Comment) + "\n" + h.run.Ports.Teller.Reply(a), Final: true,
	})
	return err
}

// forgetCheck makes the next tell create the check run anew, on a new head.
func (h *herald) forgetCheck() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.check = 0
}

// save keeps the view for /rollback status. It is local and quick; when it
// does not work, only status is older than it could be.
func (r *run) save(ctx context.Context, v View) {
	if err := r.Ports.Ledger.SaveView(ctx, r.id, v); err != nil {
		r.log.WarnContext(ctx, "saving the view met trouble", "error", err)
	}
}

// snapshot copies the view for use beside the flow.
func (r *run) snapshot() View {
	v := r.view
	v.Steps = append([]Stage(nil), v.Steps...)
	v.Holds = append([]Held(nil), v.Holds...)
	return v
}
