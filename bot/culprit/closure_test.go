package culprit

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// tree is a git tree: unlike other file systems it follows no symlink, neither
// at the end of a path nor within it. Each directory's info is made once, since
// those of fstest.MapFS cost a walk over the whole map.
type tree struct {
	fstest.MapFS
	dirs map[string]fs.FileInfo
}

// treeOf makes a tree of files; a content that begins with "-> " is a symlink.
func treeOf(files map[string]string) tree {
	dir, err := fstest.MapFS{"d/f": {}}.Stat("d")
	if err != nil {
		panic(err)
	}
	t := tree{fstest.MapFS{}, map[string]fs.FileInfo{".": dir}}
	for name, content := range files {
		f := &fstest.MapFile{Data: []byte(content)}
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			f.Data, f.Mode = []byte(target), fs.ModeSymlink|0o777
		}
		t.MapFS[name] = f
		for d := path.Dir(name); d != "."; d = path.Dir(d) {
			t.dirs[d] = dir
		}
	}
	return t
}

func (t tree) Lstat(name string) (fs.FileInfo, error) {
	switch {
	case !fs.ValidPath(name):
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrInvalid}
	case t.MapFS[name] != nil:
		return t.MapFS.Lstat(name)
	case t.dirs[name] != nil:
		return t.dirs[name], nil
	}
	return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrNotExist}
}

func (t tree) Stat(name string) (fs.FileInfo, error) { return t.Lstat(name) }

