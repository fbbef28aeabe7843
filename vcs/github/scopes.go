package github

import (
	"net/http"
	"strings"
)

// scope names a use of tokens. Each has its own token, for one repository and
// with no more permissions than the use needs, so that a leaked one opens
// little: most requests only look, and carry a token that can only look.
type scope string

const (
	scopeRead   scope = "read"   // whatever is looked at
	scopeChange scope = "change" // branches, commits, pull requests, merges and their gate
	scopeTell   scope = "tell"   // comments, reactions, check runs
	scopeClone  scope = "clone"  // fetching the mirror
)

// wants lists the permissions of a scope. What the owner did not grant is left
// out of the request, since asking for it would refuse the whole token
// (https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app);
// the call that needs it then says what is missing. A comment on a pull
// request takes pull_requests; issues are only read.
func (s scope) wants() map[string]string {
	switch s {
	case scopeChange:
		// The gate is read with it, too: mergeStateStatus tells whether the asker
		// may merge, so that a token which only reads sees BLOCKED for ever
		// (https://github.com/strands-labs/robots/issues/1917).
		return map[string]string{
			"metadata": "read", "contents": "write", "pull_requests": "write",
			"checks": "read", "statuses": "read", "merge_queues": "read",
		}
	case scopeTell:
		return map[string]string{"metadata": "read", "pull_requests": "write", "checks": "write"}
	case scopeClone:
		return map[string]string{"metadata": "read", "contents": "read"}
	}
	return map[string]string{
		"metadata": "read", "contents": "read", "pull_requests": "read", "issues": "read",
		"checks": "read", "statuses": "read", "merge_queues": "read", "members": "read",
	}
}

// asks is what a scope wants as far as it was granted.
func (s scope) asks(granted map[string]string) map[string]string {
	if len(granted) == 0 {
		return nil
	}
	asks := map[string]string{}
	for name, want := range s.wants() {
		switch have := granted[name]; {
		case have == "":
		case want == "write" && have == "read":
			asks[name] = "read"
		default:
			asks[name] = want
		}
	}
	return asks
}

// restScope is what a REST request takes, by its method and path. Whatever is
// not known to look or to tell counts as a change.
//
// Three things are looked at as who will merge, since GitHub shows them by what
// the asker may do: the repository's merge methods
// (https://github.com/integrations/terraform-provider-github/pull/1727), the
// rules, and whether we may bypass them.
func restScope(req *http.Request, base string) scope {
	// "repos/{owner}/{repo}/issues/…", or after a redirect "repositories/{id}/issues/…".
	parts := strings.Split(strings.TrimPrefix(req.URL.Path, base), "/")
	at, inRepo := 3, parts[0] == "repos"
	if parts[0] == "repositories" {
		at, inRepo = 2, true
	}
	what := ""
	if len(parts) > at {
		what = parts[at]
	}
	look := req.Method == http.MethodGet || req.Method == http.MethodHead
	switch {
	case look && (!inRepo || what != "" && what != "rules" && what != "rulesets"):
		return scopeRead
	case !look && (what == "issues" || what == "check-runs"):
		return scopeTell
	}
	return scopeChange
}
