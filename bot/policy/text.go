package policy

import (
	"regexp"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
)

var (
	kindLine = regexp.MustCompile(`(?m)(?:^|[\s{,-])["']?kind["']?\s*:\s*["']?([A-Za-z]+|\{\{)`)
	hookLine = regexp.MustCompile(`(helm\.sh/hook|argocd\.argoproj\.io/hook)["']?\s*:`)
)

// template is the kind of an object whose kind a template writes.
const template = "{{"

// textGuards searches what does not parse, as templates do not: then anything
// sensitive in the file counts as changed. isTemplate is false for files of
// which nothing is known.
func textGuards(f bot.FileChange, isTemplate, stateful bool) []guard {
	var out []guard
	before, after := string(f.Before), string(f.After)
	was, is := kinds(before), kinds(after)
	for _, kind := range slices.Concat(was, is) {
		if g, ok := sensitive[kind]; ok {
			out = append(out, g)
		}
		if kind == "Kustomization" {
			kind = fluxKind // as likely as not
		}
		if g, ok := deleting[kind]; ok && count(is, kind) < count(was, kind) {
			out = append(out, g)
		}
		if kind == template {
			out = append(out, guard{guardOpaque, "changes a template whose kind of object is not known before it is rendered"})
		}
	}
	if slices.ContainsFunc(stores, func(group string) bool { return strings.Contains(before+after, group+"/") }) {
		out = append(out, guard{guardStateful, "changes a template of a database: data may not survive going back"})
	}
	if isTemplate && stateful {
		out = append(out, guard{guardStateful, "changes a template that may shape a StatefulSet: data may not survive going back"})
	}
	for _, text := range []string{before, after} {
		if hookLine.MatchString(text) || isTemplate && migration.MatchString(text) {
			out = append(out, guard{guardMigration, "changes a template of a hook or of what runs a migration; a revert runs no migration backwards"})
		}
	}
	return out
}

// kinds lists the kinds that a text names, in order.
func kinds(text string) []string {
	var out []string
	for _, m := range kindLine.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

func count(kinds []string, kind string) int {
	n := 0
	for _, k := range kinds {
		if k == kind || kind == fluxKind && k == "Kustomization" {
			n++
		}
	}
	return n
}
