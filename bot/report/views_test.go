package report

import (
	"slices"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func after(seconds float64) time.Time { return noon.Add(time.Duration(seconds * float64(time.Second))) }

// sha is a commit ID of one repeated digit.
func sha(digit string) bot.SHA { return bot.SHA(strings.Repeat(digit, 40)) }

var (
	webApp = bot.AppID{Cluster: "prod", Kind: bot.KindKustomization, Namespace: "flux-system", Name: "web"}
	apiApp = bot.AppID{Cluster: "prod", Kind: bot.KindKustomization, Namespace: "flux-system", Name: "api"}
)

// stage is one line of the step table, done unless state says otherwise.
func stage(name, state, detail string, from, to float64) bot.Stage {
	s := bot.Stage{Name: name, State: state, Detail: detail, Start: after(from)}
	if to > 0 {
		s.End = after(to)
	}
	return s
}

// onCommand is a Rollback that ann asked for, as it stands once it is decided.
func onCommand() bot.View {
	return bot.View{
		Rollback: bot.Rollback{
			ID: "rb-0123456789ab", Attempt: 1, Host: "github.com", Repo: "acme/fleet", Base: "main", ReportTo: 12, Comment: 99,
			Culprit: bot.Change{Commits: []bot.SHA{sha("a")}, PR: 12, Subject: "Update web to v2", Author: "bob", Paths: []string{"apps/web/deploy.yaml"}},
			Apps:    []bot.AppID{webApp},
			Incident: bot.Incident{
				Kind: bot.IncidentCommand, ID: "guid", Requester: "ann", Reason: "checkout fails", Received: noon,
			},
		},
		Decision: bot.Decision{Verb: bot.VerbAct},
		Steps:    []bot.Stage{stage("decide", "done", "act", 0.2, 0.9)},
		Changed:  []string{"apps/web/deploy.yaml"},
		Before:   []bot.CheckResult{{Name: "error rate of web below 5 %", Status: bot.CheckFail, Detail: "The value is 0.42, wanted < 0.05.", Value: "0.42"}},
		Began:    after(0.1), Server: "https://github.com",
	}
}

func withPull(v bot.View) bot.View {
	v.Pull = &bot.RevertPull{Number: 13, URL: "https://github.com/acme/fleet/pull/13", Branch: "backout/revert-aaaaaaaaaaaa", Head: sha("b"), Tree: sha("c")}
	v.Steps = append(v.Steps, stage("open revert", "done", "#13", 0.9, 2.1))
	return v
}

func waiting(v bot.View, why string) bot.View {
	v.Steps = append(v.Steps, stage("merge", "now", "", 2.1, 0))
	v.Now, v.Waiting = "merge", why
	return v
}

func merged(v bot.View) bot.View {
	v = withPull(v)
	v.Steps = append(v.Steps, stage("merge", "done", "dddddddddddd", 2.1, 32.4))
	v.Merge = &bot.Merged{Merged: true, Commit: sha("d")}
	return v
}

// checked has the checks as they are in the end, each with a status.
func checked(v bot.View, rate, alert string) bot.View {
	details := map[string]string{bot.CheckPass: "The value is 0.001, wanted < 0.05.", bot.CheckFail: "The value is 0.42, wanted < 0.05.", bot.CheckUnknown: "The query returned no data."}
	v = merged(v)
	v.Steps = append(v.Steps, stage("sync", "done", "", 32.4, 61.0), stage("verify", "now", "", 61.0, 0))
	v.After = []bot.CheckResult{
		{Name: "Kustomization web", Status: bot.CheckPass, Detail: "healthy at dddddddddddd"},
		{Name: "Deployment shop/web", Status: bot.CheckPass, Detail: "rolled out"},
		{Name: "error rate of web below 5 %", Status: rate, Detail: details[rate]},
		{Name: "alert WebErrors", Status: alert, Detail: map[string]string{bot.CheckPass: "resolved at 12:01:40 UTC", bot.CheckFail: "still firing"}[alert]},
		{Name: "queue length", Status: bot.CheckFail, Detail: "The value is 1200, wanted < 100.", Advisory: true},
	}
	return v
}

// ended closes a Rollback with a verdict.
func ended(v bot.View, seconds float64, verdict bot.Verdict, summary string, todo ...string) bot.View {
	v.Steps = slices.Clone(v.Steps)
	if n := len(v.Steps) - 1; v.Steps[n].State == "now" {
		v.Steps[n].State, v.Steps[n].End = map[bool]string{true: "done", false: "failed"}[verdict == bot.VerdictVerified], after(seconds)
	}
	v.Now, v.Waiting, v.Verdict, v.Summary, v.Todo, v.Ended = "", "", verdict, summary, todo, after(seconds)
	return v
}

// finding has a first suspect, one that is not on record, two that are tied, and
// more than are shown.
func finding(culprit bot.Change, confident bool) *bot.Finding {
	other := func(digit, subject, author string, score float64) bot.Suspect {
		return bot.Suspect{Change: bot.Change{Commits: []bot.SHA{sha(digit)}, Subject: subject, Author: author, When: after(-86400)}, Score: score}
	}
	second := other("e", "Raise memory of web", "carol", 3.1)
	second.Chance, second.Evidence = 0.02, []bot.Evidence{
		{Signal: "recency", Detail: "one change to this App is newer", Weight: -0.9},
		{Signal: "object", Detail: "changes resources of Deployment web in `apps/web/deploy.yaml`", Weight: 3},
		{Signal: "rollout", Detail: "when it was rolled out is not on record", Judged: true},
	}
	third, fourth := other("f", "Rename labels", "dave", 1.5), other("1", "Add worker", "dave", 1.5)
	third.Chance, third.RolledOut, fourth.Chance, fourth.RolledOut = 0.004, after(-90000), 0.004, after(-90000)
	return &bot.Finding{
		None: 0.054, Confident: confident, Weighed: 12,
		NoneEvidence: []bot.Evidence{
			{Signal: "history", Detail: "what git alone tells of the first suspect, before the alert", Weight: -5.4},
			{Signal: "alerts", Detail: "most alerts have another cause than a change", Weight: 0.85, Judged: true},
		},
		Suspects: []bot.Suspect{
			{Change: culprit, Score: 7, Chance: 0.918, RolledOut: after(-252), Evidence: []bot.Evidence{
				{Signal: "recency", Detail: "the newest change to this App"},
				{Signal: "age", Detail: "rolled out 9 min 12 s before the alert", Weight: -0.6},
				{Signal: "live", Detail: "2 of 2 lines it changed are still so", Weight: 2.9},
				{Signal: "breadth", Detail: "changes 1 file in effect here, 1 file in the whole repository", Weight: 1.3},
				{Signal: "author", Detail: "its author made 33 % of the changes looked at", Weight: -0.4},
				{Signal: "merge", Detail: "is a merge", Weight: 0.8},
				{Signal: "files", Detail: "adds new files only", Weight: -0.7},
				{Signal: "object", Detail: "changes image of Deployment web in `apps/web/deploy.yaml`", Weight: 3},
				{Signal: "rollout", Detail: "rolled out 4 min 12 s before the trouble began", Weight: 1.1, Judged: true},
				{Signal: "health", Detail: "the App was healthy on the revision before it", Weight: 0.5, Judged: true},
			}},
			second, third, fourth, other("2", "Bump chart", "erin", 0.2), other("3", "Add probe", "erin", -1),
		},
	}
}

// onAlert is a Rollback that two alerts ask for.
func onAlert(verb bot.Verb, reasons ...bot.Reason) bot.View {
	v := onCommand()
	v.Rollback.Incident = bot.Incident{
		Kind: bot.IncidentAlert, ID: "hash", Received: after(300), Onset: bot.Onset{From: noon, To: noon},
		Alerts: []bot.Alert{
			{Fingerprint: "1", Firing: true, Labels: map[string]string{"alertname": "WebErrors"}, Annotations: map[string]string{"summary": "42 % of requests to web fail"}, GeneratorURL: "http://prometheus:9090/graph?g0.expr=x"},
			{Fingerprint: "2", Firing: true, Labels: map[string]string{"alertname": "WebSlow"}},
		},
	}
	v.Rollback.Affected = []bot.AppID{apiApp}
	v.Rollback.Comment = 0
	v.Decision = bot.Decision{Verb: verb, Reasons: reasons}
	v.Steps[0].Detail = string(verb)
	v.Rollback.Finding = finding(v.Rollback.Culprit, len(reasons) == 0)
	if len(reasons) > 0 {
		v.Rollback.Finding.Doubts = []string{"Revision `999999999999` was rolled out between the beginning of the trouble and the alert."}
	}
	return v
}

var notConfident = bot.Reason{Name: "not-confident", Text: "The finding is not certain enough to act on; the suspects below say why."}

func conflicted(v bot.View) bot.View {
	v.Changed = nil
	v.Conflicts = []bot.Conflict{
		{Path: "apps/web/deploy.yaml", Kind: "content", Since: []bot.SHA{sha("2"), sha("3")}},
		{Path: "apps/web/hpa.yaml", Kind: "modify/delete", Since: []bot.SHA{sha("2"), sha("3"), sha("4"), sha("5")}},
		{Path: "apps/web/logo.bin", Kind: "attributes"},
	}
	return v
}

// rangeOf is the change of a rebased pull request.
func rangeOf(v bot.View) bot.View {
	v.Rollback.Culprit.Commits = []bot.SHA{sha("a"), sha("6"), sha("7")}
	return v
}

func mergeOf(v bot.View) bot.View {
	v.Rollback.Culprit.Mainline, v.Rollback.Culprit.Subject = 1, "Merge pull request #12 from acme/web-v2"
	return v
}
