package fakehub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/test/fakehub"
)

// queueWorld is a repository whose main has a merge queue that asks for "ci",
// with two pull requests that are queued, in order.
func queueWorld(t *testing.T) (w *world, box *inbox, one, two fakehub.PR) {
	t.Helper()
	w, box = withInbox(t, setup{})
	w.repo.Protect("main", fakehub.Protection{Ruleset: true, MergeQueue: true, RequiredChecks: ci("ci")})
	one, two = w.openPR("one", "a", "1"), w.openPR("two", "b", "1")
	for _, pr := range []fakehub.PR{one, two} {
		must(t, w.repo.SetCheck(pr.HeadSHA, "ci", "success", nil))
		must(t, w.repo.Enqueue(pr.Number, "ann"))
	}
	w.flush()
	box.take()
	t.Cleanup(func() { must(t, w.hub.Flush(context.WithoutCancel(t.Context()))) }) // before the inbox goes.
	return w, box, one, two
}

// story flushes and tells what of the queue was sent: event, action, the pull
// request or group, and the reason.
func (b *inbox) story() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []string
	for i, r := range b.got {
		var p struct {
			Action, Reason string
			Number         int
			MergeGroup     struct {
				HeadRef string `json:"head_ref"`
				BaseRef string `json:"base_ref"`
			} `json:"merge_group"`
		}
		if err := json.Unmarshal(b.raw[i], &p); err != nil {
			b.t.Error(err)
		}
		event := r.Header.Get("X-GitHub-Event")
		if event != "pull_request" && event != "merge_group" {
			continue
		}
		if ref := p.MergeGroup.HeadRef; ref != "" {
			fmt.Sscanf(ref[strings.LastIndex(ref, "/pr-"):], "/pr-%d-", &p.Number) //nolint:errcheck // 0 shows.
		}
		list = append(list, strings.Join(strings.Fields(fmt.Sprint(event, " ", p.Action, " ", p.Number, " ", p.Reason)), " "))
	}
	b.got, b.raw = nil, nil
	return list
}

func (w *world) wantStory(b *inbox, want ...string) {
	w.t.Helper()
	w.flush()
	if diff := cmp.Diff(want, b.story()); diff != "" {
		w.t.Errorf("events (-want +got):\n%s", diff)
	}
}

func (w *world) pr(n int) fakehub.PR {
	w.t.Helper()
	pr, ok := w.repo.PR(n)
	if !ok {
		w.t.Fatalf("there is no pull request %d", n)
	}
	return pr
}

// TestQueueMergesWhatItTested builds a group for each, on top of the one
// before, and merges exactly those commits once their checks have passed.
func TestQueueMergesWhatItTested(t *testing.T) {
	w, box, one, two := queueWorld(t)
	base := w.repo.Head("main")
	groups := w.repo.BuildQueue("main")
	if len(groups) != 2 || groups[0].Base != base || groups[1].Base != groups[0].Head ||
		groups[0].Ref != "refs/heads/gh-readonly-queue/main/pr-1-"+base ||
		w.repo.Head(strings.TrimPrefix(groups[1].Ref, "refs/heads/")) != groups[1].Head {
		t.Fatalf("groups %+v", groups)
	}
	w.wantStory(box, "merge_group checks_requested 1", "merge_group checks_requested 2")
	if text, _ := w.repo.File(groups[1].Head, "a"); text != "1" {
		t.Error("the second group lacks what is ahead of it")
	}
	must(t, w.repo.SetCheck(groups[1].Head, "ci", "success", nil)) // the second first: it waits its turn.
	if w.pr(two.Number).Merged || w.repo.Head("main") != base {
		t.Error("it overtook")
	}
	must(t, w.repo.SetCheck(groups[0].Head, "ci", "success", nil))
	for i, pr := range []fakehub.PR{one, two} {
		if now := w.pr(pr.Number); !now.Merged || now.Queued || now.MergeSHA != groups[i].Head || now.MergedBy != "github-merge-queue[bot]" {
			t.Errorf("pull request %+v", now)
		}
	}
	if w.repo.Head("main") != groups[1].Head || len(w.repo.MergeGroups("main")) != 0 {
		t.Errorf("main is at %s, groups %+v", w.repo.Head("main"), w.repo.MergeGroups("main"))
	}
	branches, err := w.repo.Branches()
	must(t, err)
	if diff := cmp.Diff([]string{"main", "one", "two"}, branches); diff != "" {
		t.Errorf("branches: %s", diff)
	}
	w.wantStory(box,
		"pull_request closed 1", "pull_request dequeued 1 MERGE", "merge_group destroyed 1 merged",
		"pull_request closed 2", "pull_request dequeued 2 MERGE", "merge_group destroyed 2 merged")
}

