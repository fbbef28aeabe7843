package app

import (
	"context"
	"time"
)

// grantsEvery is how often the App's permissions are looked at.
const grantsEvery = time.Hour

// lookAtGrants says what the App was not granted and what does not work without
// it. Nothing waits for it, and nothing is decided by it: each request shows for
// itself.
func (a *App) lookAtGrants(ctx context.Context) error {
	lacks, err := a.hub.Lacking(ctx)
	if err != nil {
		return err
	}
	for _, l := range lacks {
		if l.Event != "" {
			a.log.WarnContext(ctx, "the App is not subscribed to an event", "account", l.Owner, "event", l.Event,
				"breaks", "what it tells of is noticed late, by polling, or not at all", "do", "subscribe the App to it in its settings")
			continue
		}
		a.log.WarnContext(ctx, "the App lacks a permission", "account", l.Owner, "permission", l.Name+": "+l.Level, "has", l.Has,
			"breaks", l.Without, "do", "grant it in the App's settings, then approve it on the installation")
	}
	return nil
}
