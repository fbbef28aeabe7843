package bot

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// onset is the earliest moment at which one of the alerts became active, or
// the interval that surely holds it: startsAt is when the alert fired, after
// its whole "for:".
func (f *Flow) onset(ctx context.Context, alerts []Alert) (Onset, error) {
	var o Onset
	for _, a := range alerts {
		t, ok, err := f.Ports.Alerts.ActiveSince(ctx, a)
		if err != nil {
			// Prometheus may be down because of the very incident: the interval
			// is the answer that is safe.
			f.Log.WarnContext(ctx, "asking for the onset met trouble", "alert", a.Name(), "trouble", AsTrouble(err).Text)
			ok = false
		}
		one := Onset{From: t, To: t}
		if !ok {
			one = Onset{From: a.StartsAt.Add(-f.MaxFor), To: a.StartsAt}
		}
		if o.To.IsZero() || one.To.Before(o.To) {
			o = one
		}
	}
	return o, nil
}

// maxDeployments bounds how much of our record one ranking reads.
const maxDeployments = 200

// facts reads all that a ranking looks at.
func (f *Flow) facts(ctx context.Context, app App, head SHA, onset Onset, s spoken) (Facts, error) {
	repo := app.Source.Repo
	rules, _, err := f.rules(ctx, repo)
	if err != nil {
		return Facts{}, err
	}
	facts := Facts{App: app, Onset: onset, Fired: FiredLast(s.Alerts), Now: f.Now(), Failing: s.Failing, BlameWindow: rules.Policy(app.ID).BlameWindow}
	if facts.Deployed, err = f.Ports.Ledger.Deployments(ctx, app.ID, maxDeployments); err != nil {
		return facts, fmt.Errorf("read deployments of %s: %w", app.ID, err)
	}
	from := deployedAt(facts.Deployed, facts.Fired)
	if from == "" {
		from = app.Running()
	}
	if from == "" {
		from = head
	}
	tree, err := f.Ports.History.Tree(ctx, repo, from)
	if err != nil {
		return facts, fmt.Errorf("read tree of %s: %w", from.Short(), err)
	}
	facts.Ran, facts.Closure = from, f.closure(repo, from, tree, app.Source.Paths)
	if s.Failing != nil {
		facts.PartFiles, facts.PartObjects = f.parts(repo, from, tree, facts.Closure, *s.Failing)
	}
	if facts.Deployed, err = f.ownDeployments(ctx, repo, facts); err != nil {
		return facts, err
	}
	commits, err := f.Ports.History.Log(ctx, LogQuery{Repo: repo, From: from, Paths: facts.Closure, Limit: MaxCandidates})
	if err != nil {
		return facts, fmt.Errorf("walk history of %s: %w", app.ID, err)
	}
	for _, c := range commits {
		cand, err := f.candidate(ctx, repo, tree, c, facts)
		if err != nil {
			return facts, err
		}
		facts.Candidates = append(facts.Candidates, cand)
	}
	return facts, f.breadth(ctx, app, from, tree, facts.Candidates)
}

// breadth counts the Apps that each candidate touches.
func (f *Flow) breadth(ctx context.Context, app App, rev SHA, tree fs.FS, candidates []Candidate) error {
	apps, err := f.Ports.Fleet.Apps(ctx)
	if err != nil {
		return err
	}
	for _, other := range apps {
		if other.Source.Repo != app.Source.Repo || other.Source.Branch != app.Source.Branch {
			continue
		}
		closure := f.closure(app.Source.Repo, rev, tree, other.Source.Paths)
		for i := range candidates {
			if slices.ContainsFunc(candidates[i].Change.Paths, func(p string) bool { return within(p, closure) }) {
				candidates[i].Apps++
			}
		}
	}
	return nil
}

// ownDeployments is the record without what did not concern the App: in a
// repository of many Apps every commit is a new revision of each of them. A
// revision under which nothing of the closure that can change what runs differs
// from the one before counts as that one.
func (f *Flow) ownDeployments(ctx context.Context, repo RepoName, facts Facts) ([]Deployed, error) {
	out := slices.Clone(facts.Deployed)
	for i := len(out) - 2; i >= 0; i-- {
		if out[i].Revision == facts.Deployed[i+1].Revision {
			out[i].Revision = out[i+1].Revision
			continue
		}
		files, err := f.Ports.History.Diff(ctx, repo, out[i+1].Revision, out[i].Revision, facts.Closure)
		if IsTrouble(err, TroubleNotFound) {
			continue // rewritten history: nothing can be said, so it counts
		}
		if err != nil {
			return nil, fmt.Errorf("compare %s with %s: %w", out[i+1].Revision.Short(), out[i].Revision.Short(), err)
		}
		if !slices.ContainsFunc(files, f.Ports.Ranker.InEffect) {
			out[i].Revision = out[i+1].Revision
		}
	}
	return out, nil
}

// deployedAt is the revision that our record shows at a moment; "" when the
// record begins later.
func deployedAt(record []Deployed, at time.Time) SHA {
	for _, d := range record {
		if !d.At.After(at) {
			return d.Revision
		}
	}
	return ""
}

// candidate reads what one commit changed and when it was rolled out.
func (f *Flow) candidate(ctx context.Context, repo RepoName, tree fs.FS, c Commit, facts Facts) (Candidate, error) {
	cand, err := Examine(ctx, c, tree, func(ctx context.Context, from, to SHA) ([]FileChange, error) {
		return f.Ports.History.Diff(ctx, repo, from, to, facts.Closure)
	})
	if err != nil {
		return cand, err
	}
	return cand, f.rolledOut(ctx, repo, &cand, facts)
}

// rolledOut reads from the record, newest first, when a candidate was rolled
// out: the last revision that contains it, going back, is the one that brought
// it.
func (f *Flow) rolledOut(ctx context.Context, repo RepoName, c *Candidate, facts Facts) error {
	var has bool
	for i, d := range facts.Deployed {
		if i == 0 || d.Revision != facts.Deployed[i-1].Revision {
			var err error
			has, err = f.Ports.History.Contains(ctx, repo, d.Revision, c.Change.Head())
			if err != nil && !IsTrouble(err, TroubleNotFound) {
				return fmt.Errorf("look for %s in %s: %w", c.Change.Head().Short(), d.Revision.Short(), err)
			}
		}
		switch {
		case has:
			c.RolledOut = d.At
		case c.RolledOut.IsZero() && d.At.After(facts.Fired):
			// Somebody went back after the alert; what ran before counts.
		case c.RolledOut.IsZero():
			c.Unseen = true
			return nil
		default:
			c.HealthBefore = lastHealth(facts.Deployed[i:])
			return nil
		}
	}
	// The record does not reach back to before the commit: when it was rolled
	// out is not known.
	c.RolledOut = time.Time{}
	return nil
}

// lastHealth is the last settled health of the revision that heads a record:
// the moment of a change is not what the revision was like.
func lastHealth(record []Deployed) Health {
	for _, d := range record {
		if d.Revision == record[0].Revision && d.Health != HealthProgressing {
			return d.Health
		}
	}
	return HealthUnknown
}
