package bot

import (
	"context"
	"io/fs"
	"time"
)

// The ports. Each is as small as its one consumer needs; adapters under vcs,
// sync and bot/... implement them and never import each other. Every method
// may be called again with the same arguments after a crash and must then come
// to the same end. Errors are *Trouble where the kind is known.

// People answers who may do what. Answers are read from GitHub each time:
// a revoked permission must count at once.
type People interface {
	Permission(ctx context.Context, repo RepoName, login string) (Permission, error)
}

// Pulls reads pull requests and branches.
type Pulls interface {
	Pull(ctx context.Context, repo RepoName, number int) (Pull, error)
	// PullOf returns the merged pull request that brought a commit to the base
	// branch; ok is false when none did.
	PullOf(ctx context.Context, repo RepoName, commit SHA) (p Pull, ok bool, err error)
	// Branch reads a branch and its rules; an empty name means the default
	// branch.
	Branch(ctx context.Context, repo RepoName, name string) (Branch, error)
}

// Reverts opens, judges and merges the revert pull request.
type Reverts interface {
	// Warm gets ready what Open needs (token, IDs), so that none of it is on the
	// chain from decision to merge.
	Warm(ctx context.Context, repo RepoName) error
	// Open creates branch, commit and pull request in one document. The branch
	// is the lock: when it exists already, what stands there is looked up and
	// returned with Found set, provided its tree is the wanted one. A commit
	// whose tree or parent is not the wanted one is deleted again and reported
	// as TroubleInvalid; a base that moved as TroubleStale.
	Open(ctx context.Context, r RevertRequest) (RevertPull, error)
	// Standing is the open pull request of ours from a branch into base, whoever
	// pushed to it since; ok is false when there is none.
	Standing(ctx context.Context, repo RepoName, base, branch string) (p RevertPull, ok bool, err error)
	Gate(ctx context.Context, repo RepoName, number int) (Gate, error)
	Merge(ctx context.Context, r MergeRequest) (Merged, error)
	// Enqueue puts the pull request into its base branch's merge queue, and Arm
	// lets GitHub merge it once it may, each only if the head is still the one
	// given. One that is queued or armed already is accepted.
	Enqueue(ctx context.Context, r MergeRequest) (Queued, error)
	Arm(ctx context.Context, r MergeRequest) (Queued, error)
	// Dequeue and Disarm undo that; where there is nothing to undo, it is no error.
	Dequeue(ctx context.Context, repo RepoName, number int) error
	Disarm(ctx context.Context, repo RepoName, number int) error
	// AskReview requests reviews of people, by login. Who can't be asked is
	// passed over.
	AskReview(ctx context.Context, repo RepoName, number int, logins []string) error
	// Update merges the base into the head branch if the head is still head.
	Update(ctx context.Context, repo RepoName, number int, head SHA) error
	// Abandon closes the pull request, if open and unmerged, and deletes its branch.
	Abandon(ctx context.Context, repo RepoName, number int, branch string) error
	// DeleteBranch deletes a merged branch; one that is gone is no error.
	DeleteBranch(ctx context.Context, repo RepoName, branch string) error
}

// Talk reads conversations again.
type Talk interface {
	// Comments lists the comments on a pull request that were written or edited
	// since then, oldest first; an earlier one may be among them.
	Comments(ctx context.Context, repo RepoName, number int, since time.Time) ([]Comment, error)
}

// Board writes what people read.
type Board interface {
	// React adds a reaction (+1, eyes, rocket, confused…) to a comment.
	React(ctx context.Context, repo RepoName, comment int64, reaction string) error
	// Post creates or edits the comment with the post's marker; returns its ID.
	Post(ctx context.Context, p Post) (int64, error)
	// Check creates or updates our check run; returns its ID.
	Check(ctx context.Context, c CheckRun) (int64, error)
}

// History is the git side of a repository: a local mirror.
type History interface {
	// Fetch brings the mirror up to date; concurrent calls share one fetch.
	Fetch(ctx context.Context, repo RepoName) error
	// Resolve turns a branch name or a full or abbreviated SHA (7 digits or
	// more) into a commit. TroubleNotFound when there is none, TroubleInvalid
	// when it is ambiguous.
	Resolve(ctx context.Context, repo RepoName, rev string) (SHA, error)
	// Default names the default branch as the last Fetch saw it; TroubleNotFound
	// when there is none.
	Default(ctx context.Context, repo RepoName) (string, error)
	Commit(ctx context.Context, repo RepoName, sha SHA) (Commit, error)
	// Log walks first parents, newest first.
	Log(ctx context.Context, q LogQuery) ([]Commit, error)
	// Contains reports whether commit is tip or an ancestor of it.
	Contains(ctx context.Context, repo RepoName, tip, commit SHA) (bool, error)
	// Revert computes the revert of a change onto a commit, in process.
	Revert(ctx context.Context, repo RepoName, onto SHA, c Change) (Revert, error)
	// Tree is the tree of a commit as a read-only file system.
	Tree(ctx context.Context, repo RepoName, rev SHA) (fs.FS, error)
	// Diff lists the files that differ between two commits below paths (all,
	// when empty), with contents.
	Diff(ctx context.Context, repo RepoName, from, to SHA, paths []string) ([]FileChange, error)
}

