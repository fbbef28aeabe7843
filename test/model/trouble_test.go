package model

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/backout-dev/backout/bot"
)

// fault makes something unreachable for a while.
func (s *story) fault(t *rapid.T) {
	switch draw(t, "when", "now", "now", "at the merge", "after the opening") {
	case "at the merge":
		s.atTheMerge(t)
		return
	case "after the opening":
		s.afterTheOpening(t)
		return
	}
	f := fault{what: draw(t, "what", "github", "answers", "cluster", "monitoring", "monitoring"), from: s.clock.Now()}
	f.to = f.from.Add(draw(t, "for", time.Minute, 15*time.Minute, 3*time.Hour))
	s.faults = append(s.faults, f)
	s.locked(func(w *World) {
		switch f.what {
		case "github":
			w.away = f.to
		case "answers":
			w.deaf = f.to
		case "monitoring":
			w.blind = f.to
		}
	})
	if f.what == "cluster" {
		s.plane.broken = f.to
		s.cluster.Break(bot.NewTrouble(bot.TroubleTransient, nil, "The API server can't be reached."))
	}
	s.tell("fault: %s until %s", f.what, clockTime(f.to))
}

// atTheMerge makes something come between the last look at the gate and the
// merge: GitHub goes away, or somebody pushes.
func (s *story) atTheMerge(t *rapid.T) {
	d := draw(t, "for", 0, time.Minute, 15*time.Minute)
	s.locked(func(w *World) {
		if w.trap = d; d > 0 {
			return
		}
		w.ambush = func(p *pull) {
			s.versions++
			s.smuggle(w, p)
			w.note("  ! bob pushes to #%d right before the merge", p.number)
		}
	})
	s.tell("when the bot is about to merge: GitHub goes away for %s (0: somebody pushes)", d)
}

// afterTheOpening makes something come between the opening of a revert and the
// first look at the gate: the kill switch, or everybody's permission is gone.
func (s *story) afterTheOpening(t *rapid.T) {
	what := draw(t, "what", "the kill switch", "nobody may write any more")
	s.locked(func(w *World) {
		w.change = func() {
			w.note("  ! %s", what)
			if what == "the kill switch" {
				w.killed = true
				return
			}
			for login := range w.people {
				w.people[login] = bot.PermissionRead
			}
		}
	})
	s.tell("after the bot has opened its next revert: %s", what)
}

// smuggle pushes something else to the branch of a revert.
func (s *story) smuggle(w *World, p *pull) {
	head := w.repo.nodes[p.head]
	f := head.files.with(map[string]string{"docs/README.md": fmt.Sprintf("# Smuggled %d\n", s.versions)})
	w.setHead(p.branch, w.repo.commit(f, "bob", "Add this, too", w.now(), head).SHA)
}

// crash kills the process now, or arms it to die at one of the next effects or
// steps, before or after it.
func (s *story) crash(t *rapid.T) {
	if s.bot == nil {
		return
	}
	where := draw(t, "where", "effect", "step", "now", "gate", "merge")
	n, after := rapid.IntRange(1, 8).Draw(t, "n"), draw(t, "after it", true, false)
	s.locked(func(w *World) {
		w.hands.fuse, w.hands.steps, w.hands.at, w.hands.after = 0, 0, "", after
		switch where {
		case "effect":
			w.hands.fuse = n
		case "step":
			w.hands.steps = n
		case "gate", "merge":
			w.hands.at, w.hands.steps = where, 1
		default:
			w.die("by the machine")
		}
	})
	s.tell("the process is to die: %s %d, after=%v", where, n, after)
}

// restart brings a dead process back.
func (s *story) restart(*rapid.T) {
	if s.bot != nil {
		return
	}
	s.tell("the process starts again")
	if err := s.start(); err != nil {
		s.fail("start: %v", err)
	}
}

func (s *story) sweep(*rapid.T) {
	if s.bot == nil {
		return
	}
	s.tell("the janitor goes round")
	s.round()
}
