package crash

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
)

// comment writes a comment on the culprit and returns when the bot has accepted
// it.
func (r *run) comment(by, text string) error {
	id, err := r.stage.Repo.Comment(r.culprit, by, text)
	if err != nil {
		return err
	}
	r.comments = append(r.comments, id)
	r.events++
	return r.until("comment "+text+" to be accepted", func() (bool, string) {
		flows, err := r.flows()
		return intakeOf(flows, id) != "", fmt.Sprint(flows, err)
	})
}

// intakeOf is the status of the flow that handles a comment; "" while there is
// none.
func intakeOf(flows map[string]string, comment int64) string {
	for id, status := range flows {
		if strings.HasPrefix(id, "intake-comment-") && strings.Contains(id, fmt.Sprintf("-%d-", comment)) {
			return status
		}
	}
	return ""
}

// alert posts the alert that speaks of an App, as Alertmanager does: again
// until it is answered with 2xx.
func (r *run) alert(app string) error {
	var mine []bot.Alert
	for _, a := range r.stage.Cluster.Alerts() {
		if a.Labels["deployment"] == app {
			mine = append(mine, a)
		}
	}
	if len(mine) != 1 {
		return fmt.Errorf("%d alerts speak of %s", len(mine), app)
	}
	r.events++
	var last time.Time
	return r.until("the alert of "+app+" to be accepted", func() (bool, string) {
		if time.Since(last) < 50*time.Millisecond {
			return false, "pause"
		}
		last = time.Now()
		code, err := r.stage.SendAlerts(r.ctx, mine...)
		if err != nil || code/100 != 2 {
			return false, fmt.Sprint(code, err)
		}
		r.answered("alerts")
		return true, ""
	})
}

// step waits until a step of the Rollback is on record.
func (r *run) step(name string) error {
	return r.until("step "+name, func() (bool, string) {
		return r.director.times(after, "record rollback: "+name) > 0, "not recorded"
	})
}

// green turns the check green on every head of an open revert until nothing is
// left to check.
func (r *run) green() error {
	done := map[string]bool{}
	return r.until("the revert to be merged", func() (bool, string) {
		for _, pr := range r.reverts() {
			switch {
			case pr.State != "open":
				return true, ""
			case done[pr.HeadSHA]:
				continue
			}
			done[pr.HeadSHA] = true
			if err := r.stage.Repo.SetCheck(pr.HeadSHA, "ci", "success", nil); err != nil {
				return false, err.Error()
			}
		}
		return false, "open"
	})
}

// revert waits until a revert is as told.
func (r *run) revert(what string, is func(fakehub.PR) bool) error {
	return r.until(what, func() (bool, string) {
		all := r.reverts()
		return slices.ContainsFunc(all, is), fmt.Sprintf("%+v", all)
	})
}

// reverts are the pull requests of the bot.
func (r *run) reverts() []fakehub.PR {
	var out []fakehub.PR
	for _, pr := range r.stage.Repo.PRs() {
		if pr.Author == r.stage.GitHub.BotLogin() {
			out = append(out, pr)
		}
	}
	return out
}
