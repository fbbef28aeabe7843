package model

import (
	"testing"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/command"
)

func (s *story) grammar() bot.Grammar { return command.Grammar{} }

// checkReach fails when the stories did not get to what the promises are about.
func checkReach(t *testing.T) {
	if count.of("story", "played") < 200 {
		return // too few to tell
	}
	for kind, all := range map[string][]string{
		"verdict": {
			string(bot.VerdictVerified), string(bot.VerdictNotFixed), string(bot.VerdictUnverified), string(bot.VerdictCancelled),
			string(bot.VerdictNeedsHuman), string(bot.VerdictProposed), string(bot.VerdictObserved), string(bot.VerdictNothingToDo),
		},
		"merge":  {string(bot.IncidentCommand), string(bot.IncidentAlert)},
		"crash":  {"process killed"},
		"effect": {"opens", "merges", "holds", "releases", "syncs", "closes", "deletes", "brings", "comments", "edits", "reacts"},
	} {
		for _, what := range all {
			if count.of(kind, what) == 0 {
				t.Errorf("no story reached %s %q", kind, what)
			}
		}
	}
}
