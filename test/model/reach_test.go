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
	if rare := 2000; count.of("story", "played") >= rare {
		if count.of("verdict", string(bot.VerdictUnverified)) == 0 || count.of("effect", "brings") == 0 {
			t.Errorf("%d stories reached no verdict %q, or never brought main into a revert", rare, bot.VerdictUnverified)
		}
	}
	for kind, all := range map[string][]string{
		"verdict": {
			string(bot.VerdictVerified), string(bot.VerdictNotFixed), string(bot.VerdictCancelled),
			string(bot.VerdictNeedsHuman), string(bot.VerdictProposed), string(bot.VerdictObserved), string(bot.VerdictNothingToDo),
		},
		"merge":  {string(bot.IncidentCommand), string(bot.IncidentAlert)},
		"crash":  {"process killed"},
		"effect": {"opens", "merges", "holds", "releases", "syncs", "closes", "deletes", "comments", "edits", "reacts"},
	} {
		for _, what := range all {
			if count.of(kind, what) == 0 {
				t.Errorf("no story reached %s %q", kind, what)
			}
		}
	}
}
