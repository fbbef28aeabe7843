package policy

import (
	"maps"
	"slices"

	"github.com/backout-dev/backout/bot"
)

// Guard is a built-in rule that keeps Backout from acting by itself.
type Guard struct {
	Name string
	// Text is one sentence: when it is raised.
	Text string
	// Alert and Command are how far it lets a decision go, for an alert and for a
	// person's command; act where it does not ask.
	Alert, Command bot.Verb
	// Override is who may pass it with --force; nobody where it is empty. Only
	// such a guard can be made less careful by a policy.
	Override bot.Permission
}

// boldest is the less careful of its two verbs.
func (g Guard) boldest() bot.Verb {
	if g.Alert.Before(g.Command) {
		return g.Command
	}
	return g.Alert
}

// Guards lists the built-in guards, in the order in which they are documented.
func Guards() []Guard { return slices.Clone(table) }

// The guards that are named in more than one place.
const (
	guardStateful  = "stateful"
	guardMigration = "migration"
	guardAffected  = "max-affected"
	guardCap       = "cap"
	guardSecret    = "secret"
	guardDelivers  = "delivers"
	guardOpaque    = "opaque"
	guardPolicy    = "touches-policy"
	guardBroken    = "policy-broken"
	guardMode      = "mode"
	guardFrozen    = "frozen"
)

const (
	observe = bot.VerbObserve
	refuse  = bot.VerbRefuse
	propose = bot.VerbPropose
	ask     = bot.VerbAsk
	act     = bot.VerbAct
)

// table is read-only.
var table = []Guard{
	// What nobody can argue with.
	{"kill-switch", "The kill switch is on, or can't be read.", observe, refuse, ""},
	{guardBroken, "The policy file of the repository can't be understood.", observe, propose, ""},
	{"bypass", "Backout may merge past the rules of the branch, so it can't promise to merge only what a person could.", refuse, refuse, ""},
	{"not-branch-tracked", "The App follows a tag, a fixed commit or an artifact, which a revert in git does not reach.", refuse, refuse, ""},
	{"touches-workflows", "The revert changes files below .github/workflows, which needs a permission that Backout does not have.", refuse, refuse, ""},

	// What speaks against acting on an alert.
	{"no-suspect", "No change of ours is suspected.", observe, act, ""},
	{"probably-not-ours", "It is likelier that no change of ours broke this.", observe, act, ""},
	{"not-first-suspect", "The change to take back is not the first suspect.", propose, act, ""},
	{"not-confident", "The finding is not certain enough.", propose, act, ""},
	{"rollout-unknown", "When the suspect was rolled out is not on record.", propose, act, ""},
	{"onset-before-rollout", "The trouble may have begun before the suspect was rolled out.", propose, act, ""},
	{"outside-blame-window", "The trouble began longer after the rollout than blame_window.", propose, act, ""},
	{"object-not-touched", "The suspect is not known to change an object that the failing workload uses.", propose, act, ""},
	{"unwell-before", "The App was degraded already before the suspect was rolled out.", propose, act, ""},
	{"health-before-unknown", "The App is not known to have been healthy before the suspect was rolled out.", propose, act, ""},
	{"revert-of-revert", "The suspect is itself a revert.", propose, act, ""},
	{"held-by-others", "Somebody else holds the App, and may be at work on it.", propose, act, ""},
	{"cooldown", "A rollback of the App ended less than cooldown ago.", propose, act, ""},
	{"circuit-breaker", "The last rollbacks of the repository did not end verified, break_after of them in a row.", propose, act, ""},

	// What bounds how often and how wide.
	{guardCap, "Backout has acted on the repository per_day times within a day.", propose, propose, bot.PermissionMaintain},
	{"cap-overall", "Backout has acted per_day_overall times within a day, in all repositories together.", propose, propose, ""},
	{guardAffected, "The revert changes more other Apps than max_affected.", ask, ask, bot.PermissionMaintain},
	{"no-app", "No delivered App is built from what the change touches, so nothing could be verified.", propose, propose, bot.PermissionMaintain},

	// What is dangerous in the change itself.
	{guardStateful, "The revert changes a StatefulSet, a database's object, or what may shape one: data may not survive going back.", ask, ask, bot.PermissionMaintain},
	{guardMigration, "The revert changes a database migration, a hook or what runs one: a revert runs no migration backwards.", ask, ask, bot.PermissionMaintain},
	{"crd", "The revert changes a CustomResourceDefinition: stored objects may become unreadable.", ask, ask, bot.PermissionAdmin},
	{"pvc", "The revert changes a PersistentVolumeClaim or a PersistentVolume: data may be deleted.", ask, ask, bot.PermissionAdmin},
	{"storageclass", "The revert changes a StorageClass, on which volumes depend.", ask, ask, bot.PermissionMaintain},
	{"namespace", "The revert changes a Namespace: deleting one deletes all in it.", ask, ask, bot.PermissionAdmin},
	{guardSecret, "The revert deletes a Secret, or what makes one.", ask, ask, bot.PermissionMaintain},
	{guardDelivers, "The revert deletes what delivers other objects, and with it all that it delivers.", ask, ask, bot.PermissionAdmin},
	{"prune", "The revert takes something out of what is built, so it is deleted from the cluster.", ask, ask, bot.PermissionMaintain},
	{guardOpaque, "The revert changes something that can't be understood.", ask, ask, bot.PermissionMaintain},
	{guardPolicy, "The revert changes the policy file itself.", ask, ask, bot.PermissionAdmin},
}

func builtIn(name string) (Guard, bool) {
	i := slices.IndexFunc(table, func(g Guard) bool { return g.Name == name })
	if i < 0 {
		return Guard{}, false
	}
	return table[i], true
}

func builtInNames() []string {
	names := make([]string, 0, len(table))
	for _, g := range table {
		names = append(names, g.Name)
	}
	slices.Sort(names)
	return names
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
