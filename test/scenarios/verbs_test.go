package scenarios

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/cmd/app"
	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/test/simcluster"
)

// verbs are the words of the scripts; doc.go explains them.
var verbs = map[string]func(p *play, args string) error{
	"protect": protect, "ci": ci, "app": addApp, "policy": setPolicy, "limits": setLimits, "observe": observe, "start": start,
	"pr": openPR, "merge": mergePR, "push": push, "deploy": deploy,
	"comment": comment, "edit-comment": editComment, "alert": alert, "late-alert": lateAlert, "resolve": resolve,
	"suspend": suspend, "resume": resume, "grant": grant, "check": check, "check-pr": checkPR,
	"green": green, "push-revert": pushRevert,
	"break-cluster": breakCluster, "mend-cluster": mendCluster, "kill-switch": killSwitch,
	"close": closePR, "human-merge": humanMerge, "advance": advance, "restart": restart,
	"want-verdict": wantVerdict, "want-pulls": wantPulls, "want-comment": wantComment, "want-comments": wantComments,
	"want-file": wantFile, "want-held": wantHeld, "want-free": wantFree, "want-effect": wantEffect,
	"want-no-writes": wantNoWrites, "want-rollbacks": wantRollbacks, "want-waiting": wantWaiting,
	"want-preview": wantPreview,
	"automation":   automation, "janitor": janitor, "want-images": wantImages,
	"down": down, "up": up, "lose-comments": loseComments, "webhook-secret": webhookSecret,
	"alert-with": alertWith, "want-tame": wantTame,
	"sweep": sweep, "redeliver": redeliver, "delete-comment": deleteComment, "want-failed": wantFailed,
	"team": team, "team-hidden": teamHidden, "leave": leave, "allow-apps": allowApps, "fork-pr": forkPR, "repeat": repeat, "ready": ready,
	"issue": issue, "label": label, "unlabel": unlabel, "close-issue": closeIssue, "labels": labels, "kill-switch-file": killSwitchFile,
	"repo": repoOptions, "review": review, "lag": lag, "refuse-merge": refuseMerge,
	"approve-pr": approvePR, "ci-also": ciAlso, "draft-revert": draftRevert,
	"queue-human": queueHuman, "run-queue": runQueue, "fail-queue": failQueue, "disarm": disarm,
	"want-queued":     wantOpen("queued", func(pr fakehub.PR, _ string) bool { return pr.Queued }),
	"want-not-queued": wantOpen("out of the queue", func(pr fakehub.PR, _ string) bool { return !pr.Queued && pr.State == "open" }),
	"want-armed":      wantOpen("armed", func(pr fakehub.PR, _ string) bool { return pr.Auto }),
	"want-not-armed":  wantOpen("disarmed", func(pr fakehub.PR, _ string) bool { return !pr.Auto && pr.State == "open" }),
	"want-reviewer":   wantOpen("reviewed by", func(pr fakehub.PR, login string) bool { return slices.Contains(pr.Asked, login) }),
}

// words splits a line like a shell: double quotes keep spaces.
func words(s string) []string {
	var out []string
	var w strings.Builder
	quoted, any := false, false
	for _, r := range s {
		switch {
		case r == '"':
			quoted, any = !quoted, true
		case r == ' ' && !quoted:
			if any {
				out = append(out, w.String())
			}
			w.Reset()
			any = false
		default:
			w.WriteRune(r)
			any = true
		}
	}
	if any {
		out = append(out, w.String())
	}
	return out
}

func appID(name string) bot.AppID {
	return bot.AppID{Cluster: "prod", Kind: bot.KindKustomization, Namespace: "flux-system", Name: name}
}

func protect(p *play, args string) error {
	w := words(args)
	prot := fakehub.Protection{}
	for _, c := range w[1:] {
		switch {
		case c == "strict":
			prot.Strict = true
		case c == "queue":
			prot.MergeQueue = true
		case c == "ruleset":
			prot.Ruleset = true
		case strings.HasPrefix(c, "bypass="):
			prot.Bypass = []string{strings.TrimPrefix(c, "bypass=")}
		case strings.HasPrefix(c, "reviews="):
			prot.Approvals, _ = strconv.Atoi(strings.TrimPrefix(c, "reviews="))
		default:
			prot.RequiredChecks = append(prot.RequiredChecks, fakehub.RequiredCheck{Context: c})
		}
	}
	p.before = append(p.before, func() {
		for i, c := range prot.RequiredChecks {
			name, slug, sourced := strings.Cut(c.Context, "@")
			if !sourced {
				continue
			}
			app, err := p.ciApp(slug)
			if err != nil {
				p.t.Fatal(err)
			}
			prot.RequiredChecks[i] = fakehub.RequiredCheck{Context: name, App: app}
		}
		p.stage.Repo.Protect(w[0], prot)
	})
	return nil
}

