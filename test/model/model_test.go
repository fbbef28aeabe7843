package model

import (
	"flag"
	"os"
	"runtime"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/backout-dev/backout/bot"
)

// The short form: the same stories each time, so that it is green or red for a
// reason. Other stories: go test ./test/model -rapid.checks=5000 -rapid.seed=$RANDOM.
const (
	shortChecks = "500"
	shortSeed   = "1"
)

func TestMain(m *testing.M) {
	flag.Parse()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, value := range map[string]string{"rapid.checks": shortChecks, "rapid.seed": shortSeed, "rapid.nofailfile": "true"} {
		if !given[name] {
			if err := flag.Set(name, value); err != nil {
				panic(err)
			}
		}
	}
	// One thing after the other, as far as that can be had: a story that broke a
	// promise must break it again to be shrunk.
	runtime.GOMAXPROCS(1)
	os.Exit(m.Run())
}

// TestPromises plays random stories.
func TestPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rapid.SyncTest(t, func(t *rapid.T) {
			s := newStory(t)
			t.Repeat(s.acts())
			s.toTheEnd()
		})
	})
	t.Logf("what the stories reached:\n%s", count)
	if !t.Failed() {
		checkReach(t)
	}
}

// enough is longer than any Rollback may take: every wait of the policy, and
// every act tried as often as it may be, half an hour each.
const enough = 16 * time.Hour

// toTheEnd brings the bot back, delivers what is late, and passes the longest
// time that a Rollback may take: then every flow must have ended.
func (s *story) toTheEnd() {
	s.tell("everything comes back, and time passes")
	s.locked(func(w *World) {
		w.hands.fuse, w.hands.steps, w.trap, w.ambush, w.change = 0, 0, 0, nil, nil
		w.away, w.deaf, w.blind = time.Time{}, time.Time{}, time.Time{}
	})
	s.plane.broken = s.clock.Now()
	s.mend()
	if err := s.settle(); err != nil {
		s.fail("%v", err)
	}
	if s.bot == nil {
		if err := s.start(); err != nil {
			s.fail("start: %v", err)
		}
	}
	late := s.pending
	s.pending = nil
	for _, e := range late {
		s.rest()
		s.send(e, true)
	}
	if err := s.advance(enough); err != nil {
		s.fail("%v", err)
	}
	s.check()
	if left := s.store.Unfinished(); len(left) > 0 || len(s.pending) > 0 {
		s.fail("flows without an end: %v; events not accepted: %d", left, len(s.pending))
	}
	for _, r := range s.records() {
		if r.End == nil {
			s.fail("Rollback %s has no end", r.ID)
		}
	}
	s.checkAnswers()
	count.add("story", "played")
}

// checkAnswers: every command that a person made got a Rollback or one reply.
func (s *story) checkAnswers() {
	began := map[string]bool{}
	for _, r := range s.records() {
		began[r.Incident.ID] = true
	}
	for _, e := range s.accepted {
		if e.Comment == nil || s.set.observe {
			continue
		}
		cmd, bad := s.grammar().Parse(e.Comment.Body)
		if cmd == nil && bad == nil {
			continue
		}
		if c := s.world.comments[e.Comment.ID-1]; c.gone || c.body != e.Comment.Body {
			continue // withdrawn
		}
		n := len(s.world.everMarked(bot.ReplyMarker(e.Comment.ID)))
		if n == 0 && !began[e.ID] && !s.faulty(e.Received, "github", "answers") {
			s.fail("%q by %s (%s) got no reply and no Rollback", e.Comment.Body, e.Comment.Author, e.ID)
		}
	}
}
