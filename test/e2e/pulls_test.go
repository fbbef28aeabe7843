//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/backout-dev/backout/test/fakehub"
)

// requireCI protects main with one required check. After is how long it runs;
// never, when negative, until a story says what came of it.
func (w *world) requireCI(after time.Duration) {
	w.repo.Protect("main", fakehub.Protection{RequiredChecks: []fakehub.RequiredCheck{{Context: "ci"}}})
	w.repo.CI(func(string) []fakehub.CIResult {
		if after < 0 {
			return []fakehub.CIResult{{Name: "ci"}}
		}
		return []fakehub.CIResult{{Name: "ci", Conclusion: "success", After: after}}
	})
}

const (
	pending = -time.Second
	quick   = time.Second
)

// ciPasses ends the required check of a pull request.
func (w *world) ciPasses(pr fakehub.PR) {
	w.Helper()
	w.must(w.repo.SetCheck(pr.HeadSHA, "ci", "success", nil))
}

// merge has bob change files by a pull request, and returns it merged.
func (w *world) merge(title string, files map[string]string) fakehub.PR {
	w.Helper()
	changes := map[string]*string{}
	for name, text := range files {
		changes[name] = fakehub.Text(text)
	}
	branch := strings.ReplaceAll(strings.ToLower(title), " ", "-")
	pr, err := w.repo.OpenPR("bob", title, branch, "main", changes)
	w.must(err)
	_, err = w.repo.MergePR(pr.Number, "squash", "bob")
	w.must(err)
	pr, _ = w.repo.PR(pr.Number)
	return pr
}

func (w *world) comment(pr fakehub.PR, author, text string) {
	w.Helper()
	_, err := w.repo.Comment(pr.Number, author, text)
	w.must(err)
}

// reverts are the pull requests that the bot has opened.
func (w *world) reverts() []fakehub.PR {
	var out []fakehub.PR
	for _, pr := range w.repo.PRs() {
		if pr.Author == w.github.BotLogin() {
			out = append(out, pr)
		}
	}
	return out
}

// revertOpens waits for the bot's pull request.
func (w *world) revertOpens() fakehub.PR {
	w.Helper()
	var pr fakehub.PR
	w.until("the revert's pull request", func() error {
		prs := w.reverts()
		if len(prs) == 0 {
			return errors.New("the bot has opened none")
		}
		pr = prs[0]
		return nil
	})
	return pr
}

// theRevert is the one pull request of the bot.
func (w *world) theRevert() fakehub.PR {
	w.Helper()
	prs := w.reverts()
	if len(prs) != 1 {
		w.Fatalf("the bot opened %d pull requests, want one: %+v", len(prs), prs)
	}
	return prs[0]
}

// sticky is the comment in which the bot keeps people up to date.
func (w *world) sticky(pr fakehub.PR) string {
	return w.botComment(pr, "<!-- backout:rollback:")
}

// reply is the bot's answer to a command.
func (w *world) reply(pr fakehub.PR) string { return w.botComment(pr, "<!-- backout:reply:") }

func (w *world) botComment(pr fakehub.PR, marker string) string {
	var body string
	for _, c := range w.repo.Comments(pr.Number) {
		if c.Author == w.github.BotLogin() && strings.HasPrefix(c.Body, marker) {
			body = c.Body
		}
	}
	return body
}

// says waits until the sticky comment holds all the parts.
func (w *world) says(pr fakehub.PR, parts ...string) string {
	w.Helper()
	var text string
	w.until(fmt.Sprintf("the comment to say %q", parts), func() error {
		text = w.sticky(pr)
		return missing(text, parts...)
	})
	return text
}

// replies waits until the answer to a command holds all the parts.
func (w *world) replies(pr fakehub.PR, parts ...string) string {
	w.Helper()
	var text string
	w.until(fmt.Sprintf("an answer with %q", parts), func() error {
		text = w.reply(pr)
		return missing(text, parts...)
	})
	return text
}

// underWay are the headlines of a comment before the verdict.
var underWay = []string{"⏳ Rolling back", "📝 Proposing a revert", "✋ Waiting for an approval"}

// verdict waits until the Rollback has ended as wanted. Another end is a
// failure at once.
func (w *world) verdict(pr fakehub.PR, headline string) string {
	w.Helper()
	var text string
	w.until("the verdict "+headline, func() error {
		text = w.sticky(pr)
		if text == "" || slices.ContainsFunc(underWay, func(h string) bool { return strings.Contains(text, "### "+h) }) {
			return fmt.Errorf("it says %q", text)
		}
		return nil
	})
	if !strings.Contains(text, headline) {
		w.Fatalf("the verdict is not %q:\n%s", headline, text)
	}
	return text
}

// merged returns the commit by which the one revert was merged, by the bot.
func (w *world) merged() string {
	w.Helper()
	pr := w.theRevert()
	if !pr.Merged || pr.MergedBy != w.github.BotLogin() {
		w.Fatalf("the revert is not merged by the bot: %+v", pr)
	}
	return pr.MergeSHA
}

const (
	rolledBack = "Rolled back and verified"
	needsHuman = "Needs a person"
)
