package model

import (
	"context"
	"fmt"
	"log/slog"
	"testing/synctest"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/command"
	"github.com/backout-dev/backout/bot/culprit"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/bot/report"
	"github.com/backout-dev/backout/test/memory"
	"github.com/backout-dev/backout/test/simcluster"
)

// Timing of the model: hours pass in it, so it looks less often than production.
var timing = bot.Timing{
	Gate: 5 * time.Minute, Mergeable: 10 * time.Second, Sync: time.Minute, Resync: 5 * time.Minute,
	Verify: time.Minute, Approve: 20 * time.Minute, Retry: 10 * time.Second,
}

// every is how often the janitor and the recorder go round.
const every = 10 * time.Minute

// settings is how a story's bot is configured.
type settings struct {
	policy  policy.Settings
	observe bool
	engine  memory.Options
}

// process is the bot: what a crash takes away and a restart makes anew.
type process struct {
	engine *memory.Engine
	flow   *bot.Flow
}

// play is one story: the world, what outlives the bot, and the bot while it
// runs. It is played in a bubble of testing/synctest.
type play struct {
	ctx     context.Context
	clock   *memory.Clock
	store   *memory.Store
	ledger  *durable.Ledger
	world   *World
	mirror  *mirror // on disk
	cluster *simcluster.Cluster
	plane   *plane
	rules   *policy.Judge
	set     settings
	bot     *process // nil while it is down
	// recorded is what ran when the bot last recorded it.
	recorded string
	swept    time.Time // when the janitor last went round and met no trouble
	log      *slog.Logger
}

func open(ctx context.Context, set settings, start files, apps []simcluster.AppSpec) (*play, error) {
	p := &play{ctx: ctx, clock: memory.NewClock(), store: memory.NewStore(), set: set, log: slog.New(slog.DiscardHandler)}
	var err error
	if p.rules, err = policy.Open(policy.Server{Defaults: set.policy}, nil); err != nil {
		return nil, err
	}
	if p.ledger, err = durable.OpenLedger(ctx, ":memory:"); err != nil {
		return nil, err
	}
	p.ledger.Now = p.clock.Now
	p.world = newWorld(p.clock.Now, start)
	p.mirror = &mirror{w: p.world}
	p.cluster = simcluster.New(simcluster.Config{Name: "prod", Repo: repoName, Source: source{p.world}, Now: p.clock.Now})
	for _, a := range apps {
		p.cluster.Add(a)
	}
	p.plane = &plane{Cluster: p.cluster, w: p.world}
	if err := p.start(); err != nil {
		return nil, err
	}
	p.round()
	return p, nil
}

// start brings the bot up on what is left of the one before.
func (p *play) start() error {
	o := p.set.engine
	o.Clock, o.Store, o.Log, o.OnStep = p.clock, p.store, p.log, func(flow string, step durable.StepName, recorded bool) {
		p.world.step(flow, string(step), recorded)
	}
	proc := &process{engine: memory.New(o)}
	watch := monitoring{p.cluster, p.world}
	fleet := &bot.Fleet{Deployers: []bot.Deployer{p.plane}, Workloads: map[string]bot.Workloads{"prod": p.cluster}}
	proc.flow = bot.NewFlow(bot.Config{
		Ports: bot.Ports{
			People: p.world, Pulls: p.world, Reverts: p.world, Board: p.world, Talk: p.world, History: p.mirror,
			Fleet: fleet, Alerts: watch, Checks: watch, Locator: &bot.Locator{Fleet: fleet},
			Grammar: command.Grammar{}, Ranker: culprit.Ranker{}, Judge: p.rules, Teller: report.Teller{},
			Switch: p.world, Ledger: ledger{p.ledger, p.world}, Engine: proc.engine,
			Labels: p.world, Authorship: p.world,
		},
		Timing: timing, Host: "github.example", Server: hubURL, Observe: p.set.observe, FreezeLabel: bot.DefaultFreezeLabel,
		MaxFor: 15 * time.Minute, Now: p.clock.Now, Log: p.log,
	})
	proc.engine.Register(proc.flow.Versions())
	p.world.hands.dead, p.world.hands.kill = false, proc.engine.Kill
	p.bot, p.recorded = proc, ""
	return proc.engine.Launch(p.ctx)
}

// settle lets the bot come to rest, or notices that it died.
func (p *play) settle() error {
	if p.bot == nil {
		return nil
	}
	err := p.bot.engine.Idle(p.ctx)
	// What is told people beside the flow is told, too.
	synctest.Wait()
	if p.dead() {
		if err := p.bot.engine.Close(time.Minute); err != nil {
			return err
		}
		p.bot = nil
		return nil
	}
	return err
}

func (p *play) dead() bool {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return p.world.hands.dead
}

// round is what goes on by itself every few minutes: the cluster reconciles,
// and the bot records and sweeps.
func (p *play) round() {
	// A broken control plane reconciles all the same: it is the bot that can't
	// reach it.
	_ = p.cluster.Reconcile()
	p.mend()
	if p.bot == nil || p.dead() {
		return
	}
	// Recording what did not change is without effect, and slow.
	if runs := p.runs(); runs != p.recorded && p.bot.flow.Record(p.ctx) == nil {
		p.recorded = runs
	}
	if _, err := p.bot.flow.Sweep(p.ctx); err == nil && !p.dead() {
		p.swept = p.clock.Now()
	}
}

// runs says what the Apps run, and how well.
func (p *play) runs() string {
	apps, err := p.cluster.Apps(p.ctx)
	text := fmt.Sprint(err)
	for _, a := range apps {
		text += fmt.Sprintf(" %s %s %s", a.ID.Name, a.Revision, a.Health)
	}
	return text
}

// mend takes a fault of the cluster away when its time is over.
func (p *play) mend() {
	if !p.plane.broken.IsZero() && !p.clock.Now().Before(p.plane.broken) {
		p.plane.broken = time.Time{}
		p.cluster.Break(nil)
	}
}

// advance lets time pass, with rounds in between.
func (p *play) advance(d time.Duration) error {
	for end := p.clock.Now().Add(d); ; {
		if err := p.settle(); err != nil {
			return err
		}
		p.round()
		left := min(end.Sub(p.clock.Now()), every)
		if left <= 0 {
			return p.settle()
		}
		if p.bot == nil {
			p.clock.Advance(left)
			continue
		}
		if err := p.bot.engine.Advance(p.ctx, left); err != nil && !p.dead() {
			return fmt.Errorf("advance: %w", err)
		}
	}
}

// close ends the story.
func (p *play) close() error {
	var err error
	if p.bot != nil {
		err = p.bot.engine.Close(time.Minute)
	}
	if e := p.ledger.Close(); err == nil {
		err = e
	}
	return err
}

// source is main as the cluster reads it.
type source struct{ w *World }

// Head implements simcluster.Source.
func (s source) Head(branch string) (bot.SHA, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	return s.w.repo.heads[branch], nil
}

// File implements simcluster.Source.
func (s source) File(rev bot.SHA, path string) ([]byte, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	text, ok := s.w.repo.nodes[rev].files[path]
	if !ok {
		return nil, nil
	}
	return []byte(text), nil
}
