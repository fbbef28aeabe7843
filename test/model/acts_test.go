package model

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/stage"
)

// acts are all that may happen, by name. What a story does not allow yet does
// nothing.
func (s *story) acts() map[string]func(*rapid.T) {
	all := map[string]func(*rapid.T){
		"advance a little": func(t *rapid.T) { s.pass(t, time.Minute, 6*time.Minute, 20*time.Minute) },
		"advance a lot":    func(t *rapid.T) { s.pass(t, time.Hour, 5*time.Hour, 26*time.Hour) },
		"break production": s.breakProduction, "command": s.command, "command again": s.command, "word": s.word, "chatter": s.chatter,
		"deliver late": s.deliverLate, "redeliver": s.redeliver, "alert": s.alert, "resolved": s.resolved,
		"push to main": s.pushMain, "push to revert": s.pushRevert, "revert pull": s.touchPull, "review": s.review,
		"ci": s.ci, "hold by hand": s.holdByHand, "edit hold": s.editHold, "delete app": s.deleteApp,
		"grant": s.grantSome, "kill switch": s.killSwitch, "freeze": s.freezeWord, "freeze label": s.freezeLabel, "protect": s.protect, "fault": s.fault,
		"crash": s.crash, "restart": s.restart, "sweep": s.sweep, "delete comment": s.deleteComment, "edit comment": s.editComment,
	}
	for name, act := range all {
		all[name] = func(t *rapid.T) {
			count.add("act", name)
			act(t)
			s.rest()
		}
	}
	all[""] = func(*rapid.T) { s.check() }
	return all
}

func (s *story) pass(t *rapid.T, choices ...time.Duration) {
	d := draw(t, "time", choices...)
	s.tell("%s pass", d)
	if err := s.advance(d); err != nil {
		s.fail("%v", err)
	}
}

// breakProduction brings a bad change to main, in one of the ways there are.
func (s *story) breakProduction(t *rapid.T) {
	apps := draw(t, "broken", []string{"web"}, []string{"web", "cart"}, []string{"cart"})
	if s.unwell(apps) && draw(t, "though broken already", false, false, false, true) == false {
		return
	}
	how := draw(t, "merged by", "merge", "squash", "rebase", "push")
	s.versions++
	change := map[string]string{}
	for _, app := range apps {
		change[deployPath(app)] = stage.Deployment(app, fmt.Sprintf("v%d-bad", s.versions))
	}
	c := bad{apps: apps}
	s.locked(func(w *World) {
		main := w.repo.head(trunk)
		n := w.repo.commit(main.files.with(change), "ann", fmt.Sprintf("Update to v%d", s.versions), w.now(), main)
		if how == "push" {
			w.setHead(trunk, n.SHA)
			c.head = n.SHA
			return
		}
		branch := fmt.Sprintf("update-%d", s.versions)
		if how == "rebase" {
			n = w.repo.commit(n.files.with(map[string]string{tuningPath(apps[0]): tuning(apps[0], s.versions)}), "ann", fmt.Sprintf("Tune for v%d", s.versions), w.now(), n)
		}
		w.repo.heads[branch] = n.SHA
		p := w.pullRequest("ann", fmt.Sprintf("Update to v%d", s.versions), branch)
		w.bring(p, how, "ann")
		c.pr, c.head = p.number, p.commit
	})
	s.moves++
	s.culprits = append(s.culprits, c)
	s.tell("ann breaks %s with v%d by %s: #%d, %s", strings.Join(apps, " and "), s.versions, how, c.pr, c.head.Short())
	if draw(t, "delivered at once", true, false) {
		for _, app := range appNames {
			_ = s.cluster.Sync(s.ctx, appID(app), fmt.Sprintf("by hand %d", s.versions))
		}
		s.round()
	}
}

// unwell reports whether main breaks one of the Apps.
func (s *story) unwell(apps []string) bool {
	main := s.world.repo.head(trunk).files
	return slices.ContainsFunc(apps, func(app string) bool { return strings.Contains(main[deployPath(app)], "-bad") })
}

// anyPull is the number of some pull request, newest first.
func (s *story) anyPull(t *rapid.T) int {
	n := len(s.world.pulls)
	return n - rapid.IntRange(0, n-1).Draw(t, "on pull, from the newest")
}

// reverts are the bot's pull requests, newest first.
func (s *story) reverts() []*pull {
	var out []*pull
	for _, p := range slices.Backward(s.world.pulls) {
		if _, ok := p.ofBot(); ok {
			out = append(out, p)
		}
	}
	return out
}

