package report

import (
	"fmt"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// Teller implements bot.Teller.
type Teller struct{}

var _ bot.Teller = Teller{}

// headlines are the first line of the sticky comment, by verdict.
var headlines = map[bot.Verdict]string{
	bot.VerdictVerified:    "✅ Rolled back and verified",
	bot.VerdictNotFixed:    "⚠️ Rolled back, but production is still broken",
	bot.VerdictUnverified:  "❔ Rolled back, but not verified",
	bot.VerdictFailed:      "❌ Rollback failed",
	bot.VerdictCancelled:   "🚫 Rollback cancelled",
	bot.VerdictNeedsHuman:  "🙋 Needs a person",
	bot.VerdictProposed:    "📝 Revert proposed",
	bot.VerdictObserved:    "👀 Observed",
	bot.VerdictNothingToDo: "💤 Nothing to do",
}

// headline says at one glance where a Rollback stands.
func headline(v bot.View) string {
	if head := headlines[v.Verdict]; head != "" {
		return head
	}
	switch v.Decision.Verb {
	case bot.VerbPropose:
		return "📝 Proposing a revert"
	case bot.VerbAsk:
		if v.Now == "approve" {
			return "✋ Waiting for an approval"
		}
	}
	return "⏳ Rolling back"
}

// Sticky implements bot.Teller: one glance tells where it stands and what to
// do; then come what, why and the details.
func (Teller) Sticky(v bot.View) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", headline(v))
	if v.Verdict != "" {
		fmt.Fprintf(&b, "%s\n\n", prose(v.Summary))
	} else if v.Waiting != "" {
		fmt.Fprintf(&b, "%s\n\n", prose(v.Waiting))
	}
	b.WriteString(todo(v))
	b.WriteString(facts(v))
	b.WriteString(steps(v))
	b.WriteString(checks(v))
	b.WriteString(why(v))
	b.WriteString(conflicts(v))
	b.WriteString(notes(v))
	fmt.Fprintf(&b, "<details><summary>Details of %s</summary>\n\n%s</details>\n", v.Rollback.ID, details(v))
	return cut(b.String())
}

// todo are the exact next acts, where a person is needed.
func todo(v bot.View) string {
	if len(v.Todo) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("**What to do now**\n\n")
	for i, t := range v.Todo[:min(shown, len(v.Todo))] {
		// Numbered: a list of dashes would run into the one that follows.
		fmt.Fprintf(&b, "%d. %s\n", i+1, act(v, t))
	}
	b.WriteString("\n")
	return b.String()
}

// act shows a next step: a line to type as code, a sentence as prose. The
// revert's own address is the one that people may click on.
func act(v bot.View, s string) string {
	for _, tool := range []string{"git ", "flux ", "argocd ", "kubectl ", "helm ", "backout "} {
		if strings.HasPrefix(s, tool) {
			return code(s)
		}
	}
	if v.Pull != nil && v.Pull.URL != "" {
		s = strings.ReplaceAll(s, v.Pull.URL, fmt.Sprintf("#%d", v.Pull.Number))
	}
	return prose(s)
}

// facts are what was taken back, for whom, and what came of it.
func facts(v bot.View) string {
	items := []string{"change: " + change(v.Rollback.Culprit), asked(v.Rollback.Incident)}
	if v.Pull != nil {
		revert := fmt.Sprintf("revert: #%d", v.Pull.Number)
		if v.Merge != nil {
			revert += ", merged as " + string(v.Merge.Commit)
		}
		items = append(items, revert)
	}
	if received := v.Rollback.Incident.Received; !v.Ended.IsZero() && v.Merge != nil && !received.IsZero() {
		from := "request"
		if v.Rollback.Incident.Kind != bot.IncidentCommand {
			from = "alert"
		}
		items = append(items, fmt.Sprintf("took: **%s** from the %s to this verdict", took(v.Ended.Sub(received)), from))
	}
	return list(items, "facts") + "\n"
}

// change names a change as people know it: by its pull request, else by its
// commit.
func change(c bot.Change) string {
	return fmt.Sprintf("%s %s by %s", reference(c), code(c.Subject), code(c.Author))
}

// asked names who or what asked, with the person's own words.
func asked(i bot.Incident) string {
	switch {
	case i.Kind != bot.IncidentCommand:
		return "because of: " + alerts(i) + began(i.Onset)
	case i.Reason == "":
		return "asked for by: " + code(i.Requester)
	}
	return fmt.Sprintf("asked for by: %s, because: %s", code(i.Requester), code(i.Reason))
}

// shownAlerts bounds how many alerts one sentence names.
const shownAlerts = 5

func alerts(i bot.Incident) string {
	if len(i.Alerts) == 0 {
		return "a rule that was breached"
	}
	var names []string
	for n, a := range i.Alerts {
		if n == shownAlerts {
			names = append(names, fmt.Sprintf("%d more", len(i.Alerts)-n))
			break
		}
		names = append(names, code(a.Name()))
	}
	if len(names) == 1 {
		return "alert " + names[0]
	}
	return "alerts " + strings.Join(names, ", ")
}

// began says when the trouble began, as exactly as it is known.
func began(o bot.Onset) string {
	switch {
	case o.To.IsZero():
		return ""
	case o.Exact():
		return fmt.Sprintf("; the trouble began at %s UTC", clock(o.To))
	}
	return fmt.Sprintf("; the trouble began between %s and %s UTC", clock(o.From), clock(o.To))
}
