package fakehub

import "strings"

// rollup is statusCheckRollup: null where nobody has reported anything.
func (x *execution) rollup(r *Repo, sha string) resolver {
	return x.gated(r, need{"checks=read", "statuses=read"}, func(obj) any {
		all := r.rollup(sha)
		if all.state == "" {
			return nil
		}
		var list []*object
		for _, run := range all.runs {
			list = append(list, x.checkRun(r, run))
		}
		for _, s := range all.statuses {
			list = append(list, x.statusContext(r, s))
		}
		return &object{"StatusCheckRollup", obj{
			"id": shaNodeID("SCR", r.id, sha), "state": all.state,
			"commit": lazy(func() any { return orNil(x.commitAt(r, sha)) }),
			"contexts": resolver(func(args obj) (any, error) {
				if err := x.seesContexts(r, len(all.runs), len(all.statuses)); err != nil {
					return nil, err
				}
				return connection("StatusCheckRollupContextConnection", list, func(o *object) *object { return o },
					obj{"checkRunCount": len(all.runs), "statusContextCount": len(all.statuses)})(args)
			}),
		}}
	})
}

// seesContexts tells whether an actor may read what is in a rollup: each kind
// takes a permission of its own.
func (x *execution) seesContexts(r *Repo, runs, statuses int) error {
	if runs > 0 {
		if err := x.c.actor.allow(r, need{"checks=read"}); err != nil {
			return err
		}
	}
	if statuses > 0 {
		return x.c.actor.allow(r, need{"statuses=read"})
	}
	return nil
}

func (x *execution) checkRun(r *Repo, run *checkRun) *object {
	j := r.runJSON(run)
	var conclusion any
	if run.conclusion != "" {
		conclusion = strings.ToUpper(run.conclusion)
	}
	return &object{"CheckRun", obj{
		"id": j["node_id"], "databaseId": run.id, "name": run.name, "status": strings.ToUpper(run.status),
		"conclusion": conclusion, "detailsUrl": j["details_url"], "url": j["html_url"], "externalId": run.externalID,
		"startedAt": j["started_at"], "completedAt": j["completed_at"], "title": textOrNil(run.title),
		"summary": textOrNil(run.summary), "text": textOrNil(run.text), "isRequired": x.isRequired(r, run.name, run.suite.app.bot),
		"checkSuite": lazy(func() any { return x.checkSuite(r, run.suite) }),
	}}
}

func (x *execution) checkSuite(r *Repo, s *checkSuite) *object {
	state, conclusion := r.suiteState(s)
	var end any
	if conclusion != "" {
		end = strings.ToUpper(conclusion)
	}
	return &object{"CheckSuite", obj{
		"workflowRun": nil, // the hub has no Actions
		"id":          nodeID("CS", r.id, s.id), "databaseId": s.id, "status": strings.ToUpper(state), "conclusion": end,
		"app": &object{"App", obj{
			"id": nodeID("A", s.app.id), "databaseId": s.app.id, "slug": s.app.slug, "name": s.app.slug,
		}},
		"commit": lazy(func() any { return orNil(x.commitAt(r, s.sha)) }),
	}}
}

func (x *execution) statusContext(r *Repo, s *status) *object {
	return &object{"StatusContext", obj{
		"id": nodeID("SC", r.id, s.id), "context": s.context, "state": s.rollupState(), "targetUrl": textOrNil(s.targetURL),
		"description": textOrNil(s.description), "createdAt": stamp(s.created),
		"creator":    lazy(func() any { return x.actor(s.creator) }),
		"isRequired": x.isRequired(r, s.context, s.creator),
	}}
}

// isRequired wants to know for which pull request.
func (x *execution) isRequired(r *Repo, name string, by *account) resolver {
	return func(args obj) (any, error) {
		var p *pull
		if id := argText(args, "pullRequestId"); id != "" {
			p, _ = x.h.nodes[id].(*pull)
		} else if n, ok := argInt(args, "pullRequestNumber"); ok {
			p = r.pull(n)
		} else {
			return nil, errUnprocessable("Either pullRequestId or pullRequestNumber must be provided")
		}
		if p == nil {
			return nil, notResolved("PullRequest", "given id or number")
		}
		return r.isRequired(p.baseRef, name, by), nil
	}
}
