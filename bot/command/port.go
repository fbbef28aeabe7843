package command

import "github.com/backout-dev/backout/bot"

// Grammar is Parse as the flow's port.
type Grammar struct{}

var _ bot.Grammar = Grammar{}

// Parse implements bot.Grammar.
func (Grammar) Parse(body string) (*bot.Command, *bot.Malformed) {
	cmd, found, bad := Parse(body)
	switch {
	case bad != nil:
		return nil, &bot.Malformed{Line: bad.Text, Problem: bad.Problem, Hint: bad.Hint}
	case found:
		return &bot.Command{
			Verb: bot.CommandVerb(cmd.Verb), SHA: cmd.Target.SHA, PR: cmd.Target.PR,
			Reason: cmd.Reason, DryRun: cmd.DryRun, Rollback: cmd.Rollback, Line: cmd.Text,
		}, nil
	}
	return nil, nil
}
