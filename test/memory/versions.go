package memory

import (
	"encoding/json"
	"strings"

	"github.com/backout-dev/backout/bot"
)

func newest[In bot.Event | bot.RollbackID](versions []bot.Version[In]) string {
	return versions[len(versions)-1].Name
}

func (f *Flow) isIntake() bool { return strings.HasPrefix(f.Name, "intake/") }

// names lists all registered versions.
func (e *Engine) names() (all []string) {
	for _, v := range e.versions.Intakes {
		all = append(all, v.Name)
	}
	for _, v := range e.versions.Rollbacks {
		all = append(all, v.Name)
	}
	return all
}

// flow is the code of the version that a flow was begun under; nil when it is
// not registered.
func (e *Engine) flow(f *Flow) func(*journal) error {
	for _, v := range e.versions.Intakes {
		if v.Name == f.Name {
			return func(j *journal) error {
				var event bot.Event
				if err := json.Unmarshal([]byte(f.input), &event); err != nil {
					return err
				}
				return v.Run(j.run, j, event)
			}
		}
	}
	for _, v := range e.versions.Rollbacks {
		if v.Name == f.Name {
			return func(j *journal) error { return v.Run(j.run, j, bot.RollbackID(f.input)) }
		}
	}
	return nil
}
