//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"syscall"

	"github.com/backout-dev/backout/cmd/app"
)

// childConfig names, in the environment of a process that a story starts, the
// configuration of the bot that it is to be.
const childConfig = "BACKOUT_E2E_CONFIG"

// serveAsChild is "backout serve --config file" at the stories' pace. It ends
// with the process that started it, whose end closes its standard input.
func serveAsChild(file string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	if err := runChild(ctx, file); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func runChild(ctx context.Context, file string) error {
	cfg, err := app.LoadConfig(file)
	if err != nil {
		return err
	}
	a, err := app.New(ctx, cfg, app.Options{Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Timing: pace()})
	if err != nil {
		return err
	}
	defer a.Close() //nolint:errcheck // the process ends
	return a.Run(ctx)
}

// child is a bot in a process of its own.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
}

var listens = regexp.MustCompile(`msg="backout serves" public=(\S+)`)

// serveInChild starts a bot in a process of its own and returns when it serves.
func (w *world) serveInChild(file string) *child {
	w.Helper()
	self, err := os.Executable()
	w.must(err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childConfig+"="+file)
	log := &tail{}
	cmd.Stderr = io.MultiWriter(log, w.log)
	stdin, err := cmd.StdinPipe()
	w.must(err)
	w.must(cmd.Start())
	c := &child{cmd: cmd, stdin: stdin}
	w.Cleanup(func() { c.kill() })
	w.until("the bot to serve", func() error {
		m := listens.FindStringSubmatch(log.text())
		if m == nil {
			return fmt.Errorf("it says %q", log.last(3))
		}
		w.listenAt(m[1])
		return nil
	})
	return c
}

// kill ends the process as a crash of the machine would: nothing runs any more
// in it, not even a deferred call.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
	_ = c.stdin.Close()
}
