package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"
)

var replyTo = regexp.MustCompile(`<!-- backout:reply:(\d+) -->`)

// maxSticky is how many lines the sticky comment of the widest Rollback may
// have.
const maxSticky = 250

// proveTold: one sticky comment on each pull request, one reply to each
// command, nothing else, and none of it without bound.
func (s *storm) proveTold(p *proof) {
	stickies, replies, lines, all := 0, map[string]int{}, 0, 0
	for _, pr := range s.world.repo.PRs() {
		for _, c := range s.world.repo.Comments(pr.Number) {
			if c.Author != s.world.app.BotLogin() {
				continue
			}
			all++
			if m := replyTo.FindStringSubmatch(c.Body); m != nil {
				replies[m[1]]++
				continue
			}
			if rollbackID.MatchString(c.Body) {
				stickies++
				lines = max(lines, strings.Count(c.Body, "\n"))
			}
		}
	}
	silent := 0
	for _, c := range s.commands {
		// What begins a Rollback is answered by its sticky comment.
		if replies[fmt.Sprint(c.id)] == 0 && !s.begins(c) {
			silent++
		}
	}
	p.is(stickies == len(teams)+2, "sticky comments: %d, one for each Rollback", stickies)
	p.is(lines > 0 && lines <= maxSticky, "lines of the longest sticky comment: %d", lines)
	p.is(silent == 0 && twice(replies) == 0, "commands without an answer: %d, with more than one: %d", silent, twice(replies))
	p.is(all == stickies+len(replies), "comments by the bot: %d, %d stickies and %d replies", all, stickies, len(replies))
	writes := s.world.hub.CountWrites(s.world.app.BotLogin())
	most := 15*(len(teams)+2) + 2*(len(s.commands)+1)
	p.is(writes > 0 && writes <= most, "content writes to GitHub: %d, at most %d (15 for a Rollback, 2 for a command)", writes, most)
	holds, err := s.world.cluster.Holds(context.Background())
	p.is(err == nil && len(holds) == 0, "holds that are left: %d", len(holds))
}

// begins reports whether a command began a Rollback.
func (s *storm) begins(c said) bool {
	for _, on := range s.world.repo.Comments(s.world.fresh) {
		if on.ID == c.id {
			return true
		}
	}
	return false
}

// The memory is flat when, after a sixth of the storm, it never exceeds what it
// was until then by more than this: a factor and a fixed part, for the
// garbage collector's breath.
const (
	flatFactor = 1.5
	flatMiB    = 64
)

func (s *storm) proveMemory(p *proof) {
	early := s.size.Within / 6
	_, before, _ := s.memory.within(0, early)
	_, peak, _ := s.memory.within(early, 24*time.Hour)
	limit := before*flatFactor + flatMiB
	p.is(before > 0 && peak <= limit, "memory: %.0f MiB at most after the first %s, %.0f MiB until then; the limit is %.0f MiB", peak, early, before, limit)
}
