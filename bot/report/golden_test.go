package report

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a text with testdata/<name>. Every text is also harmless to
// render.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if strings.HasSuffix(name, ".md") {
		harmless(t, strings.ReplaceAll(got, "@ann ", ""))
	}
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; go test ./bot/report -update writes it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestSticky(t *testing.T) {
	stateful := bot.Reason{Name: "stateful", Text: "The revert changes a StatefulSet: data may not survive going back (`apps/db/sts.yaml`)."}
	approving := onCommand()
	approving.Decision = bot.Decision{Verb: bot.VerbAsk, Reasons: []bot.Reason{stateful}}
	approving.Steps[0].Detail = "ask"
	approving.Steps = append(approving.Steps, stage("approve", "now", "", 0.9, 0))
	approving.Now, approving.Waiting = "approve", "Waiting for a second person: comment `/rollback approve rb-0123456789ab`."

	deciding := onCommand()
	deciding.Steps, deciding.Decision, deciding.Now = []bot.Stage{stage("decide", "now", "", 0.2, 0)}, bot.Decision{}, "decide"
	opening := onCommand()
	opening.Steps, opening.Now = append(opening.Steps, stage("open revert", "now", "", 0.9, 0)), "open revert"

	syncing := merged(onCommand())
	syncing.Steps, syncing.Now = append(syncing.Steps, stage("sync", "now", "", 32.4, 0)), "sync"
	syncing.Holds = []bot.Held{{App: webApp}, {App: apiApp, Placed: true}}
	verifying := checked(onCommand(), bot.CheckFail, bot.CheckFail)
	verifying.Now = "verify"

	held := ended(syncing, 932, bot.VerdictNeedsHuman,
		"The revert is merged but was not applied within 15m0s: prod/Kustomization/flux-system/web is held by somebody else (`debugging`).",
		"flux resume kustomization web -n flux-system", "flux reconcile kustomization web -n flux-system --with-source")
	held.Notes = []string{"prod/Kustomization/flux-system/web is held by somebody else: `debugging`."}

	refused := onCommand()
	refused.Decision = bot.Decision{Verb: bot.VerbRefuse, Reasons: []bot.Reason{
		{Name: "touches-workflows", Text: "The revert changes `.github/workflows/ci.yaml`, which needs a permission that Backout does not have."},
	}}
	unprotected := waiting(withPull(onCommand()), "main requires nothing before a merge; giving lint time to finish.")

	conflict := ended(conflicted(onCommand()), 1, bot.VerdictNeedsHuman, "Later commits changed the same lines, so aaaaaaaaaaaa can't be reverted by itself.",
		"git revert "+string(sha("a")), "Or revert the later commits named above first, with /rollback <sha> each, newest first.")

	for name, v := range map[string]bot.View{
		"sticky-deciding":         deciding,
		"sticky-approve":          approving,
		"sticky-opening":          opening,
		"sticky-merging":          waiting(withPull(onCommand()), "Waiting: check ci is running."),
		"sticky-settling":         unprotected,
		"sticky-syncing":          syncing,
		"sticky-verifying":        verifying,
		"sticky-verified":         ended(checked(onCommand(), bot.CheckPass, bot.CheckPass), 104.5, bot.VerdictVerified, "Production is healthy again."),
		"sticky-not-fixed":        ended(checked(onCommand(), bot.CheckFail, bot.CheckFail), 661, bot.VerdictNotFixed, "The revert is applied, but error rate of web below 5 %: The value is 0.42, wanted < 0.05.", "Look for another cause: the revert is merged and stays."),
		"sticky-unverified":       ended(checked(onCommand(), bot.CheckUnknown, bot.CheckPass), 661, bot.VerdictUnverified, "The revert is merged and applied, but production could not be verified: error rate of web below 5 %: The query returned no data.", "Check production yourself."),
		"sticky-failed":           ended(onCommand(), 5, bot.VerdictFailed, "Backout was stopped and could not go on."),
		"sticky-cancelled":        ended(waiting(withPull(onCommand()), ""), 40, bot.VerdictCancelled, "Cancelled by @carol."),
		"sticky-needs-human":      held,
		"sticky-refused":          ended(refused, 1, bot.VerdictNeedsHuman, refused.Decision.Reasons[0].Text),
		"sticky-conflict":         conflict,
		"sticky-nothing-to-do":    ended(onCommand(), 1, bot.VerdictNothingToDo, "aaaaaaaaaaaa is already reverted by 999999999999."),
		"sticky-alert":            waiting(withPull(onAlert(bot.VerbAct)), "Waiting: check ci has not begun."),
		"sticky-alert-proposed":   waiting(withPull(onAlert(bot.VerbPropose, notConfident)), "This is a proposal: merge it, or comment `/rollback approve rb-0123456789ab`."),
		"sticky-alert-unmerged":   ended(waiting(withPull(onAlert(bot.VerbPropose, notConfident)), ""), 3900, bot.VerdictProposed, "The revert is proposed; nobody merged it yet.", "Merge https://github.com/acme/fleet/pull/13"),
		"sticky-alert-verified":   ended(checked(onAlert(bot.VerbAct), bot.CheckPass, bot.CheckPass), 404.5, bot.VerdictVerified, "Production is healthy again."),
		"sticky-gate-needs-human": ended(waiting(withPull(onCommand()), ""), 3700, bot.VerdictNeedsHuman, "The revert could not merge within 1h0m0s: Waiting: check ci failed.", "Merge https://github.com/acme/fleet/pull/13 yourself, or comment `/rollback cancel rb-0123456789ab`."),
	} {
		t.Run(name, func(t *testing.T) { golden(t, name+".md", Teller{}.Sticky(v)) })
	}
}

