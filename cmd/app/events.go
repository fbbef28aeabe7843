package app

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/webhooks"
)

// onPush keeps mirrors warm, beside the answer to the webhook.
func (a *App) onPush(ctx context.Context, repo bot.RepoName) {
	if err := a.git.Fetch(ctx, repo); err != nil {
		a.log.WarnContext(ctx, "fetching after a push met trouble", "repo", repo, "trouble", bot.AsTrouble(err).Text)
	}
}

// onInstallation deletes the mirrors of what we may no longer touch. It is done
// before the webhook is answered, and doing it again does no harm, so nothing
// has to be made durable.
func (a *App) onInstallation(ctx context.Context, i webhooks.Installation) error {
	a.log.InfoContext(ctx, "installation changed", "account", i.Account, "action", i.Action, "added", i.Added, "removed", i.Removed)
	var errs []error
	for _, repo := range i.Removed {
		if err := a.git.Remove(repo); err != nil {
			errs = append(errs, fmt.Errorf("remove mirror of %s: %w", repo, err))
		}
	}
	return errors.Join(errs...)
}

// ready reports whether new work could be made durable.
func (a *App) ready(ctx context.Context) error {
	if store, ok := a.Flow.Ports.Ledger.(interface{ Writable(context.Context) error }); ok {
		if err := store.Writable(ctx); err != nil {
			return err
		}
	}
	return room(a.cfg.DataDir)
}

// room reports whether the data directory takes what one event may need: a
// store that is full can still be read.
func room(dir string) error {
	probe, err := os.CreateTemp(dir, ".backout-probe-*")
	if err != nil {
		return fmt.Errorf("write to data_dir: %w", err)
	}
	_, err = probe.Write(make([]byte, 256<<10))
	if err := errors.Join(err, probe.Close(), os.Remove(probe.Name())); err != nil {
		return fmt.Errorf("write to data_dir: %w", err)
	}
	return nil
}
