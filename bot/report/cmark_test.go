package report

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// github renders as GitHub does, with the library that GitHub made for it
// (https://github.com/github/cmark-gfm), raw HTML let through so that it is
// seen. It skips where that is not installed.
func github(t testing.TB, text string) string {
	t.Helper()
	program, err := exec.LookPath("cmark-gfm")
	if err != nil {
		t.Skip("cmark-gfm is not installed: apt-get install cmark-gfm")
	}
	cmd := exec.CommandContext(t.Context(), program, "--unsafe", "-e", "footnotes", "-e", "table", "-e", "strikethrough", "-e", "autolink", "-e", "tasklist")
	cmd.Stdin = strings.NewReader(text)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("cmark-gfm: %v\n%s", err, stderr.String())
	}
	// It writes attributes in another order and form than goldmark.
	return strings.NewReplacer(
		`<input type="checkbox" disabled="" />`, `<input disabled="" type="checkbox">`,
		`<input type="checkbox" checked="" disabled="" />`, `<input disabled="" type="checkbox">`, "<hr />", "<hr>", "<br />", "<br>",
	).Replace(out.String())
}

// contexts are the places in which we quote text of others.
func contexts(text string) string {
	var b strings.Builder
	for _, quoted := range []string{code(text), prose(text), prose("The file `" + text + "` changed, @team, and `x` too.")} {
		b.WriteString(quoted + "\n\n- " + quoted + " and " + quoted + "\n\n1. x\n   - it: " + quoted + "\n\nbefore " + quoted + "\n" + quoted +
			"\n\n| a | b |\n|---|---|\n| " + quoted + " | " + quoted + " |\n\n")
	}
	return b.String()
}

// TestGitHubsRenderer: the corpus of TestHostileText, and whole comments made
// of it, by GitHub's own renderer.
func TestGitHubsRenderer(t *testing.T) {
	if out := github(t, "@a <b>x</b> https://x.example [y](z)\n"); !strings.Contains(out, "<a href") || !strings.Contains(out, "<b>") {
		t.Fatalf("it does not render as GitHub does: %s", out)
	}
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			text := text[:min(len(text), 1<<14)] // what is longer is cut alike
			quoted := contexts(text)
			harmlessAs(t, quoted, github(t, quoted))
			v := hostileView(text)
			v.Rollback.Incident.Kind, v.Verdict = bot.IncidentAlert, bot.VerdictNeedsHuman
			_, body, _ := Teller{}.Pull(v)
			for _, whole := range []string{Teller{}.Sticky(v), body} {
				harmlessAs(t, whole, github(t, whole))
			}
		})
	}
}

// FuzzGitHubsRenderer is FuzzText by GitHub's own renderer; slower, for it is
// another program.
func FuzzGitHubsRenderer(f *testing.F) {
	for _, text := range hostile {
		if len(text) < 1000 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted := contexts(text)
		harmlessAs(t, quoted, github(t, quoted))
	})
}
