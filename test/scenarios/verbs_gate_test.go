package scenarios

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/backout-dev/backout/test/fakehub"
)

// These verbs set what stands before a merge, and play the people, the CI and
// the queue in front of it.

// repoOptions changes how the repository is created.
func repoOptions(p *play, args string) error {
	for _, w := range words(args) {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "methods":
			p.repo = append(p.repo, func(o *fakehub.RepoOptions) { o.Methods = strings.Split(value, ",") })
		case "auto-merge":
			p.repo = append(p.repo, func(o *fakehub.RepoOptions) { o.AllowAutoMerge = true })
		default:
			return fmt.Errorf("repo knows no %q", key)
		}
	}
	return nil
}

// ciApp makes a GitHub App that reports checks under its own name.
func (p *play) ciApp(slug string) (*fakehub.App, error) {
	if app, ok := p.ciApps[slug]; ok {
		return app, nil
	}
	app, err := p.stage.Hub.CreateApp(fakehub.AppOptions{Slug: slug})
	if err == nil {
		p.ciApps[slug] = app
	}
	return app, err
}

// revert is the newest pull request by the bot that is open.
func (p *play) revert() (fakehub.PR, error) {
	var open fakehub.PR
	err := p.until("an open revert", func() (bool, string) {
		for _, pr := range p.mine() {
			if pr.State == "open" {
				open = pr
			}
		}
		return open.Number != 0, "none"
	})
	return open, err
}

func review(p *play, args string) error {
	w := words(args)
	pr, err := p.revert()
	if err != nil {
		return err
	}
	return p.stage.Repo.Review(pr.Number, w[0], w[1], strings.Join(w[2:], " "))
}

func lag(p *play, args string) error {
	n := p.number(args)
	p.before = append(p.before, func() { p.stage.Hub.SetLag(fakehub.Lag{Reads: n}) })
	return nil
}

// refuseMerge lets GitHub refuse the next merges as it does when it can't do
// them: with status 405.
func refuseMerge(p *play, args string) error {
	num, text, _ := strings.Cut(args, " ")
	p.stage.Hub.Fail(fakehub.Fault{
		Match:  func(r fakehub.Request) bool { return r.Method == http.MethodPut && strings.HasSuffix(r.Path, "/merge") },
		Times:  p.number(num),
		Status: http.StatusMethodNotAllowed, Body: fmt.Sprintf(`{"message":%q}`, text),
	})
	return nil
}

func approvePR(p *play, args string) error {
	w := words(args)
	return p.stage.Repo.Review(p.number(w[0]), w[1], "APPROVE", "")
}

// ciAlso adds a check that CI reports on each new head.
func ciAlso(p *play, args string) error {
	w := words(args)
	p.stage.Repo.CI(func(string) []fakehub.CIResult {
		return []fakehub.CIResult{{Name: "ci", Conclusion: "success"}, {Name: w[0], Conclusion: w[1]}}
	})
	return nil
}

func draftRevert(p *play, _ string) error {
	pr, err := p.revert()
	if err != nil {
		return err
	}
	return p.stage.Repo.Draft(pr.Number, "bob", true)
}

func queueHuman(p *play, args string) error {
	n := p.number(args)
	if err := p.until("the pull request to be ready", func() (bool, string) {
		pr, _ := p.stage.Repo.PR(n)
		return pr.Status == "CLEAN" || pr.Status == "BLOCKED", pr.Status
	}); err != nil {
		return err
	}
	return p.stage.Repo.Enqueue(n, "bob")
}

func runQueue(p *play, _ string) error { return p.stage.Repo.RunQueue("main") }

// failQueue builds the queue's merges, on which CI reports that check as
// failed.
func failQueue(p *play, args string) error {
	p.stage.Repo.CI(func(string) []fakehub.CIResult { return []fakehub.CIResult{{Name: args, Conclusion: "failure"}} })
	p.stage.Repo.BuildQueue("main")
	return nil
}

func disarm(p *play, args string) error {
	pr, err := p.revert()
	if err != nil {
		return err
	}
	return p.stage.Repo.Disarm(pr.Number, args)
}

// wantOpen waits until the open revert is as wanted.
func wantOpen(what string, is func(pr fakehub.PR, args string) bool) func(p *play, args string) error {
	return func(p *play, args string) error {
		return p.until("the revert to be "+what+" "+args, func() (bool, string) {
			pulls := p.mine()
			for _, pr := range pulls {
				if is(pr, args) {
					return true, ""
				}
			}
			return false, fmt.Sprintf("%+v", pulls)
		})
	}
}
