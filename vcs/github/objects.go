package github

import (
	"context"
	"encoding/base64"
	"net/http"

	"github.com/google/go-github/v60/github"
	"golang.org/x/sync/errgroup"

	"github.com/backout-dev/backout/bot"
)

// uploads is how many blobs are sent at once: a few, because GitHub asks for
// little concurrency in writes
// (https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api),
// and never so few that they take more than three rounds.
func uploads(blobs int) int { return max(4, (blobs+2)/3) }

// writeObjects writes blobs, tree and commit through the Git data API
// (https://docs.github.com/rest/git) and returns the commit. Nothing points at
// them yet, so what comes out wrong needs no cleaning up. With the opening
// document, which makes branch and pull request of the commit, these are four
// requests in sequence, or six where a great many blobs are new.
func (o *opening) writeObjects(ctx context.Context) (bot.SHA, error) {
	var base *github.Commit
	var upload []int
	for i, f := range o.req.Files {
		if f.AfterMode != "" && f.Blob == "" && !inlines(f.After) {
			upload = append(upload, i)
		}
	}
	blobs := make([]bot.SHA, len(o.req.Files))
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(uploads(len(upload)) + 1)
	group.Go(func() (err error) {
		base, _, err = o.api().Git.GetCommit(gctx, o.owner, o.short, string(o.req.Onto))
		return err
	})
	for _, i := range upload {
		group.Go(func() (err error) {
			blobs[i], err = o.writeBlob(gctx, o.req.Files[i].After)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return "", err
	}
	entries := make([]*github.TreeEntry, len(o.req.Files))
	for i, f := range o.req.Files {
		entries[i] = treeEntry(f, blobs[i])
	}
	tree, _, err := o.api().Git.CreateTree(ctx, o.owner, o.short, base.GetTree().GetSHA(), entries)
	if err != nil {
		return "", err
	}
	if got := bot.SHA(tree.GetSHA()); got != o.req.Tree {
		return "", bot.NewTrouble(bot.TroubleInvalid, nil,
			"the tree that GitHub made is %s, and the revert was computed as %s", got.Short(), o.req.Tree.Short()).
			WithAdvice("revert by hand, and report this: it is a bug")
	}
	return o.writeCommit(ctx)
}

func (o *opening) writeBlob(ctx context.Context, content []byte) (bot.SHA, error) {
	blob, _, err := o.api().Git.CreateBlob(ctx, o.owner, o.short, &github.Blob{
		Content:  github.String(base64.StdEncoding.EncodeToString(content)),
		Encoding: github.String("base64"),
	})
	return bot.SHA(blob.GetSHA()), err
}

// writeCommit names neither author nor committer, or GitHub would not sign it.
func (o *opening) writeCommit(ctx context.Context) (bot.SHA, error) {
	commit, _, err := o.api().Git.CreateCommit(ctx, o.owner, o.short, &github.Commit{
		Message: github.String(o.req.Message),
		Tree:    &github.Tree{SHA: github.String(string(o.req.Tree))},
		Parents: []*github.Commit{{SHA: github.String(string(o.req.Onto))}},
	}, nil)
	if err != nil {
		return "", err
	}
	if commit.GetTree().GetSHA() != string(o.req.Tree) || len(commit.Parents) != 1 ||
		commit.Parents[0].GetSHA() != string(o.req.Onto) {
		return "", bot.NewTrouble(bot.TroubleInvalid, nil, "the commit that GitHub made has another tree or parent than asked for").
			WithAdvice("revert by hand, and report this: it is a bug")
	}
	return bot.SHA(commit.GetSHA()), nil
}

// treeEntry is one path of the tree request. An entry with neither content nor
// name of an object deletes the path.
func treeEntry(f bot.FileChange, blob bot.SHA) *github.TreeEntry {
	e := &github.TreeEntry{Path: github.String(f.Path), Mode: github.String(f.AfterMode), Type: github.String("blob")}
	mode := f.AfterMode
	if mode == "" {
		mode = f.BeforeMode
		e.Mode = github.String(mode)
	}
	if mode == modeCommit {
		e.Type = github.String("commit")
	}
	switch {
	case f.AfterMode == "":
	case f.Blob != "":
		e.SHA = github.String(string(f.Blob))
	case blob != "":
		e.SHA = github.String(string(blob))
	default:
		e.Content = github.String(string(f.After))
	}
	return e
}

// advance moves a branch that still stands at the base's head on to the commit
// that was written. It never forces: a branch that moved meanwhile stays.
func (o *opening) advance(ctx context.Context) error {
	in := map[string]any{"sha": string(o.good), "force": false}
	_, err := call(ctx, o.api(), http.MethodPatch, o.path("/git/refs/heads/%s", escapePath(o.req.Branch)), in, nil)
	return err
}