func (s *story) command(t *rapid.T) {
	c := s.culprits[len(s.culprits)-1-rapid.IntRange(0, min(1, len(s.culprits)-1)).Draw(t, "culprit, from the newest")]
	on := c.pr
	text := "/rollback"
	switch form := draw(t, "form", "plain", "sha", "number", "elsewhere", "plan"); {
	case form == "elsewhere":
		on = s.anyPull(t)
	case form == "sha", on == 0:
		text, on = "/rollback "+c.head.Short(), s.anyPull(t)
	case form == "number":
		text, on = fmt.Sprintf("/rollback #%d", c.pr), s.anyPull(t)
	case form == "plan":
		text = "/rollback plan"
	}
	s.say(t, draw(t, "who", s.who...), on, text)
}

func (s *story) word(t *rapid.T) {
	text := draw(t, "word", "/rollback approve", "/rollback cancel")
	on := s.anyPull(t)
	if records := s.records(); len(records) > 0 && draw(t, "by ID", true, false) {
		text += " " + string(records[0].ID)
	}
	s.say(t, draw(t, "who", s.who...), on, text)
}

func (s *story) chatter(t *rapid.T) {
	text := draw(t, "text", "/rollback status", "/rollback help", "/rollback everything now", "> /rollback", "looks good to me")
	s.say(t, draw(t, "who", s.who...), s.anyPull(t), text)
}

// say writes a comment; its webhook arrives at once, or later.
func (s *story) say(t *rapid.T, who string, on int, text string) {
	var c *comment
	s.locked(func(w *World) { c = w.comment(who, on, text) })
	s.tell("@%s on #%d: %s", who, on, text)
	e := bot.Event{
		ID:      fmt.Sprintf("comment-%d", c.id),
		Comment: &bot.Comment{Repo: repoName, Number: on, ID: c.id, Author: who, Body: text, Written: c.written.UTC().Truncate(time.Second)},
	}
	s.send(e, draw(t, "webhook arrives", true, true, true, false))
}

// send delivers an event, or keeps it for later.
func (s *story) send(e bot.Event, now bool) {
	if s.bot == nil || !now {
		s.tell("  (the webhook does not arrive yet)")
		s.pending = append(s.pending, e)
		return
	}
	e.Received = s.clock.Now().UTC()
	if err := s.bot.engine.Accept(s.ctx, e); err != nil {
		s.pending = append(s.pending, e)
		return
	}
	s.accepted = append(s.accepted, e)
}

// deliverLate delivers one of the late webhooks, in any order.
func (s *story) deliverLate(t *rapid.T) {
	if len(s.pending) == 0 || s.bot == nil {
		return
	}
	i := rapid.IntRange(0, len(s.pending)-1).Draw(t, "which")
	e := s.pending[i]
	s.pending = slices.Delete(s.pending, i, i+1)
	s.tell("late webhook %s arrives", e.ID)
	s.send(e, true)
}

// redeliver delivers an event again that was accepted before.
func (s *story) redeliver(t *rapid.T) {
	if len(s.accepted) == 0 || s.bot == nil {
		return
	}
	e := s.accepted[len(s.accepted)-1-rapid.IntRange(0, len(s.accepted)-1).Draw(t, "which, from the newest")]
	s.tell("webhook %s arrives again", e.ID)
	e.Received = s.clock.Now().UTC()
	_ = s.bot.engine.Accept(s.ctx, e)
}

// alert posts what fires now, or an old alert late.
func (s *story) alert(t *rapid.T) {
	firing := s.cluster.Alerts()
	for i := range firing {
		firing[i].StartsAt = firing[i].StartsAt.Add(draw(t, "for", 2*time.Minute, 20*time.Minute))
	}
	if len(firing) == 0 && len(s.alerted) > 0 && draw(t, "late", false, true) {
		firing = []bot.Alert{s.alerted[rapid.IntRange(0, len(s.alerted)-1).Draw(t, "which")]}
	}
	if len(firing) == 0 {
		return
	}
	s.alerted = append(s.alerted, firing...)
	s.post(t, firing, "firing")
}

func (s *story) resolved(t *rapid.T) {
	if len(s.alerted) == 0 {
		return
	}
	a := s.alerted[rapid.IntRange(0, len(s.alerted)-1).Draw(t, "which")]
	a.Firing, a.EndsAt = false, s.clock.Now()
	s.post(t, []bot.Alert{a}, "resolved")
}

func (s *story) post(t *rapid.T, alerts []bot.Alert, status string) {
	id := "alerts-" + status
	for _, a := range alerts {
		id += fmt.Sprintf("-%s@%d", a.Labels["deployment"], a.StartsAt.Unix())
	}
	s.tell("Alertmanager: %s", id)
	s.send(bot.Event{ID: id, Alerts: &bot.AlertGroup{GroupKey: "{}", Receiver: "backout", Status: status, Alerts: alerts}}, draw(t, "webhook arrives", true, true, true, false))
}
