package bot

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"
	"strings"
	"time"
)

// Rollback is the durable request: what to take back, where, for whom. It is
// written once by the intake; only Apps and Incident.Alerts grow, when another
// incident joins. Fields may be added, never renamed or reused.
type Rollback struct {
	ID      RollbackID `json:"id"`
	Attempt int        `json:"attempt"`
	Host    string     `json:"host"`
	Repo    RepoName   `json:"repo"`
	Base    string     `json:"base"`
	Culprit Change     `json:"culprit"`
	// Apps are the targets: what is broken and must verify.
	Apps []AppID `json:"apps"`
	// Affected are other Apps that the same revert changes.
	Affected []AppID  `json:"affected,omitempty"`
	Incident Incident `json:"incident"`
	Finding  *Finding `json:"finding,omitempty"`
	// ReportTo is the pull request that carries the sticky comment; 0 when
	// there is none to write on.
	ReportTo int `json:"report_to,omitempty"`
	// Comment is the command's comment, 0 for alerts.
	Comment int64 `json:"comment,omitempty"`
}

// CulpritKey identifies what is taken back, without the attempt: one unfinished
// Rollback may exist per key.
func (r Rollback) CulpritKey() string {
	commits := make([]string, 0, len(r.Culprit.Commits))
	for _, c := range r.Culprit.Commits {
		commits = append(commits, string(c))
	}
	sort.Strings(commits)
	return strings.Join([]string{r.Host, string(r.Repo), r.Base, strings.Join(commits, "+")}, "|")
}

// MakeID derives the Rollback's ID from its culprit key and attempt: twelve
// hexadecimal digits, short enough to type.
func (r Rollback) MakeID(attempt int) RollbackID {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%d", r.CulpritKey(), attempt))
	return RollbackID("rb-" + hex.EncodeToString(sum[:6]))
}

// RevertBranch names the branch of the revert. The first attempt has no
// number, so that the branch works as a lock between bots, too.
func (r Rollback) RevertBranch() string {
	b := "backout/revert-" + r.Culprit.Head().Short()
	if r.Attempt > 1 {
		return fmt.Sprintf("%s-%d", b, r.Attempt)
	}
	return b
}

// View is all that there is to tell about a Rollback at one moment. It is
// built by the flow from recorded results only, so it is the same after a
// restart.
type View struct {
	Rollback Rollback `json:"rollback"`
	Decision Decision `json:"decision"`
	Policy   Policy   `json:"policy"`
	Steps    []Stage  `json:"steps"`
	// Now is the stage that is under way, "" at the end.
	Now       string        `json:"now,omitempty"`
	Waiting   string        `json:"waiting,omitempty"` // one sentence
	Pull      *RevertPull   `json:"pull,omitempty"`
	Merge     *Merged       `json:"merge,omitempty"`
	Changed   []string      `json:"changed,omitempty"` // paths that the revert writes
	Conflicts []Conflict    `json:"conflicts,omitempty"`
	Holds     []Held        `json:"holds,omitempty"`
	Apps      []App         `json:"apps,omitempty"`
	Rollouts  []Rollout     `json:"rollouts,omitempty"`
	Before    []CheckResult `json:"before,omitempty"`
	After     []CheckResult `json:"after,omitempty"`
	Verdict   Verdict       `json:"verdict,omitempty"`
	Summary   string        `json:"summary,omitempty"`
	// Todo are the exact next commands or acts when a person is needed.
	Todo  []string  `json:"todo,omitempty"`
	Notes []string  `json:"notes,omitempty"`
	Began time.Time `json:"began,omitzero"`
	Ended time.Time `json:"ended,omitzero"`
	// Server is the GitHub web address, for links.
	Server string `json:"server,omitempty"`
}

// Stage is one line of the step table.
type Stage struct {
	Name   string    `json:"name"`
	State  string    `json:"state"` // done, now, failed, skipped
	Detail string    `json:"detail,omitempty"`
	Start  time.Time `json:"start,omitzero"`
	End    time.Time `json:"end,omitzero"`
}

// Answer is a reply to a command that starts no Rollback, or says why none was
// started.
type Answer struct {
	Kind    AnswerKind `json:"kind"`
	To      string     `json:"to"` // login
	Command string     `json:"command,omitempty"`
	Detail  string     `json:"detail,omitempty"` // one sentence, may quote untrusted text
	Advice  string     `json:"advice,omitempty"`
	View    *View      `json:"view,omitempty"`
	Records []Record   `json:"records,omitempty"`
	Looked  []string   `json:"looked,omitempty"` // what was looked for
	// Frozen says what stops all acting in the repository, if anything does.
	Frozen string `json:"frozen,omitempty"`
	// Asked and Seen are when a late command was written and when it was seen.
	Asked time.Time `json:"asked,omitzero"`
	Seen  time.Time `json:"seen,omitzero"`
}

// AnswerKind selects the reply's text.
type AnswerKind string

// The answers.
const (
	AnswerHelp      AnswerKind = "help"
	AnswerMalformed AnswerKind = "malformed" // Detail says what was not understood
	AnswerForbidden AnswerKind = "forbidden" // the person lacks write
	AnswerRefused   AnswerKind = "refused"   // Detail and Advice say why and what next
	AnswerPlan      AnswerKind = "plan"
	AnswerStatus    AnswerKind = "status"
	AnswerNoted     AnswerKind = "noted" // approve and cancel were recorded
	AnswerNone      AnswerKind = "none"  // nothing to approve, cancel or show
	AnswerNoApp     AnswerKind = "no-app"
	AnswerLate      AnswerKind = "late" // seen too long after it was asked
)
