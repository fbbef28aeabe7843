package bot

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

const day = 24 * time.Hour

// run is one execution of the Rollback flow. Its fields are rebuilt from the
// journal on every replay, so they are the same whatever died in between.
type run struct {
	*Flow
	j   Journal
	id  RollbackID
	log *slog.Logger

	rb      Rollback
	plan    Plan
	decided time.Time // when the plan was made
	view    View

	herald   herald
	approved *Word
	merged   Merged
	// imagesAsked is true once image automations were asked to hold, and
	// imagesHeld what came of it.
	imagesAsked bool
	imagesHeld  []ImageHeld
}

// stop ends the acting part of a Rollback with a verdict; nil goes on.
type stop struct {
	verdict Verdict
	summary string
	todo    []string
}

func needsHuman(summary string, todo ...string) *stop {
	return &stop{verdict: VerdictNeedsHuman, summary: summary, todo: todo}
}

// Rollback runs a begun Rollback to its verdict. It is the whole story, top to
// bottom; each stage is a method below that records what it did.
func (f *Flow) Rollback(ctx context.Context, j Journal, id RollbackID) error {
	r := &run{Flow: f, j: j, id: id, log: f.Log.With("rollback", id)}
	r.herald.run = r
	defer r.herald.wait()
	end, err := r.act(ctx)
	if err != nil {
		return err
	}
	return r.settle(ctx, end)
}

// act goes through the stages until one of them stops.
func (r *run) act(ctx context.Context) (*stop, error) {
	for _, stage := range []func(context.Context) (*stop, error){
		r.load, r.decide, r.approve, r.hold, r.open, r.gate, r.release, r.sync, r.verify,
	} {
		if end, err := stage(ctx); end != nil || err != nil {
			return end, err
		}
	}
	return &stop{verdict: VerdictVerified, summary: "Production is healthy again."}, nil
}

// load reads what the intake wrote.
func (r *run) load(ctx context.Context) (*stop, error) {
	d, err := attempt(ctx, r.Flow, r.j, "load", func(ctx context.Context) (Record, error) {
		rec, err := r.Ports.Ledger.Rollback(ctx, r.id)
		rec.View = nil
		return rec, err
	})
	if err != nil {
		return nil, err
	}
	r.rb = d.Value.Rollback
	r.view = View{Rollback: r.rb, Began: d.Start, Server: r.Server}
	if d.Trouble != nil {
		return r.fail("read the request", d.Trouble), nil
	}
	return nil, nil
}

// decide makes the plan, or makes it again after the base moved.
func (r *run) decide(ctx context.Context) (*stop, error) {
	r.begin("decide")
	d, err := attempt(ctx, r.Flow, r.j, "decide", func(act context.Context) (Plan, error) {
		p, err := r.Flow.plan(act, r.rb)
		if err != nil && r.rb.Incident.Kind == IncidentCommand {
			// Whoever commanded sees why nothing moves. For an alert nobody may
			// be told before the policy is read.
			v := r.snapshot()
			v.Waiting = AsTrouble(err).Text
			r.herald.show(ctx, v, surface{sticky: true})
		}
		return p, err
	})
	if err != nil {
		return nil, err
	}
	r.plan, r.decided = d.Value, d.End
	r.view.Decision, r.view.Policy = r.plan.Decision, r.plan.Policy
	r.view.Apps, r.view.Before = r.plan.Apps, r.plan.Before
	r.view.Rollback.Affected = r.plan.Affected
	r.view.Conflicts = r.plan.Revert.Conflicts
	r.view.Changed = nil
	for _, file := range r.plan.Revert.Files {
		r.view.Changed = append(r.view.Changed, file.Path)
	}
	if d.Trouble != nil {
		return r.fail("decide", d.Trouble), nil
	}
	r.finish(d.Start, d.End, string(r.plan.Decision.Verb))
	return r.unable(), nil
}

// unable stops where there is nothing that could be done by itself.
func (r *run) unable() *stop {
	short := r.rb.Culprit.Head().Short()
	switch p := r.plan; {
	case p.Decision.Verb == VerbObserve:
		return &stop{verdict: VerdictObserved, summary: "Recorded; nothing was written."}
	case p.Revert.Status == RevertAlready:
		return &stop{verdict: VerdictNothingToDo, summary: fmt.Sprintf("%s is already reverted by %s.", short, p.Revert.By.Short())}
	case p.Revert.Status == RevertEmpty:
		return &stop{verdict: VerdictNothingToDo, summary: fmt.Sprintf("Nothing of %s is left on %s.", short, r.rb.Base)}
	case p.Decision.Verb == VerbRefuse:
		return needsHuman("Backout may not do this by itself. "+reasons(p.Decision), r.byHand(p))
	case p.Revert.Status == RevertConflict:
		return needsHuman(fmt.Sprintf("Later commits changed the same lines, so %s can't be reverted by itself.", short),
			"git revert "+revertArgs(r.rb.Culprit),
			"Or take the later commits named below back first, with `/rollback <sha>` each, newest first.")
	}
	return nil
}

// byHand says what a person does where Backout refuses.
func (r *run) byHand(p Plan) string {
	for _, app := range p.Apps {
		if app.Source.Untracked != "" {
			return fmt.Sprintf("Let %s track a branch, or take it back where its tag or artifact is made. `git revert %s` alone does not reach it.", app.ID, revertArgs(r.rb.Culprit))
		}
	}
	return fmt.Sprintf("Do it by hand (`git revert %s`), or comment `/rollback` again once the reasons are gone.", revertArgs(r.rb.Culprit))
}

