package fakehub

import (
	"slices"
	"strings"
)

// need is what an endpoint asks of an App, one alternative of which suffices,
// in the words of X-Accepted-GitHub-Permissions: "issues=write". They follow
// https://docs.github.com/rest/authentication/permissions-required-for-github-apps.
type need []string

// String is the header's value.
func (n need) String() string { return strings.Join(n, "; ") }

var levelOrder = [...]string{"", "read", "write", "admin"}

// grants tells whether permissions include one like "issues=write".
func grants(perms map[string]string, want string) bool {
	name, level, _ := strings.Cut(want, "=")
	return slices.Index(levelOrder[:], perms[name]) >= slices.Index(levelOrder[:], level)
}

// sees tells whether the actor may know that a repository exists.
func (a *actor) sees(r *Repo) bool {
	switch {
	case r == nil || a.app != nil:
		return false
	case r.public:
		return true
	case a.token != nil:
		return a.token.covers(r)
	}
	return roleRank(r.role(a.account)) >= roleRank("read")
}

// allow refuses with a 403 what the actor may not do to a repository.
func (a *actor) allow(r *Repo, n need) error {
	if len(n) == 0 {
		return nil
	}
	for _, want := range n {
		if a.may(r, want) {
			return nil
		}
	}
	e := errForbidden(n.String())
	if a.token == nil {
		e.message = "Must have push access to repository"
		if strings.HasPrefix(n.String(), "checks=") {
			e.message = "You must authenticate via a GitHub App."
		}
	}
	return e
}

func (a *actor) may(r *Repo, want string) bool {
	name, level, _ := strings.Cut(want, "=")
	if a.token != nil {
		if !a.token.covers(r) {
			return r.public && level == "read" && name != "administration"
		}
		return grants(a.token.perms, want)
	}
	if a.account == nil {
		return level == "read" && r.public && name != "administration"
	}
	role := roleFor(name, level)
	return role != "" && roleRank(r.role(a.account)) >= roleRank(role)
}

// roleFor is the collaborator's role that stands for an App's permission.
func roleFor(name, level string) string {
	switch {
	case name == "administration":
		return "admin"
	case level == "read", name == "issues", name == "pull_requests":
		return "read"
	case name == "checks":
		return "" // only Apps write check runs.
	}
	return "write"
}

// mayWorkflows tells whether the actor may change .github/workflows, which
// takes an App one more permission.
func (a *actor) mayWorkflows() bool {
	return a.token == nil || grants(a.token.perms, "workflows=write")
}

const workflowsDir = ".github/workflows/"