func TestPull(t *testing.T) {
	alone := onCommand()
	alone.Rollback.Culprit.PR, alone.Rollback.ReportTo, alone.Rollback.Incident.Reason = 0, 0, ""
	interval := onAlert(bot.VerbPropose, notConfident)
	interval.Rollback.Incident.Onset.To = after(900)
	many := onCommand()
	many.Changed = nil
	for range 30 {
		many.Changed = append(many.Changed, "apps/web/deploy.yaml")
		many.Rollback.Affected = append(many.Rollback.Affected, apiApp)
	}
	for name, v := range map[string]bot.View{
		"pull":                onCommand(),
		"pull-commit":         alone,
		"pull-merge":          mergeOf(onCommand()),
		"pull-range":          rangeOf(onCommand()),
		"pull-alert":          onAlert(bot.VerbAct),
		"pull-alert-proposed": interval,
		"pull-many":           many,
	} {
		t.Run(name, func(t *testing.T) {
			title, body, message := Teller{}.Pull(v)
			harmlessLine(t, title)
			first, _, _ := strings.Cut(message, "\n")
			if first != title {
				t.Errorf("the commit is called %q, the pull request %q", first, title)
			}
			golden(t, name+".md", body)
			golden(t, name+".commit.txt", message)
		})
	}
}

func TestCheckRun(t *testing.T) {
	for name, v := range map[string]bot.View{
		"check-running":     waiting(withPull(onCommand()), "Waiting: check ci is running."),
		"check-verified":    ended(checked(onCommand(), bot.CheckPass, bot.CheckPass), 104.5, bot.VerdictVerified, "Production is healthy again."),
		"check-needs-human": ended(waiting(withPull(onCommand()), ""), 3700, bot.VerdictNeedsHuman, "The revert could not merge within 1h0m0s: Waiting: check ci failed.", "Merge https://github.com/acme/fleet/pull/13"),
	} {
		t.Run(name, func(t *testing.T) {
			title, summary, conclusion := Teller{}.CheckRun(v)
			golden(t, name+".md", "title: "+title+"\n\nconclusion: "+conclusion+"\n\n"+summary)
		})
	}
}

// TestConclusions: only what GitHub knows, and none before the end.
func TestConclusions(t *testing.T) {
	for verdict, want := range map[bot.Verdict]string{
		"": "", bot.VerdictVerified: "success", bot.VerdictNotFixed: "failure", bot.VerdictUnverified: "neutral", bot.VerdictFailed: "failure",
		bot.VerdictCancelled: "cancelled", bot.VerdictNeedsHuman: "action_required", bot.VerdictProposed: "neutral", bot.VerdictObserved: "neutral", bot.VerdictNothingToDo: "neutral",
	} {
		title, _, got := Teller{}.CheckRun(bot.View{Verdict: verdict})
		if got != want {
			t.Errorf("%q concludes with %q, want %q", verdict, got, want)
		}
		if title == "" || title[0] > 127 || title[0] == ' ' {
			t.Errorf("%q has the title %q", verdict, title)
		}
	}
}

