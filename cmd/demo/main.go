// Command demo plays Backout's story in about ten seconds, with no account, no
// cluster and no service: the real bot, wired as in production, between a
// GitHub that speaks HTTP over real git repositories and a simulated cluster.
//
//	go run ./cmd/demo                          # a live step display
//	go run ./cmd/demo --story alert --json     # one JSON document
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/backout-dev/backout/bot"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	asJSON := flag.Bool("json", false, "print one JSON document instead of the story")
	name := flag.String("story", "command", "command: a person comments /rollback; alert: Alertmanager posts an alert")
	flag.Parse()
	if *name != "command" && *name != "alert" {
		fmt.Fprintf(os.Stderr, "demo: --story %q: choose command or alert\n", *name)
		os.Exit(2)
	}
	verdict, err := run(ctx, *name, *asJSON)
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	if verdict != bot.VerdictVerified {
		fmt.Fprintf(os.Stderr, "demo: the story ended %q, not verified\n", verdict)
		os.Exit(1)
	}
}

// within bounds the whole story; it takes seconds where nothing is broken.
const within = 3 * time.Minute

func run(ctx context.Context, name string, asJSON bool) (bot.Verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	dir, err := os.MkdirTemp("", "backout-demo-")
	if err != nil {
		return "", fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	logFile, err := os.Create(filepath.Join(dir, "bot.log"))
	if err != nil {
		return "", fmt.Errorf("make the log: %w", err)
	}
	defer logFile.Close() //nolint:errcheck // a temporary file
	log := slog.New(slog.NewJSONHandler(logFile, nil))

	out := io.Writer(os.Stdout)
	if asJSON {
		out = io.Discard
	}
	tell := newTeller(out, !asJSON && term.IsTerminal(int(os.Stdout.Fd())))
	s := &story{dir: dir, log: log, tell: tell}
	defer s.close()
	rec, err := s.play(ctx, name)
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, tail(logFile.Name()))
	}
	if asJSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		return rec.End.Verdict, enc.Encode(s.document(rec))
	}
	return rec.End.Verdict, s.show(ctx, rec)
}

// tail is the end of the bot's log, for a story that went wrong.
func tail(file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return string(b[max(0, len(b)-4000):])
}