func TestClosure(t *testing.T) {
	tests := []struct {
		name  string
		roots string // separated by spaces
		files map[string]string
		want  string
	}{
		{"a directory", "apps/web", map[string]string{"apps/web/a.yaml": ""}, "apps/web"},
		{"a root as people write it", "./apps/web/", map[string]string{"apps/web/a.yaml": ""}, "apps/web"},
		{"a file", "apps/web.yaml", map[string]string{"apps/web.yaml": ""}, "apps/web.yaml"},
		{"nothing there, or not any more", "apps/web", map[string]string{"a.yaml": ""}, "apps/web"},
		{"the whole tree", ".", map[string]string{"kustomization.yaml": "resources: [a.yaml]", "a.yaml": ""}, "."},
		{"the whole tree, written as nothing", "/", nil, "."},
		{"the whole tree and more", "a .", map[string]string{"a/kustomization.yaml": "resources: [../b]", "b/x": ""}, "a ."},
		{"a root can't leave the tree", "../../apps", map[string]string{"apps/a.yaml": ""}, "apps"},
		{"no roots", "", nil, ""},
		{"roots one below the other", "apps apps/web apps", map[string]string{"apps/web/a.yaml": ""}, "apps"},
		{"names that begin alike", "apps/web apps/web2", map[string]string{"apps/web/a": "", "apps/web2/a": ""}, "apps/web apps/web2"},

		{"resources", "o/prod", map[string]string{
			"o/prod/kustomization.yaml": "resources: [own.yaml, ../../base, ../extra.yaml]",
			"o/prod/own.yaml":           "", "o/extra.yaml": "", "base/kustomization.yaml": "resources: [web.yaml]", "base/web.yaml": "",
		}, "o/prod base o/extra.yaml"},
		{"resources of resources", "a", map[string]string{
			"a/kustomization.yaml": "resources: [../b]", "b/kustomization.yml": "resources: [../c]", "c/Kustomization": "resources: [../d.yaml]", "d.yaml": "",
		}, "a b c d.yaml"},
		{"a base inside, with a reference outside", "a", map[string]string{
			"a/kustomization.yaml": "resources: [base]", "a/base/kustomization.yaml": "resources: [../../b]", "b/x.yaml": "",
		}, "a b"},
		{"bases and components", "a", map[string]string{
			"a/kustomization.yaml": "bases: [../b]\ncomponents: [../c]", "b/x": "", "c/x": "",
		}, "a b c"},
		{"all the lists of files", "a", map[string]string{
			"a/kustomization.yaml": "crds: [../1]\nconfigurations: [../2]\ngenerators: [../3]\ntransformers: [../4]\nvalidators: [../5]\npatchesStrategicMerge: [../6]\n" +
				"patches: [{path: ../7}]\npatchesJson6902: [{path: ../8}]\nreplacements: [{path: ../9}]\nopenapi: {path: ../10}\n",
			"1": "", "2": "", "3": "", "4": "", "5": "", "6": "", "7": "", "8": "", "9": "", "10": "",
		}, "a 1 2 3 4 5 6 7 8 9 10"},
		{"generators", "a", map[string]string{
			"a/kustomization.yaml": "configMapGenerator: [{files: [../f, key=../g], envs: [../h]}]\nsecretGenerator: [{files: [k=../i], env: ../j}]",
			"f":                    "", "g": "", "h": "", "i": "", "j": "",
		}, "a f g h i j"},
		{"inflated charts", "a", map[string]string{
			"a/kustomization.yaml": "helmGlobals: {chartHome: ../charts}\nhelmCharts: [{name: web, valuesFile: ../v.yaml, additionalValuesFiles: [../w.yaml]}]",
			"v.yaml":               "", "w.yaml": "", "charts/web/Chart.yaml": "", "charts/other/Chart.yaml": "",
		}, "a v.yaml w.yaml charts/web"},
		{"a chart's own charts", "chart", map[string]string{
			"chart/Chart.yaml":         "dependencies: [{name: c, repository: file://../common}, {name: r, repository: https://x.example}]",
			"common/requirements.yaml": "dependencies: [{repository: 'file://../deep'}]", "deep/x": "",
		}, "chart common deep"},

		{"remote bases", "a", map[string]string{
			"a/kustomization.yaml": "resources: ['https://x.example/b', 'github.com/acme/b//c?ref=v1', 'git@x.example:b', github.com/acme/b]", "b/x": "",
		}, "a"},
		{"inline patches", "a", map[string]string{
			"a/kustomization.yaml": "patches: [{patch: '../b'}]\npatchesStrategicMerge: [\"kind: A\\nb: ../b\"]", "b": "",
		}, "a"},
		{"missing files", "a", map[string]string{"a/kustomization.yaml": "resources: [../gone, ../b]", "b": ""}, "a b"},
		{"a cycle", "a", map[string]string{"a/kustomization.yaml": "resources: [../b]", "b/kustomization.yaml": "resources: [../a, ../b]"}, "a b"},
		{"itself", "a", map[string]string{"a/kustomization.yaml": "resources: [., '', ./]"}, "a"},
		{"everything above", "a", map[string]string{"a/kustomization.yaml": "resources: [..]", "b": ""}, "a ."},
		{"a way out", "a", map[string]string{"a/kustomization.yaml": "resources: [../../b, ../../../etc, /b]", "b": "", "etc/x": ""}, "a"},
		{"a kustomization that does not parse", "a", map[string]string{"a/kustomization.yaml": "resources: [", "b": ""}, "a"},
		{"a field of the wrong form", "a", map[string]string{"a/kustomization.yaml": "bases: {x: y}\nresources: [../b]\nopenapi: [1]", "b": ""}, "a b"},
		{"unknown fields", "a", map[string]string{"a/kustomization.yaml": "hello: [../c]\nresources: [../b]", "b": "", "c": ""}, "a b"},
		{"a root that is a kustomization itself", "a/kustomization.yaml", map[string]string{"a/kustomization.yaml": "resources: [../b]", "b": ""}, "a/kustomization.yaml"},

		{"kustomizations below a directory without one", "apps", map[string]string{
			"apps/ns.yaml": "", "apps/deep/web/kustomization.yaml": "resources: [../../../base]", "apps/deep/web/sub/kustomization.yaml": "resources: [../../../../no]",
			"base/x": "", "no/x": "",
		}, "apps base"},
		{"none below one that has its own", "apps", map[string]string{
			"apps/kustomization.yaml": "resources: [a.yaml]", "apps/web/kustomization.yaml": "resources: [../../base]", "base/x": "",
		}, "apps"},

		{"a link to a directory", "a", map[string]string{
			"a/kustomization.yaml": "resources: [../link]", "link": "-> real/base", "real/base/kustomization.yaml": "resources: [../../b]", "b": "",
		}, "a link real/base b"},
		{"through a link", "a", map[string]string{"a/kustomization.yaml": "resources: [../link/x.yaml]", "link": "-> real", "real/x.yaml": ""}, "a link real/x.yaml"},
		{"a linked root", "a", map[string]string{"a": "-> b", "b/kustomization.yaml": "resources: [../c]", "c": ""}, "a b c"},
		{"a linked kustomization", "a", map[string]string{"a/kustomization.yaml": "-> ../k/k.yaml", "k/k.yaml": "resources: [../b]", "b": ""}, "a k/k.yaml b"},
		{"links in a circle", "a", map[string]string{"a/kustomization.yaml": "resources: [../l, ../b]", "l": "-> m", "m": "-> l", "b": ""}, "a b"},
		{"links out of the tree", "a", map[string]string{
			"a/kustomization.yaml": "resources: [../l, ../m, ../n/x, ../b]", "l": "-> ../etc", "m": "-> /etc", "n": "-> ../..", "b": "",
		}, "a b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Ranker{}.Closure(treeOf(tt.files), strings.Fields(tt.roots))
			if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("closure (-want +got):\n%s", diff)
			}
		})
	}
}

