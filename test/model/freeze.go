package model

import (
	"context"
	"time"

	"github.com/backout-dev/backout/bot"
)

// sign is the freeze label on an issue.
type sign struct {
	by string
	at time.Time
}

// Labelled implements bot.Labels.
func (w *World) Labelled(context.Context, bot.RepoName, string) ([]bot.Labelled, error) {
	return reading(w, func() ([]bot.Labelled, error) {
		if w.sign == nil {
			return nil, nil
		}
		return []bot.Labelled{{Number: 1, By: w.sign.by}}, nil
	})
}

// Authors implements bot.Authorship: commits carry logins here.
func (w *World) Authors(_ context.Context, _ bot.RepoName, c bot.Change) (bot.Authors, error) {
	return reading(w, func() (bot.Authors, error) {
		var out bot.Authors
		for _, sha := range c.Commits {
			if n := w.repo.nodes[sha]; n != nil {
				out.Logins = append(out.Logins, n.Author)
			}
		}
		return out, nil
	})
}

var (
	_ bot.Labels     = (*World)(nil)
	_ bot.Authorship = (*World)(nil)
)

func (l ledger) Freeze(ctx context.Context, repo bot.RepoName, z bot.Frozen) error {
	return l.act("freeze", func() error {
		l.w.frozen = l.w.now()
		return l.Ledger.Freeze(ctx, repo, z)
	})
}

func (l ledger) Unfreeze(ctx context.Context, repo bot.RepoName, comment int64, word bot.Word) error {
	return l.act("unfreeze", func() error { return l.Ledger.Unfreeze(ctx, repo, comment, word) })
}
