package model

import (
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/report"
)

// check holds the story to all promises that can be looked at between acts.
func (s *story) check() {
	s.show()
	if len(s.broken) > 0 {
		s.fail("%s", strings.Join(s.broken, "; "))
	}
	if s.set.observe && s.world.wrote > 0 {
		s.fail("the bot only observes, and wrote")
	}
	for _, e := range s.accepted {
		if e.Comment != nil && len(s.world.marked(bot.ReplyMarker(e.Comment.ID))) > 1 {
			s.fail("comment %d has more than one reply", e.Comment.ID)
		}
	}
	records := s.records()
	s.checkPulls()
	s.checkFreeze()
	s.checkHolds(records)
	s.checkOwners(records)
	for _, r := range records {
		s.checkStarted(r)
		s.checkComments(r)
		if r.End != nil {
			s.checkEnd(r)
		}
	}
}

// checkPulls: never two open reverts of one culprit.
func (s *story) checkPulls() {
	open := map[string]int{}
	for _, p := range s.reverts() {
		culprit, _ := p.ofBot()
		if !p.open || s.reopened[p.number] {
			continue
		}
		if other := open[culprit]; other != 0 {
			s.fail("two open reverts of %s: #%d and #%d", culprit, p.number, other)
		}
		open[culprit] = p.number
	}
}

// checkHolds: never a hold of ours without owner and deadline, none that the
// janitor should have taken, and a person's hold stays.
func (s *story) checkHolds(records []bot.Record) {
	holds, _ := s.cluster.Holds(s.ctx)
	for _, h := range holds {
		r := find(records, h.Owner)
		switch {
		case r == nil:
			s.fail("the hold on %s belongs to no Rollback: %+v", h.App.Name, h)
		case h.Deadline.IsZero() && s.edited[h.Owner].IsZero():
			s.fail("the hold on %s has no deadline", h.App.Name)
		case !h.Deadline.After(s.swept) && s.edited[h.Owner].Before(s.swept):
			s.fail("the hold on %s outlived its deadline %s and the sweep at %s", h.App.Name, clockTime(h.Deadline), clockTime(s.swept))
		case r.End != nil && !r.End.At.After(s.swept.Add(-time.Second)):
			s.fail("the hold on %s outlived its Rollback, which ended at %s, and the sweep at %s", h.App.Name, clockTime(r.End.At), clockTime(s.swept))
		case r.End != nil && !s.faulty(r.Begun, "cluster") && s.edited[h.Owner].IsZero():
			s.fail("Rollback %s ended and left %s held", r.ID, h.App.Name)
		}
	}
	for name, held := range s.byHand {
		app, err := s.cluster.App(s.ctx, appID(name))
		if held && err == nil && (app.Hold == nil || app.Hold.Ours()) {
			s.fail("a person's hold on %s is gone: %+v", name, app.Hold)
		}
	}
}

func find(records []bot.Record, id bot.RollbackID) *bot.Record {
	for i := range records {
		if records[i].ID == id {
			return &records[i]
		}
	}
	return nil
}

// checkOwners: never two unfinished Rollbacks for one App, nor for one culprit.
func (s *story) checkOwners(records []bot.Record) {
	apps, culprits := map[bot.AppID]bot.RollbackID{}, map[string]bot.RollbackID{}
	for _, r := range records {
		if r.End != nil {
			continue
		}
		if other := culprits[r.CulpritKey()]; other != "" {
			s.fail("%s and %s both take back %s", r.ID, other, r.Culprit.Head().Short())
		}
		culprits[r.CulpritKey()] = r.ID
		for _, app := range r.Apps {
			if other := apps[app]; other != "" {
				s.fail("%s and %s both work on %s", r.ID, other, app.Name)
			}
			apps[app] = r.ID
		}
	}
}

// checkStarted: nobody without permission starts a Rollback or says a word that
// counts.
func (s *story) checkStarted(r bot.Record) {
	if by := r.Incident.Requester; r.Incident.Kind == bot.IncidentCommand && !s.couldWrite(by, r.Incident.Received) {
		s.fail("%s was started by %s, who could not write", r.ID, by)
	}
	for _, word := range []*bot.Word{r.Cancelled, r.Approved} {
		if word != nil && !s.couldWrite(word.By, word.At) {
			s.fail("%s counts the word of %s, who could not write", r.ID, word.By)
		}
	}
}

// checkComments: one sticky comment per Rollback, and none where nothing may be
// written.
func (s *story) checkComments(r bot.Record) {
	stickies := s.world.marked(bot.StickyMarker(r.ID))
	if len(stickies) > 1 {
		s.fail("%s has %d sticky comments", r.ID, len(stickies))
	}
}

// checkEnd: one verdict that stays, told where people look, with nothing left
// to undo; looked at in the very step in which it ends.
func (s *story) checkEnd(r bot.Record) {
	was, known := s.seen[r.ID]
	if known {
		if was != r.End.Verdict {
			s.fail("%s ended %q and now says %q", r.ID, was, r.End.Verdict)
		}
		return
	}
	s.seen[r.ID] = r.End.Verdict
	count.add("verdict", string(r.End.Verdict))
	if r.End.Verdict == bot.VerdictNeedsHuman {
		count.add("needs human", kind(r.End.Summary))
	}
	s.checkTold(r)
	switch r.End.Verdict {
	case bot.VerdictCancelled:
		for _, p := range s.reverts() {
			if p.branch == r.RevertBranch() && p.open && !s.faulty(r.Begun, "github", "answers") && !s.reopened[p.number] {
				s.fail("%s was cancelled, and #%d is open", r.ID, p.number)
			}
		}
	case bot.VerdictNothingToDo, bot.VerdictObserved:
		if r.View.Pull != nil {
			s.fail("%s ended %q with #%d", r.ID, r.End.Verdict, r.View.Pull.Number)
		}
	}
}

// kind is a summary without what differs from story to story.
func kind(summary string) string {
	words := strings.Fields(summary)
	for i, w := range words {
		if strings.ContainsAny(w, "0123456789@`/") {
			words[i] = "…"
		}
	}
	return strings.Join(words[:min(12, len(words))], " ")
}

// checkTold: the sticky comment ends with the verdict.
func (s *story) checkTold(r bot.Record) {
	silent := s.set.observe || r.View == nil || r.View.Decision.Verb == bot.VerbObserve
	if silent || r.ReportTo == 0 || s.deleted[r.ID] || s.faulty(r.Begun, "github", "answers") {
		return
	}
	stickies := s.world.marked(bot.StickyMarker(r.ID))
	if len(stickies) != 1 {
		s.fail("%s ended, and has %d sticky comments", r.ID, len(stickies))
	}
	headline, _, _ := strings.Cut(report.Teller{}.Sticky(bot.View{Verdict: r.End.Verdict}), "\n")
	if !strings.Contains(stickies[0].body, headline) {
		s.fail("%s ended %q, and its comment says: %s", r.ID, r.End.Verdict, gist(stickies[0].body))
	}
}
