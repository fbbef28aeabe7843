package github

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/backout-dev/backout/bot"
)

var _ bot.Teams = (*Client)(nil)

// membersAdvice says what is missing to read teams.
const membersAdvice = "Until the GitHub App has the organization permission Members (read-only), nobody counts as a member of a team"

// Member implements bot.Teams
// (https://docs.github.com/rest/teams/members#get-team-membership-for-a-user).
// An invitation that was not accepted yet is no membership.
func (c *Client) Member(ctx context.Context, name bot.RepoName, team, login string) (bool, error) {
	r, err := c.repo(name)
	if err != nil {
		return false, err
	}
	org, slug, ok := strings.Cut(team, "/")
	if !ok || org == "" || slug == "" || strings.Contains(slug, "/") {
		return false, bot.NewTrouble(bot.TroubleInvalid, nil, "%q is not a team", team).WithAdvice("Write it as organization/team")
	}
	if !strings.EqualFold(org, r.owner) {
		return false, bot.NewTrouble(bot.TroubleInvalid, nil, "Team %s is not of the organization that owns %s", team, name).
			WithAdvice("Name a team of %s", r.owner)
	}
	if login == "" {
		return false, nil
	}
	in, err := r.findInstallation(ctx)
	if err != nil {
		return false, r.trouble(err, "read the members of team %s", team)
	}
	if lacksMembers(in) {
		// It may have been granted since we looked.
		r.forgetInstallation()
		if in, err = r.findInstallation(ctx); err != nil {
			return false, r.trouble(err, "read the members of team %s", team)
		}
	}
	if lacksMembers(in) {
		return false, bot.NewTrouble(bot.TroubleForbidden, nil, "Team %s can't be read", team).WithAdvice(membersAdvice)
	}
	var got struct {
		State string `json:"state"`
	}
	err = r.get(ctx, "orgs/"+url.PathEscape(org)+"/teams/"+url.PathEscape(slug)+"/memberships/"+url.PathEscape(login), &got)
	switch {
	case status(err) == http.StatusNotFound:
		return false, nil // also where there is no such team
	case status(err) == http.StatusForbidden && r.client.judge(err).Kind == bot.TroubleForbidden:
		return false, bot.NewTrouble(bot.TroubleForbidden, err, "Team %s can't be read", team).WithAdvice(membersAdvice)
	case err != nil:
		return false, r.trouble(err, "read the members of team %s", team)
	}
	return got.State == "active", nil
}

func lacksMembers(in installation) bool {
	return len(in.Permissions) > 0 && in.Permissions["members"] == ""
}
