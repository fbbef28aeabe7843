package crash

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// state shows the world of a run that went wrong.
func (r *run) state() string {
	var b strings.Builder
	r.director.mu.Lock()
	fmt.Fprintf(&b, "killed: %v, not yet: %v\n", r.director.done, r.director.plan)
	r.director.mu.Unlock()
	if r.stage == nil || r.stage.Cluster == nil {
		return b.String()
	}
	fmt.Fprintf(&b, "cluster: %v\n", r.stage.Cluster.Effects())
	for _, pr := range r.stage.Repo.PRs() {
		fmt.Fprintf(&b, "#%d %s %s %q by %s\n", pr.Number, pr.State, pr.Status, pr.Title, pr.Author)
		for _, c := range r.stage.Repo.Comments(pr.Number) {
			first, _, _ := strings.Cut(strings.TrimSpace(c.Body), "\n\n")
			fmt.Fprintf(&b, "  %s %v: %s\n", c.Author, c.Reactions, strings.ReplaceAll(first, "\n", " "))
		}
	}
	for _, d := range r.stage.GitHub.Deliveries() {
		if d.Event == "issue_comment" {
			fmt.Fprintf(&b, "delivery %s %s by %d: %d\n", d.GUID, d.Action, d.ID, d.StatusCode)
		}
	}
	log, err := os.ReadFile(filepath.Join(r.dir, "bot.log"))
	lines := strings.Split(string(log), "\n")
	fmt.Fprintf(&b, "log (%v):\n%s\n", err, strings.Join(lines[max(0, len(lines)-60):], "\n"))
	return b.String()
}