func ci(p *play, args string) error {
	w := words(args)
	result := fakehub.CIResult{Name: w[0]}
	if len(w) > 1 {
		result.Conclusion = w[1]
	}
	p.before = append(p.before, func() {
		p.stage.Repo.CI(func(string) []fakehub.CIResult { return []fakehub.CIResult{result} })
	})
	return nil
}

func addApp(p *play, args string) error {
	w := words(args)
	kind, workload := "Deployment", w[0]
	spec := simcluster.AppSpec{ID: appID(w[0]), Branch: "main", Path: w[1], AutoSync: true}
	for _, opt := range w[2:] {
		if k, n, ok := strings.Cut(opt, "/"); ok {
			kind, workload = k, n
		}
		if opt == "untracked" {
			spec.Untracked = "it follows tag v1."
		}
	}
	spec.Workload = bot.Workload{Kind: kind, Namespace: "shop", Name: workload}
	p.before = append(p.before, func() { p.stage.Cluster.Add(spec) })
	return nil
}

func setPolicy(p *play, args string) error {
	var s policy.Settings
	if err := yaml.UnmarshalStrict([]byte(pairs(args)), &s); err != nil {
		return err
	}
	p.settings = append(p.settings, func(c *app.Config) { c.Policy.Defaults = s })
	return nil
}

func observe(p *play, _ string) error { p.stageOpts.Observe = true; return nil }

func start(p *play, _ string) error { return p.open() }

// contents reads FILE=CONTENT pairs; CONTENT names a file of the archive, "-"
// deletes.
func (p *play) contents(pairs []string) (map[string]*string, error) {
	out := map[string]*string{}
	for _, pair := range pairs {
		file, name, _ := strings.Cut(pair, "=")
		if name == "-" {
			out[file] = nil
			continue
		}
		text, ok := p.files[name]
		if !ok {
			return nil, fmt.Errorf("the archive has no file %q", name)
		}
		out[file] = &text
	}
	return out, nil
}

func openPR(p *play, args string) error {
	w := words(args)
	files, err := p.contents(w[2:])
	if err != nil {
		return err
	}
	_, err = p.stage.Repo.OpenPR(w[0], w[1], fmt.Sprintf("topic-%d", len(p.stage.Repo.PRs())), "main", files)
	return err
}

func mergePR(p *play, args string) error {
	w := words(args)
	n, err := strconv.Atoi(w[0])
	if err != nil {
		return err
	}
	if err := p.until("the pull request to be mergeable", func() (bool, string) {
		pr, _ := p.stage.Repo.PR(n)
		return pr.Status == "CLEAN" || pr.Status == "UNSTABLE", pr.Status
	}); err != nil {
		return err
	}
	_, err = p.stage.Repo.MergePR(n, w[1], "bob")
	return err
}

func push(p *play, args string) error {
	w := words(args)
	files, err := p.contents(w[2:])
	if err != nil {
		return err
	}
	_, err = p.stage.Repo.Commit("main", w[0], w[1], files)
	return err
}

func deploy(p *play, _ string) error {
	if err := p.stage.Cluster.Reconcile(); err != nil {
		return err
	}
	return p.recorded()
}

func comment(p *play, args string) error {
	w := strings.SplitN(args, " ", 3)
	n, err := strconv.Atoi(w[1])
	if err != nil {
		return err
	}
	text := strings.ReplaceAll(w[2], `\n`, "\n")
	if before, rest, ok := strings.Cut(text, "{head:"); ok {
		branch, after, _ := strings.Cut(rest, "}")
		text = before + p.stage.Repo.Head(branch) + after
	}
	p.lastComment, err = p.stage.Repo.Comment(n, w[0], text)
	if err != nil {
		return err
	}
	return p.stage.Hub.Flush(p.ctx)
}

func editComment(p *play, args string) error {
	if err := p.stage.Repo.EditComment(p.lastComment, "bob", args); err != nil {
		return err
	}
	return p.stage.Hub.Flush(p.ctx)
}

func alert(p *play, _ string) error {
	p.alerts = p.stage.Cluster.Alerts()
	if len(p.alerts) == 0 {
		return fmt.Errorf("no alert fires")
	}
	return p.send(p.alerts)
}

// lateAlert is alert, but the trouble began only long after the rollout.
func lateAlert(p *play, args string) error {
	d, err := time.ParseDuration(args)
	if err != nil {
		return err
	}
	p.stage.Cluster.AgeAlerts(d)
	p.clock.Advance(d)
	return alert(p, "")
}

func resolve(p *play, _ string) error {
	gone := slices.Clone(p.alerts)
	for i := range gone {
		gone[i].Firing, gone[i].EndsAt = false, p.clock.Now()
	}
	return p.send(gone)
}

