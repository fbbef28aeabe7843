package flux

import (
	"maps"
	"testing"

	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backout-dev/backout/bot"
)

func TestBranchOf(t *testing.T) {
	for _, c := range []struct {
		name           string
		ref            *sourcev1.GitRepositoryRef
		branch, pinned string
	}{
		{"nothing said", nil, "master", ""},
		{"empty", &sourcev1.GitRepositoryRef{}, "master", ""},
		{"branch", &sourcev1.GitRepositoryRef{Branch: "main"}, "main", ""},
		{"branch with slash", &sourcev1.GitRepositoryRef{Branch: "env/prod"}, "env/prod", ""},
		{"tag beats branch", &sourcev1.GitRepositoryRef{Branch: "main", Tag: "v1"}, "", "tag v1"},
		{"semver beats tag", &sourcev1.GitRepositoryRef{Tag: "v1", SemVer: "1.x"}, "", "tags by version 1.x"},
		{"name beats semver", &sourcev1.GitRepositoryRef{SemVer: "1.x", Name: "refs/heads/release"}, "release", ""},
		{"name of a pull request", &sourcev1.GitRepositoryRef{Branch: "main", Name: "refs/pull/1/head"}, "", "the ref refs/pull/1/head"},
		{"commit beats all", &sourcev1.GitRepositoryRef{Branch: "main", Name: "refs/heads/main", Commit: goodSHA}, "", "the fixed commit 111111111111"},
	} {
		branch, pinned := branchOf(c.ref)
		if branch != c.branch || pinned != c.pinned {
			t.Errorf("%s: %q, %q, want %q, %q", c.name, branch, pinned, c.branch, c.pinned)
		}
	}
}

func TestTracked(t *testing.T) {
	c := &Controller{host: "github.com"}
	repository := func(url string, ref *sourcev1.GitRepositoryRef) *sourcev1.GitRepository {
		return &sourcev1.GitRepository{
			ObjectMeta: metav1.ObjectMeta{Namespace: "flux-system", Name: "fleet"},
			Spec:       sourcev1.GitRepositorySpec{URL: url, Reference: ref},
		}
	}
	for _, test := range []struct {
		name string
		r    *sourcev1.GitRepository
		want bot.Source
	}{
		{"ours", repository("https://github.com/acme/fleet", &sourcev1.GitRepositoryRef{Branch: "main"}),
			bot.Source{Repo: "acme/fleet", Branch: "main"}},
		{"pinned", repository("https://github.com/acme/fleet", &sourcev1.GitRepositoryRef{Tag: "v1"}),
			bot.Source{Repo: "acme/fleet", Untracked: "GitRepository flux-system/fleet follows tag v1; a revert takes effect only where a branch is followed (spec.ref.branch)."}},
		{"elsewhere", repository("https://u:p@gitlab.com/acme/fleet", &sourcev1.GitRepositoryRef{Branch: "main"}),
			bot.Source{Branch: "main", Untracked: "GitRepository flux-system/fleet is on gitlab.com, not a repository on github.com."}},
	} {
		if diff := cmp.Diff(test.want, c.tracked(test.r)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestCleanPath(t *testing.T) {
	for in, want := range map[string]string{
		"": ".", ".": ".", "./": ".", "/": ".", "./apps/web/": "apps/web", "/apps/web": "apps/web",
		"apps//web/./": "apps/web", "../../etc": "etc", "apps/../infra": "infra", "./values.yaml": "values.yaml",
	} {
		if got := cleanPath(in); got != want {
			t.Errorf("cleanPath(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestOwner(t *testing.T) {
	c := &Controller{cluster: "prod"}
	kustomize := map[string]string{"kustomize.toolkit.fluxcd.io/name": "web", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
	both := map[string]string{"helm.toolkit.fluxcd.io/name": "shop", "helm.toolkit.fluxcd.io/namespace": "shop"}
	maps.Copy(both, kustomize)
	for _, test := range []struct {
		name    string
		cluster string
		labels  map[string]string
		id      bot.AppID
		mark    string
	}{
		{"Kustomization", "prod", kustomize, webID(), "label kustomize.toolkit.fluxcd.io/name=web"},
		{"the release is nearer", "prod", both, shopID(), "label helm.toolkit.fluxcd.io/name=shop"},
		{"half a mark is none", "prod", map[string]string{"kustomize.toolkit.fluxcd.io/name": "web"}, bot.AppID{}, ""},
		{"another cluster", "stage", kustomize, bot.AppID{}, ""},
		{"nobody's", "prod", nil, bot.AppID{}, ""},
	} {
		o := bot.Object{Workload: bot.Workload{Cluster: test.cluster, Kind: "Deployment"}, Labels: test.labels}
		id, mark, ok := c.Owner(o)
		if id != test.id || mark != test.mark || ok != (test.mark != "") {
			t.Errorf("%s: %v, %q, %v", test.name, id, mark, ok)
		}
	}
	if p := c.parentOf(webID(), kustomize); p != nil {
		t.Errorf("a Kustomization that delivers itself has parent %v", p)
	}
}
