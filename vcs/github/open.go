package github

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/shurcooL/githubv4"

	"github.com/backout-dev/backout/bot"
)

// branchPrefix is where all our branches are. Nothing outside of it is ever
// created or deleted.
const branchPrefix = "backout/"

// Open creates branch, commit and pull request of a revert: with one request
// where createCommitOnBranch can express the change, else through the Git data
// API, which takes four to six in sequence. No author is set in either, so
// that GitHub signs the commit and shows it as Verified
// (https://docs.github.com/authentication/managing-commit-signature-verification/about-commit-signature-verification#signature-verification-for-bots).
//
// The branch is the lock. When the answer is not a clean success, what stands
// on the branch decides what happens next, whoever put it there.
func (c *Client) Open(ctx context.Context, req bot.RevertRequest) (bot.RevertPull, error) {
	r, err := c.repo(req.Repo)
	if err != nil {
		return bot.RevertPull{}, err
	}
	o := &opening{repository: r, req: req}
	out, err := o.open(ctx)
	if err != nil {
		return bot.RevertPull{}, r.trouble(err, "open the revert %s in %s", req.Branch, req.Repo)
	}
	return out, nil
}

// maxTitle is how long a pull request's title may be, in characters.
const maxTitle = 256

// opening is one call of Open.
type opening struct {
	*repository

	req bot.RevertRequest
	// good is a commit that is known to be the wanted one: written through the
	// Git data API, or found on the branch. Empty while createCommitOnBranch is
	// to write it.
	good bot.SHA
}

// openAnswer is what the opening document answers. A field that failed, or was
// not asked for, is nil.
type openAnswer struct {
	Ref *struct {
		Ref *struct {
			Name string `json:"name"`
		} `json:"ref"`
	} `json:"createRef"`
	Commit *struct {
		Commit *commitNode `json:"commit"`
	} `json:"createCommitOnBranch"`
	Pull *struct {
		PullRequest *pullNode `json:"pullRequest"`
	} `json:"createPullRequest"`
}

func (a openAnswer) pull() *pullNode {
	if a.Pull == nil {
		return nil
	}
	return a.Pull.PullRequest
}

func (a openAnswer) commit() *commitNode {
	if a.Commit == nil {
		return nil
	}
	return a.Commit.Commit
}

// maxAttempts bounds how often what is missing is asked for again: once for
// each thing that can be missing.
const maxAttempts = 3

func (o *opening) open(ctx context.Context) (bot.RevertPull, error) {
	if err := o.check(); err != nil {
		return bot.RevertPull{}, err
	}
	if !fitsOneDocument(o.req.Files) {
		made, err := o.writeObjects(ctx)
		if err != nil {
			return bot.RevertPull{}, err
		}
		o.good = made
	}
	at, ours := standsNothing, false
	for attempt := range maxAttempts {
		answer, err := o.send(ctx, at)
		ours = ours || answer.Ref != nil
		if err == nil && answer.pull() != nil {
			if out, done, err := o.accept(ctx, answer, !ours); done {
				return out, err
			}
		}
		if graph, ok := asGraph(err); refused(err) || ok && graph.beforeEffect() {
			return bot.RevertPull{}, err
		}
		w, lookErr := o.look(ctx, o.req)
		if lookErr != nil {
			return bot.RevertPull{}, lookErr
		}
		switch at = w.against(o.req); at {
		case standsNothing:
			return bot.RevertPull{}, nothingStands(err)
		case standsForeign:
			return bot.RevertPull{}, o.leave(ctx, w, answer)
		case standsWrong:
			return bot.RevertPull{}, o.undo(ctx, wrongTree(w.tip.Tree.OID, o.req.Tree))
		case standsComplete:
			return o.settle(ctx, w, answer, !ours)
		case standsCommit:
			o.good = w.tip.OID
		}
		if why, ok := final(err, at, attempt); ok {
			return bot.RevertPull{}, o.undo(ctx, why)
		}
	}
	return bot.RevertPull{}, bot.NewTrouble(bot.TroubleTransient, nil, "only a part of it is there after %d attempts", maxAttempts)
}

