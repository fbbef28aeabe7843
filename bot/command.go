package bot

import "time"

// Command is one slash command as a person meant it.
type Command struct {
	Verb CommandVerb `json:"verb"`
	// SHA (7 to 40 hex digits) or PR name the target; both are zero when the
	// command means the pull request that it stands on.
	SHA    string `json:"sha,omitempty"`
	PR     int    `json:"pr,omitempty"`
	Reason string `json:"reason,omitempty"`
	DryRun bool   `json:"dry_run,omitempty"`
	// Force asks to pass the guards that may be overridden.
	Force bool `json:"force,omitempty"`
	// For is how long a freeze lasts; 0 means until somebody ends it.
	For time.Duration `json:"for,omitempty"`
	// Rollback is named by approve, cancel and status; may be empty.
	Rollback RollbackID `json:"rollback,omitempty"`
	// Line is the command as it was written.
	Line string `json:"line"`
}

// CommandVerb is what a command asks for.
type CommandVerb string

// The commands.
const (
	CommandRollback CommandVerb = "rollback"
	CommandPlan     CommandVerb = "plan"
	CommandApprove  CommandVerb = "approve"
	CommandCancel   CommandVerb = "cancel"
	CommandStatus   CommandVerb = "status"
	CommandReapply  CommandVerb = "reapply"
	CommandFreeze   CommandVerb = "freeze"
	CommandUnfreeze CommandVerb = "unfreeze"
	CommandHelp     CommandVerb = "help"
)

// Malformed is a command that was not understood.
type Malformed struct {
	Line    string `json:"line"`
	Problem string `json:"problem"` // what was not understood, one sentence
	Hint    string `json:"hint"`    // what to write instead
}

// Grammar finds the command in a comment. At most one of the answers is set;
// both are nil when the comment holds no command.
type Grammar interface {
	Parse(body string) (*Command, *Malformed)
}
