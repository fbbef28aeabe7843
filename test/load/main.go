package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// longest bounds the whole run.
const longest = 10 * time.Minute

func main() {
	if playChild() {
		return
	}
	brief := flag.Bool("brief", false, "play the short form")
	profile := flag.Bool("profile", false, "serve pprof in the bot; its address is in DIR/bot/pprof")
	dir := flag.String("dir", "", "keep everything in this folder (default: a new one, deleted at the end)")
	size := full
	flag.IntVar(&size.Apps, "apps", full.Apps, "broken Apps")
	flag.IntVar(&size.Alerts, "alerts", full.Alerts, "alerts that are sent")
	flag.IntVar(&size.Comments, "comments", full.Comments, "comments that are written")
	flag.DurationVar(&size.Within, "within", full.Within, "time in which all of it is sent")
	flag.Parse()
	if *brief {
		size = small
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := storms(ctx, size, *dir, *profile); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		stop()
		os.Exit(1)
	}
}

// storms plays the storm, and the same against the plain handler, prints all
// figures, and fails when anything does not hold.
func storms(ctx context.Context, size size, dir string, profile bool) error {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	if dir == "" {
		made, err := os.MkdirTemp("", "backout-load-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(made) }() // it is the system's to clean then
		dir = made
	}
	s := &storm{size: size, dir: dir, profile: profile, say: func(format string, args ...any) { fmt.Printf(format+"\n", args...) }}
	p, err := s.playAll(ctx)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, s.lastWords())
	}
	s.print(os.Stdout)
	fmt.Println("\nasserted:")
	for _, text := range p.held {
		fmt.Println("  holds:", text)
	}
	for _, text := range p.broken {
		fmt.Println("  BROKEN:", text)
	}
	fmt.Printf("\n%d passed, %d failed\n", len(p.held), len(p.broken))
	if len(p.broken) > 0 {
		return errors.New("the storm broke something; see above")
	}
	return nil
}

// playAll plays the storm and the plain one, and proves what is to be shown.
func (s *storm) playAll(ctx context.Context) (*proof, error) {
	if err := s.run(ctx); err != nil {
		return nil, err
	}
	if err := s.runPlain(ctx); err != nil {
		return nil, fmt.Errorf("plain handler: %w", err)
	}
	return s.prove(ctx)
}

// runPlain plays the same requests at the same moments to the plain handler.
func (s *storm) runPlain(ctx context.Context) error {
	c, err := startChild(part{Plain: true, Dir: filepath.Join(s.dir, "plain")})
	if err != nil {
		return err
	}
	list := append([]request(nil), s.sent...)
	for _, r := range s.postman.passed {
		if r.due <= s.size.Within {
			list = append(list, r)
		}
	}
	watch, stop := context.WithCancel(ctx)
	defer stop()
	began := time.Now()
	mem := watchMemory(watch, c.cmd.Process.Pid, began)
	g := newGun(c.url)
	g.play(ctx, list, began)
	g.wait()
	stop()
	s.plainMemory, s.plain = <-mem, sum(g.answers, began)
	return c.stop()
}

// lastWords are the last lines of the bot's log, for a run that went wrong.
func (s *storm) lastWords() string {
	if s.bot == nil {
		return ""
	}
	b, _ := os.ReadFile(s.bot.log)
	const most = 4 << 10
	return string(b[max(0, len(b)-most):])
}
