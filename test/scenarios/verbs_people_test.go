package scenarios

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/backout-dev/backout/cmd/app"
	"github.com/backout-dev/backout/test/fakehub"
)

// These verbs say who people are, and play those who want to stop the bot.

// team puts people into a team of acme, which the bot may read.
func team(p *play, args string) error {
	perms := fakehub.DefaultPermissions()
	perms["members"] = "read"
	p.before = append(p.before, func() { p.stage.GitHub.SetPermissions(perms) })
	return teamHidden(p, args)
}

// teamHidden is a team that the bot may not read.
func teamHidden(p *play, args string) error {
	w := words(args)
	p.before = append(p.before, func() { p.stage.Hub.Team("acme", w[0], w[1:]...) })
	return nil
}

func leave(p *play, args string) error {
	w := words(args)
	if err := p.quiet(); err != nil {
		return err
	}
	p.stage.Hub.Leave("acme", w[0], w[1])
	return nil
}

// allowApps makes Apps and lets the server take commands by them.
func allowApps(p *play, args string) error {
	p.settings = append(p.settings, func(c *app.Config) { c.GitHub.AllowApps = words(args) })
	p.before = append(p.before, func() {
		for _, slug := range words(args) {
			if _, err := p.ciApp(slug); err != nil {
				p.t.Fatal(err)
			}
		}
	})
	return nil
}

// forkPR opens a pull request from the author's fork.
func forkPR(p *play, args string) error {
	w := words(args)
	files, err := p.contents(w[2:])
	if err != nil {
		return err
	}
	if _, err := p.stage.Repo.Fork(w[0]); err != nil {
		return err
	}
	_, err = p.stage.Repo.OpenPR(w[0], w[1], w[0]+":patch", "main", files)
	return err
}

// repeat delivers every comment by people again, so often.
func repeat(p *play, args string) error {
	deliveries := p.stage.GitHub.Deliveries()
	for range p.number(args) {
		for _, d := range deliveries {
			if isPersonsComment(d) && !p.stage.GitHub.Redeliver(d.ID) {
				return fmt.Errorf("delivery %d can't be sent again", d.ID)
			}
		}
	}
	return p.stage.Hub.Flush(p.ctx)
}

func ready(p *play, args string) error { return p.stage.Repo.Draft(p.number(args), "bob", false) }

func issue(p *play, args string) error {
	login, title, _ := strings.Cut(args, " ")
	p.stage.Repo.OpenIssue(login, title, "")
	return nil
}

func closeIssue(p *play, args string) error { return p.stage.Repo.CloseIssue(p.number(args)) }

func label(p *play, args string) error {
	w := words(args)
	return p.stage.Repo.LabelAs(w[0], p.number(w[1]), w[2])
}

func unlabel(p *play, args string) error {
	w := words(args)
	return p.stage.Repo.Unlabel(w[0], p.number(w[1]), w[2])
}

// labels says whether GitHub answers what carries a label.
func labels(p *play, args string) error {
	if args == "back" {
		p.stage.Hub.Behave()
		return nil
	}
	p.stage.Hub.Fail(fakehub.Fault{
		Match: func(r fakehub.Request) bool {
			return r.Method == http.MethodGet && strings.HasSuffix(r.Path, "/issues")
		},
		Times: -1, Status: http.StatusBadGateway,
	})
	return nil
}

// killSwitchFile says where the file of the kill switch is, below the data.
func killSwitchFile(p *play, args string) error {
	p.killFile = filepath.Join(filepath.Dir(p.killFile), filepath.FromSlash(args))
	return nil
}
