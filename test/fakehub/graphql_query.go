package fakehub

import (
	"cmp"
	"fmt"
	"strings"
)

// queries are the fields of Query.
func (x *execution) queries() obj {
	return obj{
		"viewer": lazy(func() any { return x.account(x.c.actor.account, "User") }),
		"rateLimit": lazy(func() any {
			u := x.h.usage[x.c.actor.name()]
			return &object{"RateLimit", obj{
				"cost": 1, "limit": hourly, "nodeCount": 0, "used": u.used["graphql"],
				"remaining": max(0, hourly-u.used["graphql"]), "resetAt": stamp(u.reset),
			}}
		}),
		"repository": resolver(func(args obj) (any, error) {
			name := argText(args, "owner") + "/" + argText(args, "name")
			r := x.h.repos[strings.ToLower(name)]
			if !x.c.actor.sees(r) {
				return nil, notResolved("Repository", "name '"+name+"'")
			}
			return x.repo(r), nil
		}),
		"__type": resolver(func(args obj) (any, error) { return x.kind(argText(args, "name")), nil }),
		"node":   resolver(func(args obj) (any, error) { return x.node(argText(args, "id")) }),
		"nodes": resolver(func(args obj) (any, error) {
			var list []*object
			for _, id := range argList[string](args, "ids") {
				o, err := x.node(id)
				if err != nil {
					return nil, err
				}
				list = append(list, o)
			}
			return list, nil
		}),
	}
}

// refNode and commitNode are what the node IDs of refs and commits name.
type refNode struct {
	repo *Repo
	name string
}

type commitNode struct {
	repo *Repo
	oid  string
}

func noNode(id string) *apiError {
	e := errNotFound()
	e.graph = "Could not resolve to a node with the global id of '" + id + "'"
	return e
}

// find looks up a node ID that the actor may see, of the given type.
func find[T any](x *execution, id string) (T, error) {
	v, ok := x.h.nodes[id].(T)
	if !ok || !x.c.actor.reaches(x.h.nodes[id]) {
		return v, noNode(id)
	}
	return v, nil
}

// reaches tells whether an actor may see a node.
func (a *actor) reaches(node any) bool {
	switch v := node.(type) {
	case *Repo:
		return a.sees(v)
	case *pull:
		return a.sees(v.repo)
	case *issue:
		return a.sees(v.repo)
	case *comment:
		return a.sees(v.issue.repo)
	case refNode:
		return a.sees(v.repo)
	case commitNode:
		return a.sees(v.repo)
	}
	return true
}

func (x *execution) node(id string) (*object, error) {
	node, err := find[any](x, id)
	if err != nil {
		return nil, err
	}
	switch v := node.(type) {
	case *Repo:
		return x.repo(v), nil
	case *pull:
		return x.pull(v), nil
	case *issue:
		return x.issue(v), nil
	case *comment:
		return x.comment(v), nil
	case *account:
		return x.account(v, v.kind), nil
	case refNode:
		if o := x.ref(v.repo, v.name); o != nil {
			return o, nil
		}
	case commitNode:
		if c, err := v.repo.git.commit(v.oid); err == nil {
			return x.commit(v.repo, c), nil
		}
	}
	return nil, noNode(id)
}

// orNil keeps a missing object from becoming a typed nil.
func orNil(o *object) any {
	if o == nil {
		return nil
	}
	return o
}

func (x *execution) account(a *account, kind string) *object {
	if a == nil {
		return nil
	}
	login := a.login
	if kind == "Bot" {
		login = strings.TrimSuffix(login, "[bot]")
	}
	return &object{kind, obj{
		"id": a.nodeID(), "databaseId": a.id, "login": login, "name": a.login, "email": "",
		"url": x.h.profile(a),
	}}
}

// actor is whoever did something. The login of a Bot has no "[bot]" in
// GraphQL, unlike in REST.
func (x *execution) actor(a *account) any {
	if a == nil {
		return nil
	}
	return x.account(a, a.kind)
}

