package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/report"
	"github.com/backout-dev/backout/cmd/app"
)

// version is set by the linker for releases; else the module's own is shown.
var version = ""

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backout",
		Short: "Take a bad change back out of git, and prove that production is healthy again",
		Long: `Backout is a GitOps revert bot. An alert or a /rollback comment comes in; it
finds the offending commit, opens and merges the revert, lets Flux or Argo CD
apply it, verifies production and writes the result on the pull request.

  backout serve --config backout.yaml             run the bot
  backout serve --config backout.yaml --observe   watch and record, write nowhere
  backout plan  --config backout.yaml acme/fleet '#12'
                                                  what a rollback would do
  backout revert 1f2e3d4                          take a commit back, in any clone
  backout find apps/web                           which change may have broken it`,
		SilenceUsage: true, SilenceErrors: true,
	}
	cmd.AddCommand(serve(), plan(), find(), revert(), auditCommand(), policyCommand(), versionCommand(), cloneApart())
	return cmd
}

func serve() *cobra.Command {
	var file string
	var observe bool
	cmd := &cobra.Command{
		Use:   "serve --config FILE [--observe]",
		Short: "Run the bot",
		Long: `Run the bot: receive webhooks, act, verify, report.

The configuration is one YAML file (docs/configuration.md). Unknown keys are
errors. Secrets are read from the files that it names, never from flags or the
environment. Work that was under way when the process ended, however it ended,
goes on at the step where it was.

With --observe nothing is written anywhere: no comment, no pull request, no
hold, no sync. Every decision is recorded and logged. Start with it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := app.LoadConfig(file)
			if err != nil {
				return err
			}
			a, err := app.New(cmd.Context(), cfg, app.Options{Observe: observe, Log: logger(cfg.Log, os.Stderr), CloneCommand: cloneCommand()})
			if err != nil {
				return err
			}
			defer a.Close() //nolint:errcheck // the process ends; unfinished work resumes at the next start
			return a.Run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&file, "config", "backout.yaml", "configuration file")
	cmd.Flags().BoolVar(&observe, "observe", false, "decide and record, but write nowhere")
	return cmd
}

var hexTarget = regexp.MustCompile(`^[0-9a-f]{7,40}$`)

func plan() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "plan --config FILE OWNER/NAME SHA|'#PR'",
		Short: "Show what a rollback would do, changing nothing",
		Long: `Show what the bot would do to take back a commit or a merged pull request: the
decision with its reasons, the files that go back, the Apps concerned. Nothing
is written, neither to GitHub nor to a cluster. It needs the same configuration
as serve, and keeps its mirror in the user's cache folder, so that a server on
the same machine is not disturbed.

  backout plan --config backout.yaml acme/fleet 1f2e3d4
  backout plan --config backout.yaml acme/fleet '#12'`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			target := bot.Command{Verb: bot.CommandPlan, Line: strings.Join(args, " ")}
			if n, err := strconv.Atoi(strings.TrimPrefix(args[1], "#")); err == nil && strings.HasPrefix(args[1], "#") && n > 0 {
				target.PR = n
			} else if hexTarget.MatchString(args[1]) {
				target.SHA = args[1]
			} else {
				return fmt.Errorf("%q is neither a commit (7 to 40 hex digits) nor a pull request ('#12')", args[1])
			}
			if owner, _ := bot.RepoName(args[0]).Split(); owner == "" {
				return fmt.Errorf("%q is not a repository: write it as owner/name", args[0])
			}
			return preview(cmd, file, bot.RepoName(args[0]), target)
		},
	}
	cmd.Flags().StringVar(&file, "config", "backout.yaml", "configuration file")
	return cmd
}

func preview(cmd *cobra.Command, file string, repo bot.RepoName, target bot.Command) error {
	cfg, err := app.LoadConfig(file)
	if err != nil {
		return err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return fmt.Errorf("find the cache folder: %w", err)
	}
	cfg.DataDir = filepath.Join(cache, "backout", "plan")
	a, err := app.New(cmd.Context(), cfg, app.Options{
		Log: logger(app.Log{Level: "warn", Format: "text"}, os.Stderr), CloneCommand: cloneCommand(),
	})
	if err != nil {
		return err
	}
	defer a.Close() //nolint:errcheck // nothing was written
	view, answer, err := a.Flow.Preview(cmd.Context(), repo, target)
	if err != nil {
		t := bot.AsTrouble(err)
		return fmt.Errorf("%w\n%s", err, t.Advice)
	}
	if answer != nil {
		return fmt.Errorf("%s %s", answer.Detail, answer.Advice)
	}
	_, err = io.WriteString(cmd.OutOrStdout(), report.Teller{}.Reply(bot.Answer{Kind: bot.AnswerPlan, View: view}))
	return err
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			v := version
			if info, ok := debug.ReadBuildInfo(); ok && v == "" {
				v = info.Main.Version
			}
			fmt.Fprintln(cmd.OutOrStdout(), "backout", v)
		},
	}
}

func logger(l app.Log, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.Level)) // checked with the configuration
	opts := &slog.HandlerOptions{Level: level}
	if l.Format == "text" {
		return slog.New(slog.NewTextHandler(w, opts))
	}
	return slog.New(slog.NewJSONHandler(w, opts))
}
