package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
)

// commandPlan answers with what a Rollback would do, and does nothing.
func (f *Flow) commandPlan(ctx context.Context, j Journal, c Comment, cmd Command, rb Rollback) error {
	d, err := attemptUpTo(ctx, f, j, commandTries, "plan", func(ctx context.Context) (Plan, error) { return f.plan(ctx, rb) })
	if err != nil {
		return err
	}
	if d.Trouble != nil {
		return f.answer(ctx, j, c, Answer{Kind: AnswerRefused, Command: cmd.Line, Detail: d.Trouble.Text, Advice: d.Trouble.Advice})
	}
	v := d.Value.View(rb)
	v.Server = f.Server
	return f.answer(ctx, j, c, Answer{Kind: AnswerPlan, Command: cmd.Line, View: &v})
}

// Preview plans a rollback at a terminal and changes nothing. When there is
// nothing to plan, the answer says why.
func (f *Flow) Preview(ctx context.Context, repo RepoName, cmd Command) (*View, *Answer, error) {
	a, err := f.aim(ctx, repo, 0, cmd)
	if err != nil || a.Refusal != nil {
		return nil, a.Refusal, err
	}
	rb := Rollback{
		Host: f.Host, Repo: repo, Base: a.Base, Culprit: a.Change, Apps: a.Apps,
		Incident: Incident{Kind: IncidentCommand, Requester: "you", Received: f.Now()},
	}
	p, err := f.plan(ctx, rb)
	if err != nil {
		return nil, nil, err
	}
	v := p.View(rb)
	v.Server = f.Server
	return &v, nil, nil
}

// View is the plan as people are shown it.
func (p Plan) View(rb Rollback) View {
	rb.Affected = p.Affected
	v := View{Rollback: rb, Decision: p.Decision, Policy: p.Policy, Apps: p.Apps, Before: p.Before, Conflicts: p.Revert.Conflicts}
	for _, file := range p.Revert.Files {
		v.Changed = append(v.Changed, file.Path)
	}
	switch p.Revert.Status {
	case RevertAlready:
		v.Notes = append(v.Notes, fmt.Sprintf("Already reverted by %s.", p.Revert.By.Short()))
	case RevertEmpty:
		v.Notes = append(v.Notes, "Nothing of this change is left on the branch.")
	}
	return v
}

// commandWord records an approval or a cancellation. A late one that names no
// Rollback means none that was asked for after it.
func (f *Flow) commandWord(ctx context.Context, j Journal, e Event, cmd Command, who authority, late bool) error {
	c := *e.Comment
	d, err := attempt(ctx, f, j, string(cmd.Verb), func(ctx context.Context) (Answer, error) {
		records, err := f.meant(ctx, c, cmd)
		if late && cmd.Rollback == "" {
			records = c.then(cmd.Verb, records)
		}
		if err != nil || len(records) == 0 {
			return Answer{Kind: AnswerNone, Command: cmd.Line, Detail: "No Rollback is under way here."}, err
		}
		rec := records[0]
		word := Word{By: c.Author, At: e.Received, Via: who.Via}
		if cmd.Verb == CommandCancel {
			return Answer{Kind: AnswerNoted, Command: cmd.Line, Detail: fmt.Sprintf("Cancelling Rollback %s, unless it has merged already.", rec.ID)},
				f.Ports.Ledger.Cancel(ctx, rec.ID, word)
		}
		via, why, err := f.mayApprove(ctx, rec, c, who)
		if err != nil {
			return Answer{}, err
		}
		if why != "" {
			return Answer{Kind: AnswerRefused, Command: cmd.Line, Detail: why, Advice: "Ask a second person who may, or merge the revert on GitHub."}, nil
		}
		word.Via = via
		return Answer{Kind: AnswerNoted, Command: cmd.Line, Detail: fmt.Sprintf("Approved Rollback %s.", rec.ID)},
			f.Ports.Ledger.Approve(ctx, rec.ID, word)
	})
	if err != nil {
		return err
	}
	if d.Trouble != nil {
		return f.answer(ctx, j, c, Answer{Kind: AnswerRefused, Command: cmd.Line, Detail: d.Trouble.Text, Advice: d.Trouble.Advice})
	}
	f.Ports.Engine.Hint(Hint{Repo: c.Repo, Number: c.Number})
	return f.answer(ctx, j, c, d.Value)
}

// meant lists the unfinished Rollbacks that a comment can mean, newest first. A
// Rollback named by ID must belong to the same repository: write permission
// there was what was checked.
func (f *Flow) meant(ctx context.Context, c Comment, cmd Command) ([]Record, error) {
	if cmd.Rollback == "" {
		return f.Ports.Ledger.Find(ctx, RollbackQuery{Repo: c.Repo, Number: c.Number, Unfinished: true})
	}
	rec, err := f.Ports.Ledger.Rollback(ctx, cmd.Rollback)
	if IsTrouble(err, TroubleNotFound) || err == nil && (rec.Repo != c.Repo || rec.End != nil) {
		return nil, nil
	}
	return []Record{rec}, err
}

// statusLimit bounds how many Rollbacks a status answer lists.
const statusLimit = 10

// commandStatus answers with the Rollbacks of this pull request, or of the
// repository when there is none.
func (f *Flow) commandStatus(ctx context.Context, j Journal, c Comment, cmd Command) error {
	d, err := attempt(ctx, f, j, "status", func(ctx context.Context) (state, error) {
		records, err := f.Ports.Ledger.Find(ctx, RollbackQuery{Repo: c.Repo, Number: c.Number, Limit: statusLimit})
		if err == nil && len(records) == 0 {
			records, err = f.Ports.Ledger.Find(ctx, RollbackQuery{Repo: c.Repo, Limit: statusLimit})
		}
		s := state{Records: records}
		if why, on := f.halted(ctx, c.Repo); on {
			s.Frozen = why.Text
		}
		return s, err
	})
	if err != nil {
		return err
	}
	if d.Trouble != nil {
		return f.answer(ctx, j, c, Answer{Kind: AnswerRefused, Command: cmd.Line, Detail: d.Trouble.Text})
	}
	return f.answer(ctx, j, c, Answer{Kind: AnswerStatus, Command: cmd.Line, Records: d.Value.Records, Frozen: d.Value.Frozen})
}

// state is what a status answer tells.
type state struct {
	Records []Record `json:"records"`
	Frozen  string   `json:"frozen,omitempty"` // as in Answer
}

// UnmarshalJSON also reads the list alone, as it was recorded at first.
func (s *state) UnmarshalJSON(b []byte) error {
	*s = state{}
	if b = bytes.TrimSpace(b); len(b) == 0 || b[0] != '{' {
		return json.Unmarshal(b, &s.Records)
	}
	type plain state
	return json.Unmarshal(b, (*plain)(s))
}
