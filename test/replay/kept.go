package replay

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/memory"
)

// Kept is one kept journal.
type Kept struct {
	// File names it in messages, from the folder of all journals.
	File  string
	Story string
	// Flow is the version that wrote it, "rollback/v1".
	Flow  string
	Input string
	// Steps are named as describe does.
	Steps []memory.Entry
	// Ended is false when the story was over before the flow.
	Ended bool
	// Outcome is what a Rollback came to, see Outcome; "" for an intake.
	Outcome string
}

// Of is the journal of a flow that was played. outcome is "" where the flow is
// not a Rollback's or has not ended.
func Of(r memory.Record, outcome string) Kept {
	k := Kept{Flow: r.Flow, Input: r.Input, Ended: r.Ended, Outcome: outcome}
	for _, s := range r.Steps {
		k.Steps = append(k.Steps, memory.Entry{Name: describe(s.Name), Out: s.Out})
	}
	return k
}

// Outcome is a Rollback's end in one line: its verdict and what became of each
// stage.
func Outcome(v bot.View) string {
	words := []string{string(v.Verdict)}
	for _, s := range v.Steps {
		words = append(words, s.Name+" "+s.State)
	}
	return strings.Join(words, ", ")
}

// Keep writes the journals of one story below dir, unless the story has some of
// that version already: those are the past, which nobody changes.
func Keep(dir, story string, journals []Kept) error {
	folders := map[string][]Kept{}
	for _, k := range journals {
		k.Story = story
		folder := filepath.Join(dir, strings.ReplaceAll(k.Flow, "/", "-"))
		folders[folder] = append(folders[folder], k)
	}
	for folder, list := range folders {
		if old, err := filepath.Glob(filepath.Join(folder, story+"-[0-9]*.txtar")); err != nil || len(old) > 0 {
			if err != nil {
				return err
			}
			continue
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("keep journals: %w", err)
		}
		for n, k := range list {
			if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s-%d.txtar", story, n+1)), k.format(), 0o644); err != nil {
				return fmt.Errorf("keep journal: %w", err)
			}
		}
	}
	return nil
}

func (k Kept) format() []byte {
	a := &txtar.Archive{Comment: fmt.Appendf(nil, "flow: %s\nstory: %s\nended: %t\noutcome: %s\n", k.Flow, k.Story, k.Ended, k.Outcome)}
	a.Files = append(a.Files, txtar.File{Name: "input", Data: []byte(k.Input + "\n")})
	for _, s := range k.Steps {
		a.Files = append(a.Files, txtar.File{Name: s.Name, Data: []byte(s.Out + "\n")})
	}
	return txtar.Format(a)
}

// kinds are how the names of recorded steps begin, and what asks for them; see
// durable.StepName.
var kinds = []struct{ prefix, kind string }{{"sleep:", "sleep "}, {"wait:", "wait "}}

// describe is a recorded step's name for people: what kind of step, then what
// the flow called it.
func describe(name string) string {
	if name == "now" || name == "id" {
		return name
	}
	for _, k := range kinds {
		if rest, ok := strings.CutPrefix(name, k.prefix); ok {
			return k.kind + rest
		}
	}
	return "do " + name
}

// Load reads all kept journals below dir.
func Load(dir string) ([]Kept, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.txtar"))
	if err != nil {
		return nil, err
	}
	var all []Kept
	for _, f := range files {
		k, err := load(f)
		if err != nil {
			return nil, fmt.Errorf("read kept journal %s: %w", f, err)
		}
		if k.File, err = filepath.Rel(dir, f); err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}

func load(file string) (k Kept, err error) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		return k, err
	}
	for line := range strings.Lines(string(a.Comment)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch key {
		case "flow":
			k.Flow = value
		case "story":
			k.Story = value
		case "ended":
			k.Ended = value == "true"
		case "outcome":
			k.Outcome = value
		}
	}
	if k.Flow == "" || k.Story == "" || len(a.Files) == 0 || a.Files[0].Name != "input" {
		return k, fmt.Errorf("it names no flow, story or input")
	}
	k.Input = strings.TrimSuffix(string(a.Files[0].Data), "\n")
	for _, f := range a.Files[1:] {
		k.Steps = append(k.Steps, memory.Entry{Name: f.Name, Out: strings.TrimSuffix(string(f.Data), "\n")})
	}
	return k, nil
}
