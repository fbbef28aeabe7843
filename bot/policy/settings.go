package policy

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/backout-dev/backout/bot"
)

// Settings is a bot.Policy with every field optional, so that an App's entry
// changes only what it names. It is the same in the server's configuration and in
// a repository's policy file. Its doc tags are the descriptions in the JSON
// Schema. Keys may be added, never renamed or reused: people's files outlast any
// version.
type Settings struct {
	Alerts   *bot.Mode `json:"alerts,omitempty" doc:"What to do when an alert blames a change: observe writes nothing anywhere; propose opens the revert; approve acts once a second person approves; auto acts when all gates are green and every fact speaks for it."`
	Commands *bot.Mode `json:"commands,omitempty" doc:"The same, when a person asks with /rollback."`
	// Hold and Mitigate are what may be done to production before the merge.
	Hold        *string `json:"hold,omitempty" doc:"Whether the App's reconciliation is held while the revert merges."`
	Mitigate    *string `json:"mitigate,omitempty" doc:"Whether production is changed before the revert has merged: never, ask (only by /rollback --fast) or auto."`
	Unprotected *string `json:"unprotected,omitempty" doc:"What may merge into a branch that nothing protects: none, commands (only what a person asked for) or all."`
	Merge       *string `json:"merge,omitempty" doc:"By whose hand: backout reads everything again right before it merges; github-auto arms GitHub's auto-merge while something required is missing."`

	Commanders []string `json:"commanders,omitempty" doc:"Who may command besides those with write permission: users (@alice) and teams (@acme/sre)."`
	Approvers  []string `json:"approvers,omitempty" doc:"The only ones who may approve: users, teams, and codeowners, the owners of the touched paths. None: whoever may write."`

	Guards map[string]bot.Verb   `json:"guards,omitempty" doc:"How far a guard that is raised lets a decision go, by the guard's name. One that nobody may override can only be made more careful."`
	Custom []CustomGuardSettings `json:"custom_guards,omitempty" doc:"Guards of your own. A list replaces the one before it."`

	MaxAffected *int             `json:"max_affected,omitempty" doc:"How many other Apps a revert may change before a second person must approve."`
	PerDay      *int             `json:"per_day,omitempty" doc:"On how many rollbacks per repository and 24 hours Backout acts by itself; beyond them it proposes. 0: it always proposes."`
	Cooldown    *Duration        `json:"cooldown,omitempty" doc:"How long after a rollback of an App ended alerts only propose."`
	BreakAfter  *int             `json:"break_after,omitempty" doc:"After so many rollbacks of the repository in a row that did not end verified, alerts only propose, until one is verified or a day has passed. 0: never."`
	Freezes     []FreezeSettings `json:"freezes,omitempty" doc:"Windows in which nothing merges by itself. A list replaces the one before it."`

	BlameWindow   *Duration `json:"blame_window,omitempty" doc:"How long after a rollout the trouble may have begun and still be its doing."`
	HoldFor       *Duration `json:"hold_for,omitempty" doc:"When a hold ends, whatever happened."`
	ApproveWithin *Duration `json:"approve_within,omitempty" doc:"How long an approval is waited for."`
	MergeWithin   *Duration `json:"merge_within,omitempty" doc:"How long the gates may take to become green."`
	SyncWithin    *Duration `json:"sync_within,omitempty" doc:"How long the revert may take to be applied."`
	VerifyWithin  *Duration `json:"verify_within,omitempty" doc:"How long production may take to become healthy."`

	Migrations []string       `json:"migrations,omitempty" doc:"More file name patterns of database migrations. * and ? do not match a slash; a pattern without a slash is matched with the file's name alone."`
	Images     *string        `json:"images,omitempty" doc:"What keeps an image automation from bringing a bad tag back: hold it, pin the tag in the same pull request, or none."`
	Checks     []CheckSetting `json:"checks,omitempty" doc:"What must hold in production afterwards, besides rollouts, health and the alerts. A list replaces the one before it; [] takes it away."`
	Notify     []string       `json:"notify,omitempty" doc:"Where results go that have no pull request: names of targets in the server's configuration."`
}

// CheckSetting is one check as it is written in the configuration.
type CheckSetting struct {
	Name      string   `json:"name" doc:"What people read; no two alike."`
	Query     string   `json:"query" doc:"PromQL. {{namespace}}, {{app}} and {{cluster}} stand for the App's values, in quotes."`
	Operator  string   `json:"operator" doc:"How every sample must compare with the threshold."`
	Threshold float64  `json:"threshold,omitempty" doc:"A number; 0 unless given."`
	For       Duration `json:"for,omitempty" doc:"For how long it must hold without a break; 0s means at one moment."`
	Advisory  bool     `json:"advisory,omitempty" doc:"true: shown, and never decides."`
}

// FreezeSettings is one window as it is written.
type FreezeSettings struct {
	Cron   string   `json:"cron" doc:"When it begins: minute, hour, day of month, month, day of week."`
	For    Duration `json:"for" doc:"How long it lasts."`
	Zone   string   `json:"zone,omitempty" doc:"An IANA time zone, such as Europe/Zurich; UTC unless given."`
	Reason string   `json:"reason,omitempty" doc:"What people read."`
}

// CustomGuardSettings is one guard of the owners as it is written.
type CustomGuardSettings struct {
	Name     string         `json:"name" doc:"Lower case with dashes, unlike any built-in guard."`
	When     string         `json:"when" doc:"CEL over the change; true raises the guard, and so does an error."`
	Verb     bot.Verb       `json:"verb" doc:"How far a decision may go then."`
	Text     string         `json:"text" doc:"One sentence for people."`
	Override bot.Permission `json:"override,omitempty" doc:"Who may pass it with --force; nobody unless given."`
}

// Duration is a time.Duration written as "30m".
type Duration time.Duration

// UnmarshalJSON implements json.Unmarshaler.
func (d *Duration) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil // as if the key were not there
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("%s is not a duration: write it like \"30m\" or \"90s\"", b)
	}
	v, err := time.ParseDuration(text)
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a duration: write it like \"30m\" or \"90s\"", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// AppSettings are settings for the Apps whose ID matches a glob
// ("prod/Kustomization/flux-system/*"); later entries win.
type AppSettings struct {
	Match string `json:"match" doc:"A pattern over cluster/Kind/namespace/name; * and ? do not match a slash."`
	Settings
}

// Default is the policy of an App that nothing else is said about.
func Default() bot.Policy {
	return bot.Policy{
		Alerts: bot.ModePropose, Commands: bot.ModeAuto,
		Hold: "auto", Mitigate: "ask", Unprotected: "commands", Merge: "backout", Images: "hold",
		MaxAffected: 5, PerDay: 20, Cooldown: 30 * time.Minute, BreakAfter: 3,
		BlameWindow: 30 * time.Minute, HoldFor: 30 * time.Minute,
		ApproveWithin: 24 * time.Hour, MergeWithin: time.Hour,
		SyncWithin: 15 * time.Minute, VerifyWithin: 10 * time.Minute,
	}
}
