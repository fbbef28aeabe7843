package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// intakeAlerts handles one Alertmanager notification: resolved alerts are
// recorded, firing ones located, ranked and turned into Rollbacks.
func (f *Flow) intakeAlerts(ctx context.Context, j Journal, e Event) error {
	if _, err := attempt(ctx, f, j, "resolved alerts", func(ctx context.Context) (int, error) {
		return f.recordResolved(ctx, *e.Alerts)
	}); err != nil {
		return err
	}
	d, err := attemptUpTo(ctx, f, j, alertTries, "locate", func(ctx context.Context) ([]spoken, error) { return f.locateAll(ctx, *e.Alerts) })
	if err != nil {
		return err
	}
	if d.Trouble != nil {
		f.Log.ErrorContext(ctx, "alert not acted upon", "incident", e.ID, "why", d.Trouble.Text, "advice", d.Trouble.Advice)
		return nil
	}
	for _, s := range d.Value {
		if err := f.intakeApp(ctx, j, e, s); err != nil {
			return err
		}
	}
	return nil
}

// alertTries bounds the tries of an alert's intake to about a day. Nobody waits
// for an answer, and Alertmanager repeats an alert under the same ID, so
// what is given up does not come again. The cluster is often away because of the
// very incident.
const alertTries = 300

// lateAlert is the age from which an alert is not taken at its word: what it
// tells may be over.
const lateAlert = time.Hour

// over reports whether none of the alerts is known to fire still.
func (f *Flow) over(ctx context.Context, j Journal, s spoken) (bool, error) {
	d, err := attempt(ctx, f, j, "look whether it still fires", func(ctx context.Context) (bool, error) {
		for _, a := range s.Alerts {
			firing, known, err := f.Ports.Alerts.Firing(ctx, a)
			if err != nil {
				return false, fmt.Errorf("ask for alert %s: %w", a.Name(), err)
			}
			if known && firing {
				return true, nil
			}
		}
		return false, nil
	})
	return d.Trouble != nil || !d.Value, err
}

func (f *Flow) recordResolved(ctx context.Context, g AlertGroup) (int, error) {
	n := 0
	for _, a := range g.Alerts {
		if a.Firing {
			continue
		}
		if err := f.Ports.Ledger.Resolve(ctx, a.Fingerprint, a.EndsAt); err != nil {
			return n, fmt.Errorf("record resolved alert: %w", err)
		}
		n++
	}
	return n, nil
}

// spoken is one App together with the alerts that speak of it.
type spoken struct {
	App     AppID     `json:"app"`
	Via     []string  `json:"via"`
	Failing *Workload `json:"failing,omitempty"`
	Alerts  []Alert   `json:"alerts"`
}

// locateAll groups the firing alerts by the Apps that they speak of, in the
// order they came.
func (f *Flow) locateAll(ctx context.Context, g AlertGroup) ([]spoken, error) {
	var out []spoken
	for _, a := range g.Alerts {
		if !a.Firing {
			continue
		}
		loc, err := f.Ports.Locator.Locate(ctx, a)
		if err != nil {
			return nil, fmt.Errorf("locate alert %s: %w", a.Name(), err)
		}
		if len(loc.Found) == 0 {
			f.Log.WarnContext(ctx, "alert speaks of no App", "alert", a.Name(), "looked", strings.Join(loc.Looked, "; "))
		}
		for _, l := range loc.Found {
			i := slices.IndexFunc(out, func(s spoken) bool { return s.App == l.App })
			if i < 0 {
				out = append(out, spoken{App: l.App, Failing: l.Failing})
				i = len(out) - 1
			}
			out[i].Via = append(out[i].Via, l.Via)
			out[i].Alerts = append(out[i].Alerts, a)
		}
	}
	return out, nil
}

// blamed is what the ranking concluded for one App.
type blamed struct {
	Repo     RepoName   `json:"repo,omitempty"`
	Base     string     `json:"base,omitempty"`
	Onset    Onset      `json:"onset"`
	Finding  Finding    `json:"finding"`
	Joins    RollbackID `json:"joins,omitempty"` // the unfinished Rollback of this App
	Rollback *Rollback  `json:"rollback,omitempty"`
	// Nothing says why there is nothing to take back.
	Nothing string `json:"nothing,omitempty"`
}

// intakeApp ranks the suspects of one App and begins or joins a Rollback.
func (f *Flow) intakeApp(ctx context.Context, j Journal, e Event, s spoken) error {
	d, err := attemptUpTo(ctx, f, j, alertTries, "rank "+s.App.String(), func(ctx context.Context) (blamed, error) { return f.blame(ctx, e, s) })
	if err != nil {
		return err
	}
	log := f.Log.With("incident", e.ID, "app", s.App.String())
	if d.Trouble != nil {
		log.ErrorContext(ctx, "alert not acted upon", "why", d.Trouble.Text, "advice", d.Trouble.Advice)
		return nil
	}
	b := d.Value
	if b.Rollback == nil {
		log.InfoContext(ctx, "no change of ours to blame", "why", b.Nothing)
		return nil
	}
	if d.Start.Sub(e.Received) > lateAlert {
		if over, err := f.over(ctx, j, s); over || err != nil {
			log.WarnContext(ctx, "alert not acted upon", "why", "when it could be looked at, it was not known to fire any more")
			return err
		}
	}
	begun, t, err := f.start(ctx, j, *b.Rollback)
	switch {
	case err != nil:
		return err
	case t != nil:
		log.ErrorContext(ctx, "rollback not begun", "why", t.Text, "advice", t.Advice)
	case begun.Busy != "":
		log.InfoContext(ctx, "another rollback works on this app", "rollback", begun.Busy)
	case begun.Settled != "":
		log.InfoContext(ctx, "alerts are those that an ended rollback has dealt with", "rollback", begun.Settled)
	default:
		// A Rollback under way is not woken: what joins it changes nothing before
		// it looks again, and a storm would make it look without a pause.
		log.InfoContext(ctx, "rollback begun", "rollback", begun.ID, "joined", begun.Joined)
	}
	return nil
}

