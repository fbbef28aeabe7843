package report

import (
	"fmt"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// Teller implements bot.Teller.
type Teller struct{}

var _ bot.Teller = Teller{}

// maxComment is GitHub's limit for a comment, less a tail
// (https://docs.github.com/graphql: body is too long, maximum is 65536).
const maxComment = 65000

// cut keeps a text below GitHub's limit and says that it was cut.
func cut(s string) string {
	if len(s) <= maxComment {
		return s
	}
	return strings.ToValidUTF8(s[:maxComment], "") + "\n\n_… cut here: the text is longer than GitHub allows._\n"
}

// headlines are the first line of the sticky comment, by verdict.
var headlines = map[bot.Verdict]string{
	bot.VerdictVerified:    "✅ Rolled back and verified",
	bot.VerdictNotFixed:    "⚠️ Rolled back, but not fixed",
	bot.VerdictUnverified:  "❔ Rolled back, but could not verify",
	bot.VerdictFailed:      "❌ Rollback failed",
	bot.VerdictCancelled:   "🚫 Rollback cancelled",
	bot.VerdictNeedsHuman:  "🙋 Needs a person",
	bot.VerdictProposed:    "📝 Revert proposed",
	bot.VerdictObserved:    "👀 Observed",
	bot.VerdictNothingToDo: "💤 Nothing to do",
}

// Sticky implements bot.Teller: one glance tells what, why, where it stands.
func (Teller) Sticky(v bot.View) string {
	var b strings.Builder
	head := headlines[v.Verdict]
	if head == "" {
		head = "⏳ Rolling back"
	}
	fmt.Fprintf(&b, "### %s\n\n", head)
	fmt.Fprintf(&b, "%s\n\n", summary(v))
	if v.Verdict == "" && v.Waiting != "" {
		fmt.Fprintf(&b, "**Waiting.** %s\n\n", prose(v.Waiting))
	}
	if len(v.Todo) > 0 {
		b.WriteString("**What to do now**\n\n")
		for _, todo := range v.Todo {
			fmt.Fprintf(&b, "- %s\n", command(todo))
		}
		b.WriteString("\n")
	}
	b.WriteString(steps(v))
	b.WriteString(checks(v))
	b.WriteString(why(v))
	b.WriteString(details(v))
	return cut(b.String())
}

// summary says in a few sentences what was taken back, where and for whom.
func summary(v bot.View) string {
	var s []string
	if v.Verdict != "" {
		s = append(s, prose(v.Summary))
	}
	c := v.Rollback.Culprit
	what := fmt.Sprintf("%s (%s by %s)", code(c.Subject), c.Head(), code(c.Author))
	if c.PR != 0 {
		what = fmt.Sprintf("#%d %s by %s", c.PR, code(c.Subject), code(c.Author))
	}
	s = append(s, fmt.Sprintf("The change is %s.", what))
	if v.Pull != nil {
		state := "is open"
		if v.Merge != nil {
			state = "is merged as " + string(v.Merge.Commit)
		}
		s = append(s, fmt.Sprintf("The revert #%d %s.", v.Pull.Number, state))
	}
	s = append(s, "Asked for by "+asker(v.Rollback.Incident)+".")
	if !v.Ended.IsZero() && v.Merge != nil && !v.Rollback.Incident.Received.IsZero() {
		s = append(s, fmt.Sprintf("It took **%s** from the request to this verdict.", took(v.Ended.Sub(v.Rollback.Incident.Received))))
	}
	return strings.Join(s, " ")
}

// asker names who or what asked, with the person's own words.
func asker(i bot.Incident) string {
	if i.Kind == bot.IncidentCommand {
		if i.Reason != "" {
			return fmt.Sprintf("%s (%s)", code(i.Requester), code(i.Reason))
		}
		return code(i.Requester)
	}
	var names []string
	for n, a := range i.Alerts {
		if n == 5 {
			names = append(names, fmt.Sprintf("%d more", len(i.Alerts)-n))
			break
		}
		names = append(names, code(a.Name()))
	}
	return "alert " + strings.Join(names, ", ")
}

// command shows a next step: a line to type as code, a sentence as prose.
func command(s string) string {
	for _, tool := range []string{"git ", "flux ", "argocd ", "kubectl "} {
		if strings.HasPrefix(s, tool) {
			return code(s)
		}
	}
	return prose(s)
}

var marks = map[string]string{"done": "✅", "now": "⏳", "failed": "❌", "skipped": "➖"}

// steps is the step table.
func steps(v bot.View) string {
	if len(v.Steps) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| | step | at (UTC) | took | |\n|---|---|---|---|---|\n")
	for _, s := range v.Steps {
		at, dur := "", ""
		if !s.Start.IsZero() {
			at = clock(s.Start)
		}
		if !s.End.IsZero() {
			dur = took(s.End.Sub(s.Start))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", marks[s.State], s.Name, at, dur, prose(s.Detail))
	}
	b.WriteString("\n")
	return b.String()
}

var statusMarks = map[string]string{bot.CheckPass: "✅", bot.CheckFail: "❌", bot.CheckUnknown: "❔"}

// checks is the table of checks before and after.
func checks(v bot.View) string {
	if len(v.After) == 0 {
		return ""
	}
	before := map[string]bot.CheckResult{}
	for _, c := range v.Before {
		before[c.Name] = c
	}
	var b strings.Builder
	b.WriteString("| | check | before | after |\n|---|---|---|---|\n")
	for _, c := range v.After {
		was := ""
		if p, ok := before[c.Name]; ok {
			was = prose(p.Detail)
		}
		name := c.Name
		if c.Advisory {
			name += " (advisory)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", statusMarks[c.Status], code(name), was, prose(c.Detail))
	}
	b.WriteString("\n")
	return b.String()
}

// why shows the decision's reasons and the suspects with their evidence.
func why(v bot.View) string {
	var b strings.Builder
	for _, r := range v.Decision.Reasons {
		fmt.Fprintf(&b, "- **%s**: %s\n", r.Name, prose(r.Text))
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	b.WriteString(suspects(v.Rollback.Finding))
	return b.String()
}

// shownSuspects is how many suspects people are shown.
const shownSuspects = 3

func suspects(f *bot.Finding) string {
	if f == nil || len(f.Suspects) == 0 {
		return ""
	}
	var b strings.Builder
	sure := "confident"
	if !f.Confident {
		sure = "not confident"
	}
	fmt.Fprintf(&b, "<details><summary>Suspects (%s; no change of ours: %.0f %%)</summary>\n\n", sure, 100*f.None)
	for i, s := range f.Suspects[:min(shownSuspects, len(f.Suspects))] {
		c := s.Change
		ref := string(c.Head())
		if c.PR != 0 {
			ref = fmt.Sprintf("#%d", c.PR)
		}
		fmt.Fprintf(&b, "%d. %s %s by %s, score %.1f\n", i+1, ref, code(c.Subject), code(c.Author), s.Score)
		for _, e := range s.Evidence {
			fmt.Fprintf(&b, "   - %s: %s (%+.1f)\n", e.Signal, prose(e.Detail), e.Weight)
		}
	}
	if n := len(f.Suspects) - shownSuspects; n > 0 {
		fmt.Fprintf(&b, "\n%d more were weighed.\n", n)
	}
	b.WriteString("\n</details>\n\n")
	return b.String()
}

// shownPaths bounds lists of paths, Apps and conflicts.
const shownPaths = 20

// details folds what few need: Apps, paths, conflicts, notes.
func details(v bot.View) string {
	var b strings.Builder
	for _, c := range v.Conflicts {
		fmt.Fprintf(&b, "- conflict (%s) in %s", c.Kind, code(c.Path))
		for i, s := range c.Since {
			sep := ", "
			if i == 0 {
				sep = ", changed since by "
			}
			b.WriteString(sep + string(s))
		}
		b.WriteString("\n")
	}
	for _, n := range v.Notes {
		fmt.Fprintf(&b, "- note: %s\n", prose(n))
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "<details><summary>Details (%s)</summary>\n\n", v.Rollback.ID)
	for _, id := range v.Rollback.Apps {
		fmt.Fprintf(&b, "- target: %s\n", code(id.String()))
	}
	for i, id := range v.Rollback.Affected {
		if i == shownPaths {
			fmt.Fprintf(&b, "- %d more Apps are affected\n", len(v.Rollback.Affected)-i)
			break
		}
		fmt.Fprintf(&b, "- also changes: %s\n", code(id.String()))
	}
	for i, p := range v.Changed {
		if i == shownPaths {
			fmt.Fprintf(&b, "- %d more files\n", len(v.Changed)-i)
			break
		}
		fmt.Fprintf(&b, "- reverts: %s\n", code(p))
	}
	for _, h := range v.Holds {
		state := "released"
		if h.Placed {
			state = "held"
		}
		fmt.Fprintf(&b, "- %s: %s\n", state, code(h.App.String()))
	}
	if v.Verdict == "" {
		fmt.Fprintf(&b, "- stop it with `/rollback cancel %s`\n", v.Rollback.ID)
	}
	b.WriteString("\n</details>\n")
	return b.String()
}
