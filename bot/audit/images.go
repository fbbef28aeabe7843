package audit

import (
	"context"

	"github.com/backout-dev/backout/bot"
)

type images struct {
	bot.ImageAutomations // what only looks

	log *Log
}

// HoldImages implements bot.ImageAutomations.
func (p images) HoldImages(ctx context.Context, l bot.ImageLease) ([]bot.ImageHeld, error) {
	x := effect{act: "hold images", rollback: l.Owner, repo: l.Repo, what: l}
	return do(ctx, p.log, x, func() ([]bot.ImageHeld, error) { return p.ImageAutomations.HoldImages(ctx, l) })
}

// ReleaseImages implements bot.ImageAutomations.
func (p images) ReleaseImages(ctx context.Context, h bot.ImageHold) (string, error) {
	x := effect{act: "release images", app: h.String(), rollback: h.Owner, what: struct{}{}, anyway: true}
	return do(ctx, p.log, x, func() (string, error) { return p.ImageAutomations.ReleaseImages(ctx, h) })
}
