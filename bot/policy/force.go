package policy

import (
	"fmt"

	"github.com/backout-dev/backout/bot"
)

// force is a person's wish to pass guards.
type force struct {
	asked bool
	by    string
	may   bot.Permission
}

// forceOf reads it off a case. Only a person's command can ask for it.
func forceOf(c bot.Case) force {
	return force{asked: c.Forced && c.Incident.Kind == bot.IncidentCommand, by: c.Incident.Requester, may: c.Forcer}
}

// passes reports whether a guard may be passed by who asks for it, and says so
// in a sentence. limited is set where the server's configuration limits the
// guard.
func (f force) passes(override bot.Permission, limited bool) (bool, string) {
	switch {
	case override == "":
		return false, "--force does not pass this."
	case limited:
		return false, "Backout's configuration does not let --force pass this."
	case !f.may.AtLeast(bot.PermissionMaintain) || !f.may.AtLeast(override):
		return false, fmt.Sprintf("It takes %s permission to pass this with --force.", override)
	}
	return true, fmt.Sprintf("@%s (%s) passed this with --force.", f.by, f.may)
}
