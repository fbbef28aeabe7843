package model

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/test/memory"
)

// story is one random story under way: the play, and what the people in it
// remember.
type story struct {
	t *rapid.T
	*play
	who      people
	culprits []bad
	versions int
	pending  []bot.Event // sent, and not accepted yet
	accepted []bot.Event
	alerted  []bot.Alert // every alert that ever fired
	faults   []fault
	seen     map[bot.RollbackID]bot.Verdict // ends
	merges   map[string][]int               // by culprit: how often main had moved
	moves    int                            // of main
	broken   []string                       // promises, at the moment they were broken
	granted  map[string][]grant
	looks    map[bot.RollbackID]look      // at the merge gate, the last of each
	byHand   map[string]bool              // Apps that a person holds
	edited   map[bot.RollbackID]time.Time // holds of ours that a person changed
	reopened map[int]bool
	deleted  map[bot.RollbackID]bool // stickies that a person deleted
}

type people []string

// bad is a change that broke something.
type bad struct {
	pr   int
	head bot.SHA
	apps []string
}

// fault is a time in which something could not be reached.
type fault struct {
	what     string
	from, to time.Time
}

// grant is a permission from a moment on.
type grant struct {
	at   time.Time
	role bot.Permission
}

var everyone = people{"bob", "carol", "bob", "ann", "eve"}

// draw is one of some values.
func draw[T any](t *rapid.T, what string, of ...T) T { return rapid.SampledFrom(of).Draw(t, what) }

func pointer[T any](v T) *T { return &v }

// engines are the ways in which flows run.
var engines = map[string]memory.Options{
	"plain": {}, "lose each result": {LoseEachResult: true}, "restart after each step": {RestartAfterEachStep: true},
}

