package report

import (
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// TestSuspects: the fold by itself, of all kinds of findings.
func TestSuspects(t *testing.T) {
	of := func(f *bot.Finding) bot.Rollback {
		return bot.Rollback{Incident: bot.Incident{Onset: bot.Onset{From: noon, To: noon}}, Finding: f}
	}
	culprit := onCommand().Rollback.Culprit
	earlier := finding(culprit, true)
	earlier.Weighed, earlier.NoneEvidence = 0, nil
	hostile := finding(culprit, false)
	for i := range hostile.Suspects {
		s := &hostile.Suspects[i]
		s.Change.Subject = "x | y\n</details>\n# <img src=x> [a](http://b) @victim fixes #1 `` ` <!-- backout:sticky -->\u202e"
		s.Change.Author = "[bot](http://b) | @team"
		s.Evidence = append(s.Evidence, bot.Evidence{Signal: "object", Detail: "changes `a|b` " + strings.Repeat("a very long path ", 400), Weight: 9})
	}
	for name, f := range map[string]*bot.Finding{"suspects": finding(culprit, true), "suspects-earlier": earlier, "suspects-hostile": hostile} {
		t.Run(name, func(t *testing.T) { golden(t, name+".md", suspects(of(f))) })
	}
	if got := suspects(of(nil)) + suspects(of(&bot.Finding{None: 1})); got != "" {
		t.Errorf("no suspects make %q", got)
	}
}

// TestEvidenceIsBounded: what was seen live comes first and is never left out
// for what weighs more.
func TestEvidenceIsBounded(t *testing.T) {
	all := []bot.Evidence{{Signal: "rollout", Detail: "seen live", Judged: true}}
	for range shownEvidence + 1 {
		all = append(all, bot.Evidence{Signal: "live", Detail: "seen in git", Weight: 3})
	}
	lines := strings.Split(strings.TrimSpace(evidence(all)), "\n")
	if len(lines) != shownEvidence+1 || !strings.Contains(lines[0], "seen live (+0.0, judged)") || lines[shownEvidence] != "  - and 2 that weigh less" {
		t.Errorf("evidence is\n%s", strings.Join(lines, "\n"))
	}
	if all[0].Signal != "rollout" || all[1].Signal != "live" {
		t.Error("the caller's evidence was put in another order")
	}
}

func TestPlace(t *testing.T) {
	all := []bot.Suspect{{Score: 3}, {Score: 2}, {Score: 2}, {Score: 2}, {Score: 1}}
	for i, want := range []string{"1", "2, tied", "2, tied", "2, tied", "5"} {
		if got := place(all, i); got != want {
			t.Errorf("place of %d is %q, want %q", i, got, want)
		}
	}
}

func TestPercent(t *testing.T) {
	for p, want := range map[float64]string{0: "under 1 %", 0.0099: "under 1 %", 0.01: "1 %", 0.5: "50 %", 0.99: "99 %", 0.991: "over 99 %", 1: "over 99 %"} {
		if got := percent(p); got != want {
			t.Errorf("percent(%v) is %q, want %q", p, got, want)
		}
	}
}
