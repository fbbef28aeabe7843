package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/cmd/app"
	"github.com/backout-dev/backout/test/stage"
)

// job is what a child process is told.
type job struct {
	Config  string // file of the bot's configuration
	World   string // address of the world: cluster and witness
	Cluster string // name of the one cluster
}

// serveAsChild is "backout serve" at the stories' pace, with the cluster on the
// other side of a socket and a witness who is told of every local commit. It
// ends with the process that started it, whose end closes its standard input.
func serveAsChild(file string) error {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var j job
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	cfg, err := app.LoadConfig(j.Config)
	if err != nil {
		return err
	}
	return serve(context.Background(), j, cfg)
}

func serve(ctx context.Context, j job, cfg app.Config) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	w := newWitness(j.World)
	engine, err := durable.Open(ctx, durable.Config{Dir: cfg.DataDir, Log: log, OnDead: func(ctx context.Context, d durable.Dead) error {
		log.ErrorContext(ctx, flowGivenUp, "flow", d.Flow, "id", d.ID, "error", d.Err)
		return nil
	}})
	if err != nil {
		return err
	}
	public, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	timing := stage.FastTiming()
	remote := newRemote(j.World, j.Cluster)
	a, err := app.New(ctx, cfg, app.Options{
		Log: log, Timing: &timing, Public: public,
		Fleet:  &bot.Fleet{Deployers: []bot.Deployer{remote}, Workloads: map[string]bot.Workloads{j.Cluster: remote}},
		Engine: watchedEngine{engine, w}, Ledger: watchedLedger{engine.Ledger(), w},
	})
	if err != nil {
		return err
	}
	if err := w.tell("hello", hello{Pid: os.Getpid(), URL: "http://" + public.Addr().String()}); err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	return a.Run(ctx)
}

// flowGivenUp is logged of a flow that the engine gave up. No crash may lead to
// that.
const flowGivenUp = "flow given up"
