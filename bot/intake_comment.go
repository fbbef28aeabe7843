package bot

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// intakeComment handles a comment: reacts at once, checks who speaks, and does
// what the command asks.
func (f *Flow) intakeComment(ctx context.Context, j Journal, e Event) error {
	c := *e.Comment
	cmd, bad := f.Ports.Grammar.Parse(c.Body)
	if c.AuthorIsBot || cmd == nil && bad == nil {
		return nil
	}
	d, err := attempt(ctx, f, j, "authorise", func(ctx context.Context) (authority, error) {
		return f.greet(ctx, c)
	})
	if err != nil {
		return err
	}
	late := e.late(d.Start)
	if late {
		if over, err := f.hearAgain(ctx, j, c, cmd); over || err != nil {
			return err
		}
	}
	switch {
	case d.Trouble != nil:
		return f.answer(ctx, j, c, Answer{Kind: AnswerRefused, Detail: d.Trouble.Text, Advice: d.Trouble.Advice})
	case !d.Value.commands():
		return f.answer(ctx, j, c, Answer{Kind: AnswerForbidden, Detail: d.Value.Lacks})
	case c.Edited:
		return f.answer(ctx, j, c, Answer{
			Kind: AnswerRefused, Detail: "Nothing was done: your comment was edited before Backout saw it, and edited comments are not obeyed.",
			Advice: "Comment the command anew if you still want it.",
		})
	case bad != nil:
		return f.answer(ctx, j, c, Answer{Kind: AnswerMalformed, Command: bad.Line, Detail: bad.Problem, Advice: bad.Hint})
	case e.expired(d.Start, cmd):
		return f.answer(ctx, j, c, Answer{Kind: AnswerLate, Command: cmd.Line, Asked: c.Written, Seen: d.Start})
	}
	return f.obey(ctx, j, e, *cmd, d.Value, late)
}

// obey does what a command asks. Who speaks may command something here.
func (f *Flow) obey(ctx context.Context, j Journal, e Event, cmd Command, who authority, late bool) error {
	c := *e.Comment
	switch cmd.Verb {
	case CommandRollback, CommandPlan:
		if cmd.Force && !who.Permission.AtLeast(PermissionMaintain) {
			return f.answer(ctx, j, c, Answer{
				Kind: AnswerRefused, Command: cmd.Line, Detail: "Nothing was done: `--force` passes guards, and takes maintain or admin permission on this repository.",
				Advice: "Leave it out, or ask somebody who has it to comment the same.",
			})
		}
		return f.commandRollback(ctx, j, e, cmd, who)
	case CommandApprove, CommandCancel:
		return f.commandWord(ctx, j, e, cmd, who, late)
	case CommandReapply:
		return f.commandReapply(ctx, j, e, cmd, who)
	case CommandFreeze, CommandUnfreeze:
		return f.commandFreeze(ctx, j, e, cmd, who)
	case CommandStatus:
		return f.commandStatus(ctx, j, c, cmd)
	default:
		return f.answer(ctx, j, c, Answer{Kind: AnswerHelp})
	}
}

// greet shows the person that the command was seen, and reads what they may do.
func (f *Flow) greet(ctx context.Context, c Comment) (authority, error) {
	var who authority
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		who.Permission, err = f.Ports.People.Permission(ctx, c.Repo, c.Author)
		if err == nil && !who.Permission.AtLeast(PermissionWrite) {
			who.Via, who.Lacks, err = f.commander(ctx, c.Repo, c.Author)
		}
		return err
	})
	if !f.Observe {
		g.Go(func() error {
			if err := f.Ports.Board.React(ctx, c.Repo, c.ID, "eyes"); err != nil {
				// The comment may be gone: a command that came straight stands all
				// the same, and a late one is looked at again.
				f.Log.WarnContext(ctx, "reacting met trouble", "trouble", AsTrouble(err).Text)
			}
			return nil
		})
	}
	err := g.Wait()
	return who, err
}

