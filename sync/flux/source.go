package flux

import (
	"fmt"
	"path"
	"strings"

	sourcev1 "github.com/fluxcd/source-controller/api/v1"

	"github.com/backout-dev/backout/bot"
)

// tracked is the part of a source that all Apps of a GitRepository share.
func (c *Controller) tracked(r *sourcev1.GitRepository) bot.Source {
	branch, pinned := branchOf(r.Spec.Reference)
	repo, ours := repoOn(c.host, r.Spec.URL)
	s := bot.Source{Repo: repo, Branch: branch}
	switch {
	case !ours:
		s.Untracked = fmt.Sprintf("GitRepository %s/%s is on %s, not a repository on %s.",
			r.Namespace, r.Name, serverOf(r.Spec.URL), c.host)
	case pinned != "":
		s.Untracked = fmt.Sprintf("GitRepository %s/%s follows %s; a revert takes effect only where a branch is followed (spec.ref.branch).",
			r.Namespace, r.Name, pinned)
	}
	return s
}

// branchOf returns the branch that a GitRepository tracks, or what it follows
// instead. Precedence is commit, name, semver, tag, branch; the branch is
// "master" when nothing is said, whatever the repository's default branch is
// (https://fluxcd.io/flux/components/source/gitrepositories/#reference).
func branchOf(ref *sourcev1.GitRepositoryRef) (branch, pinned string) {
	const byDefault = "master"
	switch {
	case ref == nil:
		return byDefault, ""
	case ref.Commit != "":
		return "", "the fixed commit " + bot.SHA(ref.Commit).Short()
	case ref.Name != "":
		if b, ok := strings.CutPrefix(ref.Name, "refs/heads/"); ok {
			return b, ""
		}
		return "", "the ref " + ref.Name
	case ref.SemVer != "":
		return "", "tags by version " + ref.SemVer
	case ref.Tag != "":
		return "", "tag " + ref.Tag
	case ref.Branch != "":
		return ref.Branch, ""
	}
	return byDefault, ""
}

// elsewhere is the source of an App that does not come from a GitRepository.
func elsewhere(kind, namespace, name string) bot.Source {
	return bot.Source{Untracked: fmt.Sprintf(
		"It is delivered from %s %s/%s, not from a branch of a GitRepository.", kind, namespace, name)}
}

// unreadable is the source of an App whose GitRepository is gone or forbidden.
func unreadable(why *bot.Trouble) bot.Source {
	return bot.Source{Untracked: "Its source can't be read. " + why.Text}
}

// cleanPath brings a path of Flux's into our form: "./apps/web/" and
// "/apps/web" become "apps/web", none becomes ".". Like Flux, it never leaves
// the root of the repository.
func cleanPath(p string) string {
	p = strings.TrimPrefix(path.Clean("/"+p), "/")
	if p == "" {
		return "."
	}
	return p
}
