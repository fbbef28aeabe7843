package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/backout-dev/backout/bot"
)

// storm is one run: what was done, and what was seen.
type storm struct {
	size    size
	dir     string
	profile bool
	say     func(format string, args ...any)

	world    *world
	bot      *child
	gun      *gun
	postman  *postman
	record   record
	script   []notice
	sent     []request // alerts
	commands []said

	began       time.Time // of the storm
	shot        time.Duration
	drained     time.Duration
	backlog     int // accepted and not yet handled when the last was answered
	memory      memory
	plain       figures
	plainMemory memory

	quietCommand time.Duration
}

// run plays the whole story. What it returns is trouble with the play itself;
// what the bot did wrong, prove finds.
func (s *storm) run(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if s.world, err = newWorld(s.dir, s.size); s.world != nil {
		defer s.world.close()
	}
	if err != nil {
		return err
	}
	if err := s.calm(ctx); err != nil {
		return errors.Join(err, s.stopBot())
	}
	go s.world.reconcile(ctx)
	err = s.blow(ctx)
	if err == nil {
		err = s.after(ctx)
	}
	s.postman.server.Close()
	return errors.Join(err, s.stopBot())
}

func (s *storm) stopBot() error {
	if s.bot == nil {
		return nil
	}
	if s.record.db != nil {
		_ = s.record.db.Close() // it was only read
	}
	return s.bot.stop()
}

// calm starts the bot on a healthy fleet, lets a person take something back in
// quiet, and then breaks everything.
func (s *storm) calm(ctx context.Context) error {
	w := s.world
	dir := filepath.Join(s.dir, "bot")
	if err := w.writeSecrets(dir); err != nil {
		return err
	}
	every := 5 * time.Second
	if s.size.Within < 30*time.Second {
		every = 500 * time.Millisecond
	}
	var err error
	s.bot, err = startChild(part{
		Dir: dir, HubURL: w.hub.URL(), AppID: w.app.ID(), World: w.remote.URL, Profile: s.profile, RecordEvery: every,
	})
	if err != nil {
		return err
	}
	if s.record, err = openRecord(dir); err != nil {
		return err
	}
	s.gun = newGun(s.bot.url)
	s.postman = newPostman(ctx, s.gun)
	w.app.SetWebhook(s.postman.server.URL, secret)
	if err := s.recorded(ctx); err != nil {
		return err
	}
	if err := w.prepare(); err != nil {
		return err
	}
	if err := w.cluster.Reconcile(); err != nil {
		return err
	}
	if err := s.recorded(ctx); err != nil {
		return err
	}
	if err := s.warmUp(ctx); err != nil {
		return err
	}
	if err := w.cluster.Reconcile(); err != nil {
		return err
	}
	w.cluster.AgeAlerts(2 * time.Second)
	return w.breakAll(func() error { return s.recorded(ctx) })
}

// recorded waits until the bot's record shows what runs.
func (s *storm) recorded(ctx context.Context) error {
	head := s.world.repo.Head("main")
	return until(ctx, "the bot's record of what runs", func() (bool, error) {
		n, err := s.record.runs(ctx, head)
		return n == len(s.size.all()), err
	})
}

// warmUp is a person's command in quiet.
func (s *storm) warmUp(ctx context.Context) error {
	began := time.Now()
	if _, err := s.world.repo.Comment(s.world.warm, "ann", "/rollback"); err != nil {
		return err
	}
	err := s.untilEnded(ctx, 1)
	s.quietCommand = time.Since(began)
	return err
}

// untilEnded waits until n Rollbacks have.
func (s *storm) untilEnded(ctx context.Context, n int) error {
	return until(ctx, fmt.Sprintf("the end of %d Rollbacks", n), func() (bool, error) {
		have, err := s.record.ended(ctx)
		return have >= n, err
	})
}

// blow is the storm itself.
func (s *storm) blow(ctx context.Context) error {
	alerts := map[string][]bot.Alert{}
	for _, a := range s.world.cluster.Alerts() {
		app := a.Labels["deployment"]
		alerts[app] = append(alerts[app], a)
	}
	s.script = s.size.script(alerts)
	s.sent = spread(s.script, s.size.Within)
	// The script's latest alert begins within seconds of the oldest; none may
	// lie in the future.
	if err := until(ctx, "the alerts to have fired", func() (bool, error) { return latest(s.script).Before(time.Now()), nil }); err != nil {
		return err
	}
	s.say("storm: %d alerts in %d notifications, %d comments, %d Apps broken by %d commits, within %s",
		count(s.script), len(s.script), s.size.Comments, s.size.Apps, len(teams), s.size.Within)
	s.began = time.Now()
	watch, stop := context.WithCancel(ctx)
	defer stop()
	mem := watchMemory(watch, s.bot.cmd.Process.Pid, s.began)
	s.postman.start(s.began)

	spoken := make(chan error, 1)
	go func() {
		var err error
		s.commands, err = s.world.speak(ctx, s.size.remarks(s.world), s.began)
		spoken <- err
	}()
	s.gun.play(ctx, s.sent, s.began)
	if err := <-spoken; err != nil {
		return err
	}
	if err := s.world.hub.Flush(ctx); err != nil {
		return err
	}
	s.postman.waiting.Wait()
	s.gun.wait()
	s.shot = time.Since(s.began)
	var err error
	if _, s.backlog, err = s.record.intakes(ctx); err != nil {
		return err
	}
	s.say("all answered after %s; %d accepted events are still to be handled", s.shot.Round(time.Millisecond), s.backlog)
	err = until(ctx, "the last intake", func() (bool, error) {
		_, open, err := s.record.intakes(ctx)
		return open == 0, err
	})
	s.drained = time.Since(s.began)
	stop()
	s.memory = <-mem
	return err
}

func latest(list []notice) time.Time {
	var t time.Time
	for _, n := range list {
		for _, f := range n.alerts {
			for _, at := range []time.Time{f.StartsAt, f.EndsAt} {
				if at.After(t) {
					t = at
				}
			}
		}
	}
	return t
}

// after waits for the ends: in quiet, of the person's commands, of alpha and of
// gamma. Then a person merges what was proposed for beta, and that ends, too.
func (s *storm) after(ctx context.Context) error {
	if err := s.untilEnded(ctx, 4); err != nil {
		return err
	}
	if err := s.proposed(); err != nil {
		return err
	}
	if err := s.world.mergeRevert(teams[1], "carol"); err != nil {
		return err
	}
	return s.untilEnded(ctx, 5)
}

// mergeRevert merges the proposed revert of a team's culprit as a person.
func (w *world) mergeRevert(team, by string) error {
	for _, pr := range w.reverts(team) {
		if _, err := w.repo.MergePR(pr.Number, "squash", by); err != nil {
			return err
		}
	}
	return nil
}
