package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

// fresh is how old what only GitHub knows may be when the bot merges.
const fresh = 10 * time.Second

// look is what a merge rests on.
type look struct {
	at                time.Time
	killed, cancelled bool
	people            map[string]bot.Permission
}

func (s *story) look(r bot.Record) look {
	// What is cancelled in the very moment of the look may come too late for it.
	at, said := s.world.cancelled[r.ID]
	return look{s.clock.Now(), s.world.killed, said && at.Before(s.clock.Now()), maps.Clone(s.world.people)}
}

// looked is told of each look of a flow at the merge gate.
func (s *story) looked(flow string) {
	r, err := s.ledger.Rollback(s.ctx, bot.RollbackID(flow))
	if err != nil {
		s.t.Fatalf("look at %s: %v", flow, err)
	}
	s.looks[r.ID] = s.look(r)
}

// judgeMerge looks at a merge by the bot right before it happens, with the world
// locked. What it finds is told by the next check.
func (s *story) judgeMerge(p *pull, after files) {
	broken := func(format string, args ...any) {
		s.broken = append(s.broken, fmt.Sprintf("merge of #%d: ", p.number)+fmt.Sprintf(format, args...))
	}
	i := slices.IndexFunc(s.records(), func(r bot.Record) bool { return r.RevertBranch() == p.branch && r.End == nil })
	if i < 0 {
		broken("it belongs to no unfinished Rollback")
		return
	}
	r := s.records()[i]
	w := s.world
	if s.set.observe {
		broken("the bot only observes")
	}
	seen := s.look(r)
	if last := s.looks[r.ID]; seen.at.Sub(last.at) <= fresh {
		seen.people = last.people
	}
	if seen.killed {
		broken("the kill switch is on")
	}
	if seen.cancelled {
		broken("it was cancelled by %s at %s", r.Cancelled.By, clockTime(r.Cancelled.At))
	}
	for _, who := range asking(r) {
		if !seen.people[who].AtLeast(bot.PermissionWrite) {
			broken("%s may not write (%s)", who, seen.people[who])
		}
	}
	if why := s.frozen(); why != "" {
		broken("%s", why)
	}
	if why := s.overdone(r); why != "" {
		broken("%s", why)
	}
	if s.selfApproved(r) {
		broken("%s approved that their own change is taken back", r.Approved.By)
	}
	if why := s.unasked(r); why != "" {
		broken("%s", why)
	}
	s.judgeTree(r, w.repo.head(trunk).files, after, broken)
	// Main moves by what people do, and by reverts of something else: taking back
	// a revert brings its culprit back.
	key, moves := r.CulpritKey(), s.moves
	for other, merges := range s.merges {
		if other != key {
			moves += len(merges)
		}
	}
	if slices.Contains(s.merges[key], moves) {
		broken("the culprit was merged away before, and nobody moved main since")
	}
	s.merges[key] = append(s.merges[key], moves)
	count.add("merge", string(r.Incident.Kind))
}

// asking are the people on whose word a Rollback acts.
func asking(r bot.Record) []string {
	var out []string
	if r.Incident.Requester != "" {
		out = append(out, r.Incident.Requester)
	}
	if r.Approved != nil {
		out = append(out, r.Approved.By)
	}
	return out
}

// unasked says what word a merge lacks under the policy.
func (s *story) unasked(r bot.Record) string {
	mode := *s.set.policy.Alerts
	if r.Incident.Kind == bot.IncidentCommand {
		mode = *s.set.policy.Commands
	}
	switch {
	case r.Approved != nil && strings.EqualFold(r.Approved.By, r.Incident.Requester):
		return "it was approved by the person who asked for it"
	case mode == bot.ModeObserve:
		return "the policy observes only"
	case mode != bot.ModeAuto && r.Approved == nil:
		return fmt.Sprintf("the policy is %s, and nobody approved", mode)
	}
	return ""
}

// judgeTree holds a merge to what a revert is, said without merging: it takes
// every path of the culprit back to what it was before, and touches no other.
func (s *story) judgeTree(r bot.Record, before, after files, broken func(string, ...any)) {
	commits := r.Culprit.Commits
	first := s.world.repo.nodes[commits[len(commits)-1]]
	was := s.world.repo.parent(first, r.Culprit.Mainline).files
	paths := differ(was, s.world.repo.nodes[commits[0]].files)
	changed := differ(before, after)
	if len(changed) == 0 {
		broken("it changes nothing")
	}
	for _, path := range changed {
		if !slices.Contains(paths, path) {
			broken("it changes %s, which the culprit did not", path)
		}
	}
	for _, path := range paths {
		if after[path] != was[path] {
			broken("%s is not as before the culprit", path)
		}
	}
}

// judgeEnd looks at production in the moment in which a Rollback is called
// verified: it is well, and runs the merge.
func (s *story) judgeEnd(id bot.RollbackID) {
	i := slices.IndexFunc(s.records(), func(r bot.Record) bool { return r.ID == id })
	r := s.records()[i]
	if r.End.Verdict != bot.VerdictVerified || s.faulty(r.Begun, "github", "answers") {
		return // between the last look and a report that is tried again, much may happen
	}
	broken := func(format string, args ...any) {
		s.broken = append(s.broken, fmt.Sprintf("%s is verified: ", id)+fmt.Sprintf(format, args...))
	}
	if len(r.Apps) == 0 || r.View == nil || r.View.Merge == nil {
		broken("but it has no App or no merge")
		return
	}
	for _, app := range r.Apps {
		now, err := s.cluster.App(s.ctx, app)
		if err != nil {
			continue // broken or deleted meanwhile
		}
		if verified := r.View.Steps[len(r.View.Steps)-1].End; !now.AppliedAt.Before(verified) {
			continue // delivered after the last sample: the bot died in between
		}
		if runs := s.world.repo.nodes[now.Revision]; now.Health != bot.HealthGood || runs.past[r.View.Merge.Commit] == nil {
			broken("but %s is %s at %s", app.Name, now.Health, now.Revision.Short())
		}
	}
}
