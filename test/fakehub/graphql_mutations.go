package fakehub

import (
	"cmp"
	"fmt"
	"strings"
)

// mutation does one thing and returns the payload's fields.
type mutation func(x *execution, in obj) (obj, error)

// mutations are the fields of Mutation.
func (x *execution) mutations() obj {
	fields := obj{}
	for name, m := range map[string]mutation{
		"createRef": createRef, "updateRef": updateRef, "deleteRef": deleteRef, "createCommitOnBranch": createCommitOnBranch,
		"createPullRequest": createPullRequest, "updatePullRequest": updatePullRequest, "closePullRequest": closePullRequest,
		"mergePullRequest": mergePullRequest, "updatePullRequestBranch": updatePullRequestBranch,
		"enablePullRequestAutoMerge": enableAutoMerge, "disablePullRequestAutoMerge": disableAutoMerge,
		"enqueuePullRequest": enqueue, "dequeuePullRequest": dequeue, "requestReviews": requestReviews,
		"addComment": addComment, "updateIssueComment": updateIssueComment, "deleteIssueComment": deleteIssueComment,
		"addReaction": addReaction,
	} {
		fields[name] = resolver(func(args obj) (any, error) {
			in := argObject(args, "input")
			out, err := m(x, in)
			if err != nil {
				return nil, err
			}
			if out == nil {
				out = obj{}
			}
			out["clientMutationId"] = in["clientMutationId"]
			out["actor"] = x.actor(x.c.actor.account)
			return &object{strings.ToUpper(name[:1]) + name[1:] + "Payload", out}, nil
		})
	}
	return fields
}

// repoFor finds a repository by node ID, for somebody who may do this to it.
func (x *execution) repoFor(id string, n need) (*Repo, error) {
	r, err := find[*Repo](x, id)
	if err != nil {
		return nil, err
	}
	return r, x.c.actor.allow(r, n)
}

// pullFor is repoFor for a pull request.
func (x *execution) pullFor(in obj, n need) (*pull, error) {
	p, err := find[*pull](x, argText(in, "pullRequestId"))
	if err != nil {
		return nil, err
	}
	return p, x.c.actor.allow(p.repo, n)
}

func createPullRequest(x *execution, in obj) (obj, error) {
	r, err := x.repoFor(argText(in, "repositoryId"), need{"pull_requests=write"})
	if err != nil {
		return nil, err
	}
	head := argText(in, "headRefName")
	if id := argText(in, "headRepositoryId"); id != "" && id != r.nodeID() {
		fork, err := find[*Repo](x, id)
		if err != nil {
			return nil, err
		}
		head = fork.owner.login + ":" + head
	}
	p, err := r.newPull(x.c.actor.account, pullInput{
		title: argText(in, "title"), body: argText(in, "body"), head: strings.TrimPrefix(head, "refs/heads/"),
		base: strings.TrimPrefix(argText(in, "baseRefName"), "refs/heads/"), draft: argBool(in, "draft"),
	})
	if err != nil {
		return nil, err
	}
	return obj{"pullRequest": x.pull(p)}, nil
}

func updatePullRequest(x *execution, in obj) (obj, error) {
	p, err := x.pullFor(in, need{"pull_requests=write"})
	if err != nil {
		return nil, err
	}
	given := func(name string) *string {
		if s, ok := in[name].(string); ok {
			return &s
		}
		return nil
	}
	e := pullEdit{title: given("title"), body: given("body"), base: given("baseRefName"), state: given("state")}
	if e.state != nil {
		*e.state = strings.ToLower(*e.state)
	}
	if err := p.repo.editPull(x.c.actor.account, p, e); err != nil {
		return nil, err
	}
	return obj{"pullRequest": x.pull(p)}, nil
}

func closePullRequest(x *execution, in obj) (obj, error) {
	p, err := x.pullFor(in, need{"pull_requests=write"})
	if err != nil {
		return nil, err
	}
	p.repo.closePull(x.c.actor.account, p)
	return obj{"pullRequest": x.pull(p)}, nil
}