func (p *play) send(alerts []bot.Alert) error {
	code, err := p.stage.SendAlerts(p.ctx, alerts...)
	if err == nil && code/100 != 2 {
		err = fmt.Errorf("answered with %d", code)
	}
	return err
}

func suspend(p *play, args string) error { p.stage.Cluster.Suspend(appID(args)); return nil }

func resume(p *play, args string) error { p.stage.Cluster.Resume(appID(args)); return nil }

func grant(p *play, args string) error {
	w := words(args)
	if err := p.quiet(); err != nil {
		return err
	}
	return p.stage.Repo.Grant(w[0], w[1])
}

// check reports on the open revert's head: NAME CONCLUSION [APP].
func check(p *play, args string) error {
	w := words(args)
	pr, err := p.revert()
	if err != nil {
		return err
	}
	var as *fakehub.App
	if len(w) > 2 {
		if as, err = p.ciApp(w[2]); err != nil {
			return err
		}
	}
	return p.stage.Repo.SetCheck(pr.HeadSHA, w[0], w[1], as)
}

// green turns a check green on every head of an open revert until the story has
// its verdict.
func green(p *play, args string) error {
	name, verdict, _ := strings.Cut(args, " ")
	done := map[string]bool{}
	return p.until("verdict "+verdict, func() (bool, string) {
		for _, pr := range p.mine() {
			if pr.State != "open" || done[pr.HeadSHA] {
				continue
			}
			done[pr.HeadSHA] = true
			if err := p.stage.Repo.SetCheck(pr.HeadSHA, name, "success", nil); err != nil {
				return false, err.Error()
			}
		}
		rs := p.rollbacks()
		if len(rs) == 0 || rs[0].End == nil {
			return false, "under way"
		}
		return string(rs[0].End.Verdict) == verdict, string(rs[0].End.Verdict) + ": " + rs[0].End.Summary
	})
}

// pushRevert pushes to the branch of the open revert.
func pushRevert(p *play, args string) error {
	w := words(args)
	files, err := p.contents(w[2:])
	if err != nil {
		return err
	}
	for _, pr := range p.mine() {
		if pr.State == "open" {
			_, err := p.stage.Repo.Commit(pr.Head, w[0], w[1], files)
			return err
		}
	}
	return fmt.Errorf("no revert is open")
}

func checkPR(p *play, args string) error {
	w := words(args)
	pr, ok := p.stage.Repo.PR(p.number(w[0]))
	if !ok {
		return fmt.Errorf("there is no #%s", w[0])
	}
	return p.stage.Repo.SetCheck(pr.HeadSHA, w[1], w[2], nil)
}

func breakCluster(p *play, _ string) error {
	p.stage.Cluster.Break(bot.NewTrouble(bot.TroubleTransient, nil, "Cluster prod can't be reached."))
	return nil
}

func mendCluster(p *play, _ string) error { p.stage.Cluster.Break(nil); return nil }

func killSwitch(p *play, args string) error {
	if err := p.quiet(); err != nil {
		return err
	}
	if args == "on" {
		return os.WriteFile(p.killFile, nil, 0o600)
	}
	return os.Remove(p.killFile)
}

// quiet waits until the bot asks GitHub for nothing more, so that no look sees the
// world from before a change in one place and from after it in another.
func (p *play) quiet() error {
	if p.stage == nil {
		return nil
	}
	seen := -1
	for range 50 { // who never stops asking is not waited for
		now := len(p.stage.Hub.Requests())
		if now == seen {
			break
		}
		seen = now
		select {
		case <-p.ctx.Done():
			return p.ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

func (p *play) number(args string) int {
	n, err := strconv.Atoi(args)
	if err != nil {
		p.t.Fatalf("%q is no number", args)
	}
	return n
}

func closePR(p *play, args string) error { return p.stage.Repo.ClosePR(p.number(args), "bob") }

func humanMerge(p *play, args string) error {
	_, err := p.stage.Repo.MergePR(p.number(args), "squash", "bob")
	return err
}

func advance(p *play, args string) error {
	d, err := time.ParseDuration(args)
	if err != nil {
		return err
	}
	if p.engine == nil {
		p.clock.Advance(d)
		return nil
	}
	if err := p.engine.Idle(p.ctx); err != nil {
		return err
	}
	p.clock.Advance(d)
	return nil
}

func restart(p *play, _ string) error {
	if err := p.stage.Stop(); err != nil {
		return err
	}
	return p.again()
}

// again starts the bot that was stopped, on the same data.
func (p *play) again() error {
	if err := p.newEngine(); err != nil {
		return err
	}
	if err := p.stage.Rewire(p.ctx, p.stageOpts.Engine); err != nil {
		return err
	}
	p.stage.Start(p.ctx)
	return nil
}