// TestQueueDropsWhatFails takes out the one whose group fails; what is behind
// it is built anew without it.
func TestQueueDropsWhatFails(t *testing.T) {
	w, box, one, two := queueWorld(t)
	first := w.repo.BuildQueue("main")
	w.flush()
	box.take()
	must(t, w.repo.SetCheck(first[0].Head, "ci", "failure", nil))
	w.wantStory(box,
		"pull_request dequeued 1 CI_FAILURE", "merge_group destroyed 1 dequeued",
		"merge_group destroyed 2 invalidated", "merge_group checks_requested 2")
	second := w.repo.MergeGroups("main")
	if len(second) != 1 || second[0].Number != two.Number || second[0].Base != w.repo.Head("main") || second[0].Head == first[1].Head {
		t.Fatalf("groups %+v after %+v", second, first)
	}
	if text, ok := w.repo.File(second[0].Head, "a"); ok {
		t.Errorf("the new group still holds %q", text)
	}
	must(t, w.repo.SetCheck(second[0].Head, "ci", "success", nil))
	if a, b := w.pr(one.Number), w.pr(two.Number); a.Merged || a.State != "open" || !b.Merged {
		t.Errorf("pull requests %+v, %+v", a, b)
	}
}

// TestQueueLeavings are the other ways out of the queue.
func TestQueueLeavings(t *testing.T) {
	dismissed := func(w *world) { must(w.t, w.repo.Review(1, "bob", "REQUEST_CHANGES", "wait")) }
	for _, tt := range []struct {
		name string
		act  func(*world)
		want []string // what is told of the first
	}{
		{"by hand", func(w *world) { must(w.t, w.repo.Dequeue(1, "ann")) },
			[]string{"pull_request dequeued 1 MANUAL", "merge_group destroyed 1 dequeued"}},
		{"closed", func(w *world) { must(w.t, w.repo.ClosePR(1, "ann")) },
			[]string{"pull_request closed 1", "pull_request dequeued 1 UNKNOWN_REMOVAL_REASON", "merge_group destroyed 1 dequeued"}},
		{"checks don't report", func(w *world) { must(w.t, w.repo.TimeOutQueue("main")) },
			[]string{"pull_request dequeued 1 CI_TIMEOUT", "merge_group destroyed 1 dequeued"}},
		{"pushed to, past the lock", func(w *world) { w.edit("one", "a", "2") },
			[]string{"pull_request synchronize 1", "pull_request dequeued 1 BRANCH_PROTECTIONS", "merge_group destroyed 1 dequeued"}},
		{"the base comes to conflict", func(w *world) { w.edit("main", "a", "other") },
			[]string{"merge_group destroyed 1 invalidated", "pull_request dequeued 1 MERGE_CONFLICT"}},
		{"merged past the queue", func(w *world) { _, err := w.repo.MergePR(1, "merge", "ann"); must(w.t, err) },
			[]string{"pull_request closed 1", "pull_request dequeued 1 ALREADY_MERGED", "merge_group destroyed 1 dequeued"}},
		{"a reviewer objects", func(w *world) {
			must(w.t, w.repo.Grant("bob", "write"))
			w.repo.Protect("main", fakehub.Protection{MergeQueue: true, RequiredChecks: ci("ci"), CodeOwners: []string{"bob"}})
			dismissed(w)
			w.repo.BuildQueue("main")
		}, []string{"pull_request dequeued 1 BRANCH_PROTECTIONS", "merge_group destroyed 1 dequeued"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, box, one, _ := queueWorld(t)
			w.repo.BuildQueue("main")
			w.flush()
			box.take()
			tt.act(w)
			w.flush()
			var first []string
			for _, line := range box.story() {
				if strings.Contains(line, " 1") && !strings.Contains(line, "checks_requested") {
					first = append(first, line)
				}
			}
			if diff := cmp.Diff(tt.want, first); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if pr := w.pr(one.Number); pr.Queued {
				t.Errorf("pull request %+v", pr)
			}
		})
	}
}

// TestQueueFollowsItsBase builds groups anew when somebody pushes to the base.
func TestQueueFollowsItsBase(t *testing.T) {
	w, box, _, _ := queueWorld(t)
	before := w.repo.BuildQueue("main")
	w.flush()
	box.take()
	sha := w.edit("main", "hotfix", "x")
	after := w.repo.MergeGroups("main")
	if len(after) != 2 || after[0].Base != sha || after[0].Head == before[0].Head {
		t.Fatalf("groups %+v after %+v", after, before)
	}
	w.wantStory(box,
		"merge_group destroyed 1 invalidated", "merge_group checks_requested 1",
		"merge_group destroyed 2 invalidated", "merge_group checks_requested 2")
	must(t, w.repo.SetCheck(before[0].Head, "ci", "success", nil)) // too late.
	if w.pr(1).Merged {
		t.Error("a group that was invalidated merged")
	}
}

