package model

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/backout-dev/backout/bot"
)

// seenWithin is after how long the label must have been seen: a look at it may
// be ten seconds old, and so may the look at the gate that a merge rests on.
const seenWithin = 2 * fresh

// freezeWord is a command to stop everything, or to go on.
func (s *story) freezeWord(t *rapid.T) {
	text := draw(t, "word", "/rollback freeze", "/rollback freeze --for 2h", "/rollback unfreeze", "/rollback unfreeze")
	who := draw(t, "who", s.who...)
	if draw(t, "by an admin", true, false) {
		s.grant("carol", bot.PermissionAdmin)
		who = "carol"
	}
	s.say(t, who, s.anyPull(t), text)
}

// freezeLabel puts the label on an issue, or takes it off.
func (s *story) freezeLabel(t *rapid.T) {
	by := draw(t, "by", "bob", "eve", "", "nobody puts it")
	s.locked(func(w *World) {
		if w.sign = nil; by != "nobody puts it" {
			w.sign = &sign{by: by, at: w.now()}
		}
	})
	s.tell("the label is put on by %q", by)
}

// frozen says what stops a merge now, and has stood long enough to be known.
func (s *story) frozen() string {
	now := s.clock.Now()
	z, err := s.ledger.Frozen(s.ctx, repoName)
	if err != nil {
		return err.Error()
	}
	if z.On(now) && s.world.frozen.Before(now) {
		return "frozen by " + z.By
	}
	g := s.world.sign
	if g == nil || now.Sub(g.at) < seenWithin || s.faulty(now.Add(-10*time.Minute), "github", "answers") {
		return ""
	}
	if g.by == "" {
		return "labelled by nobody knows whom"
	}
	list := s.granted[g.by]
	if last := list[len(list)-1]; last.role.AtLeast(bot.PermissionWrite) && now.Sub(last.at) >= seenWithin {
		return "labelled by " + g.by
	}
	return ""
}

// checkFreeze: nobody but an admin freezes, or ends a freeze.
func (s *story) checkFreeze() {
	z, err := s.ledger.Frozen(s.ctx, repoName)
	if err != nil {
		s.fail("%v", err)
	}
	if z == nil {
		return
	}
	words := []bot.Word{{By: z.By, At: z.At}}
	if z.Ended != nil {
		words = append(words, *z.Ended)
	}
	for _, w := range words {
		if !s.could(bot.PermissionAdmin, w.By, w.At) {
			s.fail("the word of %s about a freeze counts, who was no admin", w.By)
		}
	}
}

// overdone says which bound on how often a merge breaks. What Backout could
// have known when it decided is what had ended when the Rollback began.
func (s *story) overdone(r bot.Record) string {
	if r.Approved != nil {
		return ""
	}
	day, cooling := 0, ""
	for _, x := range s.records() {
		if x.ID == r.ID || x.End == nil || !x.End.At.Before(r.Begun) || x.View == nil || x.View.Pull == nil {
			continue
		}
		if s.clock.Now().Sub(x.Begun) < 24*time.Hour {
			day++
		}
		shared := slices.ContainsFunc(x.Apps, func(a bot.AppID) bool { return slices.Contains(r.View.Rollback.Apps, a) })
		if c := s.set.policy.Cooldown; c != nil && shared && s.clock.Now().Sub(x.End.At) < time.Duration(*c) {
			cooling = fmt.Sprintf("%s ended %s ago", x.ID, s.clock.Now().Sub(x.End.At))
		}
	}
	switch {
	case day >= *s.set.policy.PerDay:
		return fmt.Sprintf("%d Rollbacks acted within a day, and %d are allowed", day, *s.set.policy.PerDay)
	case r.Incident.Kind != bot.IncidentCommand && cooling != "":
		return "its App cools down: " + cooling
	}
	return ""
}

// selfApproved says whether the approver of an alert's Rollback wrote what is
// taken back.
func (s *story) selfApproved(r bot.Record) bool {
	if r.Approved == nil || r.Incident.Kind == bot.IncidentCommand {
		return false
	}
	return strings.EqualFold(r.Culprit.Author, r.Approved.By) || slices.ContainsFunc(r.Culprit.Commits, func(c bot.SHA) bool {
		return strings.EqualFold(s.world.repo.nodes[c].Author, r.Approved.By)
	})
}
