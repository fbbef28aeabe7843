package bot

import "time"

// Commit is one commit as the flow needs it.
type Commit struct {
	SHA     SHA       `json:"sha"`
	Parents []SHA     `json:"parents"`
	Tree    SHA       `json:"tree"`
	Author  string    `json:"author"`
	Email   string    `json:"email,omitempty"`
	When    time.Time `json:"when"` // committer date: forgeable, never proof of a deploy
	Subject string    `json:"subject"`
	Message string    `json:"message,omitempty"`
	// Paths changed against the first parent.
	Paths []string `json:"paths,omitempty"`
}

// Change is what one revert takes back: a commit, a squash, a merge, or the
// range of a rebase merge.
type Change struct {
	// Commits newest first; more than one only for a rebase merge or a range.
	Commits []SHA `json:"commits"`
	// Mainline is the parent that a merge commit is reverted against (1-based);
	// 0 when it is not a merge.
	Mainline int    `json:"mainline,omitempty"`
	PR       int    `json:"pr,omitempty"`
	Subject  string `json:"subject"`
	Author   string `json:"author"` // GitHub login when known, else the commit's author name
	// When it reached the base branch.
	When     time.Time `json:"when"`
	Paths    []string  `json:"paths,omitempty"`
	IsRevert bool      `json:"is_revert,omitempty"`
}

// Head is the newest commit of the change.
func (c Change) Head() SHA {
	if len(c.Commits) == 0 {
		return ""
	}
	return c.Commits[0]
}

// FileChange is one path that a revert writes, with both contents as far as
// guards need to read them.
type FileChange struct {
	Path string `json:"path"`
	// Before and After are the contents on the branch and after the revert;
	// nil where the file does not exist.
	Before []byte `json:"-"`
	After  []byte `json:"-"`
	// BeforeMode and AfterMode are git modes ("100644"); empty where absent.
	BeforeMode string `json:"before_mode,omitempty"`
	AfterMode  string `json:"after_mode,omitempty"`
	// Blob is the object name of After when it already exists in the
	// repository; the Git data API can then reuse it.
	Blob SHA `json:"blob,omitempty"`
}

// RevertStatus classes a computed revert.
type RevertStatus string

// The classes of a computed revert.
const (
	RevertClean    RevertStatus = "clean"
	RevertConflict RevertStatus = "conflict"
	RevertEmpty    RevertStatus = "empty"            // nothing is left to take back
	RevertAlready  RevertStatus = "already-reverted" // By names the commit that did it
)

// Conflict is one path that can't be reverted by itself.
type Conflict struct {
	Path string `json:"path"`
	// Kind is content, modify/delete, rename/delete, rename/rename, rename,
	// file-location (its directory was renamed), add/add, mode, binary, submodule
	// or attributes.
	Kind string `json:"kind"`
	// Since are the later commits that touched the path, newest first.
	Since []SHA `json:"since,omitempty"`
}

// Revert is a computed revert.
type Revert struct {
	Status    RevertStatus `json:"status"`
	By        SHA          `json:"by,omitempty"`
	Onto      SHA          `json:"onto"`
	Tree      SHA          `json:"tree,omitempty"`
	Files     []FileChange `json:"files,omitempty"`
	Conflicts []Conflict   `json:"conflicts,omitempty"`
}

// Suspect is a change that may have broken an App, and why we think so.
type Suspect struct {
	Change Change  `json:"change"`
	Score  float64 `json:"score"` // log-odds against an average candidate
	// Chance, 0 to 1, that it is the culprit. With those of the other suspects
	// and None it adds up to 1.
	Chance   float64    `json:"chance,omitempty"`
	Evidence []Evidence `json:"evidence"`
	// The three facts that acting on an alert needs besides a confident
	// ranking. RolledOut is zero when our record does not tell; TouchesFailing
	// is true when it changes an object that the failing workload is or uses;
	// HealthBefore is the App's health on the revision before it.
	RolledOut      time.Time `json:"rolled_out,omitzero"`
	TouchesFailing bool      `json:"touches_failing,omitempty"`
	HealthBefore   Health    `json:"health_before,omitempty"`
}

// Evidence is one signal as it was seen.
type Evidence struct {
	Signal string  `json:"signal"`
	Detail string  `json:"detail"`
	Weight float64 `json:"weight"`
	// Judged is true where the weight is judgement; others were fitted on what
	// people really reverted.
	Judged bool `json:"judged,omitempty"`
}

// Finding is the answer to "which change broke it, if any".
type Finding struct {
	Suspects []Suspect `json:"suspects"` // best first
	// None is the weight, 0 to 1, of "no change of ours".
	None      float64 `json:"none"`
	Confident bool    `json:"confident"`
	// NoneEvidence is what speaks for "no change of ours", in log-odds against
	// that one is guilty.
	NoneEvidence []Evidence `json:"none_evidence,omitempty"`
	// Weighed is how many suspects there were, where not all are kept.
	Weighed int `json:"weighed,omitempty"`
	// Doubts say why it is not confident, for people.
	Doubts []string `json:"doubts,omitempty"`
}