// blame finds the culprit for one App, if any.
func (f *Flow) blame(ctx context.Context, e Event, s spoken) (blamed, error) {
	b := blamed{}
	known, err := f.mended(ctx, e, s)
	if err != nil {
		return b, err
	}
	if known != nil {
		return *known, nil
	}
	app, err := f.Ports.Fleet.App(ctx, s.App)
	if err != nil {
		return b, fmt.Errorf("observe %s: %w", s.App, err)
	}
	if app.Source.Untracked != "" || app.Source.Repo == "" {
		b.Nothing = "not-branch-tracked: " + app.Source.Untracked
		return b, nil
	}
	b.Repo = app.Source.Repo
	var head SHA
	if b.Base, head, err = f.tracked(ctx, app); err != nil {
		return b, fmt.Errorf("read branch of %s: %w", s.App, err)
	}
	if b.Onset, err = f.onset(ctx, s.Alerts); err != nil {
		return b, err
	}
	facts, err := f.facts(ctx, app, head, b.Onset, s)
	if err != nil {
		return b, err
	}
	if b.Finding, err = f.rank(ctx, b.Repo, facts); err != nil {
		return b, err
	}
	if len(b.Finding.Suspects) == 0 {
		b.Nothing = "no change of ours was deployed before the onset"
		return b, nil
	}
	if err := f.nameSuspects(ctx, b.Repo, b.Finding.Suspects); err != nil {
		return b, err
	}
	top := b.Finding.Suspects[0].Change
	// A finding is kept in many places: the paths are said once, with the culprit.
	b.Finding.Suspects = b.Finding.Suspects[:min(keptSuspects, len(b.Finding.Suspects))]
	for i := range b.Finding.Suspects {
		b.Finding.Suspects[i].Change.Paths = nil
	}
	b.Rollback = &Rollback{
		Host: f.Host, Repo: b.Repo, Base: b.Base, Culprit: top, Apps: []AppID{s.App}, ReportTo: top.PR, Finding: &b.Finding,
		Incident: Incident{Kind: IncidentAlert, ID: e.ID, Onset: b.Onset, Alerts: s.Alerts, Received: e.Received},
	}
	return b, nil
}

// mended answers for an App that a Rollback works on, or that one has proven
// healthy since the alerts fired; nil when there is none. Ranking would only
// find our own revert, or blame again what has been taken back.
func (f *Flow) mended(ctx context.Context, e Event, s spoken) (*blamed, error) {
	live, err := f.Ports.Ledger.Find(ctx, RollbackQuery{App: &s.App, Unfinished: true, Limit: 1, Brief: true})
	if err != nil {
		return nil, fmt.Errorf("look for a live rollback: %w", err)
	}
	if len(live) > 0 {
		rb := live[0].Rollback
		if slices.Contains(rb.Apps, s.App) && !rb.Incident.Take(s.Alerts, false) {
			return &blamed{Nothing: fmt.Sprintf("rollback %s works on the App and knows these alerts", rb.ID)}, nil
		}
		// Only what joining needs: the rest is on record there.
		return &blamed{Joins: rb.ID, Rollback: &Rollback{
			Host: rb.Host, Repo: rb.Repo, Base: rb.Base, Culprit: Change{Commits: rb.Culprit.Commits}, Apps: []AppID{s.App}, ReportTo: rb.ReportTo,
			Incident: Incident{Kind: IncidentAlert, ID: e.ID, Alerts: s.Alerts, Received: e.Received},
		}}, nil
	}
	ended, err := f.Ports.Ledger.Find(ctx, RollbackQuery{App: &s.App, EndedSince: FiredLast(s.Alerts), Limit: 1, Brief: true})
	if err != nil {
		return nil, fmt.Errorf("look for an ended rollback: %w", err)
	}
	if len(ended) > 0 && ended[0].End.Verdict == VerdictVerified {
		return &blamed{Nothing: fmt.Sprintf("rollback %s has proven the App healthy since", ended[0].ID)}, nil
	}
	return nil, nil
}

// trackedBranch is the branch to read; "" means the default branch.
func trackedBranch(app App) string {
	if app.Source.Branch == "HEAD" {
		return ""
	}
	return app.Source.Branch
}

// tracked brings the mirror up to date and returns the branch that an App
// tracks, and its head. A branch with a name needs no request to GitHub: in a storm one for each App would be too many.
func (f *Flow) tracked(ctx context.Context, app App) (name string, head SHA, err error) {
	repo, name := app.Source.Repo, trackedBranch(app)
	if err := f.Ports.History.Fetch(ctx, repo); err != nil {
		return "", "", fmt.Errorf("fetch %s: %w", repo, err)
	}
	if name == "" {
		b, err := f.Ports.Pulls.Branch(ctx, repo, "")
		return b.Name, b.Head, err
	}
	head, err = f.Ports.History.Resolve(ctx, repo, name)
	return name, head, err
}
