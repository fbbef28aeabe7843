package bot

import "time"

// Pull is a pull request as the flow needs it.
type Pull struct {
	Number int    `json:"number"`
	Title  string `json:"title"`
	URL    string `json:"url"`
	Open   bool   `json:"open"`
	Merged bool   `json:"merged"`
	// MergeCommit is what merging put on the base branch: a merge commit, a
	// squash, or the last commit of a rebase. Empty while it is not merged.
	MergeCommit SHA       `json:"merge_commit,omitempty"`
	MergedAt    time.Time `json:"merged_at,omitzero"`
	Base        string    `json:"base"`
	Head        string    `json:"head"` // branch
	HeadSHA     SHA       `json:"head_sha"`
	Author      string    `json:"author"`
	AuthorIsBot bool      `json:"author_is_bot,omitempty"`
	Fork        bool      `json:"fork,omitempty"`
	// Subjects are the first lines of its commits, oldest first: how a rebase
	// merge is told from a squash.
	Subjects []string `json:"subjects,omitempty"`
}

// Branch is a branch and what stands before a merge into it.
type Branch struct {
	Name string `json:"name"`
	Head SHA    `json:"head"`
	// Protected is true when a rule (classic or ruleset) demands something
	// before a merge.
	Protected bool `json:"protected"`
	// RequiredChecks are the checks and statuses that must pass.
	RequiredChecks []RequiredCheck `json:"required_checks,omitempty"`
	// Reviews is how many approving reviews are required.
	Reviews int `json:"reviews,omitempty"`
	// Strict requires the head to contain the newest base.
	Strict bool `json:"strict,omitempty"`
	// MergeQueue is true when merges must go through a queue.
	MergeQueue bool `json:"merge_queue,omitempty"`
	// Methods are the merge methods the repository allows: merge, squash,
	// rebase, in that order of preference.
	Methods []string `json:"methods,omitempty"`
	// Bypass names the rule that we could merge past; empty when there is none.
	// Backout merges only what a person could, so it must not be on such a list.
	Bypass string `json:"bypass,omitempty"`
}

// RequiredCheck is a check or status that must pass before a merge.
type RequiredCheck struct {
	Name string `json:"name"`
	// App is the GitHub App that must report it; 0 accepts any source.
	App int64 `json:"app,omitempty"`
}

// By reports whether a check is the one that is required: by its name, and by
// its source where one is demanded. A commit status does not tell its App, so
// it passes for any: GitHub, which knows, keeps the merge blocked if it is not
// the one.
func (r RequiredCheck) By(c GateCheck) bool {
	return c.Name == r.Name && (r.App == 0 || c.App == 0 || r.App == c.App)
}

// RevertRequest asks for the revert's branch, commit and pull request.
type RevertRequest struct {
	Repo   RepoName
	Base   string
	Branch string // "backout/revert-<culprit12>[-n]"
	Onto   SHA    // the base head that the revert was computed on
	Tree   SHA    // what the commit's tree must be, or nothing is opened
	Files  []FileChange
	// Message is the commit message; Title and Body those of the pull request.
	Message, Title, Body string
	Draft                bool
}

// RevertPull is the revert's pull request after it was opened or found again.
type RevertPull struct {
	Number int    `json:"number"`
	URL    string `json:"url"`
	Branch string `json:"branch"`
	Head   SHA    `json:"head"`
	Tree   SHA    `json:"tree"`
	// Found is true when it existed already (a retry after a crash).
	Found bool `json:"found,omitempty"`
	// Gate is what the creating document already told about the merge gate.
	Gate Gate `json:"gate"`
}

// Gate is the merge state of a pull request as GitHub reports it
// (https://docs.github.com/graphql/reference/enums#mergestatestatus).
type Gate struct {
	State string `json:"state"` // CLEAN, BLOCKED, BEHIND, DIRTY, UNSTABLE, HAS_HOOKS, DRAFT, UNKNOWN
	// Open is false once the pull request was closed or merged.
	Open        bool `json:"open"`
	Merged      bool `json:"merged,omitempty"`
	MergeCommit SHA  `json:"merge_commit,omitempty"`
	Head        SHA  `json:"head"`
	Tree        SHA  `json:"tree"`
	// BaseHead is the head of the base branch in the same answer.
	BaseHead SHA         `json:"base_head,omitempty"`
	Checks   []GateCheck `json:"checks,omitempty"`
	// ReviewDecision is APPROVED, CHANGES_REQUESTED, REVIEW_REQUIRED or "".
	ReviewDecision string `json:"review_decision,omitempty"`
	InQueue        bool   `json:"in_queue,omitempty"`
	// Armed is true when GitHub merges it by itself once it may
	// (https://docs.github.com/graphql/reference/objects#automergerequest).
	Armed bool `json:"armed,omitempty"`
}

// GateCheck is one check run or status on the head of a pull request.
type GateCheck struct {
	Name     string `json:"name"`
	Required bool   `json:"required,omitempty"`
	Done     bool   `json:"done"`
	// Passed is true for success, neutral and skipped, as GitHub counts them.
	Passed bool `json:"passed"`
	// App is the ID of the GitHub App that reports it; 0 for a commit status.
	App  int64 `json:"app,omitempty"`
	Ours bool  `json:"ours,omitempty"`
}

// MergeRequest asks for the merge of exactly one head.
type MergeRequest struct {
	Repo    RepoName
	Number  int
	Head    SHA // merged only if the pull request still has this head
	Method  string
	Title   string
	Message string
}

// Merged is the answer to a MergeRequest. A refusal is an answer.
type Merged struct {
	Merged bool `json:"merged"`
	Commit SHA  `json:"commit,omitempty"`
	// Refusal is GitHub's reason when it did not merge; Stale when the head or
	// base moved, so looking again may help.
	Refusal string `json:"refusal,omitempty"`
	Stale   bool   `json:"stale,omitempty"`
}

// Queued is the answer to a request to let GitHub merge: by its merge queue or
// by its auto-merge. A refusal is an answer.
type Queued struct {
	Accepted bool `json:"accepted"`
	// Refusal is GitHub's reason when it did not accept; Stale when the head or
	// the state moved, so looking again may help.
	Refusal string `json:"refusal,omitempty"`
	Stale   bool   `json:"stale,omitempty"`
}

// Post is a comment with an identity: Marker is hidden in the text, so that
// the same comment is found and edited and never written twice.
type Post struct {
	Repo   RepoName
	Number int
	Marker string
	Body   string
	// ID is the comment's ID once it is known; 0 makes the adapter look for the
	// marker first.
	ID int64
	// Final is set when nothing follows: whatever a request of a process that
	// died may have left meanwhile (a second comment, an older text) must go.
	Final bool
}

// CheckRun is our check run on the revert's commit.
type CheckRun struct {
	Repo RepoName
	Head SHA
	Name string
	// ExternalID is the Rollback's ID, by which the run is found again.
	ExternalID string
	// ID of the run once it is known; 0 makes the adapter look first.
	ID int64
	// Final is set when nothing follows, as in Post.
	Final      bool
	Done       bool
	Conclusion string // success, failure, neutral, cancelled, action_required
	Title      string
	Summary    string // Markdown
	DetailsURL string
}
