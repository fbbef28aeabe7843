package bot

import "time"

// MaxCandidates is how many commits a ranking weighs, newest first: as many as
// its weights were fitted on, and more than ever held a culprit that could be
// told.
const MaxCandidates = 30

// Facts is all that a ranking may look at.
type Facts struct {
	App   App
	Onset Onset
	// Fired is when the alert fired, after its whole "for:". What was rolled
	// out between the onset and this moment muddies the evidence.
	Fired time.Time
	// Now is when the ranking is made.
	Now time.Time
	// Deployed is our record of the App, newest first, as far back as known.
	Deployed []Deployed
	// Candidates are first-parent commits that changed the closure, newest
	// first, from the revision deployed at onset backwards.
	Candidates []Candidate
	// Failing is the workload that alerts; nil when unknown.
	Failing *Workload
	// PartFiles and PartObjects ("Kind/name") are what the failing workload is
	// known to be made of, each with the reason; nil when nobody looked.
	PartFiles, PartObjects map[string]string
	// Ran is the revision that ran when the alert fired, on which all is weighed.
	Ran SHA
	// Closure are the paths that the App is built from.
	Closure []string
	// BlameWindow is the policy's window between rollout and onset.
	BlameWindow time.Duration
}

// Candidate is one commit with what it changed.
type Candidate struct {
	Change Change
	// Files it changed below the closure.
	Files []FileChange
	// RolledOut is when our record first shows a revision that contains it;
	// zero when unknown.
	RolledOut time.Time
	// Unseen is true when our record has revisions, and none of them contains it.
	Unseen bool
	// HealthBefore is the App's health on the last revision without it.
	HealthBefore Health
	// Undone is true when a later commit took all of it back.
	Undone bool
	// Apps is how many Apps it touches.
	Apps int
	// Current are the contents of Files, by path, on the revision that is
	// weighed; a path is absent where nothing stands any more.
	Current map[string][]byte
	// Automated is true when a program wrote it, by its author's name.
	Automated bool
	// TakesBack are the commits that its message says it reverts.
	TakesBack []SHA
}
