package bot

import (
	"context"
	"fmt"
	"time"
)

// verifyLook is one sample of everything that must be well.
type verifyLook struct {
	Seen     glance        `json:"seen"`
	Apps     []App         `json:"apps"`
	Rollouts []Rollout     `json:"rollouts,omitempty"`
	Checks   []CheckResult `json:"checks"`
}

// verify samples production until every required check passes at once, or the
// window closes. What it found decides the verdict: a check that fails means
// not fixed; one that can't be read means could not verify.
func (r *run) verify(ctx context.Context) (*stop, error) {
	r.begin("verify")
	if len(r.rb.Apps) == 0 {
		return r.unverified("no delivered App is built from what the revert changes"), nil
	}
	var since time.Time
	for {
		d, err := attempt(ctx, r.Flow, r.j, "verify", func(act context.Context) (verifyLook, error) {
			r.herald.soon(ctx, surface{})
			return r.lookVerified(act)
		})
		if err != nil {
			return nil, err
		}
		if since.IsZero() {
			since = d.Start
			r.started(since)
		}
		if d.Trouble != nil {
			return r.unverified(d.Trouble.Text), nil
		}
		look := d.Value
		grown := len(look.Seen.Apps) > len(r.rb.Apps)
		r.joined(look.Seen)
		r.view.Apps, r.view.Rollouts, r.view.After = look.Apps, look.Rollouts, look.Checks
		failing, unknown := worst(look.Checks)
		if failing != nil {
			r.view.Waiting = fmt.Sprintf("Waiting for %s: %s.", failing.Name, failing.Detail)
		}
		switch {
		case grown:
			// An App that joined late has to be synced before it is judged.
			if end, err := r.sync(ctx); end != nil || err != nil {
				return end, err
			}
			r.begin("verify")
		case failing == nil && unknown == nil && len(look.Checks) > 0:
			r.finish(d.Start, d.End, fmt.Sprintf("%d checks", len(look.Checks)))
			return nil, nil
		case d.End.Sub(since) >= r.plan.Policy.VerifyWithin:
			if failing != nil {
				r.finishFailed(failing.Detail)
				return &stop{
					verdict: VerdictNotFixed,
					summary: fmt.Sprintf("The revert is applied, but %s: %s", failing.Name, failing.Detail),
					todo:    []string{"Look for another cause: the revert is merged and stays."},
				}, nil
			}
			return r.unverified(describe(unknown)), nil
		}
		if err := r.j.Wait(ctx, "wait for the checks", []Hint{{Repo: r.rb.Repo, Number: r.rb.ReportTo}}, r.Timing.Verify); err != nil {
			return nil, err
		}
	}
}

func describe(c *CheckResult) string {
	if c == nil {
		return "nothing could be checked"
	}
	return c.Name + ": " + c.Detail
}

func (r *run) unverified(why string) *stop {
	r.finishFailed(why)
	return &stop{
		verdict: VerdictUnverified,
		summary: "The revert is merged and applied, but production could not be verified: " + why,
		todo:    []string{"Check production yourself."},
	}
}

// worst returns the first required check that fails, and the first that is
// unknown.
func worst(checks []CheckResult) (failing, unknown *CheckResult) {
	for i := range checks {
		c := &checks[i]
		switch {
		case c.Advisory:
		case c.Status == CheckFail && failing == nil:
			failing = c
		case c.Status == CheckUnknown && unknown == nil:
			unknown = c
		}
	}
	return failing, unknown
}

// lookVerified samples health, rollouts, configured checks and alerts once.
func (r *run) lookVerified(ctx context.Context) (verifyLook, error) {
	var look verifyLook
	var err error
	if look.Seen, err = r.glance(ctx); err != nil {
		return look, err
	}
	ids, alerts := r.speaksOf(look.Seen)
	if look.Apps, err = r.Ports.Fleet.observe(ctx, ids); err != nil {
		return look, err
	}
	rules, err := r.plannedRules(ctx)
	if err != nil {
		return look, err
	}
	if look.Checks, look.Rollouts, err = r.checkApps(ctx, look.Apps, rules); err != nil {
		return look, err
	}
	ended, err := each(ctx, alerts, func(ctx context.Context, a Alert) (CheckResult, error) {
		return r.alertCheck(ctx, a, look.Seen.Resolved), nil
	})
	look.Checks = append(look.Checks, ended...)
	return look, err
}

// checkApps samples Apps: their health, their workloads, their configured
// checks.
func (f *Flow) checkApps(ctx context.Context, apps []App, rules Rules) (checks []CheckResult, rollouts []Rollout, err error) {
	type sample struct {
		checks   []CheckResult
		rollouts []Rollout
	}
	samples, err := each(ctx, apps, func(ctx context.Context, app App) (s sample, err error) {
		if s.rollouts, err = f.Ports.Fleet.Rollouts(ctx, app.Workloads); err != nil {
			return s, fmt.Errorf("read rollouts of %s: %w", app.ID, err)
		}
		s.checks = []CheckResult{healthCheck(app)}
		for _, ro := range s.rollouts {
			s.checks = append(s.checks, rolloutCheck(ro))
		}
		s.checks = append(s.checks, f.sample(ctx, rules.Policy(app.ID), app)...)
		return s, nil
	})
	for _, s := range samples {
		checks, rollouts = append(checks, s.checks...), append(rollouts, s.rollouts...)
	}
	return checks, rollouts, err
}

func healthCheck(app App) CheckResult {
	c := CheckResult{Name: fmt.Sprintf("%s %s", app.ID.Kind, app.ID.Name), Detail: fmt.Sprintf("%s at %s", app.Health, app.Revision.Short()), Value: string(app.Health)}
	switch app.Health {
	case HealthGood:
		c.Status = CheckPass
	case HealthUnknown:
		c.Status = CheckUnknown
	default:
		c.Status = CheckFail
	}
	return c
}

func rolloutCheck(ro Rollout) CheckResult {
	c := CheckResult{Name: ro.Workload.String(), Status: CheckPass, Detail: "rolled out"}
	switch {
	case ro.Gone && ro.Workload.Kind == "Job":
		// Jobs are deleted when their time to live is over.
		c.Detail = "finished and gone"
	case len(ro.CrashLooping) > 0:
		c.Status, c.Detail = CheckFail, fmt.Sprintf("%s is crash-looping", ro.CrashLooping[0])
	case !ro.Done:
		c.Status, c.Detail = CheckFail, "not rolled out: "+ro.Reason
	}
	return c
}

// alertCheck is whether an alert of the incident has stopped firing: by the
// webhook that told us, or by asking Alertmanager.
func (r *run) alertCheck(ctx context.Context, a Alert, resolved map[string]time.Time) CheckResult {
	c := CheckResult{Name: "alert " + a.Name()}
	if at, ok := resolved[a.Fingerprint]; ok {
		c.Status, c.Detail = CheckPass, "resolved at "+at.UTC().Format(time.TimeOnly)+" UTC"
		return c
	}
	firing, known, err := r.Ports.Alerts.Firing(ctx, a)
	switch {
	case err != nil || !known:
		c.Status, c.Detail = CheckUnknown, "no word that it resolved, and no Alertmanager to ask"
	case firing:
		c.Status, c.Detail = CheckFail, "still firing"
	default:
		c.Status, c.Detail = CheckPass, "no longer firing"
	}
	return c
}
