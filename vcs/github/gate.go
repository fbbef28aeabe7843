package github

import (
	"context"

	"github.com/backout-dev/backout/bot"
)

// stateUnknown is what GitHub says while it computes, and what we say when an
// answer contradicts itself: the flow then looks again.
const stateUnknown = "UNKNOWN"

// maxCheckPages bounds the checks of one commit to 2,000.
const maxCheckPages = 20

// Gate reads the merge state of a pull request with every check on its head,
// in one request for each hundred checks.
func (c *Client) Gate(ctx context.Context, name bot.RepoName, number int) (bot.Gate, error) {
	r, err := c.repo(name)
	if err != nil {
		return bot.Gate{}, err
	}
	g, _, err := r.gate(ctx, number)
	if err != nil {
		return bot.Gate{}, r.trouble(err, "read the merge state of pull request %d in %s", number, name)
	}
	return g, nil
}

// gate also returns the head commit, whose parents tell how it came about.
func (r *repository) gate(ctx context.Context, number int) (bot.Gate, headNode, error) {
	vars := map[string]any{"owner": r.owner, "name": r.short, "number": number, "after": nil}
	var g bot.Gate
	var head headNode
	for page := range maxCheckPages {
		p, err := r.gatePage(ctx, vars)
		if err != nil {
			return bot.Gate{}, headNode{}, err
		}
		if page == 0 {
			g = p.gate()
			r.note(&p.pullNode)
			head, _ = p.head()
		}
		contexts := p.contexts()
		if p.Head != g.Head || contexts.commit != "" && contexts.commit != g.Head {
			// Pushed to while we read, or not listed yet.
			g.State = stateUnknown
			return g, head, nil
		}
		for _, n := range contexts.Nodes {
			g.Checks = append(g.Checks, n.check(r.client.appID))
		}
		if !contexts.PageInfo.HasNext {
			return g, head, nil
		}
		vars["after"] = contexts.PageInfo.End
	}
	g.State = stateUnknown // checks that were not read can't be vouched for.
	return g, head, nil
}

func (r *repository) gatePage(ctx context.Context, vars map[string]any) (*gateNode, error) {
	var answer struct {
		Repository *struct {
			PullRequest *gateNode `json:"pullRequest"`
		} `json:"repository"`
	}
	if err := r.graphql(ctx, gateDocument, vars, &answer); err != nil {
		return nil, err
	}
	if answer.Repository == nil || answer.Repository.PullRequest == nil {
		return nil, bot.NewTrouble(bot.TroubleNotFound, nil, "there is no such pull request")
	}
	return answer.Repository.PullRequest, nil
}

// gate is the pull request without its checks.
func (p *pullNode) gate() bot.Gate {
	g := bot.Gate{
		State:          p.MergeState,
		Open:           p.open(),
		Merged:         p.Merged,
		Head:           p.Head,
		BaseHead:       p.baseHead(),
		ReviewDecision: p.ReviewDecision,
		InQueue:        p.InQueue,
		Armed:          p.Auto != nil,
	}
	if p.MergeCommit != nil && p.Merged {
		g.MergeCommit = p.MergeCommit.OID
	}
	if head, ok := p.head(); ok {
		g.Tree = head.Tree.OID
	} else {
		g.State = stateUnknown
	}
	return g
}

// gateNode is the answer of the gate document.
type gateNode struct {
	pullNode
	Checks struct {
		Nodes []struct {
			Commit struct {
				OID    bot.SHA `json:"oid"`
				Rollup *struct {
					Contexts contextPage `json:"contexts"`
				} `json:"statusCheckRollup"`
			} `json:"commit"`
		} `json:"nodes"`
	} `json:"checks"`
}

type contextPage struct {
	PageInfo struct {
		HasNext bool   `json:"hasNextPage"`
		End     string `json:"endCursor"`
	} `json:"pageInfo"`
	Nodes []contextNode `json:"nodes"`

	commit bot.SHA
}

// contexts is the page of checks; it is empty where nothing reports.
func (g *gateNode) contexts() contextPage {
	var page contextPage
	for _, n := range g.Checks.Nodes {
		if n.Commit.Rollup != nil {
			page = n.Commit.Rollup.Contexts
		}
		page.commit = n.Commit.OID
	}
	return page
}

// contextNode is a check run or a commit status
// (https://docs.github.com/graphql/reference/unions#statuscheckrollupcontext).
type contextNode struct {
	Type       string `json:"__typename"`
	Required   bool   `json:"isRequired"`
	Name       string `json:"name"`
	Status     string `json:"status"`
	Conclusion string `json:"conclusion"`
	Suite      *struct {
		App *struct {
			ID int64 `json:"databaseId"`
		} `json:"app"`
	} `json:"checkSuite"`
	Context string `json:"context"`
	State   string `json:"state"`
}

func (n contextNode) check(appID int64) bot.GateCheck {
	if n.Type == "StatusContext" {
		return bot.GateCheck{
			Name: n.Context, Required: n.Required,
			Done:   n.State == "SUCCESS" || n.State == "FAILURE" || n.State == "ERROR",
			Passed: n.State == "SUCCESS",
		}
	}
	check := bot.GateCheck{
		Name: n.Name, Required: n.Required,
		Done: n.Status == "COMPLETED",
	}
	if n.Suite != nil && n.Suite.App != nil {
		check.App = n.Suite.App.ID
		check.Ours = check.App == appID
	}
	switch n.Conclusion {
	case "SUCCESS", "NEUTRAL", "SKIPPED":
		check.Passed = check.Done
	}
	return check
}
