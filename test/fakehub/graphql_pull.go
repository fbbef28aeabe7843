package fakehub

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// graphState is PullRequestState, which has a word of its own for merged.
func (p *pull) graphState() string {
	if p.merged {
		return "MERGED"
	}
	return strings.ToUpper(p.state)
}

func (x *execution) pull(p *pull) *object {
	r := p.repo
	fields := obj{
		"id": p.nodeID(), "databaseId": p.prID, "fullDatabaseId": strconv.FormatInt(p.prID, 10), "number": p.number,
		"url": p.htmlURL(), "title": p.title, "body": p.body, "state": p.graphState(), "closed": p.state == "closed",
		"closedAt": stampOrNil(p.closed), "createdAt": stamp(p.created), "updatedAt": stamp(p.updated),
		"merged": p.merged, "mergedAt": stampOrNil(p.mergedAt), "isDraft": p.draft, "maintainerCanModify": false,
		"headRefOid": p.headSHA, "headRefName": p.headRef, "baseRefName": p.baseRef, "baseRefOid": p.baseSHA,
		"isCrossRepository": p.headRepo != r, "authorAssociation": r.association(p.author),
		"isInMergeQueue": p.queued != nil, "isMergeQueueEnabled": r.rules(p.baseRef) != nil && r.rules(p.baseRef).MergeQueue,
		"reviewDecision": textOrNil(p.decision()), "reactionGroups": x.reactionGroups(nil),
		"mergeable":           lazy(func() any { return x.c.seen.state(p).mergeable }),
		"mergeStateStatus":    lazy(func() any { return x.mergeStateStatus(p) }),
		"author":              lazy(func() any { return x.actor(p.author) }),
		"mergedBy":            lazy(func() any { return x.actor(p.mergedBy) }),
		"repository":          lazy(func() any { return x.repo(r) }),
		"baseRepository":      lazy(func() any { return x.repo(r) }),
		"baseRef":             lazy(func() any { return orNil(x.ref(r, "refs/heads/"+p.baseRef)) }),
		"headRef":             lazy(func() any { return orNil(x.ref(p.headRepo, "refs/heads/"+p.headRef)) }),
		"headRepository":      lazy(func() any { return x.repo(p.headRepo) }),
		"headRepositoryOwner": lazy(func() any { return x.actor(p.headRepo.owner) }),
		"statusCheckRollup":   x.rollup(r, p.headSHA),
		"mergeCommit":         lazy(func() any { return orNil(x.commitAt(r, p.mergeSHA)) }),
		"potentialMergeCommit": lazy(func() any {
			return orNil(x.commitAt(r, x.c.seen.state(p).testMerge))
		}),
		"additions":    lazy(func() any { return r.stats(p).additions }),
		"deletions":    lazy(func() any { return r.stats(p).deletions }),
		"changedFiles": lazy(func() any { return r.stats(p).files }),
	}
	x.pullLists(p, fields)
	x.pullWaits(p, fields)
	return &object{"PullRequest", fields}
}

// pullLists adds the connections.
func (x *execution) pullLists(p *pull, fields obj) {
	r := p.repo
	fields["commits"] = resolver(func(args obj) (any, error) {
		list, err := r.git.between(p.baseSHA, p.headSHA)
		if err != nil {
			return nil, err
		}
		return connection("PullRequestCommitConnection", list, func(c *commit) *object {
			return &object{"PullRequestCommit", obj{
				"id": shaNodeID("PURC", r.id, c.oid), "commit": lazy(func() any { return x.commit(r, c) }),
			}}
		}, nil)(args)
	})
	fields["comments"] = connection("IssueCommentConnection", p.comments, x.comment, nil)
	fields["labels"] = connection("LabelConnection", p.labelsJSON(), func(l obj) *object {
		return &object{"Label", obj{"id": l["node_id"], "name": l["name"], "color": l["color"], "description": l["description"]}}
	}, nil)
	fields["reviews"] = resolver(func(args obj) (any, error) {
		states := argList[string](args, "states")
		list := slices.DeleteFunc(slices.Clone(p.reviews), func(v *review) bool {
			return len(states) > 0 && !slices.Contains(states, v.state)
		})
		return connection("PullRequestReviewConnection", list, func(v *review) *object { return x.review(p, v) }, nil)(args)
	})
	fields["latestReviews"] = resolver(func(args obj) (any, error) {
		var list []*review
		for _, v := range p.reviews {
			list = slices.DeleteFunc(list, func(old *review) bool { return old.author == v.author })
			list = append(list, v)
		}
		return connection("PullRequestReviewConnection", list, func(v *review) *object { return x.review(p, v) }, nil)(args)
	})
	fields["reviewRequests"] = connection("ReviewRequestConnection", p.requested, func(a *account) *object {
		return &object{"ReviewRequest", obj{
			"id": nodeID("RRE", r.id, p.prID, a.id), "asCodeOwner": false, "requestedReviewer": x.actor(a),
			"pullRequest": lazy(func() any { return x.pull(p) }),
		}}
	}, nil)
	fields["milestone"] = nil
	fields["assignees"] = none("UserConnection")
	fields["projectCards"] = none("ProjectCardConnection")
	fields["closingIssuesReferences"] = connection("IssueConnection", p.closes(), x.issue, nil)
}

