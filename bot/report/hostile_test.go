package report

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// hostileView has one text in every place that others can write to, and in
// every sentence of ours that may quote it.
func hostileView(s string) bot.View {
	s = s[:min(len(s), 1<<14)] // TestHostileText has the megabytes
	v := checked(onAlert(bot.VerbPropose), bot.CheckFail, bot.CheckUnknown)
	v.Rollback.Culprit.Subject, v.Rollback.Culprit.Author = s, s
	v.Rollback.Incident.Reason, v.Rollback.Incident.Requester = s, s
	for i := range v.Rollback.Incident.Alerts {
		a := &v.Rollback.Incident.Alerts[i]
		a.Labels, a.Annotations, a.GeneratorURL = map[string]string{"alertname": s}, map[string]string{"summary": s}, s
	}
	app := bot.AppID{Cluster: s, Kind: bot.KindApplication, Namespace: s, Name: s}
	v.Rollback.Apps, v.Rollback.Affected = []bot.AppID{app}, []bot.AppID{app}
	v.Holds = []bot.Held{{App: app}, {App: app, Placed: true}}
	for i := range v.Rollback.Finding.Suspects {
		suspect := &v.Rollback.Finding.Suspects[i]
		suspect.Change.Subject, suspect.Change.Author = s, s
		suspect.Evidence = []bot.Evidence{{Signal: "object", Detail: s}, {Signal: "object", Detail: "changes `" + s + "`"}}
	}
	v.Rollback.Finding.NoneEvidence = []bot.Evidence{{Signal: "history", Detail: s}, {Signal: "object", Detail: "changes `" + s + "`", Judged: true}}
	v.Rollback.Finding.Doubts = []string{s, "`" + s + "`"}
	v.Decision.Reasons = []bot.Reason{{Name: "stateful", Text: s}, {Name: "crd", Text: "The revert changes `" + s + "`."}}
	for i := range v.Steps {
		v.Steps[i].Detail = s
	}
	v.After = append(v.After, bot.CheckResult{Name: s, Status: bot.CheckFail, Detail: s}, bot.CheckResult{Name: "x", Status: bot.CheckUnknown, Detail: "It says `" + s + "`."})
	v.Before = append(v.Before, bot.CheckResult{Name: s, Detail: s})
	v.Changed = []string{s}
	v.Conflicts = []bot.Conflict{{Path: s, Kind: "content", Since: []bot.SHA{sha("2")}}}
	v.Notes, v.Todo = []string{s, "`" + s + "`"}, []string{s, "git revert " + s, "Merge https://github.com/acme/fleet/pull/13: " + s}
	v.Waiting, v.Summary = "Waiting: "+s+".", "The revert is applied, but "+s
	return v
}

func TestHostileViews(t *testing.T) {
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			for kind, verdict := range map[bot.IncidentKind]bot.Verdict{bot.IncidentCommand: "", bot.IncidentAlert: bot.VerdictNeedsHuman} {
				v := hostileView(text)
				v.Rollback.Incident.Kind, v.Verdict = kind, verdict
				harmless(t, Teller{}.Sticky(v))
				title, body, message := Teller{}.Pull(v)
				harmlessLine(t, title)
				harmless(t, body)
				for l := range strings.Lines(message) {
					harmlessLine(t, strings.TrimSuffix(l, "\n"))
				}
				want := messageShape
				if plain(text) == "" {
					want = want[:len(want)-1] // nobody to name
				}
				if diff := cmp.Diff(want, shape(message)); diff != "" {
					t.Errorf("first words of the commit message's lines (-want +got):\n%s", diff)
				}
				check, summary, _ := Teller{}.CheckRun(v)
				harmless(t, check)
				harmless(t, summary)
			}
		})
	}
}

// messageShape are the first words of every commit message's lines.
var messageShape = []string{"Revert", "", "This", "", "Backout-Rollback:", "Backout-Requested-By:"}