// newStory draws how the bot and the repository are set up, and breaks
// production for the first time.
func newStory(t *rapid.T) *story {
	set := settings{
		policy: policy.Settings{
			Commands:      pointer(draw(t, "commands", bot.ModeAuto, bot.ModeAuto, bot.ModeAuto, bot.ModeApprove, bot.ModePropose)),
			Alerts:        pointer(draw(t, "alerts", bot.ModeAuto, bot.ModeAuto, bot.ModeApprove, bot.ModePropose, bot.ModeObserve)),
			Hold:          pointer(draw(t, "hold", "always", "auto", "never")),
			Unprotected:   pointer(draw(t, "unprotected", "all", "commands", "commands", "none")),
			PerDay:        pointer(draw(t, "per day", 20, 2)),
			ApproveWithin: pointer(policy.Duration(4 * time.Hour)),
			Cooldown:      pointer(policy.Duration(draw(t, "cooldown", 0, 2*time.Hour))),
		},
		observe: draw(t, "observe", false, false, false, false, false, false, false, false, false, true),
		engine:  engines[draw(t, "engine", "plain", "plain", "plain", "lose each result", "restart after each step")],
	}
	if draw(t, "configured check", true, false, true) {
		set.policy.Checks = []policy.CheckSetting{{Name: "errors", Query: "rate", Operator: "<", Threshold: 0.05}}
	}
	s := &story{
		t: t, who: everyone, seen: map[bot.RollbackID]bot.Verdict{}, merges: map[string][]int{},
		granted: map[string][]grant{}, looks: map[bot.RollbackID]look{}, byHand: map[string]bool{}, edited: map[bot.RollbackID]time.Time{},
		reopened: map[int]bool{}, deleted: map[bot.RollbackID]bool{}, versions: 1,
	}
	var err error
	if s.play, err = open(t.Context(), set, startFiles(), appSpecs()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	s.world.onMerge, s.world.onFinish, s.world.onLook = s.judgeMerge, s.judgeEnd, s.looked
	s.world.slow = draw(t, "GitHub is slow", false, true)
	s.world.rules.check = draw(t, "check required", true, true, false)
	s.world.rules.method = draw(t, "method", "merge", "squash", "rebase")
	for login, role := range map[string]bot.Permission{"ann": "write", "bob": "write", "carol": "maintain", "eve": "read"} {
		s.grant(login, role)
	}
	s.tell("policy: commands=%s alerts=%s hold=%s unprotected=%s per_day=%d observe=%v; main: check=%v method=%s",
		*set.policy.Commands, *set.policy.Alerts, *set.policy.Hold, *set.policy.Unprotected, *set.policy.PerDay, set.observe, s.world.rules.check, s.world.rules.method)
	s.firstPull()
	if err := s.advance(20 * time.Minute); err != nil {
		t.Fatal(err)
	}
	s.breakProduction(t)
	return s
}

// firstPull is #1: harmless, merged, and a place to comment on.
func (s *story) firstPull() {
	s.locked(func(w *World) {
		main := w.repo.head(trunk)
		w.repo.heads["docs"] = w.repo.commit(main.files.with(map[string]string{"docs/README.md": "# The fleet\n"}), "bob", "Write docs", w.now(), main).SHA
		w.bring(w.pullRequest("bob", "Write docs", "docs"), "squash", "bob")
	})
}

// tell writes a line of the story; what the bot did in answer follows it.
func (s *story) tell(format string, args ...any) {
	s.t.Logf("%s  %s", clockTime(s.clock.Now()), fmt.Sprintf(format, args...))
}

// locked changes the world.
func (s *story) locked(act func(w *World)) {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	act(s.world)
}

// rest lets the bot react and shows what it did.
func (s *story) rest() {
	if err := s.settle(); err != nil {
		s.fail("%v", err)
	}
	s.show()
}

func (s *story) show() {
	var trail []string
	s.locked(func(w *World) { trail, w.trail = w.trail, nil })
	for _, line := range trail {
		s.t.Logf("%s", line)
		count.note(line)
	}
	if s.bot == nil && slices.ContainsFunc(trail, func(l string) bool { return strings.Contains(l, "†") }) {
		count.add("crash", "process killed")
	}
}

// fail ends the story: a promise is broken.
func (s *story) fail(format string, args ...any) {
	s.show()
	s.t.Logf("%s", s.state())
	s.t.Fatalf("BROKEN: "+format, args...)
}

// hint is the webhook that wakes a waiting flow; half of them get lost.
func (s *story) hint(t *rapid.T, number int) {
	if s.bot != nil && draw(t, "hint arrives", true, false) {
		s.bot.engine.Hint(bot.Hint{Repo: repoName, Number: number})
	}
}

func (s *story) grant(login string, role bot.Permission) {
	s.locked(func(w *World) { w.people[login] = role })
	s.granted[login] = append(s.granted[login], grant{s.clock.Now(), role})
}

// couldWrite reports whether a person could write at some time since a moment.
func (s *story) couldWrite(login string, since time.Time) bool {
	return s.could(bot.PermissionWrite, login, since)
}

// could reports whether a person had a permission at some time since a moment.
func (s *story) could(want bot.Permission, login string, since time.Time) bool {
	list := s.granted[login]
	for i, g := range list {
		over := i+1 < len(list) && list[i+1].at.Before(since)
		if !over && g.role.AtLeast(want) {
			return true
		}
	}
	return false
}

// faulty reports whether one of the faults was about at some time since.
func (s *story) faulty(since time.Time, what ...string) bool {
	return slices.ContainsFunc(s.faults, func(f fault) bool { return slices.Contains(what, f.what) && f.to.After(since) })
}

// records are all Rollbacks, newest first.
func (s *story) records() []bot.Record {
	records, err := s.ledger.Find(s.ctx, bot.RollbackQuery{Repo: repoName})
	if err != nil {
		s.t.Fatalf("find rollbacks: %v", err)
	}
	return records
}

// state shows the records for a story that went wrong.
func (s *story) state() string {
	var b strings.Builder
	for _, r := range s.records() {
		fmt.Fprintf(&b, "%s attempt %d of %s for %s%s: begun %s, end %+v, cancelled %v, approved %v\n", r.ID, r.Attempt, r.Culprit.Head().Short(), r.Incident.Kind, r.Incident.Requester, clockTime(r.Begun), r.End, r.Cancelled, r.Approved)
		if r.View != nil {
			fmt.Fprintf(&b, "   %s %v; now %q, waiting %q\n", r.View.Decision.Verb, r.View.Decision.Reasons, r.View.Now, r.View.Waiting)
		}
	}
	return b.String()
}
