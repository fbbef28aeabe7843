package bot

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// A command can reach us long after it was written: GitHub gave up on its
// webhook, or we were down. What people meant then may not be what they want
// now, and they may have said so where we did not hear it. So a late command is
// held against the conversation as it stands (a comment that is gone or edited
// no longer asks), and a very late one is answered and not obeyed.
//
// A freeze is a brake, too, and orders itself by its comment's number. A
// cancellation is the other exception. It is a brake: the safe error is to brake for
// somebody who has changed their mind. It is obeyed at any age, also when its
// comment was edited and still cancels or can't be read again, but it counts
// only for what was under way when it was written.
//
// Ages go by when the comment was written, which GitHub has signed: a delivery
// that somebody captured and sends again a month later is a month old. Our clock
// is compared with GitHub's, which is as exact as GitHub is strict: it refuses an
// App whose clock is off by more than a minute.
const (
	lateAfter  = time.Minute
	obeyWithin = time.Hour
)

// late reports whether a comment did not come straight.
func (e Event) late(seen time.Time) bool {
	w := e.Comment.Written
	return !w.IsZero() && (e.Swept || seen.Sub(w) > lateAfter)
}

// expired reports whether a command is too old to be obeyed. Questions may be
// answered at any age, since they change nothing.
func (e Event) expired(seen time.Time, cmd *Command) bool {
	w := e.Comment.Written
	return cmd.acts() && !w.IsZero() && seen.Sub(w) > obeyWithin
}

// acts reports whether a command asks for a change, other than to stop one.
func (c *Command) acts() bool {
	if c == nil {
		return false
	}
	switch c.Verb {
	case CommandApprove, CommandUnfreeze, CommandReapply:
		return true
	}
	return c.Verb == CommandRollback && !c.DryRun
}

func (c *Command) cancels() bool { return c != nil && c.Verb == CommandCancel }

// heard is a late comment in its conversation as it stands now.
type heard struct {
	Gone   bool `json:"gone,omitempty"`
	Edited bool `json:"edited,omitempty"`
	// Asks is true when an edited comment holds a command still.
	Asks bool `json:"asks,omitempty"`
	// CancelledBy is who wrote afterwards that it should not be done.
	CancelledBy string `json:"cancelled_by,omitempty"`
}

// hearAgain reports whether a late comment no longer asks for anything. Where a
// person may wait for an answer, it gives one.
func (f *Flow) hearAgain(ctx context.Context, j Journal, c Comment, cmd *Command) (over bool, err error) {
	d, err := attempt(ctx, f, j, "read again", func(ctx context.Context) (heard, error) { return f.readAgain(ctx, c, cmd) })
	if err != nil {
		return true, err
	}
	a := Answer{Kind: AnswerRefused, Advice: "Comment the command anew if you still want it."}
	switch h := d.Value; {
	case d.Trouble != nil && cmd.cancels():
		return false, nil
	case d.Trouble != nil:
		// It can't be known whether it was withdrawn.
		a.Detail, a.Advice = d.Trouble.Text, d.Trouble.Advice
	case h.Gone, h.Edited && !h.Asks:
		f.Log.InfoContext(ctx, "late command was withdrawn", "repo", c.Repo, "number", c.Number, "comment", c.ID, "gone", h.Gone)
		return true, nil
	case h.Edited:
		a.Detail = "Nothing was done: your comment was edited before Backout saw it, and edited comments are not obeyed."
	case h.CancelledBy != "":
		a.Detail = fmt.Sprintf("Nothing was done: %s cancelled this before Backout saw your command.", h.CancelledBy)
	default:
		return false, nil
	}
	return true, f.answer(ctx, j, c, a)
}

// readAgain reads what became of a comment.
func (f *Flow) readAgain(ctx context.Context, c Comment, cmd *Command) (heard, error) {
	// GitHub keeps whole seconds; some more do no harm.
	all, err := f.Ports.Talk.Comments(ctx, c.Repo, c.Number, c.Written.Add(-time.Minute))
	if err != nil {
		return heard{}, fmt.Errorf("read the conversation again: %w", err)
	}
	h := heard{Gone: true}
	for _, x := range all {
		if x.ID != c.ID {
			continue
		}
		now, bad := f.Ports.Grammar.Parse(x.Body)
		h.Gone, h.Asks = false, now != nil || bad != nil
		h.Edited = (x.Edited || !sameText(x.Body, c.Body)) && !(cmd.cancels() && now.cancels())
	}
	if !h.Gone && !h.Edited && cmd.acts() {
		h.CancelledBy, err = f.cancelled(ctx, c, all)
	}
	return h, err
}

// cancelled looks for a cancellation after a command. It may have been handled
// first, when there was nothing yet to cancel.
func (f *Flow) cancelled(ctx context.Context, c Comment, all []Comment) (by string, err error) {
	for _, x := range all {
		cmd, _ := f.Ports.Grammar.Parse(x.Body)
		if x.ID <= c.ID || x.AuthorIsBot || !cmd.cancels() || cmd.Rollback != "" {
			continue
		}
		if strings.EqualFold(x.Author, c.Author) {
			return x.Author, nil
		}
		p, err := f.Ports.People.Permission(ctx, c.Repo, x.Author)
		if err != nil {
			return "", fmt.Errorf("read what %s may do: %w", x.Author, err)
		}
		if p.AtLeast(PermissionWrite) {
			return x.Author, nil
		}
	}
	return "", nil
}

// sameText compares as GitHub shows texts: it keeps line ends as they were sent.
func sameText(a, b string) bool {
	norm := func(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }
	return norm(a) == norm(b)
}

// then keeps the Rollbacks that a late word can have meant: those that were
// asked for before it. Comments tell that by their IDs, which grow. An alert has
// none, and clocks differ: then a cancellation counts, and an approval does not.
func (c Comment) then(verb CommandVerb, records []Record) []Record {
	limit := c.Written
	if verb == CommandCancel {
		limit = limit.Add(lateAfter)
	}
	var out []Record
	for _, r := range records {
		if r.Comment != 0 && r.Comment < c.ID || r.Comment == 0 && !r.Incident.Received.After(limit) {
			out = append(out, r)
		}
	}
	return out
}