// TestQueueAtOnce runs by itself: CI reports on each group as on any push.
func TestQueueAtOnce(t *testing.T) {
	w := newWorld(t, setup{})
	w.repo.CI(func(string) []fakehub.CIResult { return []fakehub.CIResult{{Name: "ci", Conclusion: "success"}} })
	w.repo.Protect("main", fakehub.Protection{MergeQueue: true, QueueAtOnce: true, QueueMethod: "squash", RequiredChecks: ci("ci")})
	pr := w.openPR("one", "a", "1")
	must(t, w.repo.Enqueue(pr.Number, "ann"))
	log, err := w.repo.Log("main")
	must(t, err)
	if now := w.pr(pr.Number); !now.Merged || log[0].SHA != now.MergeSHA || len(log[0].Parents) != 1 {
		t.Errorf("pull request %+v, main at %+v", now, log[0])
	}
}

// TestQueuedBranchIsLocked refuses pushes to what is queued, by git and by
// both APIs.
func TestQueuedBranchIsLocked(t *testing.T) {
	w, _, one, _ := queueWorld(t)
	const words = "queued for merging"
	dir := t.TempDir()
	ann := w.hub.User("ann")
	git(t, dir, "clone", "--quiet", "--branch", "one", remote(w.repo.CloneURL(), ann.Login, ann.Token), ".")
	git(t, dir, "commit", "--quiet", "--allow-empty", "-m", "more")
	if out, err := tryGit(t, dir, "push", "origin", "one"); err == nil || !strings.Contains(out, words) {
		t.Errorf("git push: %v\n%s", err, out)
	}
	_, _, err := w.bot.PullRequests.UpdateBranch(t.Context(), "acme", "fleet", one.Number, nil)
	wantStatus(t, err, 422, words)
	errs := w.graphql(`mutation($id: ID!, $to: GitObjectID!) { updateRef(input: {refId: $id, oid: $to, force: true}) { clientMutationId } }`,
		map[string]any{"id": w.refID("one"), "to": w.repo.Head("main")}, nil)
	if len(errs) != 1 || !strings.Contains(errs[0].Message, words) {
		t.Errorf("updateRef: %+v", errs)
	}
	if w.repo.Head("one") != one.HeadSHA {
		t.Error("it was moved")
	}
	must(t, w.repo.Dequeue(one.Number, "ann"))
	git(t, dir, "push", "--quiet", "origin", "one")
}

// refID is a branch's node ID.
func (w *world) refID(branch string) string {
	w.t.Helper()
	var got struct {
		Repository struct{ Ref struct{ ID string } }
	}
	if errs := w.graphql(`query($ref: String!) { repository(owner: "acme", name: "fleet") { ref(qualifiedName: $ref) { id } } }`, map[string]any{"ref": branch}, &got); len(errs) > 0 {
		w.t.Fatal(errs)
	}
	return got.Repository.Ref.ID
}

// TestQueueInGraphQL shows the entry with its group.
func TestQueueInGraphQL(t *testing.T) {
	w, _, one, _ := queueWorld(t)
	group := w.repo.BuildQueue("main")[0]
	var got struct {
		Repository struct {
			MergeQueue struct {
				Entries struct {
					TotalCount int
					Nodes      []struct {
						State                  string
						Position               int
						BaseCommit, HeadCommit struct{ OID string }
						PullRequest            struct{ Number int }
					}
				}
			}
			None any
		}
	}
	errs := w.graphql(`{ repository(owner: "acme", name: "fleet") {
		mergeQueue { entries(first: 5) { totalCount nodes { state position baseCommit { oid } headCommit { oid } pullRequest { number } } } }
		none: mergeQueue(branch: "one") { id }
	} }`, nil, &got)
	e := got.Repository.MergeQueue.Entries
	if len(errs) > 0 || e.TotalCount != 2 || e.Nodes[0].State != "AWAITING_CHECKS" || e.Nodes[0].HeadCommit.OID != group.Head ||
		e.Nodes[0].BaseCommit.OID != group.Base || e.Nodes[0].PullRequest.Number != one.Number || e.Nodes[1].Position != 2 || got.Repository.None != nil {
		t.Errorf("queue %+v, errors %+v", got, errs)
	}
}
