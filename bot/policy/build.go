package policy

import (
	"path"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/manifest"
)

func isKustomization(file string) bool {
	return slices.Contains([]string{"kustomization.yaml", "kustomization.yml", "Kustomization"}, path.Base(file))
}

// buildGuards looks at what a kustomization no longer builds after the revert:
// the control plane deletes that from the cluster, though no file of it may go.
func buildGuards(f bot.FileChange, all []bot.FileChange) []guard {
	var out []guard
	before, after := build(f.Before), build(f.After)
	for _, field := range []string{"resources", "bases", "components"} {
		kept := texts(after[field])
		for _, ref := range texts(before[field]) {
			if !slices.Contains(kept, ref) && !deletes(all, path.Join(path.Dir(f.Path), ref)) {
				out = append(out, guard{"prune", "takes `" + ref + "` out of what is built, so what it holds is deleted from the cluster"})
			}
		}
	}
	was, _ := before["secretGenerator"].([]any)
	is, _ := after["secretGenerator"].([]any)
	if len(is) < len(was) {
		out = append(out, guard{guardSecret, "deletes a Secret that is generated"})
	}
	return out
}

// deletes reports whether the revert deletes what a reference points at: then
// its own objects tell what that means. Of a directory, the file that makes it
// one to build stands for the whole.
func deletes(all []bot.FileChange, target string) bool {
	return slices.ContainsFunc(all, func(f bot.FileChange) bool {
		return f.After == nil && (f.Path == target || isKustomization(f.Path) && path.Dir(f.Path) == target)
	})
}

// build is a kustomization as it is written; nil when it does not parse.
func build(b []byte) map[string]any {
	docs, err := manifest.Documents(b)
	if err != nil || len(docs) == 0 {
		return nil
	}
	m, _ := docs[0].(map[string]any)
	return m
}

func texts(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, strings.TrimSuffix(s, "/"))
		}
	}
	return out
}
