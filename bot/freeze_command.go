package bot

import (
	"context"
	"fmt"
)

// commandFreeze stops all acting in a repository, or lets it go on.
func (f *Flow) commandFreeze(ctx context.Context, j Journal, e Event, cmd Command, who authority) error {
	c := *e.Comment
	if !who.Permission.AtLeast(PermissionAdmin) {
		return f.answer(ctx, j, c, Answer{
			Kind: AnswerRefused, Command: cmd.Line,
			Detail: fmt.Sprintf("Only admins of %s can freeze it or end a freeze by command.", c.Repo),
			Advice: f.labelAdvice(cmd),
		})
	}
	d, err := attempt(ctx, f, j, string(cmd.Verb), func(ctx context.Context) (Answer, error) { return f.freeze(ctx, e, cmd) })
	if err != nil {
		return err
	}
	if d.Trouble != nil {
		return f.answer(ctx, j, c, Answer{Kind: AnswerRefused, Command: cmd.Line, Detail: d.Trouble.Text, Advice: d.Trouble.Advice})
	}
	f.Ports.Engine.Hint(Hint{Repo: c.Repo, Number: c.Number})
	return f.answer(ctx, j, c, d.Value)
}

// labelAdvice tells the other way to freeze, which takes less.
func (f *Flow) labelAdvice(cmd Command) string {
	if f.FreezeLabel == "" || f.Ports.Labels == nil || cmd.Verb != CommandFreeze {
		return "Ask an admin to comment the same."
	}
	return fmt.Sprintf("Ask an admin to comment the same, or put the label %s on an issue, which takes write permission.", f.FreezeLabel)
}

// freeze records the word. A word that was said before the last one changes
// nothing, and the answer says what stands.
func (f *Flow) freeze(ctx context.Context, e Event, cmd Command) (Answer, error) {
	c := *e.Comment
	at := c.Written
	if at.IsZero() {
		at = e.Received
	}
	a := Answer{Kind: AnswerNoted, Command: cmd.Line}
	if cmd.Verb == CommandFreeze {
		z := Frozen{By: c.Author, At: at, Reason: cmd.Reason, Comment: c.ID}
		if cmd.For > 0 {
			z.Until = at.Add(cmd.For)
		}
		if err := f.Ports.Ledger.Freeze(ctx, c.Repo, z); err != nil {
			return a, fmt.Errorf("record the freeze: %w", err)
		}
	} else if err := f.Ports.Ledger.Unfreeze(ctx, c.Repo, c.ID, Word{By: c.Author, At: at}); err != nil {
		return a, fmt.Errorf("record the end of the freeze: %w", err)
	}
	z, err := f.Ports.Ledger.Frozen(ctx, c.Repo)
	if err != nil {
		return a, fmt.Errorf("read the freeze: %w", err)
	}
	if z.On(f.Now()) {
		a.Detail = "Frozen: " + z.text(c.Repo) + " Until then Backout opens and merges nothing there; what has merged is still followed to its end, and what is held is released."
		return a, nil
	}
	a.Detail = fmt.Sprintf("%s is not frozen by command. What waits goes on.", c.Repo)
	if why, on := f.halted(ctx, c.Repo); on {
		a.Detail = fmt.Sprintf("%s is not frozen by command any more, and Backout still does not act: %s", c.Repo, why.Text)
	}
	return a, nil
}