// pullWaits adds native auto-merge and the merge queue.
func (x *execution) pullWaits(p *pull, fields obj) {
	fields["autoMergeRequest"], fields["mergeQueueEntry"] = nil, nil
	if a := p.autoMerge; a != nil {
		fields["autoMergeRequest"] = &object{"AutoMergeRequest", obj{
			"enabledAt": a.at, "enabledBy": x.actor(a.by), "mergeMethod": strings.ToUpper(a.method),
			"commitHeadline": textOrNil(a.title), "commitBody": textOrNil(a.message),
			"pullRequest": lazy(func() any { return x.pull(p) }),
		}}
	}
	if p.queued != nil {
		fields["mergeQueueEntry"] = x.queueEntry(p)
	}
}

// mergeQueue is a branch's queue, or nil where it has none.
func (x *execution) mergeQueue(r *Repo, branch string) *object {
	rules := r.rules(branch)
	if rules == nil || !rules.MergeQueue {
		return nil
	}
	return &object{"MergeQueue", obj{
		"id": nodeID("MQ", r.id, rules.id), "url": r.HTMLURL() + "/queue/" + branch,
		"entries": connection("MergeQueueEntryConnection", r.waiting(branch), x.queueEntry, nil),
	}}
}

func (x *execution) queueEntry(p *pull) *object {
	q := p.queued
	if q == nil {
		return nil
	}
	fields := obj{
		"id": nodeID("MQE", p.repo.id, q.id), "state": "QUEUED", "position": 1 + slices.Index(p.repo.waiting(p.baseRef), p),
		"enqueuedAt": q.at, "enqueuer": x.actor(q.by), "pullRequest": lazy(func() any { return x.pull(p) }),
		"baseCommit": nil, "headCommit": nil,
	}
	if g := q.group; g != nil {
		fields["state"] = "AWAITING_CHECKS"
		fields["baseCommit"] = lazy(func() any { return orNil(x.commitAt(p.repo, g.base)) })
		fields["headCommit"] = lazy(func() any { return orNil(x.commitAt(p.repo, g.head)) })
	}
	return &object{"MergeQueueEntry", fields}
}

func (x *execution) review(p *pull, v *review) *object {
	return &object{"PullRequestReview", obj{
		"id": nodeID("PRR", p.repo.id, v.id), "databaseId": v.id, "author": x.actor(v.author), "state": v.state,
		"body": v.body, "submittedAt": stamp(v.submitted), "authorAssociation": p.repo.association(v.author),
		"commit":         lazy(func() any { return orNil(x.commitAt(p.repo, v.sha)) }),
		"reactionGroups": x.reactionGroups(nil),
	}}
}

var closing = regexp.MustCompile(`(?i)\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):? #(\d+)`)

// mergeStateStatus tells whether the asker may merge: who can't push sees
// BLOCKED where others see that it may be merged.
// See https://github.com/strands-labs/robots/issues/1917.
func (x *execution) mergeStateStatus(p *pull) string {
	status := x.c.seen.state(p).status
	if (status == "CLEAN" || status == "UNSTABLE") && !x.c.actor.may(p.repo, "contents=write") {
		return "BLOCKED"
	}
	return status
}

