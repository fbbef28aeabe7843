package github

import (
	"context"

	"github.com/backout-dev/backout/bot"
)

// Enqueue implements bot.Reverts.
func (c *Client) Enqueue(ctx context.Context, req bot.MergeRequest) (bot.Queued, error) {
	return bot.Queued{}, errNotBuilt
}

// Dequeue implements bot.Reverts.
func (c *Client) Dequeue(ctx context.Context, name bot.RepoName, number int) error {
	return errNotBuilt
}

// Arm implements bot.Reverts.
func (c *Client) Arm(ctx context.Context, req bot.MergeRequest) (bot.Queued, error) {
	return bot.Queued{}, errNotBuilt
}

// Disarm implements bot.Reverts.
func (c *Client) Disarm(ctx context.Context, name bot.RepoName, number int) error {
	return errNotBuilt
}

// AskReview implements bot.Reverts.
func (c *Client) AskReview(ctx context.Context, name bot.RepoName, number int, logins []string) error {
	return errNotBuilt
}

var errNotBuilt = bot.NewTrouble(bot.TroubleInvalid, nil, "not built yet")