// TestClosureFailsWide: what is too much to follow is taken whole, so that no
// culprit and no affected App is overlooked.
func TestClosureFailsWide(t *testing.T) {
	chain, many, flat := map[string]string{}, map[string]string{}, map[string]string{}
	var list strings.Builder
	for i := range maxClosure + 10 {
		chain[fmt.Sprintf("d%d/kustomization.yaml", i)] = fmt.Sprintf("resources: [../d%d]", i+1)
		many[fmt.Sprintf("f%d", i)] = ""
		fmt.Fprintf(&list, "- ../f%d\n", i)
		flat[fmt.Sprintf("apps/d%d/a.yaml", i)] = ""
	}
	many["a/kustomization.yaml"] = "resources:\n" + list.String()
	for name, tt := range map[string]struct {
		root  string
		files map[string]string
	}{
		"a long chain":            {"d0", chain},
		"many files":              {"a", many},
		"many directories":        {"apps", flat},
		"a kustomization of 2 MB": {"a", map[string]string{"a/kustomization.yaml": strings.Repeat("#", 2<<20)}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Ranker{}.Closure(treeOf(tt.files), []string{tt.root})
			if diff := cmp.Diff([]string{"."}, got); diff != "" {
				t.Errorf("closure (-want +got):\n%.200s", diff)
			}
		})
	}
}

// broken is a tree that can't read one of its files, or look at it.
type broken struct {
	tree
	file string
	look bool
}

func (b broken) Lstat(name string) (fs.FileInfo, error) {
	if b.look && name == b.file {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrPermission}
	}
	return b.tree.Lstat(name)
}

func (b broken) ReadFile(name string) ([]byte, error) {
	if name == b.file {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrPermission}
	}
	return b.tree.ReadFile(name)
}

func TestClosureOfABrokenTreeIsWide(t *testing.T) {
	files := treeOf(map[string]string{"a/kustomization.yaml": "resources: [../b]", "b/kustomization.yaml": "resources: [c.yaml]", "b/c.yaml": ""})
	for _, b := range []broken{{files, "b/kustomization.yaml", false}, {files, "b/kustomization.yaml", true}, {files, "a/kustomization.yaml", false}, {files, "b", true}} {
		if diff := cmp.Diff([]string{"."}, Ranker{}.Closure(b, []string{"a"})); diff != "" {
			t.Errorf("%s (look: %v): closure (-want +got):\n%s", b.file, b.look, diff)
		}
	}
}

func FuzzClosure(f *testing.F) {
	f.Add("apps", "resources: [../base, a.yaml]", "resources: [../apps]", "base")
	f.Add(".", "configMapGenerator: [{files: [a=../b]}]", "", "../..")
	f.Add("apps/../base", "patches: [{path: x}]", "dependencies: [{repository: file://../apps}]", "/etc")
	f.Fuzz(func(t *testing.T, root, one, other, link string) {
		files := treeOf(map[string]string{
			"apps/kustomization.yaml": one, "base/kustomization.yaml": other, "base/Chart.yaml": other,
			"b": "", "x/a.yaml": "", "link": "-> " + link, "apps/link": "-> " + link,
		})
		got := Ranker{}.Closure(files, []string{root, "apps"})
		if len(got) == 0 || len(got) > maxClosure {
			t.Errorf("%d paths", len(got))
		}
		seen := map[string]bool{}
		for _, p := range got {
			if seen[p] || p != clean(p) {
				t.Errorf("path %q in %q", p, got)
			}
			seen[p] = true
		}
	})
}
