package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/test/stage"
)

// proof collects what was asserted, and what of it does not hold.
type proof struct {
	held   []string
	broken []string
}

// is asserts; the text says what must hold, with the counts that were found.
func (p *proof) is(ok bool, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if ok {
		p.held = append(p.held, text)
		return
	}
	p.broken = append(p.broken, text)
}

// prove asserts all that the storm is to show, on the record that the bot left.
func (s *storm) prove(ctx context.Context) (*proof, error) {
	p := &proof{}
	s.proveAnswers(p)
	r, err := openRecord(filepath.Join(s.dir, "bot"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.db.Close() }() // it was only read
	if err := s.proveRecord(ctx, r, p); err != nil {
		return nil, err
	}
	ledger, err := durable.OpenLedger(ctx, filepath.Join(s.dir, "bot", "data", "backout.db"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = ledger.Close() }() // it was only read
	records, err := ledger.Find(ctx, bot.RollbackQuery{})
	if err != nil {
		return nil, err
	}
	s.proveRollbacks(records, p)
	s.proveTold(p)
	s.proveMemory(p)
	return p, nil
}

// proveAnswers: 2xx or 503 and nothing else, and in the end 2xx for all. Status 0
// is a sender whose patience ended on a machine that is busy with other things:
// it sends again.
func (s *storm) proveAnswers(p *proof) {
	seen, other := statuses(s.gun.answers), 0
	for status, n := range seen {
		if status/100 != 2 && status != 503 && status != 0 {
			other += n
		}
	}
	p.is(other == 0 && len(s.gun.answers) > 0, "answers that are neither 2xx nor 503: %d of %d (and %d times none in %s)", other, len(s.gun.answers), seen[0], patience)
	p.is(s.gun.refused == 0, "requests that were never answered 2xx: %d", s.gun.refused)
}

func statuses(list []answer) map[int]int {
	n := map[int]int{}
	for _, a := range list {
		n[a.status]++
	}
	return n
}

// proveRecord: what was accepted is on record once, and handled.
func (s *storm) proveRecord(ctx context.Context, r record, p *proof) error {
	events, states, err := r.events(ctx)
	if err != nil {
		return err
	}
	unfinished, alerts, comments := 0, map[string]int{}, map[int64]int{}
	for id, e := range events {
		if states[id] != "SUCCESS" {
			unfinished++
		}
		switch {
		case e.Alerts != nil:
			alerts[keyOf(*e.Alerts)]++
		case e.Comment != nil:
			comments[e.Comment.ID]++
		}
	}
	p.is(unfinished == 0, "accepted events whose intake did not end well: %d of %d", unfinished, len(events))

	want, lost := map[string]bool{}, 0
	for _, q := range s.gun.accepted {
		if q.kind != kindAlert {
			continue
		}
		var n stage.Notification
		if err := json.Unmarshal(q.body, &n); err != nil {
			return err
		}
		key := keyOf(groupOf(n))
		if want[key] = true; alerts[key] == 0 {
			lost++
		}
	}
	p.is(lost == 0 && len(want) > 0, "alert notifications that were answered 2xx and are not on record: %d (%d different ones)", lost, len(want))
	p.is(len(alerts) == len(want) && twice(alerts) == 0, "alert events on record: %d, one for each different notification (%d)", len(alerts), len(want))
	lost = 0
	for _, c := range s.commands {
		if comments[c.id] == 0 {
			lost++
		}
	}
	p.is(lost == 0 && len(s.commands) > 0, "people's commands that are not on record: %d of %d", lost, len(s.commands))
	p.is(twice(comments) == 0 && s.postman.again > 0, "comments on record twice: %d, after %d redeliveries", twice(comments), s.postman.again)
	return nil
}

func twice[K comparable](n map[K]int) int {
	count := 0
	for _, times := range n {
		if times > 1 {
			count++
		}
	}
	return count
}

// groupOf is a notification as the bot keeps it, as far as keyOf looks.
func groupOf(n stage.Notification) bot.AlertGroup {
	g := bot.AlertGroup{GroupKey: n.GroupKey}
	for _, a := range n.Alerts {
		g.Alerts = append(g.Alerts, bot.Alert{Fingerprint: a.Fingerprint, Firing: a.Status == "firing", StartsAt: a.StartsAt})
	}
	return g
}

// keyOf is what makes two notifications the same.
func keyOf(g bot.AlertGroup) string {
	var parts []string
	for _, a := range g.Alerts {
		parts = append(parts, fmt.Sprint(a.Fingerprint, a.Firing, a.StartsAt.UTC().Format(time.RFC3339Nano)))
	}
	slices.Sort(parts)
	return g.GroupKey + "\n" + strings.Join(slices.Compact(parts), "\n")
}

// proveRollbacks: one for each culprit, with every App that raised an alert,
// each as its policy says.
func (s *storm) proveRollbacks(records []bot.Record, p *proof) {
	p.is(len(records) == len(teams)+2, "Rollbacks: %d; %d culprits and 2 commands make %d", len(records), len(teams), len(teams)+2)
	of := func(pr int) (list []bot.Record) {
		for _, r := range records {
			if r.Culprit.PR == pr {
				list = append(list, r)
			}
		}
		return list
	}
	for _, pr := range []int{s.world.warm, s.world.fresh} {
		own := of(pr)
		p.is(len(own) == 1 && own[0].End != nil && own[0].End.Verdict == bot.VerdictVerified, "Rollbacks that a person commanded on #%d: %d, %s", pr, len(own), ends(own))
	}
	for _, team := range teams {
		own := of(s.world.culprit[team])
		p.is(len(own) == 1, "Rollbacks of the culprit of %s: %d", team, len(own))
		if len(own) != 1 {
			continue
		}
		s.proveTeam(team, own[0], p)
	}
}

func ends(list []bot.Record) string {
	var out []string
	for _, r := range list {
		verdict := "not ended"
		if r.End != nil {
			verdict = string(r.End.Verdict)
		}
		out = append(out, verdict)
	}
	return strings.Join(out, ", ")
}

func (s *storm) proveTeam(team string, r bot.Record, p *proof) {
	joined, missing, strange := map[string]bool{}, 0, 0
	if r.View != nil && team != teams[1] {
		// An App whose alert came only after the Rollback was verified did not
		// join any more: it is among those that the revert changed as well.
		for _, id := range r.View.Rollback.Affected {
			joined[id.Name] = true
		}
	}
	for _, id := range r.Apps {
		joined[id.Name] = true
		if teamOf(id.Name) != team {
			strange++
		}
	}
	raised := fired(s.script)
	for _, app := range s.size.loud(team) {
		if raised[app] && !joined[app] {
			missing++
		}
	}
	p.is(missing == 0 && strange == 0, "%s: target Apps: %d, changed by the revert in all: %d; that raised alerts and are missing: %d; of other teams: %d",
		team, len(r.Apps), len(joined), missing, strange)
	p.is(r.End != nil && r.End.Verdict == bot.VerdictVerified, "%s ended: %s", team, ends([]bot.Record{r}))
	reverts := s.world.reverts(team)
	p.is(len(reverts) == 1 && reverts[0].Merged, "%s: revert pull requests that are open or merged: %d", team, len(reverts))
	if len(reverts) != 1 || r.View == nil {
		return
	}
	by := reverts[0].MergedBy
	why := []string{}
	for _, reason := range r.View.Decision.Reasons {
		why = append(why, reason.Name)
	}
	switch team {
	case teams[0]:
		p.is(r.Approved != nil && r.Approved.By == "bob" && by == s.world.app.BotLogin() && stepOf(r, "approve") != nil,
			"%s: max_affected made it ask, a second person approved, then it merged (by %s, reasons %v)", team, by, why)
	case teams[1]:
		p.is(r.View.Decision.Verb == bot.VerbPropose && slices.Contains(why, "cap") && by == "carol",
			"%s: per_day made it a proposal, which a person merged (by %s, reasons %v)", team, by, why)
	default:
		p.is(r.View.Decision.Verb == bot.VerbAct && by == s.world.app.BotLogin(), "%s: merged by itself (by %s, reasons %v)", team, by, why)
	}
}

func stepOf(r bot.Record, name string) *bot.Stage {
	if i := slices.IndexFunc(r.View.Steps, func(s bot.Stage) bool { return s.Name == name }); i >= 0 {
		return &r.View.Steps[i]
	}
	return nil
}

// reverts lists the revert pull requests of a team's culprit that stand. One
// whose base moved just as it was opened is closed and opened anew.
func (w *world) reverts(team string) []fakehub.PR {
	var list []fakehub.PR
	for _, pr := range w.repo.PRs() {
		if pr.Author == w.app.BotLogin() && strings.HasPrefix(pr.Title, `Revert "Move `+team+` `) && (pr.Merged || pr.State == "open") {
			list = append(list, pr)
		}
	}
	return list
}

// proposed fails unless beta's revert is open and unmerged when all the rest
// has ended.
func (s *storm) proposed() error {
	for _, pr := range s.world.reverts(teams[1]) {
		if pr.State == "open" {
			return nil
		}
	}
	return fmt.Errorf("the revert for %s is not proposed: %+v", teams[1], s.world.reverts(teams[1]))
}