// shape is the first word of each line: text from outside must add none.
func shape(message string) []string {
	var out []string
	for l := range strings.Lines(message) {
		word, _, _ := strings.Cut(strings.TrimSpace(l), " ")
		out = append(out, word)
	}
	return out
}

func TestHostileReplies(t *testing.T) {
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			v := hostileView(text)
			end := &bot.End{Verdict: bot.VerdictNotFixed, Summary: text}
			for _, a := range []bot.Answer{
				{Kind: bot.AnswerMalformed, Command: text, Detail: "I do not know `" + text + "`.", Advice: text},
				{Kind: bot.AnswerRefused, Detail: text, Advice: text, Looked: []string{text, text}},
				{Kind: bot.AnswerNoted, Detail: text},
				{Kind: bot.AnswerLate, Command: text, Seen: time.Unix(7200, 0)},
				{Kind: bot.AnswerPlan, View: &v},
				{Kind: bot.AnswerStatus, Records: []bot.Record{{Rollback: v.Rollback, View: &v}, {Rollback: v.Rollback, End: end}}},
				{Kind: "a kind of the future", Detail: text},
			} {
				harmless(t, Teller{}.Reply(a))
				a.To = text
				harmless(t, strings.Replace(Teller{}.Reply(a), "@"+clip(login(text), maxLogin), "", 1))
			}
		})
	}
}

// TestMuchIsCut: a Rollback with more of everything than GitHub takes is still
// told, and what folds and spans it has stay whole.
func TestMuchIsCut(t *testing.T) {
	v := hostileView(strings.Repeat("<@victim> fixes #1 *", 1000))
	for range 60 {
		v.Rollback.Apps = append(v.Rollback.Apps, v.Rollback.Apps[0])
		v.Rollback.Affected = append(v.Rollback.Affected, v.Rollback.Apps[0])
		v.Decision.Reasons = append(v.Decision.Reasons, v.Decision.Reasons[0])
		v.Steps = append(v.Steps, v.Steps[0])
		v.After = append(v.After, v.After[0])
		v.Changed = append(v.Changed, v.Changed[0])
		v.Conflicts = append(v.Conflicts, v.Conflicts[0])
		v.Conflicts[0].Since = append(v.Conflicts[0].Since, sha("2"))
		for i := range v.Rollback.Finding.Suspects {
			suspect := &v.Rollback.Finding.Suspects[i]
			suspect.Evidence = append(suspect.Evidence, suspect.Evidence[0])
		}
		v.Rollback.Finding.Doubts = append(v.Rollback.Finding.Doubts, v.Rollback.Finding.Doubts[0])
		v.Notes, v.Todo = append(v.Notes, v.Notes[0]), append(v.Todo, v.Todo[0])
		v.Holds = append(v.Holds, v.Holds[0])
	}
	_, body, _ := Teller{}.Pull(v)
	_, summary, _ := Teller{}.CheckRun(v)
	records := make([]bot.Record, 60)
	for i := range records {
		records[i] = bot.Record{Rollback: v.Rollback, View: &v}
	}
	cuts := 0
	for name, text := range map[string]string{
		"sticky": Teller{}.Sticky(v), "pull": body, "check": summary, "plan": Teller{}.Reply(bot.Answer{Kind: bot.AnswerPlan, View: &v}),
		"status": Teller{}.Reply(bot.Answer{Kind: bot.AnswerStatus, Records: records}),
	} {
		if len(text) > 65536 {
			t.Errorf("%s has %d bytes", name, len(text))
		}
		if strings.Count(text, "<details>") != strings.Count(text, "</details>") {
			t.Errorf("%s leaves something folded open", name)
		}
		harmless(t, text)
		if strings.Contains(text, "… cut here") {
			cuts++
		}
	}
	if cuts == 0 {
		t.Error("nothing was long enough to be cut")
	}
}
