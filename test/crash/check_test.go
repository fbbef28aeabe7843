package crash

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/test/stage"
)

// faults gathers what does not hold.
type faults []string

func (f *faults) want(ok bool, format string, args ...any) {
	if !ok {
		*f = append(*f, fmt.Sprintf(format, args...))
	}
}

// check holds the world against what the story must come to.
func (r *run) check() error {
	var f faults
	rec, err := r.checkRecord(&f)
	if err != nil {
		return err
	}
	r.checkReverts(&f)
	r.checkComments(&f, rec)
	r.checkCluster(&f)
	if err := r.checkLog(&f); err != nil {
		return err
	}
	if len(f) > 0 {
		return errors.New(strings.Join(f, "\n"))
	}
	return nil
}

// checkRecord: one Rollback with one end, and every accepted event handled.
func (r *run) checkRecord(f *faults) (bot.Record, error) {
	ctx := context.WithoutCancel(r.ctx)
	ledger, err := durable.OpenLedger(ctx, r.database())
	if err != nil {
		return bot.Record{}, err
	}
	defer ledger.Close() //nolint:errcheck // it is only read.
	records, err := ledger.Find(ctx, bot.RollbackQuery{Repo: stage.RepoName})
	if err != nil || len(records) != 1 {
		return bot.Record{}, fmt.Errorf("%d rollbacks, want 1: %w", len(records), err)
	}
	rec := records[0]
	f.want(rec.End != nil && rec.End.Verdict == r.story.want.verdict, "the end is %+v, want %s", rec.End, r.story.want.verdict)
	f.want(len(rec.Apps) == len(r.story.names()), "it works for %v, want %v", rec.Apps, r.story.names())
	flows, err := r.flows()
	if err != nil {
		return rec, err
	}
	for i, id := range r.comments {
		f.want(intakeOf(flows, id) == "SUCCESS", "the intake of comment %d is %q", i+1, intakeOf(flows, id))
	}
	f.want(len(flows) == r.events+1, "%d flows for %d events and one rollback: %v", len(flows), r.events, flows)
	for id, status := range flows {
		f.want(status == "SUCCESS", "flow %s is %s", id, status)
	}
	return rec, nil
}

// checkReverts: one pull request, one merge or none, no branch left, and the
// base says what it must.
func (r *run) checkReverts(f *faults) {
	repo, w := r.stage.Repo, r.story.want
	pulls := r.reverts()
	f.want(len(pulls) == 1, "%d reverts, want 1", len(pulls))
	for _, pr := range pulls {
		f.want(pr.State == "closed" && pr.Merged == w.merged, "#%d is %s, merged %v", pr.Number, pr.State, pr.Merged)
		all, open := repo.Runs(pr.HeadSHA, bot.CheckName)
		f.want(all >= 1 && open == 0, "#%d has %d check runs of ours, %d of them not completed", pr.Number, all, open)
	}
	branches, err := repo.Branches()
	f.want(err == nil && !slices.ContainsFunc(branches, func(b string) bool { return strings.HasPrefix(b, "backout/") }), "branches are left: %v %v", branches, err)
	log, err := repo.Log("main")
	merges := slices.IndexFunc(log, func(c fakehub.CommitInfo) bool { return c.SHA == r.before })
	f.want(err == nil && merges == map[bool]int{true: 1}[w.merged], "%d commits on main since, %v", merges, err)
	for _, name := range r.story.names() {
		want := stage.Deployment(name, map[bool]string{true: "v1", false: "v2-bad"}[w.merged])
		text, _ := repo.File("main", path(name))
		f.want(text == want, "%s on main is not as it must be:\n%s", path(name), text)
	}
}

// checkComments: one sticky comment, which tells the end; one answer to each
// command that gets one; one reaction to each.
func (r *run) checkComments(f *faults, rec bot.Record) {
	sticky := 0
	replies := map[int64]int{}
	reactions := map[int64][]string{}
	for _, pr := range r.stage.Repo.PRs() {
		for _, c := range r.stage.Repo.Comments(pr.Number) {
			reactions[c.ID] = c.Reactions
			if strings.Contains(c.Body, bot.StickyMarker(rec.ID)) {
				sticky++
				f.want(rec.End != nil && strings.Contains(c.Body, headline[rec.End.Verdict]), "the sticky comment does not tell the end:\n%s", c.Body)
			}
			for _, id := range r.comments {
				if strings.Contains(c.Body, bot.ReplyMarker(id)) {
					replies[id]++
				}
			}
		}
	}
	f.want(sticky == 1, "%d sticky comments, want 1", sticky)
	for i, id := range r.comments {
		f.want(replies[id] == r.story.want.replies[i], "%d answers to comment %d, want %d", replies[id], i+1, r.story.want.replies[i])
		f.want(len(reactions[id]) == 1, "comment %d has the reactions %v", i+1, reactions[id])
	}
}

// headline is how the sticky comment tells each end.
var headline = map[bot.Verdict]string{bot.VerdictVerified: "Rolled back and verified", bot.VerdictCancelled: "Rollback cancelled"}

// checkCluster: nothing is held, each App was held once and released once where
// that is asked for, and what runs is what main says.
func (r *run) checkCluster(f *faults) {
	effects := r.stage.Cluster.Effects()
	n := 0
	if r.story.want.held {
		n = 1
	}
	apps, err := r.stage.Cluster.Apps(r.ctx)
	f.want(err == nil, "read the cluster: %v", err)
	for _, a := range apps {
		name := a.ID.Name
		f.want(a.Hold == nil, "%s is held: %+v", name, a.Hold)
		f.want(effects["hold "+name] == n && effects["release "+name] == n, "%s was held %d times and released %d times, want %d", name, effects["hold "+name], effects["release "+name], n)
		if r.story.want.merged {
			f.want(string(a.Revision) == r.stage.Repo.Head("main"), "%s runs %s, and main is %s", name, a.Revision, r.stage.Repo.Head("main"))
		}
	}
}

var endOf = regexp.MustCompile(`msg="rollback ended".* verdict=("[^"]*"|\S+)`)

// checkLog: however often an end was come to, it was the same, and no flow was
// given up.
func (r *run) checkLog(f *faults) error {
	b, err := os.ReadFile(filepath.Join(r.dir, "bot.log"))
	if err != nil {
		return err
	}
	text := string(b)
	f.want(!strings.Contains(text, flowGivenUp), "a flow was given up")
	f.want(!strings.Contains(text, "panic"), "the bot panicked")
	var ends []string
	for _, m := range endOf.FindAllStringSubmatch(text, -1) {
		ends = append(ends, m[1])
	}
	f.want(len(ends) > 0 && len(slices.Compact(ends)) == 1, "the log has the ends %v", ends)
	return nil
}