// answer writes the one reply to a comment.
func (f *Flow) answer(ctx context.Context, j Journal, c Comment, a Answer) error {
	a.To = c.Author
	post := func(ctx context.Context) (int64, error) {
		if f.Observe {
			f.Log.InfoContext(ctx, "not answering: observing", "kind", a.Kind, "detail", a.Detail)
			return 0, nil
		}
		return f.Ports.Board.Post(ctx, Post{Repo: c.Repo, Number: c.Number, Marker: ReplyMarker(c.ID), Body: ReplyMarker(c.ID) + "\n" + f.Ports.Teller.Reply(a)})
	}
	d, err := attempt(ctx, f, j, "answer", post)
	if err != nil {
		return err
	}
	return f.late(ctx, j, "answer", d.Trouble, func(ctx context.Context) error {
		_, err := post(ctx)
		return err
	})
}

// aim is what a command points at. A Refusal is an answer, not an error.
type aim struct {
	Change  Change  `json:"change"`
	Base    string  `json:"base"`
	Apps    []AppID `json:"apps,omitempty"`
	Via     string  `json:"via,omitempty"` // as in Incident
	Refusal *Answer `json:"refusal,omitempty"`
}

// commandRollback resolves what the command means and begins the Rollback, or
// shows the plan.
func (f *Flow) commandRollback(ctx context.Context, j Journal, e Event, cmd Command, who authority) error {
	c := *e.Comment
	d, err := attemptUpTo(ctx, f, j, commandTries, "resolve", func(ctx context.Context) (aim, error) {
		a, err := f.aim(ctx, c.Repo, c.Number, cmd)
		if err != nil || a.Refusal != nil || who.Via == "" {
			return a, err
		}
		return f.commanded(ctx, c, cmd, a)
	})
	if err != nil {
		return err
	}
	if d.Trouble != nil {
		return f.answer(ctx, j, c, Answer{Kind: AnswerRefused, Command: cmd.Line, Detail: d.Trouble.Text, Advice: d.Trouble.Advice})
	}
	if d.Value.Refusal != nil {
		return f.answer(ctx, j, c, *d.Value.Refusal)
	}
	rb := Rollback{
		Host: f.Host, Repo: c.Repo, Base: d.Value.Base, Culprit: d.Value.Change, Apps: d.Value.Apps,
		Incident: Incident{
			Kind: IncidentCommand, ID: e.ID, Requester: c.Author, Via: d.Value.Via, Reason: cmd.Reason, Forced: cmd.Force, Received: e.Received,
		},
		ReportTo: c.Number, Comment: c.ID,
	}
	if cmd.Verb == CommandPlan || cmd.DryRun {
		return f.commandPlan(ctx, j, c, cmd, rb)
	}
	begun, t, err := f.start(ctx, j, rb)
	switch {
	case err != nil:
		return err
	case t != nil:
		return f.answer(ctx, j, c, Answer{Kind: AnswerRefused, Command: cmd.Line, Detail: t.Text, Advice: t.Advice})
	case begun.Busy != "":
		return f.answer(ctx, j, c, Answer{Kind: AnswerRefused, Command: cmd.Line,
			Detail: fmt.Sprintf("Rollback %s is already working on one of these Apps.", begun.Busy),
			Advice: fmt.Sprintf("Wait for it, or comment `/rollback cancel %s` first.", begun.Busy)})
	case begun.Joined:
		a := Answer{Kind: AnswerNoted, Command: cmd.Line, Detail: fmt.Sprintf("Rollback %s already takes this change back; your command joined it.", begun.ID)}
		if cmd.Force {
			a.Advice = fmt.Sprintf("It was begun without `--force` of yours, so that passes no guard. To begin it anew, comment `/rollback cancel %s` first.", begun.ID)
		}
		return f.answer(ctx, j, c, a)
	}
	return nil
}

// start begins or joins a Rollback in the ledger and starts its flow. Both acts
// have natural keys, so a crash between them heals on replay.
func (f *Flow) start(ctx context.Context, j Journal, rb Rollback) (Begun, *Trouble, error) {
	d, err := attempt(ctx, f, j, "begin", func(ctx context.Context) (Begun, error) {
		begun, err := f.Ports.Ledger.Begin(ctx, rb)
		if err != nil || begun.Busy != "" || begun.Settled != "" {
			return begun, err
		}
		// Also when joined: the one who began it may have died before this line.
		return begun, f.Ports.Engine.Start(ctx, begun.ID)
	})
	return d.Value, d.Trouble, err
}

