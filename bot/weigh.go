package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// weigh puts together all that a decision rests on besides the rules.
func (f *Flow) weigh(ctx context.Context, rb Rollback, p Plan, rv Revert) (Case, error) {
	c := Case{
		Incident: rb.Incident, Target: p.Apps, Affected: p.Affected, Culprit: rb.Culprit,
		Finding: rb.Finding, Revert: rv, Branch: p.Branch, Now: f.Now(), Forced: rb.Incident.Forced,
	}
	if why, on := f.halted(ctx, rb.Repo); on {
		c.Killed, c.KilledWhy = true, strings.TrimPrefix(why.Text, "The kill switch is on: ")
	}
	if err := f.tally(ctx, rb, p.Policy, &c); err != nil {
		return c, err
	}
	if c.Forced {
		var err error
		if c.Forcer, err = f.Ports.People.Permission(ctx, rb.Repo, rb.Incident.Requester); err != nil {
			return c, fmt.Errorf("read what @%s may do: %w", rb.Incident.Requester, err)
		}
	}
	return c, nil
}

// tally reads off the ledger how often Backout has acted, and how that ended.
func (f *Flow) tally(ctx context.Context, rb Rollback, p Policy, c *Case) error {
	count := func(q RollbackQuery) (int, error) {
		records, err := f.acting(ctx, q, rb.ID)
		return len(records), err
	}
	since := c.Now.Add(-day)
	var err error
	if c.Recent, err = count(RollbackQuery{Repo: rb.Repo, Since: since}); err != nil {
		return err
	}
	if p.PerDayOverall != nil {
		if c.Overall, err = count(RollbackQuery{Since: since}); err != nil {
			return err
		}
	}
	if p.Cooldown == 0 && p.BreakAfter == 0 {
		return nil
	}
	ended, err := f.acting(ctx, RollbackQuery{Repo: rb.Repo, EndedSince: c.Now.Add(-max(day, p.Cooldown))}, rb.ID)
	for _, r := range ended {
		if r.End != nil {
			c.Ended = append(c.Ended, Ended{ID: r.ID, Apps: r.Apps, At: r.End.At, Verdict: r.End.Verdict})
		}
	}
	slices.SortStableFunc(c.Ended, func(a, b Ended) int { return b.At.Compare(a.At) })
	return err
}

// acting lists the Rollbacks besides one that opened a revert.
func (f *Flow) acting(ctx context.Context, q RollbackQuery, besides RollbackID) ([]Record, error) {
	records, err := f.Ports.Ledger.Find(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("count recent rollbacks: %w", err)
	}
	return slices.DeleteFunc(records, func(r Record) bool {
		return r.ID == besides || r.View == nil || r.View.Pull == nil
	}), nil
}

// standing is what the policy says at a moment after the decision.
type standing struct {
	policy Policy
	verb   Verb   // how far it may go
	why    Reason // what decided that, where it is less than was decided
}

// policyNow reads the policy again. Where the file is another one by now, or a
// person passed guards and may have lost the permission for that, it is decided
// again; that can only make the merge wait.
func (r *run) policyNow(ctx context.Context, seen glance) (Rules, standing, error) {
	rules, at, err := r.rules(ctx, r.rb.Repo)
	if err != nil {
		return nil, standing{}, err
	}
	apps, _ := r.speaksOf(seen)
	s := standing{policy: rules.Policy(apps...), verb: r.plan.Decision.Verb}
	same := at.Hash == r.plan.PolicyAt.Hash || at.Hash == "none" && r.plan.PolicyAt.Hash == ""
	if same && len(r.plan.Decision.Forced) == 0 {
		return rules, s, nil
	}
	rv, err := r.Ports.History.Revert(ctx, r.rb.Repo, r.plan.Revert.Onto, r.rb.Culprit)
	if err != nil {
		return nil, s, fmt.Errorf("compute the revert to decide again: %w", err)
	}
	p := r.plan
	p.Policy = s.policy
	c, err := r.weigh(ctx, r.rb, p, rv)
	if err != nil {
		return nil, s, err
	}
	if d := rules.Decide(c); d.Verb.Before(s.verb) {
		s.verb = d.Verb
		since := "The policy has changed since. "
		if same {
			since = "What passed the guards does so no more. "
		}
		if len(d.Reasons) > 0 {
			s.why = Reason{d.Reasons[0].Name, since + d.Reasons[0].Text}
		}
	}
	return rules, s, nil
}

// plannedRules are the rules by which the plan was made: what is verified does
// not change while it is being verified. Where that file can't be had any more,
// since the branch was rewritten, they are those of now.
func (r *run) plannedRules(ctx context.Context) (Rules, error) {
	if r.plan.PolicyAt.Commit != "" {
		rules, _, err := r.rulesAt(ctx, r.rb.Repo, r.plan.PolicyAt.Commit)
		if !IsTrouble(err, TroubleNotFound) {
			return rules, err
		}
	}
	rules, _, err := r.rules(ctx, r.rb.Repo)
	return rules, err
}
