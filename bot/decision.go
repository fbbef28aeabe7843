package bot

import (
	"slices"
	"time"
)

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

	// Commanders may command besides those with write permission: users
	// ("@alice") and teams ("@acme/sre"). What GitHub would not let them merge,
	// somebody else must approve.
	Commanders []string `json:"commanders,omitempty"`
	// Approvers are the only ones who may approve: users, teams, and
	// "codeowners", the owners of the touched paths. None: whoever may write.
	Approvers []string `json:"approvers,omitempty"`
	// Cooldown is how long after a Rollback of an App ended alerts only propose.
	Cooldown time.Duration `json:"cooldown,omitempty"`
	// BreakAfter is the circuit breaker: after so many Rollbacks of the
	// repository in a row that did not end verified, alerts only propose, until
	// one is verified or a day has passed. 0 means never.
	BreakAfter int `json:"break_after,omitempty"`
	// Freezes are the windows in which nothing merges by itself.
	Freezes []Freeze `json:"freezes,omitempty"`
	// Guards changes how far named guards let a decision go. A guard that can't
	// be overridden can only be made more careful.
	Guards map[string]Verb `json:"guards,omitempty"`
	// Custom are the owners' own guards.
	Custom []CustomGuard `json:"custom,omitempty"`
	// Mitigate says whether production is changed before the revert has merged:
	// never, ask (only by /rollback --fast) or auto.
	Mitigate string `json:"mitigate,omitempty"`
	// Images says what keeps an image automation from bringing a bad tag back:
	// hold, pin or none.
	Images string `json:"images,omitempty"`
	// Migrations are more file name patterns of database migrations.
	Migrations []string `json:"migrations,omitempty"`
	// Notify names where results go that have no pull request: targets of the
	// server's configuration.
	Notify []string `json:"notify,omitempty"`
	// Unforceable are guards that the server's configuration sets limits for:
	// nobody may pass them.
	Unforceable []string `json:"unforceable,omitempty"`
	// PerDayOverall caps acting Rollbacks of all repositories and day, by the
	// server's configuration; nil means no cap.
	PerDayOverall *int `json:"per_day_overall,omitempty"`
	// Broken says what is wrong with the repository's policy file, with the line;
	// empty when it was understood, or there is none.
	Broken string `json:"broken,omitempty"`
}

// Freeze is a window that comes again and again.
type Freeze struct {
	// Cron is when it begins: minute, hour, day of month, month, day of week.
	Cron string        `json:"cron"`
	For  time.Duration `json:"for"`
	// Zone is an IANA time zone ("Europe/Zurich"); empty is UTC.
	Zone   string `json:"zone,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Limit is set where the server's configuration demands it: then nobody may
	// pass it.
	Limit bool `json:"limit,omitempty"`
}

// CustomGuard is a guard that the owners wrote.
type CustomGuard struct {
	Name string `json:"name"`
	// When is CEL over the change; true raises the guard, and so does an error.
	When string `json:"when"`
	// Verb is how far a decision may go then: refuse, propose or ask.
	Verb Verb   `json:"verb"`
	Text string `json:"text"` // one sentence for people
	// Override is who may pass it with --force: maintain, admin, or "" for nobody.
	Override Permission `json:"override,omitempty"`
	// Limit is set where the server's configuration demands it.
	Limit bool `json:"limit,omitempty"`
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
	// Recent counts acting Rollbacks of the repository in the last 24 hours, and
	// Overall those of all repositories, both without this one.
	Recent, Overall int
	// Ended are the acting Rollbacks of the repository that ended lately, newest
	// first: in the last 24 hours, or the policy's cooldown if that is longer.
	Ended []Ended
	// Now is when it is decided.
	Now time.Time
	// Forced is set when the command said --force, and Forcer is what whoever
	// commanded it may do on the repository.
	Forced bool
	Forcer Permission
}

// Ended is a Rollback that has ended, as far as cooldown and circuit breaker
// look at it.
type Ended struct {
	ID      RollbackID
	Apps    []AppID
	At      time.Time
	Verdict Verdict
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

// verbs are the verbs, most careful first. To observe comes before to refuse: a
// refusal is told on people's pull requests, and who only observes has nothing
// to say there.
var verbs = []Verb{VerbObserve, VerbRefuse, VerbPropose, VerbAsk, VerbAct}

// Before reports whether v is more careful than w. An unknown verb comes before
// all others.
func (v Verb) Before(w Verb) bool { return slices.Index(verbs, v) < slices.Index(verbs, w) }

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
	// Forced names the guards that a person passed with --force.
	Forced []string `json:"forced,omitempty"`
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
	// Verb is how far it may go by the policy as it is now, and Approved whether a
	// person's approval stands.
	Verb     Verb
	Approved bool
	// Why is the reason that decided Verb where the policy has changed since.
	Why Reason
	// Now, Forced and Forcer are as in Case.
	Now    time.Time
	Forced bool
	Forcer Permission
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
