package scenarios

import (
	"os"
	"strings"

	"github.com/backout-dev/backout/test/replay"
)

// journalsDir names the variable with the folder in which the plain run of each
// story keeps its journals, where none are kept yet.
const journalsDir = "BACKOUT_JOURNALS"

// keep writes the journals of the story as it was just played.
func (p *play) keep(story string) error {
	dir := os.Getenv(journalsDir)
	if dir == "" {
		return nil
	}
	outcome := map[string]string{}
	for _, r := range p.rollbacks() {
		if r.End != nil && r.View != nil {
			outcome[string(r.ID)] = replay.Outcome(*r.View)
		}
	}
	var journals []replay.Kept
	for _, r := range p.store.Records() {
		if !r.Ended {
			delete(outcome, r.ID)
		}
		for i := range r.Steps {
			// Where this machine keeps its temporary files is not part of the story.
			r.Steps[i].Out = strings.ReplaceAll(r.Steps[i].Out, p.stageOpts.Dir, "/stage")
		}
		journals = append(journals, replay.Of(r, outcome[r.ID]))
	}
	return replay.Keep(dir, story, journals)
}
