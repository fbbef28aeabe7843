package condition

import (
	"time"

	"github.com/backout-dev/backout/bot"
)

// View is what conditions look at in one case. It is not safe for concurrent
// use: the objects are read when the first guard wants them.
type View struct {
	c       bot.Case
	flat    map[string]any // all but the revert's objects
	objects *objects       // nil until they were read
}

// NewView takes a case. The case must not change any more.
func NewView(c bot.Case) *View { return &View{c: c} }

// mostFiles bounds how many files a view holds.
const mostFiles = 3000

// values are the names that an expression begins with. why says why they can't
// be had.
func (v *View) values(withObjects bool) (out map[string]any, why string) {
	if len(v.c.Revert.Files) > mostFiles {
		return nil, "The revert writes too many files to judge."
	}
	if v.flat == nil {
		v.flat = flat(v.c)
	}
	if !withObjects {
		return v.flat, ""
	}
	if v.objects == nil {
		v.objects = readObjects(v.c.Revert.Files)
	}
	if v.objects.why != "" {
		return nil, v.objects.why
	}
	out = make(map[string]any, len(v.flat))
	for name, value := range v.flat {
		out[name] = value
	}
	out["revert"] = map[string]any{"files": files(v.c.Revert.Files), "objects": v.objects.list}
	return out, ""
}

func flat(c bot.Case) map[string]any {
	out := map[string]any{
		"incident": map[string]any{"kind": string(c.Incident.Kind), "requester": c.Incident.Requester, "alerts": alerts(c.Incident.Alerts)},
		"finding":  finding(c),
		"culprit":  culprit(c),
		"revert":   map[string]any{"files": files(c.Revert.Files)},
		"targets":  targets(c.Target),
		"affected": len(c.Affected),
		"branch":   map[string]any{"name": c.Branch.Name, "protected": c.Branch.Protected},
	}
	if !c.Now.IsZero() {
		out["now"] = c.Now
	}
	return out
}

func alerts(as []bot.Alert) []any {
	out := make([]any, 0, len(as))
	for _, a := range as {
		out = append(out, a.Labels)
	}
	return out
}

// finding tells nothing of a suspect that is not the culprit.
func finding(c bot.Case) map[string]any {
	if c.Finding == nil {
		return map[string]any{"known": false}
	}
	out := map[string]any{"known": true, "confident": c.Finding.Confident, "none": c.Finding.None, "chance": 0.0}
	for _, s := range c.Finding.Suspects {
		if head := s.Change.Head(); head != "" && head == c.Culprit.Head() {
			out["chance"] = s.Chance
		}
	}
	return out
}

func culprit(c bot.Case) map[string]any {
	out := map[string]any{
		"sha": string(c.Culprit.Head()), "commits": len(c.Culprit.Commits), "pr": c.Culprit.PR,
		"author": c.Culprit.Author, "automated": bot.Automated(c.Culprit.Author),
		"subject": c.Culprit.Subject, "paths": c.Culprit.Paths, "is_revert": c.Culprit.IsRevert,
	}
	if !c.Culprit.When.IsZero() && !c.Now.IsZero() {
		// A commit may claim a time to come.
		out["age"] = max(0, c.Now.Sub(c.Culprit.When)).Round(time.Second)
	}
	return out
}

func files(fs []bot.FileChange) []any {
	out := make([]any, 0, len(fs))
	for _, f := range fs {
		out = append(out, map[string]any{
			"path": f.Path, "before_mode": f.BeforeMode, "after_mode": f.AfterMode,
			"status": status(f.BeforeMode != "" || f.Before != nil, f.AfterMode != "" || f.After != nil),
		})
	}
	return out
}

func status(before, after bool) string {
	switch {
	case !before:
		return "added"
	case !after:
		return "deleted"
	}
	return "changed"
}

func targets(apps []bot.App) []any {
	out := make([]any, 0, len(apps))
	for _, a := range apps {
		out = append(out, map[string]any{
			"id": a.ID.String(), "kind": string(a.ID.Kind), "cluster": a.ID.Cluster,
			"namespace": a.ID.Namespace, "name": a.ID.Name, "into": a.Namespace,
		})
	}
	return out
}
