package trial

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// allowance is a known way in which something does not fit. Its pattern
// matches the whole of "operation | part | what".
type allowance struct {
	pattern string
	why     string
	times   int
}

// allowances are all there are. Each must be needed by what the package plays
// itself, so that none outlives its reason.
func allowances() []*allowance {
	return []*allowance{
		// The description lists few of the refusals that every operation gives;
		// court.refusal holds their bodies.
		{pattern: `.* \| answer 400 \| status is not supported`, why: "any operation that takes JSON refuses what is none: docs.github.com/rest, Troubleshooting"},
		{pattern: `.* \| answer 401 \| status is not supported`, why: "any operation refuses a bad token: the same page"},
		{pattern: `.* \| answer 403 \| status is not supported`, why: "any operation refuses a token that lacks a permission: the same page"},
		{pattern: `.* \| answer 404 \| status is not supported`, why: "any operation says so of what is not there: the same page"},
		{pattern: `.* \| answer 422 \| status is not supported`, why: "any operation refuses what is invalid, such as a commit that is not there: the same page"},

		// Faults of the description.
		{
			pattern: `GET /app/installations \| answer 200 \| /\*/account/(created_at|name|slug|updated_at) required: .*`,
			why:     "it wants an account to be a user and an enterprise at once; that of GET /app/installations/{installation_id} is either",
		},
		{pattern: `POST /repos/\{owner\}/\{repo\}/git/blobs \| answer 422 \| / oneOf: .*`, why: "a plain error fits both of its alternatives"},
		{pattern: `GET /repos/acme/fleet/contents/? \| route \| .*`, why: "the root has no path; GitHub answers it, and go-github asks with a slash at the end"},
		{pattern: `webhook [a-z-]+ \| payload \| .*/email format: is no email`, why: "the address of a bot has brackets: 41898282+github-actions[bot]@users.noreply.github.com"},

		// What GitHub has and not every part of the description has yet.
		{pattern: `.*/user_view_type is not described`, why: "GitHub sends it with every user; some forms of a user have it"},
		{pattern: `.*/permissions/merge_queues is not described`, why: "only GET /app describes this permission of an App"},
		{pattern: `[A-Z].* \| answer 4[0-9]{2} \| /status is not described`, why: "GitHub sends it with every error; some forms of an error have it"},
		{pattern: `GET /app/installations \| answer 200 \| /\*/client_id is not described`, why: "GET /app/installations/{installation_id} describes it"},

		// Habits of go-github and ghinstallation, which GitHub takes.
		{pattern: `POST /app/installations/\{installation_id\}/access_tokens \| request \| / nullable: .*`, why: "null where there are no options"},
		{pattern: `POST /repos/\{owner\}/\{repo\}/issues/\{issue_number\}/labels \| request \| / type: .*`, why: "labels as a bare list"},
	}
}

// pronounce fails the test for every objection that nothing allows and, where
// everything was heard, for every allowance that nothing needs.
func (c *court) pronounce(t *testing.T, everything bool) {
	t.Helper()
	list := allowances()
	var keys []string
	for key, o := range c.objections {
		if !allow(list, key, o.times) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		o := c.objections[key]
		t.Errorf("%d × %s\n    in: %s", o.times, key, strings.Join(strings.Fields(o.example[:min(len(o.example), 400)]), " "))
	}
	n := 0
	for _, a := range list {
		n += a.times
		if everything && a.times == 0 {
			t.Errorf("nothing needs the allowance %s (%s)", a.pattern, a.why)
		}
	}
	if everything {
		fmt.Println(c.summary())
		fmt.Printf("trial: %d objections, %d allowed by %d allowances\n", n+len(keys), n, len(list))
	}
}

func allow(list []*allowance, key string, times int) bool {
	for _, a := range list {
		if regexp.MustCompile("^(?:" + a.pattern + ")$").MatchString(key) {
			a.times += times
			return true
		}
	}
	return false
}
