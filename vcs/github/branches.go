package github

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// DeleteBranch deletes a merged branch of ours; one that is gone is no error.
// Any branch outside of "backout/" is refused, whoever asks.
func (c *Client) DeleteBranch(ctx context.Context, name bot.RepoName, branch string) error {
	r, err := c.repo(name)
	if err != nil {
		return err
	}
	return r.trouble(r.deleteBranch(ctx, branch), "delete branch %s in %s", branch, name)
}

// Abandon closes the pull request, if it is open and unmerged, and deletes its
// branch. Closing comes first, so that what people see on the pull request is
// one clear end.
func (c *Client) Abandon(ctx context.Context, name bot.RepoName, number int, branch string) error {
	r, err := c.repo(name)
	if err != nil {
		return err
	}
	if err := ownBranch(branch); err != nil {
		return r.trouble(err, "abandon pull request %d in %s", number, name)
	}
	if number > 0 {
		if err := r.closePull(ctx, number); err != nil {
			return r.trouble(err, "close pull request %d in %s", number, name)
		}
	}
	return r.trouble(r.deleteBranch(ctx, branch), "delete branch %s in %s", branch, name)
}

// deleteBranch deletes a branch (https://docs.github.com/rest/git/refs#delete-a-reference).
func (r *repository) deleteBranch(ctx context.Context, branch string) error {
	if err := ownBranch(branch); err != nil {
		return err
	}
	_, err := call(ctx, r.api(), http.MethodDelete, r.path("/git/refs/heads/%s", escapePath(branch)), nil, nil)
	switch status(err) {
	case http.StatusNotFound:
		return nil
	case http.StatusUnprocessableEntity:
		if strings.Contains(message(err), "does not exist") {
			return nil
		}
	}
	return err
}

// closePull closes a pull request. One that is closed or merged stays as it
// is, and so does one that is gone.
func (r *repository) closePull(ctx context.Context, number int) error {
	in := map[string]string{"state": "closed"}
	_, err := call(ctx, r.api(), http.MethodPatch, r.path("/pulls/%d", number), in, nil)
	if status(err) == http.StatusNotFound {
		return nil
	}
	return err
}

func ownBranch(branch string) error {
	if rest, ok := strings.CutPrefix(branch, branchPrefix); !ok || rest == "" || strings.Contains(rest, "..") {
		return bot.NewTrouble(bot.TroubleInvalid, nil, "%q is not a branch of Backout's, so it is left alone", branch)
	}
	return nil
}

// escapePath escapes a ref for the address, but for its slashes.
func escapePath(ref string) string {
	parts := strings.Split(ref, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}
