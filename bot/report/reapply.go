package report

import (
	"fmt"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// Reapply implements bot.Teller: the draft pull request that brings a change
// back, and the message of its commit, which names the revert as git does.
func (Teller) Reapply(r bot.Reapply) (title, body, commitMessage string) {
	title = `Reapply "` + plain(original(r)) + `"`
	message := title + "\n\n" + reverts(r.Revert)
	if r.Rollback != "" {
		message += fmt.Sprintf("\nBackout-Reapplies: %s\n", r.Rollback)
	}
	return title, reapplyBody(r), message
}

// original is the subject of what comes back.
func original(r bot.Reapply) string {
	if r.Original.Subject != "" {
		return r.Original.Subject
	}
	s := strings.TrimPrefix(r.Revert.Subject, `Revert "`)
	return strings.TrimSuffix(s, `"`)
}

func reapplyBody(r bot.Reapply) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### What this brings back\n\n%s asked to bring back what was taken back", code(r.By))
	if r.Rollback != "" {
		fmt.Fprintf(&b, " by Rollback %s", r.Rollback)
	}
	b.WriteString(".\n\n")
	if r.Reason != "" {
		fmt.Fprintf(&b, "Their reason: %s\n\n", code(r.Reason))
	}
	if len(r.Original.Commits) > 0 {
		fmt.Fprintf(&b, "It was %s.\n\n", change(r.Original))
	}
	fmt.Fprintf(&b, "It was taken back by %s.\n\n", change(r.Revert))
	b.WriteString("### Before you merge\n\n")
	if m := mention(r.Author); m != "" {
		fmt.Fprintf(&b, "%s, you wrote it: is the cause mended?\n\n", m)
	}
	b.WriteString(list([]string{
		"[ ] What broke production is mended, here or elsewhere",
		"[ ] The files are those of the change, and fit what has come since",
	}, "boxes") + "\n")
	b.WriteString("This is a draft, and Backout does not merge it. Push what is missing, mark it ready, and merge it as any other.\n")
	return cut(b.String())
}

// mention calls a person by their login, which GitHub gave us; nobody where it
// is not the form of one, or an App's.
func mention(name string) string {
	if name == "" || name != login(name) {
		return ""
	}
	return "@" + clip(name, maxLogin)
}
