package culprit

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// kustomization are the fields of a kustomization.yaml that point at other
// files (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/).
type kustomization struct {
	Resources             []string          `json:"resources"`
	Bases                 []string          `json:"bases"`
	Components            []string          `json:"components"`
	Crds                  []string          `json:"crds"`
	Configurations        []string          `json:"configurations"`
	Generators            []string          `json:"generators"`
	Transformers          []string          `json:"transformers"`
	Validators            []string          `json:"validators"`
	PatchesStrategicMerge []string          `json:"patchesStrategicMerge"`
	Patches               []pathRef         `json:"patches"`
	PatchesJSON6902       []pathRef         `json:"patchesJson6902"`
	Replacements          []pathRef         `json:"replacements"`
	ConfigMapGenerator    []generator       `json:"configMapGenerator"`
	SecretGenerator       []generator       `json:"secretGenerator"`
	HelmCharts            []chartRef        `json:"helmCharts"`
	OpenAPI               map[string]string `json:"openapi"`
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
	ValuesFile            string   `json:"valuesFile"`
	AdditionalValuesFiles []string `json:"additionalValuesFiles"`
}

// kustomizationNames are the file names that kustomize accepts.
var kustomizationNames = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

func isKustomization(base string) bool { return slices.Contains(kustomizationNames, base) }

// maxClosure bounds the walk: a kustomization may be hostile.
const maxClosure = 2000

// Closure implements bot.Ranker. The roots come first; what they reference
// outside themselves follows in the order it is found.
func (Ranker) Closure(tree fs.FS, roots []string) []string {
	w := walker{tree: tree}
	for _, root := range roots {
		w.add(clean(root))
	}
	for i := 0; i < len(w.dirs) && len(w.out) < maxClosure; i++ {
		w.follow(w.dirs[i])
	}
	return w.out
}

type walker struct {
	tree fs.FS
	out  []string // the closure
	dirs []string // directories to read a kustomization of
}

func clean(p string) string {
	if p = strings.TrimPrefix(path.Clean("/"+p), "/"); p == "" {
		return "."
	}
	return p
}

// add takes a path into the closure, unless it lies below one that is in it;
// a directory is followed in any case, once.
func (w *walker) add(p string) {
	info, err := fs.Stat(w.tree, p)
	if err == nil && info.IsDir() && !slices.Contains(w.dirs, p) {
		w.dirs = append(w.dirs, p)
	}
	for _, have := range w.out {
		if have == "." || have == p || strings.HasPrefix(p, have+"/") {
			return
		}
	}
	w.out = append(w.out, p)
}

// follow adds what the kustomization in dir references.
func (w *walker) follow(dir string) {
	var k kustomization
	for _, name := range kustomizationNames {
		b, err := fs.ReadFile(w.tree, path.Join(dir, name))
		if err != nil {
			continue
		}
		if yaml.Unmarshal(b, &k) == nil {
			break
		}
	}
	refs := slices.Concat(k.Resources, k.Bases, k.Components, k.Crds, k.Configurations, k.Generators, k.Transformers, k.Validators, k.PatchesStrategicMerge)
	for _, list := range [][]pathRef{k.Patches, k.PatchesJSON6902, k.Replacements} {
		for _, r := range list {
			refs = append(refs, r.Path)
		}
	}
	for _, list := range [][]generator{k.ConfigMapGenerator, k.SecretGenerator} {
		for _, g := range list {
			for _, file := range g.Files {
				// "key=path" names the key first.
				if _, p, ok := strings.Cut(file, "="); ok {
					file = p
				}
				refs = append(refs, file)
			}
			refs = append(append(refs, g.Envs...), g.Env)
		}
	}
	for _, c := range k.HelmCharts {
		refs = append(append(refs, c.ValuesFile), c.AdditionalValuesFiles...)
	}
	refs = append(refs, k.OpenAPI["path"])
	for _, ref := range refs {
		// Inline patches hold line breaks; remote bases hold a scheme or a host.
		if ref == "" || strings.ContainsAny(ref, "\n:?") {
			continue
		}
		if target := clean(path.Join(dir, ref)); exists(w.tree, target) {
			w.add(target)
		}
	}
}

func exists(tree fs.FS, p string) bool {
	_, err := fs.Stat(tree, p)
	return err == nil
}
