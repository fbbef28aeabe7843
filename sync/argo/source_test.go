package argo

import (
	"strings"
	"testing"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

func TestTarget(t *testing.T) {
	for _, c := range []struct {
		rev, resolved string
		branch        string
		untracked     string // a piece of the sentence
	}{
		{"", "", "HEAD", ""},
		{"HEAD", "", "HEAD", ""},
		{"main", "", "main", ""},
		{"release/2024.1", "", "release/2024.1", ""},
		{"refs/heads/main", "", "main", ""},
		{"refs/tags/v1", "", "", "tag v1"},
		{"refs/pull/7/head", "", "", "refs/pull/7/head"},
		{sha1, "", "", "commit 111111111111;"},
		{strings.ToUpper("abcdef0123456789abcdef0123456789abcdef01"), "", "", "commit"},
		{"1111111", sha1, "", "commit 1111111;"},
		{"1111111", "1111111", "", "commit"}, // Argo CD hands it through
		{"deadbeef", sha1, "deadbeef", ""},   // resolved to another: a branch
		{"deadbeef", "", "deadbeef", ""},
		{"v1.2.3", "", "", "tag v1.2.3"},
		{"1.2.3-rc.1", "", "", "tag"},
		{"v1.2.3+build", "", "", "tag"},
		{"1.2", "", "1.2", ""},
		{"v1", "", "v1", ""},
		{"1.*", "", "", "range 1.*"},
		{">=1.2.0 <2.0.0", "", "", "range"},
		{"~1.2", "", "", "range"},
		{"*", "", "", "range"},
	} {
		branch, untracked := target(c.rev, c.resolved)
		if branch != c.branch || (untracked == "") != (c.untracked == "") || !strings.Contains(untracked, c.untracked) {
			t.Errorf("target(%q, %q) = %q, %q; want %q, %q", c.rev, c.resolved, branch, untracked, c.branch, c.untracked)
		}
	}
}

const fleet, charts = "https://github.com/acme/fleet", "https://charts.example.com"

func TestSourceOf(t *testing.T) {
	s := &Server{cfg: Config{Host: "github.com", Cluster: "prod"}}
	type src = argov1.ApplicationSource
	for _, c := range []struct {
		name    string
		sources argov1.ApplicationSources
		paths   string // the manifest-generate-paths annotation
		want    bot.Source
		first   int
	}{
		{
			name:    "directory",
			sources: argov1.ApplicationSources{{RepoURL: fleet, Path: "./apps/web/", TargetRevision: "main"}},
			want:    bot.Source{Repo: "acme/fleet", Branch: "main", Paths: []string{"apps/web"}},
		},
		{
			name:    "the whole tree at the default branch",
			sources: argov1.ApplicationSources{{RepoURL: fleet}},
			want:    bot.Source{Repo: "acme/fleet", Branch: "HEAD", Paths: []string{"."}},
		},
		{
			name: "value files relative to the chart, from the root, and elsewhere",
			sources: argov1.ApplicationSources{{RepoURL: fleet, Path: "charts/web", TargetRevision: "main", Helm: &argov1.ApplicationSourceHelm{
				ValueFiles:     []string{"values.yaml", "../../env/prod.yaml", "/env/all.yaml", "https://example.com/v.yaml", "../../../etc/passwd"},
				FileParameters: []argov1.HelmFileParameter{{Name: "c", Path: "files/config.json"}},
			}}},
			want: bot.Source{Repo: "acme/fleet", Branch: "main", Paths: []string{
				"charts/web", "charts/web/values.yaml", "env/prod.yaml", "env/all.yaml", "charts/web/files/config.json",
			}},
		},
		{
			name: "kustomize components, jsonnet libraries and declared paths",
			sources: argov1.ApplicationSources{{
				RepoURL: fleet, Path: "apps/web", TargetRevision: "main",
				Kustomize: &argov1.ApplicationSourceKustomize{Components: []string{"../../components/tls"}},
				Directory: &argov1.ApplicationSourceDirectory{Jsonnet: argov1.ApplicationSourceJsonnet{Libs: []string{"vendor"}}},
			}},
			paths: ".;../shared;/lib;/",
			want:  bot.Source{Repo: "acme/fleet", Branch: "main", Paths: []string{"apps/web", "components/tls", "vendor", "apps/shared", "lib"}},
		},
		{
			name: "a chart from elsewhere with values from ours",
			sources: argov1.ApplicationSources{
				{RepoURL: charts, Chart: "web", TargetRevision: "1.2.3", Helm: &argov1.ApplicationSourceHelm{ValueFiles: []string{"$values/env/prod.yaml", "values.yaml", "$nobody/x.yaml"}}},
				{RepoURL: fleet, TargetRevision: "main", Ref: "values"},
			},
			want:  bot.Source{Repo: "acme/fleet", Branch: "main", Paths: []string{"env/prod.yaml"}},
			first: 1,
		},
		{
			name: "two paths of ours, and one at a tag",
			sources: argov1.ApplicationSources{
				{RepoURL: fleet, Path: "base", TargetRevision: "v1.0.0"},
				{RepoURL: "git@github.com:acme/fleet.git", Path: "a", TargetRevision: "main"},
				{RepoURL: fleet, Path: "b", TargetRevision: "main", Ref: "values"},
				{RepoURL: fleet, Path: "c", TargetRevision: "other"},
			},
			want:  bot.Source{Repo: "acme/fleet", Branch: "main", Paths: []string{"a", "b"}},
			first: 1,
		},
		{
			name:    "a tag",
			sources: argov1.ApplicationSources{{RepoURL: fleet, Path: "a", TargetRevision: "v1.0.0"}},
			want:    bot.Source{Repo: "acme/fleet", Untracked: "It follows the tag v1.0.0; point targetRevision at a branch to have it reverted through git."},
		},
		{
			name:    "a chart",
			sources: argov1.ApplicationSources{{RepoURL: charts, Chart: "web", TargetRevision: "1.x"}},
			want:    bot.Source{Untracked: "It installs version 1.x of the chart web from a Helm repository; only manifests in git can be reverted through git."},
		},
		{
			name:    "another host",
			sources: argov1.ApplicationSources{{RepoURL: "https://user:secret@gitlab.com/acme/fleet", Path: "a", TargetRevision: "main"}},
			want:    bot.Source{Untracked: "Its manifests come from gitlab.com, which is not a repository on github.com."},
		},
		{name: "nothing", want: bot.Source{Untracked: "It has no source."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := &argov1.Application{}
			a.Annotations = map[string]string{argov1.AnnotationKeyManifestGeneratePaths: c.paths}
			if len(c.sources) == 1 {
				a.Spec.Source = &c.sources[0]
			} else {
				a.Spec.Sources = c.sources
			}
			got, first := s.sourceOf(a)
			if d := cmp.Diff(c.want, got); d != "" || first != c.first {
				t.Errorf("sourceOf: first %d, want %d (-want +got):\n%s", first, c.first, d)
			}
		})
	}
}

func TestSourceHydratorIsUntracked(t *testing.T) {
	s := &Server{cfg: Config{Host: "github.com"}}
	a := &argov1.Application{Spec: argov1.ApplicationSpec{SourceHydrator: &argov1.SourceHydrator{
		DrySource: argov1.DrySource{RepoURL: fleet, TargetRevision: "main", Path: "apps/web"}, SyncSource: argov1.SyncSource{TargetBranch: "env/prod"},
	}}}
	got, _ := s.sourceOf(a)
	if got.Repo != "acme/fleet" || got.Branch != "" || !strings.Contains(got.Untracked, "env/prod") {
		t.Errorf("sourceOf = %+v, want it untracked and the rendered branch named", got)
	}
}
