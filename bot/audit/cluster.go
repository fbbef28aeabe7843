package audit

import (
	"context"

	"github.com/backout-dev/backout/bot"
)

// deployer records what is done to a control plane.
type deployer struct {
	bot.Deployer // what only looks

	log *Log
}

// Hold implements bot.Deployer.
func (p deployer) Hold(ctx context.Context, lease bot.Lease) (bot.Held, error) {
	x := effect{act: "hold", app: lease.App.String(), rollback: lease.Owner, what: lease}
	return do(ctx, p.log, x, func() (bot.Held, error) { return p.Deployer.Hold(ctx, lease) })
}

// Release implements bot.Deployer.
func (p deployer) Release(ctx context.Context, id bot.AppID, owner bot.RollbackID) (bot.Held, error) {
	x := effect{act: "release", app: id.String(), rollback: owner, what: struct{}{}, anyway: true}
	return do(ctx, p.log, x, func() (bot.Held, error) { return p.Deployer.Release(ctx, id, owner) })
}

// Sync implements bot.Deployer.
func (p deployer) Sync(ctx context.Context, id bot.AppID, token string) error {
	in := struct {
		Token string `json:"token"`
	}{token}
	x := effect{act: "sync", app: id.String(), what: in}
	_, err := do(ctx, p.log, x, nothing(func() error { return p.Deployer.Sync(ctx, id, token) }))
	return err
}

// fleet is the fleet whose control planes are recorded.
func fleet(f *bot.Fleet, l *Log) *bot.Fleet {
	if f == nil {
		return nil
	}
	out := *f
	out.Deployers = make([]bot.Deployer, len(f.Deployers))
	for i, d := range f.Deployers {
		out.Deployers[i] = deployer{d, l}
	}
	out.Images = make([]bot.ImageAutomations, len(f.Images))
	for i, a := range f.Images {
		out.Images[i] = images{a, l}
	}
	return &out
}
