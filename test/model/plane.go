package model

import (
	"context"
	"fmt"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/simcluster"
)

// plane is the cluster's control plane with the bot's hands on it.
type plane struct {
	*simcluster.Cluster
	w *World
	// broken is until when it can't be reached.
	broken time.Time
}

// act does one effect. The cluster reads the world, so it is not locked meanwhile.
func (p *plane) act(what string, act func() error) error {
	w := p.w
	w.mu.Lock()
	burnt, err := w.light(what)
	if err == nil {
		w.wrote++
		w.note("  bot: %s", what)
	}
	w.mu.Unlock()
	if err != nil {
		return err
	}
	err = act()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.burn(what, burnt, err)
}

// Hold implements bot.Deployer.
func (p *plane) Hold(ctx context.Context, l bot.Lease) (held bot.Held, err error) {
	held.App = l.App
	err = p.act(fmt.Sprintf("holds %s until %s", l.App.Name, clockTime(l.Deadline)), func() error {
		held, err = p.Cluster.Hold(ctx, l)
		return err
	})
	return held, err
}

// Release implements bot.Deployer.
func (p *plane) Release(ctx context.Context, id bot.AppID, owner bot.RollbackID) (held bot.Held, err error) {
	held.App = id
	err = p.act("releases "+id.Name, func() error {
		held, err = p.Cluster.Release(ctx, id, owner)
		return err
	})
	return held, err
}

// Sync implements bot.Deployer.
func (p *plane) Sync(ctx context.Context, id bot.AppID, token string) error {
	return p.act("syncs "+id.Name, func() error { return p.Cluster.Sync(ctx, id, token) })
}

func clockTime(t time.Time) string { return t.UTC().Format("Mon 15:04:05") }

// monitoring is Prometheus and Alertmanager.
type monitoring struct {
	cluster *simcluster.Cluster
	w       *World
}

func (m monitoring) down() bool {
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	return m.w.now().Before(m.w.blind)
}

var errBlind = bot.NewTrouble(bot.TroubleTransient, nil, "Prometheus can't be reached.")

func (m monitoring) active(a bot.Alert) (bot.Alert, bool) {
	for _, now := range m.cluster.Alerts() {
		if now.Fingerprint == a.Fingerprint {
			return now, true
		}
	}
	return bot.Alert{}, false
}

// ActiveSince implements bot.Alerts.
func (m monitoring) ActiveSince(_ context.Context, a bot.Alert) (time.Time, bool, error) {
	if m.down() {
		return time.Time{}, false, errBlind
	}
	now, ok := m.active(a)
	return now.StartsAt, ok, nil
}

// Firing implements bot.Alerts.
func (m monitoring) Firing(_ context.Context, a bot.Alert) (firing, known bool, err error) {
	if m.down() {
		return false, false, errBlind
	}
	_, firing = m.active(a)
	return firing, true, nil
}

// Run implements bot.Checks: every check is the error rate of the App's
// workload.
func (m monitoring) Run(_ context.Context, c bot.Check, app bot.App) (bot.CheckResult, error) {
	if m.down() {
		return bot.CheckResult{}, errBlind
	}
	rate := m.cluster.ErrorRate(app.ID.Name)
	out := bot.CheckResult{Name: c.Name, Status: bot.CheckPass, Detail: fmt.Sprintf("%g", rate)}
	if rate >= c.Threshold {
		out.Status = bot.CheckFail
	}
	return out, nil
}

// ledger is the real one; each write of it is a place to die at.
type ledger struct {
	bot.Ledger
	w *World
}

func (l ledger) act(what string, act func() error) error {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	return l.w.effect("ledger: "+what, act)
}

func (l ledger) Begin(ctx context.Context, r bot.Rollback) (begun bot.Begun, err error) {
	err = l.act("begin", func() error {
		begun, err = l.Ledger.Begin(ctx, r)
		return err
	})
	return begun, err
}

func (l ledger) Cancel(ctx context.Context, id bot.RollbackID, word bot.Word) error {
	return l.act("cancel", func() error {
		if _, known := l.w.cancelled[id]; !known {
			l.w.cancelled[id] = l.w.now()
		}
		return l.Ledger.Cancel(ctx, id, word)
	})
}

func (l ledger) Approve(ctx context.Context, id bot.RollbackID, word bot.Word) error {
	return l.act("approve", func() error { return l.Ledger.Approve(ctx, id, word) })
}

func (l ledger) Resolve(ctx context.Context, fingerprint string, at time.Time) error {
	return l.act("resolve", func() error { return l.Ledger.Resolve(ctx, fingerprint, at) })
}

func (l ledger) Finish(ctx context.Context, id bot.RollbackID, end bot.End) error {
	l.w.mu.Lock()
	burnt, err := l.w.light("ledger: finish")
	l.w.mu.Unlock()
	if err != nil {
		return err
	}
	before, _ := l.Ledger.Rollback(ctx, id)
	err = l.Ledger.Finish(ctx, id, end)
	if before.End == nil { // after a crash it is written again, and the first one stands
		l.w.onFinish(id) // looks at the cluster, which looks at the world
	}
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	return l.w.burn("ledger: finish", burnt, err)
}

func (l ledger) SaveView(ctx context.Context, id bot.RollbackID, v bot.View) error {
	return l.act("save view", func() error { return l.Ledger.SaveView(ctx, id, v) })
}
