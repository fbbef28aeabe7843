package culprit

import (
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// kustomization are the fields of a kustomization.yaml that point at other
// files (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/).
type kustomization struct {
	Resources             []string    `json:"resources"`
	Bases                 []string    `json:"bases"`
	Components            []string    `json:"components"`
	Crds                  []string    `json:"crds"`
	Configurations        []string    `json:"configurations"`
	Generators            []string    `json:"generators"`
	Transformers          []string    `json:"transformers"`
	Validators            []string    `json:"validators"`
	PatchesStrategicMerge []string    `json:"patchesStrategicMerge"`
	Patches               []pathRef   `json:"patches"`
	PatchesJSON6902       []pathRef   `json:"patchesJson6902"`
	Replacements          []pathRef   `json:"replacements"`
	ConfigMapGenerator    []generator `json:"configMapGenerator"`
	SecretGenerator       []generator `json:"secretGenerator"`
	HelmGlobals           struct {
		ChartHome string `json:"chartHome"`
	} `json:"helmGlobals"`
	HelmCharts []chartRef `json:"helmCharts"`
	OpenAPI    pathRef    `json:"openapi"`
}

type pathRef struct {
	Path string `json:"path"`
}

type generator struct {
	Files []string `json:"files"`
	Envs  []string `json:"envs"`
	Env   string   `json:"env"`
}

type chartRef struct {
	Name                  string   `json:"name"`
	ValuesFile            string   `json:"valuesFile"`
	AdditionalValuesFiles []string `json:"additionalValuesFiles"`
}

// kustomizationNames are the file names that kustomize accepts.
var kustomizationNames = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

func isKustomization(base string) bool { return slices.Contains(kustomizationNames, base) }

// kustomizationRefs lists what a kustomization points at, relative to its
// directory. A field of a form that kustomize would not take is passed over;
// the others count.
func kustomizationRefs(b []byte) []string {
	var k kustomization
	_ = yaml.Unmarshal(b, &k) // what was understood is filled in
	refs := slices.Concat(k.Resources, k.Bases, k.Components, k.Crds, k.Configurations,
		k.Generators, k.Transformers, k.Validators, k.PatchesStrategicMerge)
	for _, r := range slices.Concat(k.Patches, k.PatchesJSON6902, k.Replacements, []pathRef{k.OpenAPI}) {
		refs = append(refs, r.Path)
	}
	for _, g := range slices.Concat(k.ConfigMapGenerator, k.SecretGenerator) {
		for _, file := range g.Files {
			// "key=path" names the key first.
			if _, p, ok := strings.Cut(file, "="); ok {
				file = p
			}
			refs = append(refs, file)
		}
		refs = append(append(refs, g.Envs...), g.Env)
	}
	home := k.HelmGlobals.ChartHome
	if home == "" {
		home = "charts"
	}
	for _, c := range k.HelmCharts {
		refs = append(append(refs, c.ValuesFile), c.AdditionalValuesFiles...)
		if c.Name != "" {
			refs = append(refs, path.Join(home, c.Name))
		}
	}
	// Inline patches hold line breaks; remote bases hold a scheme or a query.
	return slices.DeleteFunc(refs, func(ref string) bool { return ref == "" || strings.ContainsAny(ref, "\n:?") })
}

// chart are the fields of a Chart.yaml, or a requirements.yaml, that point at
// other charts of the same repository (https://helm.sh/docs/topics/charts/).
type chart struct {
	Dependencies []struct {
		Repository string `json:"repository"`
	} `json:"dependencies"`
}

var chartNames = []string{"Chart.yaml", "requirements.yaml"}

// chartRefs lists the charts beside it that a chart depends on.
func chartRefs(b []byte) []string {
	var c chart
	_ = yaml.Unmarshal(b, &c) // what was understood is filled in
	var refs []string
	for _, d := range c.Dependencies {
		if p, ok := strings.CutPrefix(d.Repository, "file://"); ok && p != "" {
			refs = append(refs, p)
		}
	}
	return refs
}
