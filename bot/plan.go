package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Plan is what a Rollback would do if it began now: all facts read, the revert
// computed, the decision made. Making one changes nothing.
type Plan struct {
	Decision Decision `json:"decision"`
	Policy   Policy   `json:"policy"`
	// PolicyAt is the policy file by which it was decided.
	PolicyAt PolicyAt `json:"policy_at,omitzero"`
	Branch   Branch   `json:"branch"`
	// Revert without the files' contents: they are computed again where they
	// are written, and must come to the same tree.
	Revert   Revert        `json:"revert"`
	Apps     []App         `json:"apps,omitempty"`
	Affected []AppID       `json:"affected,omitempty"`
	Before   []CheckResult `json:"before,omitempty"`
	// Images are the tags that a program would write again.
	Images []ImageUpdate `json:"images,omitempty"`
}

// plan reads the world and decides. It is one step's act: everything in it is
// a read, so it may run any number of times.
func (f *Flow) plan(ctx context.Context, rb Rollback) (Plan, error) {
	var p Plan
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		p.Branch, err = f.Ports.Pulls.Branch(gctx, rb.Repo, rb.Base)
		return err
	})
	g.Go(func() error { return f.Ports.History.Fetch(gctx, rb.Repo) })
	g.Go(func() error { return f.Ports.Reverts.Warm(gctx, rb.Repo) })
	g.Go(func() (err error) {
		p.Apps, err = f.Ports.Fleet.observe(gctx, rb.Apps)
		return err
	})
	g.Go(func() error {
		f.halted(gctx, rb.Repo) // what it sees is asked for below
		return nil
	})
	if err := g.Wait(); err != nil {
		return p, err
	}

	contained, err := f.Ports.History.Contains(ctx, rb.Repo, p.Branch.Head, rb.Culprit.Head())
	if err != nil {
		return p, fmt.Errorf("look for %s on %s: %w", rb.Culprit.Head().Short(), rb.Base, err)
	}
	if !contained {
		return p, NewTrouble(TroubleInvalid, nil, "Commit %s is not on branch %s.", rb.Culprit.Head().Short(), rb.Base).
			WithAdvice("Name a commit or a merged pull request of %s.", rb.Base)
	}
	rv, err := f.Ports.History.Revert(ctx, rb.Repo, p.Branch.Head, rb.Culprit)
	if err != nil {
		return p, fmt.Errorf("compute revert of %s: %w", rb.Culprit.Head().Short(), err)
	}
	if p.Affected, err = f.affected(ctx, rb, rv); err != nil {
		return p, err
	}
	rules, at, err := f.rules(ctx, rb.Repo)
	if err != nil {
		return p, err
	}
	p.Policy, p.PolicyAt = rules.Policy(rb.Apps...), at
	c, err := f.weigh(ctx, rb, p, rv)
	if err != nil {
		return p, err
	}
	p.Decision = unmergeable(rb.Incident, rules.Decide(c))
	if f.Observe {
		p.Decision = Decision{Verb: VerbObserve, Reasons: append([]Reason{{"observe", "Backout runs with --observe: it records and writes nowhere."}}, p.Decision.Reasons...)}
	}
	if p.Images, err = f.images(ctx, rb, p.Policy, rv); err != nil {
		return p, err
	}
	if p.Before, _, err = f.checkApps(ctx, p.Apps, rules); err != nil {
		return p, err
	}
	p.Revert = withoutContents(rv)
	return p, nil
}

// affected lists the Apps, other than the targets, whose closure the revert
// writes to.
func (f *Flow) affected(ctx context.Context, rb Rollback, rv Revert) ([]AppID, error) {
	apps, err := f.Ports.Fleet.Apps(ctx)
	if err != nil {
		return nil, err
	}
	paths := make([]string, 0, len(rv.Files))
	for _, file := range rv.Files {
		paths = append(paths, file.Path)
	}
	touched, err := f.touched(ctx, rb.Repo, rb.Base, rv.Onto, paths, apps)
	if err != nil {
		return nil, err
	}
	var out []AppID
	for _, app := range touched {
		if app.Source.Untracked == "" && !slices.Contains(rb.Apps, app.ID) {
			out = append(out, app.ID)
		}
	}
	return out, nil
}

// touched keeps the Apps that are built from one of the paths of repo, as the
// tree at rev references them, and track its base branch or no branch at all.
func (f *Flow) touched(ctx context.Context, repo RepoName, base string, rev SHA, paths []string, apps []App) ([]App, error) {
	tree, err := f.Ports.History.Tree(ctx, repo, rev)
	if err != nil {
		return nil, fmt.Errorf("read tree of %s: %w", rev.Short(), err)
	}
	var out []App
	for _, app := range apps {
		if !strings.EqualFold(string(app.Source.Repo), string(repo)) || !tracks(app, base) {
			continue
		}
		closure := f.closure(repo, rev, tree, app.Source.Paths)
		if slices.ContainsFunc(paths, func(p string) bool { return within(p, closure) }) {
			out = append(out, app)
		}
	}
	return out, nil
}

// tracks reports whether an App follows the branch; "HEAD" and "" mean the
// default branch, which is the only base that we get such Apps for.
func tracks(app App, base string) bool {
	return app.Source.Branch == base || app.Source.Branch == "HEAD" || app.Source.Branch == ""
}

// within reports whether path is one of roots or below one.
func within(path string, roots []string) bool {
	for _, root := range roots {
		if root == "." || path == root || len(path) > len(root) && path[:len(root)] == root && path[len(root)] == '/' {
			return true
		}
	}
	return false
}

// sample runs an App's configured checks once.
func (f *Flow) sample(ctx context.Context, p Policy, app App) []CheckResult {
	var out []CheckResult
	for _, c := range p.Checks {
		res, err := f.Ports.Checks.Run(ctx, c, app)
		if err != nil {
			res = CheckResult{Name: c.Name, Status: CheckUnknown, Detail: AsTrouble(err).Text}
		}
		res.Advisory = c.Advisory
		out = append(out, res)
	}
	return out
}

// withoutContents drops what the journal needs not keep.
func withoutContents(rv Revert) Revert {
	files := make([]FileChange, 0, len(rv.Files))
	for _, file := range rv.Files {
		file.Before, file.After = nil, nil
		files = append(files, file)
	}
	rv.Files = files
	return rv
}