func (x *execution) repo(r *Repo) *object {
	return &object{"Repository", obj{
		"id": r.nodeID(), "databaseId": r.id, "name": r.name, "nameWithOwner": r.FullName(), "url": r.HTMLURL(),
		"owner": lazy(func() any { return x.actor(r.owner) }), "isPrivate": !r.public, "isFork": r.parent != nil,
		"autoMergeAllowed": r.opts.AllowAutoMerge, "deleteBranchOnMerge": r.opts.DeleteBranchOnMerge,
		"mergeCommitAllowed": r.allows("merge"), "squashMergeAllowed": r.allows("squash"), "rebaseMergeAllowed": r.allows("rebase"),
		"defaultBranchRef": x.gated(r, need{"contents=read"}, func(obj) any { return orNil(x.ref(r, "refs/heads/"+r.defaultBranch)) }),
		"ref": x.gated(r, need{"contents=read"}, func(args obj) any {
			name := argText(args, "qualifiedName")
			if !strings.HasPrefix(name, "refs/") {
				name = "refs/heads/" + name
			}
			return orNil(x.ref(r, name))
		}),
		"object": x.gated(r, need{"contents=read"}, func(args obj) any {
			name := argText(args, "oid")
			if name == "" {
				name = argText(args, "expression")
			}
			return orNil(x.gitObject(r, name))
		}),
		"issue": resolver(func(args obj) (any, error) {
			n, _ := argInt(args, "number")
			if i := r.issues[n]; i != nil && i.pull == nil {
				return x.issue(i), x.c.actor.allow(r, need{"issues=read"})
			}
			return nil, notResolved("Issue", fmt.Sprintf("number of %d", n))
		}),
		"pullRequest": resolver(func(args obj) (any, error) {
			n, _ := argInt(args, "number")
			if p := r.pull(n); p != nil {
				return x.pull(p), x.c.actor.allow(r, need{"pull_requests=read"})
			}
			return nil, notResolved("PullRequest", fmt.Sprintf("number of %d", n))
		}),
		"pullRequests": resolver(func(args obj) (any, error) { return x.pulls(r, args, "") }),
		"mergeQueue": x.gated(r, need{"merge_queues=read"}, func(args obj) any {
			return orNil(x.mergeQueue(r, cmp.Or(argText(args, "branch"), r.defaultBranch)))
		}),
	}}
}

// gated is a field that takes a permission.
func (x *execution) gated(r *Repo, n need, f func(args obj) any) resolver {
	return func(args obj) (any, error) {
		if err := x.c.actor.allow(r, n); err != nil {
			return nil, err
		}
		return f(args), nil
	}
}

func (x *execution) ref(r *Repo, name string) *object {
	sha := r.git.ref(name)
	if sha == "" {
		return nil
	}
	id := shaNodeID("REF", r.id, name)
	x.h.nodes[id] = refNode{r, name}
	short := strings.TrimPrefix(strings.TrimPrefix(name, "refs/heads/"), "refs/tags/")
	return &object{"Ref", obj{
		"id": id, "name": short, "prefix": strings.TrimSuffix(name, short),
		"target":     lazy(func() any { return orNil(x.gitObject(r, sha)) }),
		"repository": lazy(func() any { return x.repo(r) }),
		"associatedPullRequests": resolver(func(args obj) (any, error) {
			return x.pulls(r, args, short)
		}),
		"branchProtectionRule": x.gated(r, need{"administration=read"}, func(obj) any { return x.protection(r, short) }),
		"refUpdateRule": lazy(func() any {
			rules := r.classic(short) // rulesets are not shown here.
			if rules == nil {
				return nil
			}
			contexts, _ := rules.checksJSON()
			return &object{"RefUpdateRule", obj{
				"pattern": short, "requiredApprovingReviewCount": rules.Approvals, "requiredStatusCheckContexts": contexts,
				"requiresCodeOwnerReviews": len(rules.CodeOwners) > 0, "requiresConversationResolution": rules.Conversations,
				"requiresLinearHistory": rules.LinearHistory,
			}}
		}),
	}}
}

func (x *execution) protection(r *Repo, branch string) any {
	rules := r.classic(branch)
	if rules == nil {
		return nil
	}
	contexts, _ := rules.checksJSON()
	return &object{"BranchProtectionRule", obj{
		"id": nodeID("BPR", r.id, rules.id), "pattern": branch, "requiredApprovingReviewCount": rules.Approvals,
		"requiredStatusCheckContexts": contexts, "requiresApprovingReviews": rules.Approvals > 0,
		"requiresStatusChecks": len(contexts) > 0, "requiresStrictStatusChecks": rules.Strict,
	}}
}
