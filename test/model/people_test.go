package model

import (
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/stage"
)

// pushMain is a person's push: beside all Apps, beside the culprit in the same
// App, over the same lines, or the bad image once more.
func (s *story) pushMain(t *rapid.T) {
	s.versions++
	app := draw(t, "app", appNames...)
	what := draw(t, "what", "docs", "tuning", "image", "bad image again")
	change := map[string]string{}
	switch what {
	case "docs":
		change["docs/README.md"] = fmt.Sprintf("# Fleet %d\n", s.versions)
	case "tuning":
		change[tuningPath(app)] = tuning(app, s.versions)
	case "image":
		change[deployPath(app)] = stage.Deployment(app, fmt.Sprintf("v%d", s.versions))
	default:
		c := s.culprits[len(s.culprits)-1]
		for _, name := range c.apps {
			change[deployPath(name)] = s.world.repo.nodes[c.head].files[deployPath(name)]
		}
	}
	s.locked(func(w *World) {
		main := w.repo.head(trunk)
		w.setHead(trunk, w.repo.commit(main.files.with(change), "bob", "Push "+what, w.now(), main).SHA)
	})
	s.moves++
	s.tell("bob pushes to main: %s (%s)", what, app)
	s.hint(t, 0)
}

// someRevert is one of the bot's pull requests, newest first; nil if there is none.
func (s *story) someRevert(t *rapid.T) *pull {
	list := s.reverts()
	if len(list) == 0 {
		return nil
	}
	return list[rapid.IntRange(0, len(list)-1).Draw(t, "revert, from the newest")]
}

// pushRevert is a person's push to the branch of a revert.
func (s *story) pushRevert(t *rapid.T) {
	p := s.someRevert(t)
	if p == nil || !p.open {
		return
	}
	s.versions++
	s.locked(func(w *World) { s.smuggle(w, p) })
	s.tell("bob pushes to %s (#%d)", p.branch, p.number)
	s.hint(t, p.number)
}

// touchPull closes, merges or reopens a revert by hand.
func (s *story) touchPull(t *rapid.T) {
	p := s.someRevert(t)
	if p == nil {
		return
	}
	act := draw(t, "act", "merge", "close", "reopen")
	done := false
	s.locked(func(w *World) {
		state := w.state(p)
		switch {
		case act == "close" && p.open:
			p.open, done = false, true
		case act == "reopen" && !p.open && !p.merged && w.repo.heads[p.branch] == p.head:
			p.open, done = true, true
		case act == "merge" && p.open && (state == "CLEAN" || state == "UNSTABLE"):
			w.bring(p, w.rules.method, "carol")
			done = true
		}
	})
	if !done {
		return
	}
	switch act {
	case "merge":
		s.moves++
	case "reopen":
		s.reopened[p.number] = true
	}
	s.tell("carol: %s #%d", act, p.number)
	s.hint(t, p.number)
}

func (s *story) review(t *rapid.T) {
	p := s.someRevert(t)
	if p == nil || !p.open {
		return
	}
	against := draw(t, "asks for changes", false, true)
	s.locked(func(*World) {
		p.against = against
		if !against {
			p.approved["carol"] = true
		}
	})
	s.tell("carol reviews #%d: against=%v", p.number, against)
	s.hint(t, p.number)
}

// ci is what CI says of open reverts, and of new heads from now on.
func (s *story) ci(t *rapid.T) {
	said := draw(t, "said", "success", "success", "success", "failure", "")
	s.locked(func(w *World) {
		w.rules.ci = said
		for _, p := range w.pulls {
			if p.open {
				p.ci[p.head] = said
			}
		}
	})
	s.tell("CI says %q", said)
	if len(s.world.pulls) > 0 {
		s.hint(t, len(s.world.pulls))
	}
}

// protect changes the rules of main.
func (s *story) protect(t *rapid.T) {
	check, strict, reviews := draw(t, "check", true, true, false), draw(t, "strict", true, false), draw(t, "reviews", 0, 0, 1)
	s.locked(func(w *World) { w.rules.check, w.rules.strict, w.rules.reviews = check, strict, reviews })
	s.tell("main is protected: check=%v strict=%v reviews=%d", check, strict, reviews)
}

func (s *story) grantSome(t *rapid.T) {
	login := draw(t, "who", s.who...)
	role := draw(t, "role", bot.PermissionWrite, bot.PermissionWrite, bot.PermissionRead, bot.PermissionNone, bot.PermissionAdmin)
	s.grant(login, role)
	s.tell("%s gets %s", login, role)
}

func (s *story) killSwitch(t *rapid.T) {
	on := draw(t, "on", false, false, true)
	s.locked(func(w *World) { w.killed = on })
	s.tell("kill switch on=%v", on)
}

// holdByHand suspends or resumes an App, whoever holds it.
func (s *story) holdByHand(t *rapid.T) {
	app, on := draw(t, "app", appNames...), draw(t, "on", true, false)
	if on {
		s.cluster.Suspend(appID(app))
	} else {
		s.cluster.Resume(appID(app))
	}
	s.byHand[app] = on
	s.tell("carol: suspend %s = %v", app, on)
}

// editHold changes what is written on a hold of ours.
func (s *story) editHold(t *rapid.T) {
	holds, _ := s.cluster.Holds(s.ctx)
	if len(holds) == 0 {
		return
	}
	how := draw(t, "how", "owner taken off", "deadline pushed out", "deadline taken off")
	h := holds[0]
	s.cluster.EditHold(h.App, func(h bot.Hold) *bot.Hold {
		switch how {
		case "owner taken off":
			h.Owner = ""
		case "deadline pushed out":
			h.Deadline = h.Deadline.Add(10 * time.Hour)
		default:
			h.Deadline = time.Time{}
		}
		return &h
	})
	s.edited[h.Owner] = s.clock.Now()
	s.byHand[h.App.Name] = how == "owner taken off"
	s.tell("carol edits the hold on %s: %s", h.App.Name, how)
}

func (s *story) deleteApp(t *rapid.T) {
	if draw(t, "really", false, false, false, true) {
		s.cluster.Remove(appID("cart"))
		delete(s.byHand, "cart")
		s.tell("carol deletes the App cart")
	}
}

// deleteComment takes away the newest comment of a person or of the bot.
func (s *story) deleteComment(t *rapid.T) {
	ofBot := draw(t, "the bot's", false, true)
	for i := len(s.world.comments) - 1; i >= 0; i-- {
		c := s.world.comments[i]
		if c.gone || (c.author == botLogin) != ofBot {
			continue
		}
		s.locked(func(*World) { c.gone = true })
		for _, r := range s.records() {
			if strings.Contains(c.body, bot.StickyMarker(r.ID)) {
				s.deleted[r.ID] = true
			}
		}
		s.tell("carol deletes comment %d by %s", c.id, c.author)
		return
	}
}

// editComment changes the newest comment of a person: to say nothing, or to
// command. Neither counts.
func (s *story) editComment(t *rapid.T) {
	for i := len(s.world.comments) - 1; i >= 0; i-- {
		c := s.world.comments[i]
		if c.gone || c.author == botLogin {
			continue
		}
		text := draw(t, "to", "never mind", "/rollback", "/rollback cancel")
		s.locked(func(w *World) { c.body, c.touched = text, w.now() })
		s.tell("@%s edits comment %d: %s", c.author, c.id, text)
		return
	}
}
