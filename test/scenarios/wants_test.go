package scenarios

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/report"
	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/test/stage"
)

// mine are the pull requests that the bot opened.
func (p *play) mine() []fakehub.PR {
	var out []fakehub.PR
	for _, pr := range p.stage.Repo.PRs() {
		if pr.Author == p.stage.GitHub.BotLogin() {
			out = append(out, pr)
		}
	}
	return out
}

func wantVerdict(p *play, args string) error {
	return p.until("verdict "+args, func() (bool, string) {
		rs := p.rollbacks()
		if len(rs) == 0 {
			return false, "no rollback"
		}
		for _, r := range rs {
			if r.End == nil {
				return false, "rollback " + string(r.ID) + " is under way"
			}
		}
		return string(rs[0].End.Verdict) == args, string(rs[0].End.Verdict) + ": " + rs[0].End.Summary
	})
}

func wantPulls(p *play, args string) error {
	n := p.number(args)
	return p.until(args+" pull requests by the bot", func() (bool, string) {
		return len(p.mine()) == n, fmt.Sprint(len(p.mine()))
	})
}

func (p *play) comments(number int) []string {
	var out []string
	for _, c := range p.stage.Repo.Comments(number) {
		if c.Author == p.stage.GitHub.BotLogin() {
			out = append(out, c.Body)
		}
	}
	return out
}

func wantComment(p *play, args string) error {
	num, text, _ := strings.Cut(args, " ")
	n := p.number(num)
	return p.until("a comment on #"+args, func() (bool, string) {
		all := strings.Join(p.comments(n), "\n----\n")
		return strings.Contains(all, text), all
	})
}

func wantComments(p *play, args string) error {
	w := words(args)
	n, want := p.number(w[0]), p.number(w[1])
	return p.until("comments on #"+args, func() (bool, string) {
		got := p.comments(n)
		return len(got) == want, strings.Join(got, "\n----\n")
	})
}

func wantFile(p *play, args string) error {
	path, text, _ := strings.Cut(args, " ")
	return p.until(args, func() (bool, string) {
		got, _ := p.stage.Repo.File("main", path)
		return strings.Contains(got, text), got
	})
}

func (p *play) held(name string) (bool, string) {
	app, err := p.stage.Cluster.App(p.ctx, appID(name))
	if err != nil {
		return false, err.Error()
	}
	return app.Hold != nil, fmt.Sprintf("%+v", app.Hold)
}

func wantHeld(p *play, args string) error {
	return p.until(args+" to be held", func() (bool, string) { return p.held(args) })
}

func wantFree(p *play, args string) error {
	return p.until(args+" to be free", func() (bool, string) {
		held, seen := p.held(args)
		return !held, seen
	})
}

func wantEffect(p *play, args string) error {
	num, what, _ := strings.Cut(args, " ")
	return p.until(args, func() (bool, string) {
		got := p.stage.Cluster.Effects()
		return got[what] == p.number(num), fmt.Sprint(got)
	})
}

func wantNoWrites(p *play, _ string) error {
	if n := p.stage.Hub.CountWrites(p.stage.GitHub.BotLogin()); n != 0 {
		return fmt.Errorf("the bot made %d content writes", n)
	}
	return nil
}

func wantRollbacks(p *play, args string) error {
	return p.until(args+" rollbacks", func() (bool, string) {
		n := len(p.rollbacks())
		return n == p.number(args), strconv.Itoa(n)
	})
}

// wantPreview asks for the plan as `backout plan` does.
func wantPreview(p *play, args string) error {
	target, text, _ := strings.Cut(args, " ")
	cmd := bot.Command{Verb: bot.CommandPlan, SHA: target}
	if n, ok := strings.CutPrefix(target, "#"); ok {
		cmd = bot.Command{Verb: bot.CommandPlan, PR: p.number(n)}
	}
	view, answer, err := p.stage.App.Flow.Preview(p.ctx, stage.RepoName, cmd)
	if err != nil {
		return err
	}
	got := fmt.Sprint(answer)
	if view != nil {
		got = report.Teller{}.Reply(bot.Answer{Kind: bot.AnswerPlan, View: view})
	}
	if !strings.Contains(got, text) {
		return fmt.Errorf("the preview lacks %q:\n%s", text, got)
	}
	return nil
}

// wantWaiting waits until the newest Rollback waits with a sentence that holds
// the text.
func wantWaiting(p *play, args string) error {
	return p.until("waiting: "+args, func() (bool, string) {
		rs := p.rollbacks()
		if len(rs) == 0 || rs[0].View == nil {
			return false, "no view"
		}
		return strings.Contains(rs[0].View.Waiting, args), rs[0].View.Waiting
	})
}
