//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/backout-dev/backout/test/bed"
)

// plane is the control plane that all stories share, and botKubeconfig the
// file by which bots reach it: as user backout, who may what each story grants.
var (
	plane         *bed.Bed
	botKubeconfig string
)

const botUser = "backout"

// TestMain brings the control plane up. In a process that a story started, it
// is the bot instead.
func TestMain(m *testing.M) {
	if file := os.Getenv(childConfig); file != "" {
		os.Exit(serveAsChild(file))
	}
	os.Exit(withBed(m))
}

func withBed(m *testing.M) int {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	ctx, cancel := context.WithTimeout(context.Background(), 25*time.Minute)
	defer cancel()
	var err error
	if plane, err = bed.Up(ctx, bed.Options{Flux: true, Argo: true, Metrics: true, Log: log}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := plane.Down(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	if botKubeconfig, err = plane.KubeconfigFor(botUser); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
