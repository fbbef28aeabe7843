package github

import (
	"context"
	"net/http"
	"net/url"

	"github.com/backout-dev/backout/bot"
)

// Permission reads what a person may do on a repository, fresh each time
// (https://docs.github.com/rest/collaborators/collaborators#get-repository-permissions-for-a-user).
// Nobody that GitHub does not know there may do anything.
func (c *Client) Permission(ctx context.Context, name bot.RepoName, login string) (bot.Permission, error) {
	r, err := c.repo(name)
	if err != nil {
		return bot.PermissionNone, err
	}
	if login == "" {
		return bot.PermissionNone, nil
	}
	// go-github v60 does not decode role_name.
	var got struct {
		Permission bot.Permission `json:"permission"`
		Role       bot.Permission `json:"role_name"`
	}
	err = r.get(ctx, r.path("/collaborators/%s/permission", url.PathEscape(login)), &got)
	switch {
	case status(err) == http.StatusNotFound:
		return bot.PermissionNone, nil
	case err != nil:
		return bot.PermissionNone, r.trouble(err, "read the permission of %s on %s", tidy(login), name)
	}
	return finest(got.Permission, got.Role), nil
}

// finest takes the role where it is one of GitHub's own and fits the
// permission. A custom role has a name that its owner chose, so it counts only
// for the permission that GitHub reports with it.
func finest(permission, role bot.Permission) bot.Permission {
	coarse := map[bot.Permission]bot.Permission{
		bot.PermissionRead:     bot.PermissionRead,
		bot.PermissionTriage:   bot.PermissionRead,
		bot.PermissionWrite:    bot.PermissionWrite,
		bot.PermissionMaintain: bot.PermissionWrite,
		bot.PermissionAdmin:    bot.PermissionAdmin,
	}
	if fits, known := coarse[role]; known && fits == permission {
		return role
	}
	if _, known := coarse[permission]; known {
		return permission
	}
	return bot.PermissionNone
}
