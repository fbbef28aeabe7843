package bot

import "time"

// Mode is how far Backout may go by itself for an App.
type Mode string

// The modes, most careful first.
const (
	ModeObserve Mode = "observe" // record, write nowhere
	ModePropose Mode = "propose" // open the revert pull request
	ModeApprove Mode = "approve" // act after a second person's word
	ModeAuto    Mode = "auto"    // act when every gate is green
)

// Policy is what the owners allow for one App, after defaults.
type Policy struct {
	Alerts   Mode `json:"alerts"`   // for alerts and rules
	Commands Mode `json:"commands"` // for people's commands
	// Hold is auto, always or never.
	Hold string `json:"hold"`
	// Unprotected says what may merge where nothing protects the branch:
	// commands, all or none.
	Unprotected string `json:"unprotected"`
	// Merge says by whose hand: backout, which reads everything again right
	// before it merges, or github-auto, which arms GitHub's own auto-merge where
	// something required is still missing.
	Merge       string `json:"merge"`
	MaxAffected int    `json:"max_affected"`
	// Checks verify production after the sync, besides rollout and health.
	Checks []Check `json:"checks,omitempty"`
	// BlameWindow is how long after a rollout an onset may still be its doing.
	BlameWindow time.Duration `json:"blame_window"`
	// HoldFor bounds a hold.
	HoldFor time.Duration `json:"hold_for"`
	// ApproveWithin, MergeWithin, SyncWithin and VerifyWithin bound the waits.
	ApproveWithin time.Duration `json:"approve_within"`
	MergeWithin   time.Duration `json:"merge_within"`
	SyncWithin    time.Duration `json:"sync_within"`
	VerifyWithin  time.Duration `json:"verify_within"`
	// PerDay caps acting Rollbacks per repository and day.
	PerDay int `json:"per_day"`
}

// Check is one configured check.
type Check struct {
	Name string `json:"name"`
	// Query is PromQL; placeholders {{namespace}}, {{app}} and {{cluster}} are
	// replaced by quoted values.
	Query string `json:"query,omitempty"`
	// Operator compares the query's every sample with Threshold: < <= > >= == !=.
	Operator  string  `json:"operator,omitempty"`
	Threshold float64 `json:"threshold,omitempty"`
	// For is how long it must hold without a break.
	For      time.Duration `json:"for,omitempty"`
	Advisory bool          `json:"advisory,omitempty"`
}

// CheckResult is one sample of a check.
type CheckResult struct {
	Name string `json:"name"`
	// Status is pass, fail or unknown (no data, or nobody to ask).
	Status string `json:"status"`
	Detail string `json:"detail"`
	// Value is the sample as text ("0.42"), empty when there is none.
	Value    string `json:"value,omitempty"`
	Advisory bool   `json:"advisory,omitempty"`
}

// The statuses of a check.
const (
	CheckPass    = "pass"
	CheckFail    = "fail"
	CheckUnknown = "unknown"
)

// Case is all that a Decision rests on.
type Case struct {
	Incident Incident
	Target   []App
	Affected []AppID
	Culprit  Change
	Finding  *Finding // nil for a command that names its culprit
	Revert   Revert
	Branch   Branch
	// Killed is the kill switch; Why says what turned it on.
	Killed    bool
	KilledWhy string
	// Recent counts acting Rollbacks of the repository in the last 24 hours.
	Recent int
}

// Verb is what a Decision says to do.
type Verb string

// The verbs, most careful first.
const (
	VerbObserve Verb = "observe"
	VerbRefuse  Verb = "refuse"
	VerbPropose Verb = "propose"
	VerbAsk     Verb = "ask" // act after a second person's approval
	VerbAct     Verb = "act"
)

// Reason is one named reason of a Decision.
type Reason struct {
	Name string `json:"name"` // "no-revert-of-revert"
	Text string `json:"text"` // one sentence
}

// Decision is what may be done, and why. A value, never an error.
type Decision struct {
	Verb    Verb     `json:"verb"`
	Reasons []Reason `json:"reasons,omitempty"`
	// Hold lists the Apps to hold before acting.
	Hold []AppID `json:"hold,omitempty"`
}

// GateCase is all that a merge rests on.
type GateCase struct {
	Gate    Gate
	Branch  Branch
	Policy  Policy
	Command bool // a person asked
	// Want is the head and tree that were verified.
	WantHead, WantTree SHA
	// Waited is how long the gate has been watched.
	Waited time.Duration
}

// GateCall is the gate's answer.
type GateCall struct {
	// Do is one of the calls below.
	Do     string `json:"do"`
	Reason Reason `json:"reason"`
}

// The gate's calls.
const (
	GateMerge     = "merge"
	GateEnqueue   = "enqueue" // put it into the branch's merge queue
	GateArm       = "arm"     // let GitHub merge it once nothing is missing
	GateWait      = "wait"
	GateFreeze    = "freeze"    // wait, and let GitHub not merge it meanwhile
	GateUpdate    = "update"    // bring the base into the head branch
	GateRecompute = "recompute" // the revert no longer applies as computed
	GateStop      = "stop"      // only a person can go on
)

// Verdict is how a Rollback ended.
type Verdict string

// The verdicts.
const (
	VerdictVerified    Verdict = "verified"
	VerdictNotFixed    Verdict = "not fixed"
	VerdictUnverified  Verdict = "could not verify"
	VerdictFailed      Verdict = "failed"
	VerdictCancelled   Verdict = "cancelled"
	VerdictNeedsHuman  Verdict = "needs human"
	VerdictProposed    Verdict = "proposed" // the revert is open; people merge it
	VerdictObserved    Verdict = "observed" // recorded, nothing written
	VerdictNothingToDo Verdict = "nothing to do"
)
