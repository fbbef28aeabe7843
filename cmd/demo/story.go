package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/cmd/app"
	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/test/simcluster"
	"github.com/backout-dev/backout/test/stage"
)

// latency is how long the demo's GitHub takes for each answer.
const latency = 60 * time.Millisecond

// manifest is the one App's manifest; the image is what changes.
const manifest = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: %s
`

const (
	good = "registry.example/web:v1"
	bad  = "registry.example/web:v2-bad"
)

var appID = bot.AppID{Cluster: "prod", Kind: bot.KindKustomization, Namespace: "flux-system", Name: "web"}

// story plays the demo.
type story struct {
	dir   string
	log   *slog.Logger
	tell  *teller
	stage *stage.Stage

	culprit fakehub.PR
	stopCD  context.CancelFunc
}

func (s *story) close() {
	if s.stopCD != nil {
		s.stopCD()
	}
	if s.stage != nil {
		if err := s.stage.Close(); err != nil {
			s.log.Warn("closing the stage met trouble", "error", err)
		}
	}
}

// play goes through the story and returns the Rollback as it ended.
func (s *story) play(ctx context.Context, name string) (bot.Record, error) {
	if err := s.set(ctx); err != nil {
		return bot.Record{}, err
	}
	s.tell.say("A GitOps repository (%s) delivers the app web to a cluster. All is well: error rate %.1f %%.", stage.RepoName, 100*s.stage.Cluster.ErrorRate("web"))
	if err := s.breakProduction(ctx); err != nil {
		return bot.Record{}, err
	}
	switch name {
	case "alert":
		s.tell.say("Alertmanager posts the alert %s to Backout.", simcluster.AlertName)
		if code, err := s.stage.SendAlerts(ctx, s.stage.Cluster.Alerts()...); err != nil || code/100 != 2 {
			return bot.Record{}, errors.Join(err, fmt.Errorf("alert answered with %d", code))
		}
	default:
		s.tell.say("ann comments on #%d:  /rollback --reason \"checkout fails\"", s.culprit.Number)
		if _, err := s.stage.Repo.Comment(s.culprit.Number, "ann", `/rollback --reason "checkout fails"`); err != nil {
			return bot.Record{}, fmt.Errorf("comment: %w", err)
		}
	}
	return s.follow(ctx)
}

// set builds the stage: a protected branch with one required check, and one
// App that tracks it.
func (s *story) set(ctx context.Context) error {
	auto, zero := bot.ModeAuto, policy.Duration(0)
	var err error
	s.stage, err = stage.Open(ctx, stage.Options{
		Dir: s.dir, Log: s.log,
		Files: map[string]string{"apps/web/deploy.yaml": fmt.Sprintf(manifest, good), "README.md": "# fleet\n"},
		Config: func(c *app.Config) {
			c.Policy.Defaults.Alerts = &auto
			c.Policy.Defaults.Checks = []policy.CheckSetting{{
				Name: "error rate of web below 5 %", Operator: "<", Threshold: 0.05, For: zero,
				Query: `sum(rate(http_requests_total{code=~"5..",namespace="shop",deployment="web"}[1m])) / sum(rate(http_requests_total{namespace="shop",deployment="web"}[1m]))`,
			}}
		},
	})
	if err != nil {
		return err
	}
	s.stage.Repo.Protect("main", fakehub.Protection{RequiredChecks: []fakehub.RequiredCheck{{Context: "ci"}}})
	s.stage.Repo.CI(func(string) []fakehub.CIResult {
		return []fakehub.CIResult{{Name: "ci", Conclusion: "success"}}
	})
	s.stage.Cluster.Add(simcluster.AppSpec{
		ID: appID, Branch: "main", Path: "apps/web", AutoSync: true,
		Workload: bot.Workload{Kind: "Deployment", Namespace: "shop", Name: "web"},
	})
	if err := s.stage.Cluster.Reconcile(); err != nil {
		return err
	}
	// An answer from GitHub takes its time; without it, requests that are made
	// at once would look as if they were made in sequence.
	s.stage.Hub.Fail(fakehub.Fault{Times: -1, Delay: latency, Match: func(r fakehub.Request) bool { return r.Kind != "git" }})
	s.stage.Start(ctx)
	s.deliver(ctx)
	return s.recorded(ctx, bot.HealthGood)
}

// deliver plays the continuous delivery: every moment, Apps that are not held
// apply the head of their branch.
func (s *story) deliver(ctx context.Context) {
	ctx, s.stopCD = context.WithCancel(ctx)
	go func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := s.stage.Cluster.Reconcile(); err != nil && ctx.Err() == nil {
					s.log.Warn("delivering met trouble", "error", err)
				}
			}
		}
	}()
}

// breakProduction merges a bad image and waits until it runs.
func (s *story) breakProduction(ctx context.Context) error {
	repo := s.stage.Repo
	pr, err := repo.OpenPR("bob", "Update web to v2", "web-v2", "main", map[string]*string{"apps/web/deploy.yaml": fakehub.Text(fmt.Sprintf(manifest, bad))})
	if err != nil {
		return fmt.Errorf("open the bad pull request: %w", err)
	}
	if err := s.until(ctx, func() bool {
		now, _ := repo.PR(pr.Number)
		return now.Status == "CLEAN"
	}); err != nil {
		return fmt.Errorf("wait for ci on #%d: %w", pr.Number, err)
	}
	if _, err := repo.MergePR(pr.Number, "squash", "bob"); err != nil {
		return fmt.Errorf("merge the bad pull request: %w", err)
	}
	s.culprit, _ = repo.PR(pr.Number)
	s.tell.say("bob merges #%d %q. It is deployed within a moment.", pr.Number, pr.Title)
	if err := s.recorded(ctx, bot.HealthBad); err != nil {
		return err
	}
	s.tell.say("The error rate climbs to %.0f %%.", 100*s.stage.Cluster.ErrorRate("web"))
	return nil
}

// recorded waits until the bot has seen the App in a state of health.
func (s *story) recorded(ctx context.Context, h bot.Health) error {
	return s.until(ctx, func() bool {
		lines, err := s.stage.App.Flow.Ports.Ledger.Deployments(ctx, appID, 1)
		return err == nil && len(lines) == 1 && lines[0].Health == h
	})
}

// follow shows the Rollback's steps as they come until it has ended.
func (s *story) follow(ctx context.Context) (bot.Record, error) {
	var rec bot.Record
	err := s.until(ctx, func() bool {
		records, err := s.stage.App.Flow.Ports.Ledger.Find(ctx, bot.RollbackQuery{Repo: stage.RepoName, Limit: 1})
		if err != nil || len(records) == 0 {
			return false
		}
		rec = records[0]
		if rec.View != nil {
			s.tell.steps(*rec.View)
		}
		return rec.End != nil
	})
	return rec, err
}

// until waits for a condition, looking often.
func (s *story) until(ctx context.Context, cond func() bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// document is what --json prints.
type document struct {
	Outcome     bot.Verdict  `json:"outcome"`
	Culprit     bot.SHA      `json:"culprit"`
	RevertPR    int          `json:"revert_pr"`
	MergeCommit bot.SHA      `json:"merge_commit"`
	Timeline    []moment     `json:"timeline"`
	GitHub      githubCounts `json:"github"`
}

type moment struct {
	Step  string    `json:"step"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// githubCounts are the bot's requests, as the hub saw them.
