package argo

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"

	"github.com/backout-dev/backout/bot"
)

// headBranch is [bot.Source].Branch of an Application that tracks the default
// branch, whose name Argo CD does not tell.
const headBranch = "HEAD"

// place is where one source of an Application comes from.
type place struct {
	repo      bot.RepoName
	branch    string
	untracked string // why it can't be reverted through git
}

// sourceOf reduces an Application's sources to the one repository and branch
// that we can revert on: those of the first source that tracks a branch on our
// host. Sources elsewhere, or on another branch, are not ours to change. first
// is that source's position, which is also that of its revision.
func (s *Server) sourceOf(a *argov1.Application) (source bot.Source, first int) {
	if h := a.Spec.SourceHydrator; h != nil {
		return hydrated(s.cfg.Host, h), 0
	}
	sources := a.Spec.GetSources()
	if len(sources) == 0 {
		return bot.Source{Untracked: "It has no source."}, 0
	}
	places := make([]place, len(sources))
	for i := range sources {
		places[i] = placeOf(s.cfg.Host, &sources[i], at(revisions(a.Status.Sync.Revision, a.Status.Sync.Revisions), i))
	}
	first = slices.IndexFunc(places, func(p place) bool { return p.untracked == "" })
	if first < 0 {
		first = max(0, slices.IndexFunc(places, func(p place) bool { return p.repo != "" }))
		p := places[first]
		return bot.Source{Repo: p.repo, Untracked: p.untracked}, first
	}
	p := places[first]
	return bot.Source{Repo: p.repo, Branch: p.branch, Paths: paths(a, sources, places, p)}, first
}

// hydrated is an Application whose manifests Argo CD itself commits to a branch:
// what a person changed is on another one, and its commits are not those that
// the status speaks of.
func hydrated(ours string, h *argov1.SourceHydrator) bot.Source {
	repo, _, _ := repoOn(ours, h.DrySource.RepoURL)
	return bot.Source{Repo: repo, Untracked: fmt.Sprintf(
		"The source hydrator renders its manifests from %s to the branch %s, so the commits that are delivered are not those that people make.",
		defaultTo(h.DrySource.TargetRevision, headBranch), h.SyncSource.TargetBranch)}
}

func placeOf(ours string, src *argov1.ApplicationSource, resolved string) place {
	if src.Chart != "" {
		return place{untracked: fmt.Sprintf("It installs version %s of the chart %s from a Helm repository; only manifests in git can be reverted through git.", src.TargetRevision, src.Chart)}
	}
	repo, host, ok := repoOn(ours, src.RepoURL)
	if !ok {
		return place{untracked: fmt.Sprintf("Its manifests come from %s, which is not a repository on %s.", host, ours)}
	}
	branch, untracked := target(src.TargetRevision, resolved)
	return place{repo: repo, branch: branch, untracked: untracked}
}

var (
	hexadecimal = regexp.MustCompile(`^[0-9A-Fa-f]{7,40}$`)
	version     = regexp.MustCompile(`^v?[0-9]+\.[0-9]+\.[0-9]+([-+].*)?$`)
)

// target reads a targetRevision; resolved is the revision that Argo CD found
// for it. It errs towards untracked: refusing an odd branch does less harm than
// reverting on a branch that is not delivered. How Argo CD reads it:
// util/git/client.go, lsRemote.
func target(rev, resolved string) (branch, untracked string) {
	const cure = "point targetRevision at a branch to have it reverted through git."
	short, isHead := strings.CutPrefix(rev, "refs/heads/")
	switch {
	case rev == "" || rev == headBranch:
		return headBranch, ""
	case isHead:
		return short, ""
	case strings.HasPrefix(rev, "refs/tags/"):
		return "", fmt.Sprintf("It follows the tag %s; %s", strings.TrimPrefix(rev, "refs/tags/"), cure)
	case strings.HasPrefix(rev, "refs/"):
		return "", fmt.Sprintf("It follows %s; %s", rev, cure)
	case hexadecimal.MatchString(rev) && (len(rev) == 40 || strings.HasPrefix(resolved, strings.ToLower(rev))):
		// Argo CD hands a short SHA through as it is; a branch of such a name
		// resolves to something else.
		return "", fmt.Sprintf("It is fixed to the commit %s; %s", bot.SHA(rev).Short(), cure)
	case version.MatchString(rev):
		return "", fmt.Sprintf("It follows the tag %s; %s", rev, cure)
	}
	if _, err := semver.NewVersion(rev); err == nil {
		return rev, "" // "1.2": more often a release branch than a tag
	}
	if _, err := semver.NewConstraint(rev); err == nil {
		return "", fmt.Sprintf("It follows the newest tag in the range %s; %s", rev, cure)
	}
	return rev, ""
}

// paths are what the sources at p read of their repository.
func paths(a *argov1.Application, sources argov1.ApplicationSources, places []place, p place) []string {
	var found []string
	add := func(base, name string) {
		if c, ok := inTree(base, name); ok && !slices.Contains(found, c) {
			found = append(found, c)
		}
	}
	refs := map[string]place{} // "$values" and where it is
	for i, src := range sources {
		if src.Ref != "" {
			refs["$"+src.Ref] = places[i]
		}
	}
	for i, src := range sources {
		here := places[i] == p
		if here && (src.Path != "" || src.Ref == "") {
			add("", defaultTo(src.Path, "."))
		}
		for _, f := range files(&src) {
			ref, rest, _ := strings.Cut(f, "/")
			if there, ok := refs[ref]; ok {
				if there == p {
					add("", rest)
				}
			} else if here {
				add(src.Path, f)
			}
		}
		if here && src.Directory != nil {
			for _, lib := range src.Directory.Jsonnet.Libs {
				add("", lib) // relative to the root, unlike everything else
			}
		}
		if here {
			for f := range strings.SplitSeq(a.Annotations[argov1.AnnotationKeyManifestGeneratePaths], ";") {
				if c, ok := inTree(src.Path, f); f != "" && ok && c != "." {
					add("", c)
				}
			}
		}
	}
	if len(found) == 0 {
		found = []string{"."}
	}
	return found
}

// files are the names that a source reads besides its own path.
func files(src *argov1.ApplicationSource) []string {
	var names []string
	if src.Helm != nil {
		names = append(names, src.Helm.ValueFiles...)
		for _, p := range src.Helm.FileParameters {
			names = append(names, p.Path)
		}
	}
	if src.Kustomize != nil {
		names = append(names, src.Kustomize.Components...)
	}
	return names
}

// inTree is a name relative to base, or to the root when it begins with a
// slash. URLs and what lies outside the repository are none.
func inTree(base, name string) (string, bool) {
	if name == "" || strings.Contains(name, "://") {
		return "", false
	}
	if !strings.HasPrefix(name, "/") {
		name = path.Join(base, name)
	}
	name = path.Clean(strings.TrimLeft(name, "/"))
	return name, name != ".." && !strings.HasPrefix(name, "../")
}

func defaultTo(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

func at(list []string, i int) string {
	if i >= len(list) {
		return ""
	}
	return list[i]
}
