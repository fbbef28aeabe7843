package fakehub

// routes lists every REST endpoint with what it asks of an App, by
// https://docs.github.com/rest/authentication/permissions-required-for-github-apps.
// Reading metadata takes nothing: every installation may.
func routes() *router {
	mux := &router{}
	appRoutes(mux)
	repoRoutes(mux)
	pullRoutes(mux)
	issueRoutes(mux)
	gitRoutes(mux)
	checkRoutes(mux)
	return mux
}

const repoPath = "/repos/{owner}/{repo}"

func appRoutes(mux *router) {
	app := func(pattern string, do func(*call) (int, any, error)) {
		mux.add(pattern, route{as: "app", do: do})
	}
	app("GET /app", (*call).getApp)
	app("GET /app/installations", (*call).listInstallations)
	app("GET /app/installations/{installation_id}", (*call).getInstallation)
	app("POST /app/installations/{installation_id}/access_tokens", (*call).createToken)
	app("GET "+repoPath+"/installation", (*call).repoInstallation)
	app("GET /app/hook/deliveries", (*call).listDeliveries)
	app("GET /app/hook/deliveries/{delivery_id}", (*call).getDelivery)
	app("POST /app/hook/deliveries/{delivery_id}/attempts", (*call).redeliver)
	mux.add("GET /installation/repositories", route{as: "installation", do: (*call).listInstallationRepos})
	mux.add("DELETE /installation/token", route{as: "installation", do: (*call).revokeToken})
	mux.add("GET /rate_limit", route{do: (*call).rateLimit})
	mux.add("GET /users/{username}", route{do: (*call).getUser})
	mux.add("GET /orgs/{org}/teams/{team_slug}/memberships/{username}", route{do: (*call).teamMembership})
}

func repoRoutes(mux *router) {
	mux.add("GET "+repoPath, route{do: (*call).getRepo})
	mux.add("GET "+repoPath+"/branches", route{needs: need{"contents=read"}, do: (*call).listBranches})
	mux.add("GET "+repoPath+"/branches/{branch...}/protection", route{needs: need{"administration=read"}, do: (*call).getProtection})
	mux.add("GET "+repoPath+"/branches/{branch...}", route{needs: need{"contents=read"}, do: (*call).getBranch})
	mux.add("GET "+repoPath+"/rules/branches/{branch...}", route{do: (*call).branchRules})
	mux.add("GET "+repoPath+"/rulesets", route{do: (*call).listRulesets})
	mux.add("GET "+repoPath+"/rulesets/{ruleset_id}", route{do: (*call).getRuleset})
	mux.add("GET "+repoPath+"/collaborators/{username}/permission", route{do: (*call).collaboratorPermission})
	mux.add("GET "+repoPath+"/contents", route{needs: need{"contents=read"}, do: (*call).getContents})
	mux.add("GET "+repoPath+"/contents/{path...}", route{needs: need{"contents=read"}, do: (*call).getContents})
}

func pullRoutes(mux *router) {
	read, write := need{"pull_requests=read"}, need{"pull_requests=write"}
	add := func(pattern string, n need, do func(*call) (int, any, error)) {
		mux.add(pattern, route{needs: n, do: do})
	}
	const one = repoPath + "/pulls/{pull_number}"
	add("GET "+repoPath+"/pulls", read, (*call).listPulls)
	add("POST "+repoPath+"/pulls", write, (*call).createPull)
	add("GET "+one, read, (*call).getPull)
	add("PATCH "+one, write, (*call).updatePull)
	add("GET "+one+"/commits", read, (*call).pullCommits)
	add("GET "+one+"/files", read, (*call).pullFiles)
	add("GET "+one+"/merge", read, (*call).isMerged)
	add("PUT "+one+"/merge", need{"contents=write"}, (*call).mergePull)
	add("PUT "+one+"/update-branch", write, (*call).updatePullBranch)
	add("GET "+one+"/reviews", read, (*call).listReviews)
	add("POST "+one+"/reviews", write, (*call).createReview)
	add("GET "+one+"/requested_reviewers", read, (*call).listRequested)
	add("POST "+one+"/requested_reviewers", write, (*call).requestReviewers)
}