// reasons are a decision's reasons in one paragraph.
func reasons(d Decision) string {
	texts := make([]string, 0, len(d.Reasons))
	for _, r := range d.Reasons {
		texts = append(texts, r.Text)
	}
	return strings.Join(texts, " ")
}

// revertArgs are what a person gives to git revert: the commits newest first.
func revertArgs(c Change) string {
	var args []string
	if c.Mainline > 0 {
		args = append(args, fmt.Sprintf("-m %d", c.Mainline))
	}
	for _, sha := range c.Commits {
		args = append(args, string(sha))
	}
	return strings.Join(args, " ")
}

// glance is what people may have changed in the ledger meanwhile; every step
// that waits records it together with what it saw outside.
type glance struct {
	Cancelled *Word `json:"cancelled,omitempty"`
	Approved  *Word `json:"approved,omitempty"`
	// Same is true when Apps and Alerts are what the flow knows already. They
	// are left out then: hundreds of them in every look would fill the disk.
	Same     bool                 `json:"same,omitempty"`
	Apps     []AppID              `json:"apps,omitempty"`
	Alerts   []Alert              `json:"alerts,omitempty"`
	Resolved map[string]time.Time `json:"resolved,omitempty"`
}

func (r *run) glance(ctx context.Context) (glance, error) {
	rec, err := r.Ports.Ledger.Rollback(ctx, r.id)
	if err != nil {
		return glance{}, fmt.Errorf("read rollback %s: %w", r.id, err)
	}
	g := glance{Cancelled: rec.Cancelled, Approved: rec.Approved, Apps: rec.Apps, Alerts: rec.Incident.Alerts, Resolved: rec.Resolved}
	if slices.Equal(g.Apps, r.rb.Apps) && slices.EqualFunc(g.Alerts, r.rb.Incident.Alerts, sameAlert) {
		g.Same, g.Apps, g.Alerts = true, nil, nil
	}
	return g, nil
}

// sameAlert reports whether two alerts are one and fired at the same time.
func sameAlert(a, b Alert) bool {
	return a.Fingerprint == b.Fingerprint && a.StartsAt.Equal(b.StartsAt)
}

// speaksOf returns the Apps and alerts that a glance saw.
func (r *run) speaksOf(g glance) ([]AppID, []Alert) {
	if g.Same {
		return r.rb.Apps, r.rb.Incident.Alerts
	}
	return g.Apps, g.Alerts
}

// joined takes in Apps and alerts that other incidents added.
func (r *run) joined(g glance) {
	if g.Same {
		return
	}
	r.rb.Apps, r.rb.Incident.Alerts = g.Apps, g.Alerts
	r.view.Rollback.Apps, r.view.Rollback.Incident.Alerts = g.Apps, g.Alerts
	r.view.Rollback.Affected = slices.DeleteFunc(slices.Clone(r.plan.Affected), func(id AppID) bool {
		return slices.Contains(g.Apps, id)
	})
}

func cancelled(w *Word) *stop {
	return &stop{verdict: VerdictCancelled, summary: fmt.Sprintf("Cancelled by @%s.", w.By)}
}

// fail turns trouble that did not pass into an end that tells what to do.
func (r *run) fail(act string, t *Trouble) *stop {
	r.finishFailed(t.Text)
	end := needsHuman(fmt.Sprintf("Backout could not %s: %s", act, t.Text))
	if t.Advice != "" {
		end.todo = append(end.todo, t.Advice)
	}
	end.todo = append(end.todo, r.next()...)
	return end
}

// next is what a person does where Backout had to leave off.
func (r *run) next() []string {
	switch {
	case r.merged.Merged:
		return r.resumeCommands(r.view.Apps)
	case r.view.Pull != nil:
		return []string{"Merge " + r.view.Pull.URL}
	case len(r.rb.Culprit.Commits) > 0:
		return []string{fmt.Sprintf("Comment `/rollback` again once that works, or do it by hand: `git revert %s`.", revertArgs(r.rb.Culprit))}
	}
	return nil
}

// begin opens a line of the step table; a line of that name that failed or
// repeats is taken up again.
func (r *run) begin(name string) {
	r.view.Now = name
	r.view.Waiting = ""
	if n := len(r.view.Steps); n > 0 && r.view.Steps[n-1].Name == name {
		r.view.Steps[n-1].State = "now"
		return
	}
	r.view.Steps = append(r.view.Steps, Stage{Name: name, State: "now"})
}

// finish closes the open line. The first start stands when a stage took
// several recorded steps.
func (r *run) finish(start, end time.Time, detail string) {
	s := &r.view.Steps[len(r.view.Steps)-1]
	if s.Start.IsZero() {
		s.Start = start
	}
	s.State, s.End, s.Detail = "done", end, detail
	r.view.Now, r.view.Waiting = "", ""
}

func (r *run) finishFailed(detail string) {
	if n := len(r.view.Steps); n > 0 && r.view.Steps[n-1].State == "now" {
		r.view.Steps[n-1].State, r.view.Steps[n-1].Detail = "failed", detail
	}
}

// started sets the start of the open line, if it has none.
func (r *run) started(t time.Time) {
	if s := &r.view.Steps[len(r.view.Steps)-1]; s.Start.IsZero() {
		s.Start = t
	}
}