// check refuses what must never be sent.
func (o *opening) check() error {
	invalid := func(format string, args ...any) error {
		return bot.NewTrouble(bot.TroubleInvalid, nil, format, args...)
	}
	switch q := o.req; {
	case !strings.HasPrefix(q.Branch, branchPrefix):
		return invalid("branch %q is not below %s", q.Branch, branchPrefix)
	case !q.Onto.Valid() || !q.Tree.Valid():
		return invalid("base head %q or tree %q is not an object name", q.Onto, q.Tree)
	case q.Base == "":
		return invalid("no base branch is named")
	case len(q.Files) == 0:
		return invalid("the revert changes no file")
	}
	return nil
}

// send asks for what is still missing after a standing.
func (o *opening) send(ctx context.Context, at standing) (openAnswer, error) {
	node, err := o.node(ctx)
	if err != nil {
		return openAnswer{}, err
	}
	var params, fields []string
	vars := map[string]any{}
	add := func(param, typ, field string, input any) {
		params = append(params, "$"+param+": "+typ+"!")
		fields = append(fields, field)
		vars[param] = input
	}
	if at == standsNothing {
		tip := o.req.Onto
		if o.good != "" {
			tip = o.good
		}
		add("ref", "CreateRefInput", refField, githubv4.CreateRefInput{
			RepositoryID: node,
			Name:         githubv4.String("refs/heads/" + o.req.Branch),
			Oid:          githubv4.GitObjectID(tip),
		})
	}
	switch {
	case at == standsBranch && o.good != "":
		if err := o.advance(ctx); err != nil {
			return openAnswer{}, err
		}
	case at <= standsBranch && o.good == "":
		add("commit", "CreateCommitOnBranchInput", commitField, o.commitInput())
	}
	add("pull", "CreatePullRequestInput", pullField, githubv4.CreatePullRequestInput{
		RepositoryID: node,
		BaseRefName:  githubv4.String(o.req.Base),
		HeadRefName:  githubv4.String(o.req.Branch),
		Title:        githubv4.String(clip(o.req.Title, maxTitle, "…")),
		Body:         githubv4.NewString(githubv4.String(clipBody(o.req.Body, ""))),
		Draft:        githubv4.NewBoolean(githubv4.Boolean(o.req.Draft)),
	})
	document := "mutation Open(" + strings.Join(params, ", ") + ") {\n" + strings.Join(fields, "") + "}\n" + pullFields
	var answer openAnswer
	err = o.graphql(ctx, document, vars, &answer)
	return answer, err
}

func (o *opening) commitInput() githubv4.CreateCommitOnBranchInput {
	var adds []githubv4.FileAddition
	var dels []githubv4.FileDeletion
	for _, f := range o.req.Files {
		if f.AfterMode == "" {
			dels = append(dels, githubv4.FileDeletion{Path: githubv4.String(f.Path)})
			continue
		}
		adds = append(adds, githubv4.FileAddition{
			Path:     githubv4.String(f.Path),
			Contents: githubv4.Base64String(base64.StdEncoding.EncodeToString(f.After)),
		})
	}
	headline, body, _ := strings.Cut(o.req.Message, "\n")
	in := githubv4.CreateCommitOnBranchInput{
		Branch: githubv4.CommittableBranch{
			RepositoryNameWithOwner: githubv4.NewString(githubv4.String(o.name)),
			BranchName:              githubv4.NewString(githubv4.String(o.req.Branch)),
		},
		Message:         githubv4.CommitMessage{Headline: githubv4.String(headline)},
		ExpectedHeadOid: githubv4.GitObjectID(o.req.Onto),
		FileChanges:     &githubv4.FileChanges{},
	}
	if body = strings.Trim(body, "\n"); body != "" {
		in.Message.Body = githubv4.NewString(githubv4.String(body))
	}
	if len(adds) > 0 {
		in.FileChanges.Additions = &adds
	}
	if len(dels) > 0 {
		in.FileChanges.Deletions = &dels
	}
	return in
}
