package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/bot/strict"
	"github.com/backout-dev/backout/bot/verify"
	"github.com/backout-dev/backout/cmd/app"
)

func policyExplain() *cobra.Command {
	var id, file, config string
	cmd := &cobra.Command{
		Use:   "explain --app CLUSTER/KIND/NAMESPACE/NAME [--file FILE] [--config FILE]",
		Short: "Show each setting that counts for an App, and the line that says so",
		Long: `Show each setting that counts for an App, its value, the line of the file that
says so, and what the limits of the server's configuration have changed. Without
--config, only the policy file and what is built in are looked at.

  backout policy explain --app prod/Kustomization/flux-system/web
  backout policy explain --app prod/Kustomization/flux-system/web --config backout.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			app, err := app.ParseAppID(id)
			if err != nil {
				return fmt.Errorf("--app: %w", err)
			}
			e, err := newExplainer(file, config, cmd.Flags().Changed("file"))
			if err != nil {
				return err
			}
			return e.write(cmd.OutOrStdout(), app)
		},
	}
	cmd.Flags().StringVar(&id, "app", "", "the App, as cluster/Kind/namespace/name")
	cmd.Flags().StringVar(&file, "file", bot.PolicyPath, "policy file")
	cmd.Flags().StringVar(&config, "config", "", "the server's configuration")
	_ = cmd.MarkFlagRequired("app")
	return cmd
}

// explainer knows where everything stands.
type explainer struct {
	rules        *policy.Rules
	file, config string
	lines        map[bool]strict.Lines // by whether it is the server's
	problems     []strict.Problem
}

func newExplainer(file, config string, mustBe bool) (*explainer, error) {
	e := &explainer{file: file, config: config, lines: map[bool]strict.Lines{}}
	var server policy.Server
	if config != "" {
		c, err := app.LoadConfig(config)
		if err != nil {
			return nil, err
		}
		b, err := os.ReadFile(config)
		if err != nil {
			return nil, err
		}
		if e.lines[true], _, err = strict.Look(b, app.Config{}, config); err != nil {
			return nil, err
		}
		server = c.Policy
	}
	judge, err := policy.Open(server, verify.Validate)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(file)
	switch {
	case err == nil:
		_, e.lines[false], e.problems = policy.ParseFile(text, verify.Validate)
		e.rules = judge.Rules(bot.PolicyFile{Found: true, Text: text})
	case errors.Is(err, fs.ErrNotExist) && !mustBe:
		e.file = ""
		e.rules = judge.Rules(bot.PolicyFile{})
	default:
		return nil, err
	}
	return e, nil
}

func (e *explainer) write(w io.Writer, id bot.AppID) error {
	fmt.Fprintf(w, "What counts for %s:\n\n", id)
	switch {
	case e.file == "":
		fmt.Fprintf(w, "There is no %s here: what the server says counts.\n\n", bot.PolicyPath)
	case len(e.problems) > 0:
		fmt.Fprintf(w, "%s is not understood, so alerts are only observed and commands only proposed:\n%v\n\n", e.file, wrong(e.file, e.problems))
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SETTING\tVALUE\tFROM\tLIMITED BY")
	var guards []policy.Explained
	for _, s := range e.rules.Explain(id) {
		if strings.HasPrefix(s.Key, "guards.") {
			guards = append(guards, s)
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", s.Key, plain(s.Value), e.from(s), e.limits(s))
	}
	fmt.Fprintln(t, "\t\t\t\nGUARD\tLETS GO AS FAR AS\tFROM\tLIMITED BY")
	for _, s := range guards {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", strings.TrimPrefix(s.Key, "guards."), plain(s.Value), e.from(s), e.limits(s))
	}
	return t.Flush()
}

// plain takes the quotes off a word.
func plain(value string) string {
	if value == "null" || value == "[]" {
		return "none"
	}
	if strings.HasPrefix(value, `"`) {
		return strings.ReplaceAll(value, `"`, "")
	}
	return value
}

func (e *explainer) from(s policy.Explained) string {
	if s.From == nil {
		return "built in"
	}
	return e.at(*s.From)
}

// at is a place as editors understand it.
func (e *explainer) at(p policy.Place) string {
	file := e.file
	if p.Server {
		file = e.config
	}
	if line := e.lines[p.Server].Line(p.Path); line > 0 {
		return fmt.Sprintf("%s:%d", file, line)
	}
	return file + " " + p.Path
}

func (e *explainer) limits(s policy.Explained) string {
	var by []string
	for _, p := range s.Clamped {
		by = append(by, e.at(p))
	}
	out := strings.Join(by, ", ")
	if s.Was == "" {
		return out
	}
	if out == "" {
		out = "the file that is not understood"
	}
	return fmt.Sprintf("%s (without: %s)", out, plain(s.Was))
}
