package crash

import (
	"fmt"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/test/stage"
)

// story is what happens in a run, and what must have come of it.
type story struct {
	name    string
	policy  policy.Settings
	protect fakehub.Protection // of main, beside the required check
	apps    []string           // default web
	pending bool               // the check on the revert does not end by itself
	wide    bool               // the change has more files than one document takes
	tell    func(*run) error
	want    want
}

// want is what must hold at the end of a story, however often the bot was
// killed in it.
type want struct {
	verdict bot.Verdict
	merged  bool
	held    bool  // each App is held once and released once
	replies []int // how many answers each comment gets, in their order
}

func to[T any](v T) *T { return &v }

// What the stories come to: rolled back after one comment without an answer, or
// cancelled by a second comment that is answered.
var (
	verified  = want{verdict: bot.VerdictVerified, merged: true, replies: []int{0}}
	cancelled = want{verdict: bot.VerdictCancelled, replies: []int{0, 1}}
)

func (w want) andHeld() want { w.held = true; return w }

// stories are the flows of the matrix. Together they have every outside effect.
func stories() []story {
	held := policy.Settings{Hold: to("always")}
	auto := policy.Settings{Merge: to("github-auto")}
	queue := fakehub.Protection{MergeQueue: true, Ruleset: true}
	return []story{
		{name: "command", tell: command, want: verified},
		{name: "command-hold", policy: held, tell: command, want: verified.andHeld()},
		{
			name: "approve", policy: policy.Settings{Commands: to(bot.ModeApprove)}, tell: approve,
			want: want{verdict: bot.VerdictVerified, merged: true, replies: []int{0, 1}},
		},
		{
			name: "alert-hold", policy: policy.Settings{Alerts: to(bot.ModeAuto), Hold: to("always")}, tell: alert,
			want: want{verdict: bot.VerdictVerified, merged: true, held: true},
		},
		{
			name: "alerts-join", policy: policy.Settings{Alerts: to(bot.ModeAuto)}, apps: []string{"web", "cart"}, pending: true, tell: alertsJoin,
			want: want{verdict: bot.VerdictVerified, merged: true},
		},
		{name: "cancel-hold", policy: held, pending: true, tell: cancel, want: cancelled.andHeld()},
		{name: "base-moves", protect: fakehub.Protection{Strict: true}, pending: true, tell: baseMoves, want: verified},
		{name: "git-data", wide: true, tell: command, want: verified},
		{name: "review", protect: fakehub.Protection{Approvals: 1, Ruleset: true}, tell: review, want: verified},
		{name: "queue", protect: queue, tell: queued, want: verified},
		{name: "queue-cancel", protect: queue, tell: cancelQueued, want: cancelled},
		{name: "auto-merge", policy: auto, pending: true, tell: armed, want: verified},
		{name: "auto-merge-cancel", policy: auto, pending: true, tell: cancelArmed, want: cancelled},
	}
}

// rules are what main asks for while the bot works.
func (s story) rules() fakehub.Protection {
	p := s.protect
	p.RequiredChecks = []fakehub.RequiredCheck{{Context: "ci"}}
	return p
}

// names are the Apps.
func (s story) names() []string {
	if s.apps == nil {
		return []string{"web"}
	}
	return s.apps
}

func appID(name string) bot.AppID {
	return bot.AppID{Cluster: "prod", Kind: bot.KindKustomization, Namespace: "flux-system", Name: name}
}

func path(name string) string { return "apps/" + name + "/deploy.yaml" }

// good are the files of the repository before the change.
func (s story) good() map[string]string {
	files := map[string]string{}
	for _, name := range s.names() {
		files[path(name)] = stage.Deployment(name, "v1")
	}
	for _, file := range s.crowd() {
		files[file] = "good: true\n"
	}
	return files
}

// bad is the change.
func (s story) bad() map[string]*string {
	files := map[string]*string{}
	for _, name := range s.names() {
		files[path(name)] = to(stage.Deployment(name, "v2-bad"))
	}
	for _, file := range s.crowd() {
		files[file] = to("good: false\n")
	}
	return files
}

// crowd are the files of a wide change. GitHub takes up to 100 in one document
// that commits; more go through the Git data API.
func (s story) crowd() []string {
	var files []string
	for i := range 101 {
		if s.wide {
			files = append(files, fmt.Sprintf("apps/web/values-%03d.yaml", i))
		}
	}
	return files
}