// mergeMethod is MERGE where it is not given: gqlparser fills in the defaults
// of variables, not those of fields in a literal.
func mergeMethod(in obj) string {
	return cmp.Or(strings.ToLower(argText(in, "mergeMethod")), "merge")
}

func mergePullRequest(x *execution, in obj) (obj, error) {
	p, err := x.pullFor(in, need{"contents=write"})
	if err != nil {
		return nil, err
	}
	_, err = x.c.merge(p, mergeInput{
		method: mergeMethod(in), head: argText(in, "expectedHeadOid"),
		title: argText(in, "commitHeadline"), message: argText(in, "commitBody"),
	})
	if err != nil {
		return nil, err
	}
	return obj{"pullRequest": x.pull(p)}, nil
}

func updatePullRequestBranch(x *execution, in obj) (obj, error) {
	p, err := x.pullFor(in, need{"pull_requests=write"})
	if err != nil {
		return nil, err
	}
	if want := argText(in, "expectedHeadOid"); want != "" && want != p.headSHA {
		return nil, errUnprocessable("expected head sha didn’t match current head ref.")
	}
	if err := p.repo.updateBranch(x.c.actor.account, p); err != nil {
		return nil, err
	}
	return obj{"pullRequest": x.pull(p)}, nil
}

func enableAutoMerge(x *execution, in obj) (obj, error) {
	p, err := x.pullFor(in, need{"pull_requests=write"})
	if err != nil {
		return nil, err
	}
	if want := argText(in, "expectedHeadOid"); want != "" && want != p.headSHA {
		return nil, errUnprocessable("Head branch was modified. Review and try the merge again.")
	}
	err = p.repo.armAutoMerge(x.c.actor.account, p, autoMerge{
		method: mergeMethod(in), title: argText(in, "commitHeadline"), message: argText(in, "commitBody"),
	})
	if err != nil {
		return nil, err
	}
	return obj{"pullRequest": x.pull(p)}, nil
}

func disableAutoMerge(x *execution, in obj) (obj, error) {
	p, err := x.pullFor(in, need{"pull_requests=write"})
	if err != nil {
		return nil, err
	}
	if p.autoMerge == nil {
		return nil, errUnprocessable("Can't disable auto-merge for this pull request")
	}
	p.repo.disarm(x.c.actor.account, p, "")
	return obj{"pullRequest": x.pull(p)}, nil
}

func enqueue(x *execution, in obj) (obj, error) {
	p, err := x.pullFor(in, need{"contents=write"})
	if err != nil {
		return nil, err
	}
	if want := argText(in, "expectedHeadOid"); want != "" && want != p.headSHA {
		return nil, errUnprocessable("Head branch was modified. Review and try the merge again.")
	}
	if err := p.repo.enqueue(x.c.actor.account, p); err != nil {
		return nil, err
	}
	return obj{"mergeQueueEntry": x.queueEntry(p)}, nil
}

func dequeue(x *execution, in obj) (obj, error) {
	p, err := find[*pull](x, argText(in, "id"))
	if err != nil {
		return nil, err
	}
	if err := x.c.actor.allow(p.repo, need{"contents=write"}); err != nil {
		return nil, err
	}
	if p.queued == nil {
		// Seen of one that had left by itself:
		// https://github.com/vanillagreencom/kendex/issues/1289.
		return nil, errUnprocessable(fmt.Sprintf("Failed to remove PR #%d from the merge queue", p.number))
	}
	entry := x.queueEntry(p)
	p.repo.leave(x.c.actor.account, p, leftByHand)
	return obj{"mergeQueueEntry": entry}, nil
}

func requestReviews(x *execution, in obj) (obj, error) {
	p, err := x.pullFor(in, need{"pull_requests=write"})
	if err != nil {
		return nil, err
	}
	var users []*account
	for _, id := range argList[string](in, "userIds") {
		u, err := find[*account](x, id)
		if err != nil {
			return nil, err
		}
		users = append(users, u)
	}
	if !argBool(in, "union") {
		p.requested = nil
	}
	if err := p.repo.requestReviews(x.c.actor.account, p, users); err != nil {
		return nil, err
	}
	return obj{"pullRequest": x.pull(p)}, nil
}