type githubCounts struct {
	Requests int `json:"requests"`
	// SequentialToMerge is the longest chain of requests that the merge waited
	// for, from the recorded decision to the merge answer. Telling people goes
	// on beside it and is left out, and so are the fetches of the mirror. CI is
	// green at once in the demo, so nothing is polled for.
	SequentialToMerge int `json:"sequential_to_merge"`
	ContentWrites     int `json:"content_writes"`
}

func (s *story) document(rec bot.Record) document {
	d := document{Outcome: rec.End.Verdict, Culprit: rec.Culprit.Head()}
	if v := rec.View; v != nil {
		for _, st := range v.Steps {
			d.Timeline = append(d.Timeline, moment{Step: st.Name, Start: st.Start, End: st.End})
		}
		if v.Pull != nil {
			d.RevertPR = v.Pull.Number
		}
		if v.Merge != nil {
			d.MergeCommit = v.Merge.Commit
		}
		from, to := span(v.Steps)
		d.GitHub.SequentialToMerge = s.stage.Chain(from, to)
	}
	mine := s.stage.GitHub.BotLogin()
	d.GitHub.ContentWrites = s.stage.Hub.CountWrites(mine)
	for _, r := range s.stage.Hub.Requests() {
		if r.Kind != "git" && (r.Actor == mine || r.Actor == "app:"+s.stage.GitHub.Slug()) {
			d.GitHub.Requests++
		}
	}
	return d
}

// span is the time from the recorded decision to the merge answer.
func span(steps []bot.Stage) (from, to time.Time) {
	at := func(name string) bot.Stage {
		if i := slices.IndexFunc(steps, func(s bot.Stage) bool { return s.Name == name }); i >= 0 {
			return steps[i]
		}
		return bot.Stage{}
	}
	return at("decide").End, at("merge").End
}