func TestReply(t *testing.T) {
	planned := func(v bot.View, verb bot.Verb, reasons ...bot.Reason) *bot.View {
		v.Steps, v.Decision = nil, bot.Decision{Verb: verb, Reasons: reasons}
		return &v
	}
	already := onCommand()
	already.Changed, already.Notes = nil, []string{"Already reverted by 999999999999."}
	record := func(v bot.View, end *bot.End) bot.Record {
		return bot.Record{Rollback: v.Rollback, Begun: noon, End: end, View: &v}
	}
	alone := onCommand()
	alone.Rollback.Culprit.PR = 0

	for name, a := range map[string]bot.Answer{
		"reply-help":          {Kind: bot.AnswerHelp},
		"reply-malformed":     {Kind: bot.AnswerMalformed, Command: "/rollback plese", Detail: "`plese` is neither a commit, a pull request nor a word that I know.", Advice: "Did you mean `/rollback plan`?"},
		"reply-forbidden":     {Kind: bot.AnswerForbidden},
		"reply-refused":       {Kind: bot.AnswerRefused, Command: "/rollback", Detail: "Pull request #12 is not merged, so there is nothing to take back.", Advice: "Close it instead, or name what to take back: `/rollback <sha>` or `/rollback #<number>`."},
		"reply-busy":          {Kind: bot.AnswerRefused, Detail: "Rollback rb-0123456789ab is already working on one of these Apps.", Advice: "Wait for it, or comment `/rollback cancel rb-0123456789ab` first."},
		"reply-noted":         {Kind: bot.AnswerNoted, Detail: "Approved Rollback rb-0123456789ab."},
		"reply-none":          {Kind: bot.AnswerNone, Detail: "No Rollback is under way here."},
		"reply-late":          {Kind: bot.AnswerLate, Command: "/rollback #7 --reason \"checkout is down\"", Asked: noon, Seen: noon.Add(3*time.Hour + 4*time.Minute)},
		"reply-no-app":        {Kind: bot.AnswerNoApp, Detail: "No App is built from what this changes.", Looked: []string{"Kustomizations of cluster prod", "labels namespace with `deployment`"}},
		"reply-plan":          {Kind: bot.AnswerPlan, View: planned(onCommand(), bot.VerbAct)},
		"reply-plan-ask":      {Kind: bot.AnswerPlan, View: planned(onCommand(), bot.VerbAsk, bot.Reason{Name: "max-affected", Text: "The revert changes 7 other Apps; the policy allows 5."})},
		"reply-plan-conflict": {Kind: bot.AnswerPlan, View: planned(conflicted(onCommand()), bot.VerbAct)},
		"reply-plan-already":  {Kind: bot.AnswerPlan, View: planned(already, bot.VerbAct)},
		"reply-status": {Kind: bot.AnswerStatus, Records: []bot.Record{
			record(waiting(withPull(onCommand()), "Waiting: check ci is running."), nil),
			record(bot.View{Rollback: alone.Rollback, Now: "sync"}, nil),
			record(bot.View{Rollback: onCommand().Rollback}, nil),
			record(onCommand(), &bot.End{Verdict: bot.VerdictVerified, Summary: "Production is healthy again.", At: after(100)}),
		}},
		"reply-status-none": {Kind: bot.AnswerStatus},
	} {
		a.To = "ann"
		t.Run(name, func(t *testing.T) { golden(t, name+".md", Teller{}.Reply(a)) })
	}
}

// TestReplyAtATerminal: where nobody commented, nobody is spoken to.
func TestReplyAtATerminal(t *testing.T) {
	for _, kind := range []bot.AnswerKind{bot.AnswerForbidden, bot.AnswerRefused, bot.AnswerMalformed, bot.AnswerStatus, bot.AnswerNone} {
		if got := (Teller{}).Reply(bot.Answer{Kind: kind, Detail: "No."}); strings.Contains(got, "@") {
			t.Errorf("%s: %s", kind, got)
		}
	}
}

// TestGoldenFilesAreUsed: a file that no test reads any more shows old words.
func TestGoldenFilesAreUsed(t *testing.T) {
	if *update {
		t.Skip("they are being written")
	}
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d golden files, %v", len(files), err)
	}
	tests, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var source []byte
	for _, name := range tests {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source = append(source, b...)
	}
	for _, f := range files {
		name, _, _ := strings.Cut(filepath.Base(f), ".")
		if !strings.Contains(string(source), `"`+name+`":`) {
			t.Errorf("no test reads %s", f)
		}
	}
}