// aim reads what the command points at and which Apps that change touches. on
// is the pull request that the command stands on; 0 at a terminal.
func (f *Flow) aim(ctx context.Context, repo RepoName, on int, cmd Command) (aim, error) {
	if err := f.Ports.History.Fetch(ctx, repo); err != nil {
		return aim{}, fmt.Errorf("fetch %s: %w", repo, err)
	}
	number := on
	if cmd.PR != 0 {
		number = cmd.PR
	}
	var pull Pull
	var err error
	if number != 0 {
		pull, err = f.Ports.Pulls.Pull(ctx, repo, number)
		if IsTrouble(err, TroubleNotFound) {
			return refused(cmd, "Check the number.", "There is no pull request #%d in %s.", number, repo), nil
		}
	} else {
		var b Branch
		b, err = f.Ports.Pulls.Branch(ctx, repo, "")
		pull.Base = b.Name
	}
	if err != nil {
		return aim{}, fmt.Errorf("read what to take back: %w", err)
	}
	if cmd.SHA == "" && !pull.Merged {
		return refused(cmd, "Close it instead, or name what to take back: `/rollback <sha>` or `/rollback #<number>`.",
			"Pull request #%d is not merged, so there is nothing to take back.", number), nil
	}
	a := aim{Base: pull.Base}
	if cmd.SHA == "" {
		a.Change, err = f.changeOf(ctx, repo, pull)
	} else {
		var sha SHA
		sha, err = f.Ports.History.Resolve(ctx, repo, cmd.SHA)
		if IsTrouble(err, TroubleNotFound) || IsTrouble(err, TroubleInvalid) {
			return refused(cmd, "Give more digits, or the full commit ID from the branch's history.", "%s", AsTrouble(err).Text), nil
		}
		if err == nil {
			a.Change, err = f.changeAt(ctx, repo, sha)
		}
	}
	if err != nil {
		return aim{}, fmt.Errorf("read the change: %w", err)
	}
	return f.aimOnBranch(ctx, repo, cmd, a)
}

// aimOnBranch checks that the change is on its base branch and finds the Apps.
func (f *Flow) aimOnBranch(ctx context.Context, repo RepoName, cmd Command, a aim) (aim, error) {
	head, err := f.Ports.History.Resolve(ctx, repo, a.Base)
	if err != nil {
		return aim{}, fmt.Errorf("resolve branch %s: %w", a.Base, err)
	}
	on, err := f.Ports.History.Contains(ctx, repo, head, a.Change.Head())
	if err != nil {
		return aim{}, fmt.Errorf("look for %s on %s: %w", a.Change.Head().Short(), a.Base, err)
	}
	if !on {
		return refused(cmd, fmt.Sprintf("Name a commit of %s.", a.Base), "Commit %s is not on branch %s.", a.Change.Head().Short(), a.Base), nil
	}
	a.Apps, err = f.targets(ctx, repo, a.Base, head, a.Change)
	return a, err
}

func refused(cmd Command, advice, format string, args ...any) aim {
	return aim{Refusal: &Answer{Kind: AnswerRefused, Command: cmd.Line, Detail: fmt.Sprintf(format, args...), Advice: advice}}
}

// targets are the Apps that a change touches and that are not well now; when
// all are well, all of them. An App that tracks no branch is a target only when
// there is no other: then the decision refuses and says why.
func (f *Flow) targets(ctx context.Context, repo RepoName, base string, head SHA, ch Change) ([]AppID, error) {
	apps, err := f.Ports.Fleet.Apps(ctx)
	if err != nil {
		return nil, err
	}
	touched, err := f.touched(ctx, repo, base, head, ch.Paths, apps)
	if err != nil {
		return nil, err
	}
	var all, unwell, untracked []AppID
	for _, app := range touched {
		switch {
		case app.Source.Untracked != "":
			untracked = append(untracked, app.ID)
			continue
		case app.Health == HealthBad:
			unwell = append(unwell, app.ID)
		}
		all = append(all, app.ID)
	}
	for _, choice := range [][]AppID{unwell, all, untracked} {
		if len(choice) > 0 {
			return choice, nil
		}
	}
	return nil, nil
}
