package model

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/backout-dev/backout/bot"
)

// The names of the world.
const (
	repoName = bot.RepoName("acme/fleet")
	trunk    = "main"
	botLogin = "backout[bot]"
	hubURL   = "https://github.example"
)

// World is GitHub with one repository, and what can go wrong with it.
type World struct {
	mu  sync.Mutex
	now func() time.Time

	repo     *repository
	pulls    []*pull // #1 is the first
	comments []*comment
	runs     map[string]string // our check runs: conclusion by external ID and head
	people   map[string]bot.Permission
	rules    rules
	killed   bool
	sign     *sign     // the freeze label
	frozen   time.Time // when a freeze was last recorded
	slow     bool      // GitHub takes one look to compute whether a pull request merges

	hands hands
	// away: GitHub answers nothing until then. deaf: it acts, and the answers
	// get lost. blind: so does the monitoring.
	away, deaf, blind time.Time
	// trap is how long GitHub goes away when the bot is about to merge.
	trap time.Duration
	// ambush is what a person does when the bot is about to merge.
	ambush func(p *pull)
	// change is what comes between the opening of a revert and the first look at
	// the gate.
	change func()

	// onMerge looks at each merge by the bot right before it happens, onFinish
	// at each end of a Rollback when it is written.
	onMerge  func(p *pull, after files)
	onFinish func(id bot.RollbackID)
	// onLook is told when a look at the merge gate is on record.
	onLook func(flow string)
	// cancelled is when the first cancellation of a Rollback was recorded.
	cancelled map[bot.RollbackID]time.Time
	trail     []string // what the bot did since the last look, for the story
	wrote     int      // effects outside of the ledger
}

// rules are what stands before a merge into main, and how it merges.
type rules struct {
	check   bool // "ci" must pass
	strict  bool // the head must contain the newest base
	reviews int
	method  string
	ci      string // what CI says of a new head: success, failure, or "" while it runs
}

func (r rules) protected() bool { return r.check || r.strict || r.reviews > 0 }

func newWorld(now func() time.Time, start files) *World {
	w := &World{
		now: now, repo: &repository{nodes: map[bot.SHA]*node{}, heads: map[string]bot.SHA{}},
		runs: map[string]string{}, cancelled: map[bot.RollbackID]time.Time{}, people: map[string]bot.Permission{}, rules: rules{method: "merge", ci: "success"},
	}
	w.repo.heads[trunk] = w.repo.commit(start, "ann", "Begin", now()).SHA
	return w
}

func (w *World) note(format string, args ...any) {
	w.trail = append(w.trail, fmt.Sprintf(format, args...))
}

// hands do what the bot does to the world, one effect after the other, and die
// where a story wants it.
type hands struct {
	dead bool
	kill func() // the process
	// fuse counts effects down to a crash, steps the steps of flows; 0 is none.
	fuse, steps int
	// at kills at a step of that name only.
	at string
	// after says that the last of them is still done, or recorded.
	after bool
}

var errDead = errors.New("the process has been killed")

func (w *World) die(where string) {
	w.hands.dead, w.hands.fuse, w.hands.steps, w.hands.at = true, 0, 0, ""
	w.note("  † killed %s", where)
	w.hands.kill()
}

// effect does one act of the bot, unless the process is dead or dies before it.
func (w *World) effect(what string, act func() error) error {
	burnt, err := w.light(what)
	if err != nil {
		return err
	}
	return w.burn(what, burnt, act())
}

// light is the moment before an effect; burnt says that the process dies right
// after it.
func (w *World) light(what string) (burnt bool, err error) {
	if w.hands.fuse > 0 {
		w.hands.fuse--
		burnt = w.hands.fuse == 0
	}
	if burnt && !w.hands.after {
		w.die("before: " + what)
	}
	if w.hands.dead {
		return false, errDead
	}
	return burnt, nil
}

// burn is the moment after an effect.
func (w *World) burn(what string, burnt bool, err error) error {
	if burnt {
		w.die("after: " + what)
	}
	if w.hands.dead {
		return errDead
	}
	return err
}

// step is called by the engine.
func (w *World) step(flow, name string, recorded bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if name == "gate" && recorded {
		w.onLook(flow)
	}
	if w.hands.dead || w.hands.steps == 0 || recorded != w.hands.after || w.hands.at != "" && name != w.hands.at {
		return
	}
	if w.hands.steps--; w.hands.steps > 0 {
		return
	}
	when := "before the record of"
	if recorded {
		when = "after"
	}
	w.die(fmt.Sprintf("%s step %q of %s", when, name, flow))
}

// reach is the trouble of a GitHub that can't be reached.
func (w *World) reach() error {
	if w.now().Before(w.away) {
		return bot.NewTrouble(bot.TroubleTransient, nil, "GitHub can't be reached.")
	}
	return nil
}

// write is one effect on GitHub.
func (w *World) write(what string, act func() error) error {
	if err := w.reach(); err != nil {
		return err
	}
	err := w.effect(what, func() error {
		w.wrote++
		w.note("  bot: %s", what)
		return act()
	})
	if err == nil && w.now().Before(w.deaf) {
		return bot.NewTrouble(bot.TroubleTransient, nil, "GitHub's answer was cut off.")
	}
	return err
}

// reading is a look at GitHub.
func reading[T any](w *World, get func() (T, error)) (T, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.reach(); err != nil {
		var none T
		return none, err
	}
	return get()
}

// Permission implements bot.People.
func (w *World) Permission(_ context.Context, _ bot.RepoName, login string) (bot.Permission, error) {
	return reading(w, func() (bot.Permission, error) {
		if p, ok := w.people[login]; ok {
			return p, nil
		}
		return bot.PermissionNone, nil
	})
}

// On implements bot.Switch.
func (w *World) On(context.Context) (bool, string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.killed, "a person turned it on."
}

var (
	_ bot.People  = (*World)(nil)
	_ bot.Switch  = (*World)(nil)
	_ bot.Pulls   = (*World)(nil)
	_ bot.Reverts = (*World)(nil)
	_ bot.Board   = (*World)(nil)
	_ bot.Talk    = (*World)(nil)
)
