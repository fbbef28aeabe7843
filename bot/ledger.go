package bot

import (
	"context"
	"time"
)

// Ledger is the durable record of Rollbacks and of what each App ran.
type Ledger interface {
	// Begin starts or joins a Rollback in one transaction. The same culprit set
	// with an unfinished Rollback is joined (its Apps and alerts are added); an
	// App that another unfinished Rollback works on makes it Busy; otherwise it
	// is inserted with the next attempt number and its ID filled in. Alerts that
	// all fired before an earlier attempt ended begin nothing: they are Settled.
	Begin(ctx context.Context, r Rollback) (Begun, error)
	Rollback(ctx context.Context, id RollbackID) (Record, error)
	// Find lists Rollbacks, newest first.
	Find(ctx context.Context, q RollbackQuery) ([]Record, error)
	// Cancel and Approve record a person's word once; the first one stands.
	Cancel(ctx context.Context, id RollbackID, w Word) error
	Approve(ctx context.Context, id RollbackID, w Word) error
	// Freeze records that a person stopped all acting in a repository, and
	// Unfreeze that one let it go on. Words may come in any order: one that was
	// said before the last that is on record changes nothing. comment orders them.
	Freeze(ctx context.Context, repo RepoName, z Frozen) error
	Unfreeze(ctx context.Context, repo RepoName, comment int64, w Word) error
	// Frozen is the last word on a repository's freeze, which may be over; nil
	// when there is none.
	Frozen(ctx context.Context, repo RepoName) (*Frozen, error)
	// Resolve records that an alert stopped firing.
	Resolve(ctx context.Context, fingerprint string, at time.Time) error
	// Finish records the end and frees the Apps. The first end stands.
	Finish(ctx context.Context, id RollbackID, end End) error
	// SaveView keeps the newest view of a Rollback for status and dashboard.
	SaveView(ctx context.Context, id RollbackID, v View) error
	// Observe adds a line to an App's record when it differs from the last one.
	Observe(ctx context.Context, d Deployed) error
	// Deployments lists an App's record, newest first.
	Deployments(ctx context.Context, app AppID, limit int) ([]Deployed, error)
}

// Begun answers Begin.
type Begun struct {
	ID      RollbackID `json:"id"`
	Attempt int        `json:"attempt"`
	// Joined is true when an unfinished Rollback took this incident in.
	Joined bool `json:"joined,omitempty"`
	// Busy names the Rollback that works on one of the Apps; nothing was begun.
	Busy RollbackID `json:"busy,omitempty"`
	// Settled names the Rollback that has dealt with these alerts and ended;
	// nothing was begun.
	Settled RollbackID `json:"settled,omitempty"`
}

// Word is what a person decided, and when.
type Word struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
	// Via is by what right, as the policy names it ("@acme/sre"); empty for
	// write permission on the repository.
	Via string `json:"via,omitempty"`
}

// Frozen is a freeze by command. Fields may be added, never renamed or reused.
type Frozen struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"` // the person's words, untrusted
	// Until is when it ends by itself; zero when only a person ends it.
	Until   time.Time `json:"until,omitzero"`
	Comment int64     `json:"comment"` // that said so
	Ended   *Word     `json:"ended,omitempty"`
}

// On reports whether the freeze stands at a moment.
func (z *Frozen) On(now time.Time) bool {
	return z != nil && z.Ended == nil && (z.Until.IsZero() || now.Before(z.Until))
}

// Record is a Rollback as the ledger knows it now.
type Record struct {
	Rollback
	Cancelled *Word `json:"cancelled,omitempty"`
	Approved  *Word `json:"approved,omitempty"`
	// Resolved holds the fingerprints of its alerts that stopped firing.
	Resolved map[string]time.Time `json:"resolved,omitempty"`
	Begun    time.Time            `json:"begun"`
	End      *End                 `json:"end,omitempty"`
	View     *View                `json:"view,omitempty"`
}

// RollbackQuery selects Rollbacks; zero fields match all.
type RollbackQuery struct {
	Repo RepoName
	// Number matches the culprit's pull request, the revert's, or the one that
	// is reported on.
	Number     int
	Culprit    SHA
	App        *AppID
	Unfinished bool
	Since      time.Time
	// EndedSince matches those that ended at that moment or later.
	EndedSince time.Time
	Limit      int
	// Brief leaves out View and Resolved, which are most of a Record's size.
	Brief bool
}

// End is how a Rollback ended.
type End struct {
	Verdict Verdict   `json:"verdict"`
	Summary string    `json:"summary"`
	At      time.Time `json:"at"`
}
