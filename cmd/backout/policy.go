package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/bot/strict"
	"github.com/backout-dev/backout/bot/verify"
)

func policyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Check and explain what Backout may do",
		Long: `Check and explain the policy file of a repository, .backout.yaml at the root of
its default branch (docs/policy.md).`,
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(policyCheck(), policyExplain(), policySchema())
	return cmd
}

func policyCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check [FILE]",
		Short: "Find everything that is wrong with a policy file",
		Long: `Find everything that is wrong with a policy file, with the lines, as the bot does
it: exit code 1 where it would not act by the file. FILE is ./.backout.yaml
unless given; - reads standard input.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := bot.PolicyPath
			if len(args) > 0 {
				file = args[0]
			}
			text, err := readPolicy(cmd, file)
			if err != nil {
				return err
			}
			f, _, problems := policy.ParseFile(text, verify.Validate)
			if len(problems) > 0 {
				return wrong(file, problems)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: good (version %d, %d entries for Apps)\n", file, f.Version, len(f.Apps))
			return err
		},
	}
}

func readPolicy(cmd *cobra.Command, file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(cmd.InOrStdin())
	}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s; name the file, or run this at the root of the repository", file)
	}
	return b, err
}

// wrong is all problems as one error, each as editors understand it.
func wrong(file string, problems []strict.Problem) error {
	var all []error
	for _, p := range problems {
		at := file
		if p.Line > 0 {
			at = fmt.Sprintf("%s:%d", file, p.Line)
		}
		all = append(all, fmt.Errorf("%s: %s", at, p.Text))
	}
	return errors.Join(all...)
}

func policySchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the policy file",
		Long: `Print the JSON Schema of the policy file (draft 2020-12), by which editors check
it and complete its keys:

  backout policy schema > backout-policy.json
  # yaml-language-server: $schema=backout-policy.json   (first line of .backout.yaml)`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(policy.Schema())
			return err
		},
	}
}
