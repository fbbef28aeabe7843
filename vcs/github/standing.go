package github

import (
	"context"

	"github.com/backout-dev/backout/bot"
)

// Standing implements bot.Reverts.
func (c *Client) Standing(ctx context.Context, name bot.RepoName, base, branch string) (bot.RevertPull, bool, error) {
	r, err := c.repo(name)
	if err != nil {
		return bot.RevertPull{}, false, err
	}
	w, err := r.look(ctx, bot.RevertRequest{Base: base, Branch: branch})
	if err != nil {
		return bot.RevertPull{}, false, r.trouble(err, "look at branch %s in %s", branch, name)
	}
	for i := range w.pulls {
		if p := &w.pulls[i]; p.open() && p.by(w.me) {
			return p.found(branch), true, nil
		}
	}
	return bot.RevertPull{}, false, nil
}