// closes are the issues that merging would close, by the closing keywords in
// the body.
func (p *pull) closes() []*issue {
	var list []*issue
	for _, m := range closing.FindAllStringSubmatch(p.body, -1) {
		n, _ := strconv.Atoi(m[1])
		if i := p.repo.issues[n]; i != nil && i.pull == nil && p.baseRef == p.repo.defaultBranch && !slices.Contains(list, i) {
			list = append(list, i)
		}
	}
	return list
}

// pulls is a connection of a repository's pull requests, from one head branch
// where that is given.
func (x *execution) pulls(r *Repo, args obj, head string) (any, error) {
	if err := x.c.actor.allow(r, need{"pull_requests=read"}); err != nil {
		return nil, err
	}
	states := argList[string](args, "states")
	if head == "" {
		head = argText(args, "headRefName")
	}
	base := argText(args, "baseRefName")
	list := slices.DeleteFunc(r.pulls(), func(p *pull) bool {
		return head != "" && p.headRef != head || base != "" && p.baseRef != base ||
			len(states) > 0 && !slices.Contains(states, p.graphState())
	})
	order(list, argObject(args, "orderBy"))
	return connection("PullRequestConnection", list, x.pull, nil)(args)
}

// order sorts by an IssueOrder; without one, pull requests come by number.
func order(list []*pull, by obj) {
	key := func(p *pull) int64 {
		switch argText(by, "field") {
		case "UPDATED_AT":
			return p.updated.Unix()
		case "COMMENTS":
			return int64(len(p.comments))
		}
		return int64(p.number)
	}
	slices.SortStableFunc(list, func(a, b *pull) int {
		if argText(by, "direction") == "DESC" {
			a, b = b, a
		}
		return cmp.Compare(key(a), key(b))
	})
}

func (x *execution) issue(i *issue) *object {
	return &object{"Issue", obj{
		"id": i.nodeID(), "databaseId": i.id, "number": i.number, "title": i.title, "body": i.body,
		"state": strings.ToUpper(i.state), "url": fmt.Sprintf("%s/issues/%d", i.repo.HTMLURL(), i.number),
		"author": x.actor(i.author), "reactionGroups": x.reactionGroups(nil),
	}}
}

func (x *execution) comment(c *comment) *object {
	r := c.issue.repo
	var pr any
	if p := c.issue.pull; p != nil {
		pr = lazy(func() any { return x.pull(p) })
	}
	return &object{"IssueComment", obj{
		"id": c.nodeID(), "databaseId": c.id, "fullDatabaseId": strconv.FormatInt(c.id, 10), "body": c.body,
		"author": x.actor(c.author), "authorAssociation": r.association(c.author), "url": c.htmlURL(),
		"createdAt": stamp(c.created), "updatedAt": stamp(c.updated), "viewerDidAuthor": c.author == x.c.actor.account,
		"issue": lazy(func() any { return x.issue(c.issue) }), "pullRequest": pr,
		"reactionGroups": x.reactionGroups(c.reactions), "includesCreatedEdit": !c.updated.Equal(c.created),
		"isMinimized": false, "minimizedReason": nil,
	}}
}

// reactionNames maps REST's names of reactions to GraphQL's.
var reactionNames = map[string]string{
	"+1": "THUMBS_UP", "-1": "THUMBS_DOWN", "laugh": "LAUGH", "confused": "CONFUSED", "heart": "HEART",
	"hooray": "HOORAY", "rocket": "ROCKET", "eyes": "EYES",
}

func (x *execution) reactionGroups(list []*reaction) []*object {
	groups := []*object{}
	for _, kind := range reactionKinds {
		var by []*account
		for _, r := range list {
			if r.content == kind {
				by = append(by, r.by)
			}
		}
		groups = append(groups, &object{"ReactionGroup", obj{
			"content": reactionNames[kind], "viewerHasReacted": slices.Contains(by, x.c.actor.account),
			"users": connection("ReactingUserConnection", by, func(a *account) *object { return x.account(a, "User") }, nil),
		}})
	}
	return groups
}