// LogQuery selects first-parent commits.
type LogQuery struct {
	Repo RepoName
	From SHA // newest commit of the walk
	// Until ends the walk before this commit; empty walks to the root.
	Until SHA
	// Paths keeps only commits that changed one of them; all when empty.
	Paths []string
	Limit int // 0 means no limit
}

// Deployer is a control plane that delivers Apps: Flux or Argo CD in one
// cluster.
type Deployer interface {
	Handles(id AppID) bool
	Apps(ctx context.Context) ([]App, error)
	// App observes one App, read fresh.
	App(ctx context.Context, id AppID) (App, error)
	// Owner names the App that delivers an object, by the marks the control
	// plane leaves on it, and says which marks.
	Owner(o Object) (id AppID, mark string, ok bool)
	// Hold turns reconciliation off and writes owner, reason, previous state
	// and deadline on the object. It never replaces a hold by others: that is
	// reported in the answer with Placed false.
	Hold(ctx context.Context, l Lease) (Held, error)
	// Release undoes the hold of one owner exactly. A hold that is gone, or not
	// that owner's, is left alone and reported.
	Release(ctx context.Context, id AppID, owner RollbackID) (Held, error)
	// Holds lists the holds that carry our annotation.
	Holds(ctx context.Context) ([]Hold, error)
	// Sync asks for the newest commit of the tracked branch to be applied now.
	// token makes the request recognisable when it is repeated.
	Sync(ctx context.Context, id AppID, token string) error
}

// Lease asks for a hold.
type Lease struct {
	App      AppID
	Owner    RollbackID
	Reason   string
	Deadline time.Time
}

// Held answers Hold and Release.
type Held struct {
	App AppID `json:"app"`
	// Placed is true when our hold stands after the call.
	Placed bool `json:"placed"`
	// Left is set when somebody else's hold or change was found and left.
	Left string `json:"left,omitempty"`
}

// Workloads reads what runs in a cluster.
type Workloads interface {
	// Find returns the object and its controllers, outermost last (a Pod, its
	// ReplicaSet, its Deployment).
	Find(ctx context.Context, w Workload) ([]Object, error)
	// Rollouts reads the state of workloads.
	Rollouts(ctx context.Context, ws []Workload) ([]Rollout, error)
}

// Alerts asks the monitoring side.
type Alerts interface {
	// ActiveSince is when the alert's condition became true, before its "for:"
	// ran; ok is false when Prometheus does not know.
	ActiveSince(ctx context.Context, a Alert) (t time.Time, ok bool, err error)
	// Firing reports whether the alert is active in Alertmanager now; known is
	// false when there is no Alertmanager to ask.
	Firing(ctx context.Context, a Alert) (firing, known bool, err error)
}

// Checks runs the configured checks of an App.
type Checks interface {
	Run(ctx context.Context, c Check, app App) (CheckResult, error)
}

// Ranker finds the culprit. Pure: facts in, finding out.
type Ranker interface {
	Rank(f Facts) Finding
	// Closure is the set of paths that an App's manifests at root reference in
	// the tree, roots included.
	Closure(tree fs.FS, roots []string) []string
	// Parts are the files below a closure, and the objects as "Kind/name", that a
	// workload is known to be made of, each with the reason; both are empty when
	// nothing is known.
	Parts(tree fs.FS, closure []string, w Workload) (files, objects map[string]string)
	// InEffect reports whether a file change can change what runs: comments,
	// formatting and documentation can't.
	InEffect(f FileChange) bool
}

// Judge knows what is allowed. Pure but for its configuration.
type Judge interface {
	// Read gives the rules of a repository, by the server's configuration and the
	// repository's policy file. There always are some: by a file that can't be
	// understood, alerts are only observed and commands only proposed, and
	// every decision says what is wrong with it.
	Read(repo RepoName, file PolicyFile) Rules
}

// Rules say what is allowed in one repository. Pure.
type Rules interface {
	// Policy is the policy of one App, or the most careful mix of several.
	Policy(ids ...AppID) Policy
	Decide(c Case) Decision
	// Gate says whether the revert may merge now.
	Gate(g GateCase) GateCall
}

// Switch is the kill switch. It counts as on when it can't be read.
type Switch interface {
	On(ctx context.Context) (on bool, why string)
}

// Teller writes every sentence that a person reads.
type Teller interface {
	Sticky(v View) string
	Pull(v View) (title, body, commitMessage string)
	CheckRun(v View) (title, summary, conclusion string)
	Reply(a Answer) string
	// Reapply writes the draft that brings back what was taken back.
	Reapply(r Reapply) (title, body, commitMessage string)
}

// Engine runs flows durably.
type Engine interface {
	// Accept makes an event durable and starts its intake. When it returns nil,
	// the event is never lost; a repeated ID does nothing.
	Accept(ctx context.Context, e Event) error
	// Start begins the flow of a Rollback; a repeated ID does nothing.
	Start(ctx context.Context, id RollbackID) error
	// Hint wakes flows that wait for news; it is never durable.
	Hint(h Hint)
}