func issueRoutes(mux *router) {
	// Which of the two it takes depends on what the number names: see
	// actor.reachesTalk.
	read, write := need{"issues=read", "pull_requests=read"}, need{"issues=write", "pull_requests=write"}
	add := func(pattern string, n need, do func(*call) (int, any, error)) {
		mux.add(pattern, route{needs: n, do: do})
	}
	const one, said = repoPath + "/issues/{issue_number}", repoPath + "/issues/comments/{comment_id}"
	add("GET "+repoPath+"/issues", need{"issues=read"}, (*call).listIssues)
	add("POST "+repoPath+"/issues", need{"issues=write"}, (*call).createIssue)
	add("GET "+one+"/events", need{"issues=read"}, (*call).listIssueEvents)
	add("GET "+one, read, (*call).getIssue)
	add("PATCH "+one, write, (*call).updateIssue)
	add("GET "+one+"/comments", read, (*call).listComments)
	add("POST "+one+"/comments", write, (*call).createComment)
	add("GET "+one+"/labels", read, (*call).listLabels)
	add("POST "+one+"/labels", write, (*call).addLabels)
	add("GET "+said, read, (*call).getComment)
	add("PATCH "+said, write, (*call).updateComment)
	add("DELETE "+said, write, (*call).removeComment)
	add("GET "+said+"/reactions", read, (*call).listReactions)
	add("POST "+said+"/reactions", write, (*call).createReaction)
	add("DELETE "+said+"/reactions/{reaction_id}", write, (*call).deleteReaction)
}

func gitRoutes(mux *router) {
	read, write := need{"contents=read"}, need{"contents=write"}
	add := func(pattern string, n need, do func(*call) (int, any, error)) {
		mux.add(pattern, route{needs: n, do: do})
	}
	const git = repoPath + "/git"
	add("POST "+git+"/refs", write, (*call).createRef)
	add("GET "+git+"/ref/{ref...}", read, (*call).getRef)
	add("GET "+git+"/matching-refs/{ref...}", read, (*call).matchingRefs)
	add("PATCH "+git+"/refs/{ref...}", write, (*call).updateRef)
	add("DELETE "+git+"/refs/{ref...}", write, (*call).deleteRef)
	add("POST "+git+"/blobs", write, (*call).createBlob)
	add("GET "+git+"/blobs/{file_sha}", read, (*call).getBlob)
	add("POST "+git+"/trees", write, (*call).createTree)
	add("GET "+git+"/trees/{tree_sha}", read, (*call).getTree)
	add("POST "+git+"/commits", write, (*call).createCommit)
	add("GET "+git+"/commits/{commit_sha}", read, (*call).getGitCommit)
	add("GET "+repoPath+"/compare/{basehead...}", read, (*call).compare)
	add("GET "+repoPath+"/commits", read, (*call).listCommits)
	const one = repoPath + "/commits/{ref...}"
	add("GET "+repoPath+"/commits/{commit_sha}/pulls", need{"pull_requests=read"}, (*call).commitPulls)
	add("GET "+one+"/check-runs", need{"checks=read"}, (*call).commitRuns)
	add("GET "+one+"/check-suites", need{"checks=read"}, (*call).commitSuites)
	add("GET "+one+"/status", need{"statuses=read"}, (*call).combinedStatus)
	add("GET "+one+"/statuses", need{"statuses=read"}, (*call).listStatuses)
	add("GET "+one, read, (*call).getCommit)
}

func checkRoutes(mux *router) {
	read, write := need{"checks=read"}, need{"checks=write"}
	mux.add("POST "+repoPath+"/check-runs", route{needs: write, do: (*call).createRun})
	mux.add("GET "+repoPath+"/check-runs/{check_run_id}", route{needs: read, do: (*call).getRun})
	mux.add("PATCH "+repoPath+"/check-runs/{check_run_id}", route{needs: write, do: (*call).updateRun})
	mux.add("GET "+repoPath+"/check-suites/{check_suite_id}", route{needs: read, do: (*call).getSuite})
	mux.add("POST "+repoPath+"/statuses/{sha}", route{needs: need{"statuses=write"}, do: (*call).createStatus})
}
