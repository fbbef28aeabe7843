package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/audit"
	"github.com/backout-dev/backout/cmd/app"
)

// auditFlags are the flags of backout audit.
type auditFlags struct {
	config, dir, since, rollback, repo string
	verify, json                       bool
}

func auditCommand() *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "audit [--config FILE | --dir DIR] [--since TIME] [--rollback ID] [--repo OWNER/NAME] [--verify] [--json]",
		Short: "Show what the bot decided and did",
		Long: `Show the audit log: every decision with what it rested on, every effect on GitHub
and on clusters, and every word of a person that counted, one line each. The log
is the folder audit in the data directory; it may be read while the bot runs,
and a copy of it anywhere.

  backout audit --since 24h                 what happened since yesterday
  backout audit --rollback rb-0123456789ab  one Rollback
  backout audit --json --repo acme/fleet    the lines as they stand in the files
  backout audit --verify                    whether anything was changed

Each line holds the hash of the line before it. With --verify the chain is
walked, and the exit code is 1 where it does not hold. Compare the head that it
prints with the one that the bot logged ("audit log goes on"): somebody who
could write to the files could have written all of them anew.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := f.folder()
			if err != nil {
				return err
			}
			if f.verify {
				return verifyAudit(cmd.OutOrStdout(), dir, f.json)
			}
			return showAudit(cmd.OutOrStdout(), dir, f, time.Now())
		},
	}
	cmd.Flags().StringVar(&f.config, "config", "backout.yaml", "configuration file, which names the data directory")
	cmd.Flags().StringVar(&f.dir, "dir", "", "folder of the audit log, instead of the configured one")
	cmd.Flags().StringVar(&f.since, "since", "", "only what is younger: a duration (24h) or a time (2026-03-02T12:00:00Z)")
	cmd.Flags().StringVar(&f.rollback, "rollback", "", "only one Rollback")
	cmd.Flags().StringVar(&f.repo, "repo", "", "only one repository")
	cmd.Flags().BoolVar(&f.verify, "verify", false, "check the chain of hashes and print its head")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON")
	return cmd
}

func (f auditFlags) folder() (string, error) {
	if f.dir != "" {
		return f.dir, nil
	}
	cfg, err := app.LoadConfig(f.config)
	if err != nil {
		return "", err
	}
	return filepath.Join(cfg.DataDir, app.AuditDir), nil
}

func (f auditFlags) query(now time.Time) (audit.Query, error) {
	q := audit.Query{Rollback: bot.RollbackID(f.rollback), Repo: bot.RepoName(f.repo)}
	if f.since == "" {
		return q, nil
	}
	if d, err := time.ParseDuration(f.since); err == nil && d > 0 {
		q.Since = now.Add(-d)
		return q, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, f.since); err == nil {
			q.Since = t
			return q, nil
		}
	}
	return q, fmt.Errorf("--since %q is neither a duration like 24h nor a time like 2026-03-02T12:00:00Z", f.since)
}

func showAudit(out io.Writer, dir string, f auditFlags, now time.Time) error {
	q, err := f.query(now)
	if err != nil {
		return err
	}
	return audit.Read(dir, q, func(raw []byte, e audit.Entry) error {
		if f.json {
			_, err := fmt.Fprintf(out, "%s\n", raw)
			return err
		}
		_, err := fmt.Fprintln(out, auditLine(e))
		return err
	})
}

// auditLine is an entry for a person: when, what, about what, for whom, what
// came of it. Text of others is quoted, so that it can't play with a terminal.
func auditLine(e audit.Entry) string {
	parts := []string{fmt.Sprintf("%d", e.Seq), e.Time.Format(time.RFC3339), fmt.Sprintf("%-8s", e.Kind), e.Act}
	for _, s := range []string{string(e.Repo), e.App, string(e.Rollback)} {
		if s != "" {
			parts = append(parts, quoteOdd(s))
		}
	}
	if e.Actor != "" {
		parts = append(parts, "for", quoteOdd(e.Actor))
	}
	if e.Result != "" {
		parts = append(parts, "=", e.Result)
	}
	for _, s := range []string{e.Detail, e.Why} {
		if s != "" {
			parts = append(parts, fmt.Sprintf("%q", s))
		}
	}
	return strings.Join(parts, " ")
}

// quoteOdd quotes what is more than a plain word.
func quoteOdd(s string) string {
	if q := fmt.Sprintf("%q", s); q != `"`+s+`"` || strings.Contains(s, " ") {
		return q
	}
	return s
}

// errTampered is the exit code of a chain that does not hold.
var errTampered = errors.New("the audit log was changed after it was written, or lines of it are gone")

func verifyAudit(out io.Writer, dir string, asJSON bool) error {
	r, err := audit.Verify(dir)
	if err != nil {
		return err
	}
	if asJSON {
		if err := json.NewEncoder(out).Encode(r); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(out, "%d lines, number %d to %d, head %s\n", r.Lines, r.First, r.Last, r.Head)
		if r.First > 1 {
			fmt.Fprintf(out, "lines 1 to %d are no longer kept\n", r.First-1)
		}
		if r.Torn > 0 {
			fmt.Fprintf(out, "%d unfinished, left by crashes and owned up to\n", r.Torn)
		}
		for _, p := range r.Problems {
			fmt.Fprintln(out, p)
		}
	}
	if len(r.Problems) > 0 {
		return errTampered
	}
	return nil
}
