// Bedbuild fills the cache of the test bed: it builds the programs that the
// cache lacks and says where they are. Tests that bring the bed up do the same
// by themselves; run it first to have the long build apart from the tests.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/backout-dev/backout/test/bed/build"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bedbuild:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	modules, err := build.ModulesDir(ctx)
	if err != nil {
		return err
	}
	cache, err := build.CacheDir()
	if err != nil {
		return err
	}
	if _, err := build.Ensure(ctx, modules, cache, slog.New(slog.NewTextHandler(os.Stderr, nil))); err != nil {
		return err
	}
	fmt.Println(cache)
	return nil
}
