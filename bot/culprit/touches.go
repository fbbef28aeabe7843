package culprit

import (
	"fmt"
	"path"
	"strings"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/manifest"
)

// bearing is what a change has to do with the failing workload, as far as can
// be told without rendering.
type bearing int

// The bearings, weakest first. Only the strongest counts as the fact that
// acting on an alert needs: what may shape the workload is no proof.
const (
	bearsNot   bearing = iota // it changes other objects only
	bearsMaybe                // it changes what may or may not shape the workload
	bears                     // it changes the workload, or what it is known to use
)

// touches is the strongest bearing among the changed files, and on what.
func touches(files []bot.FileChange, app bot.App, w bot.Workload) (what string, b bearing) {
	for _, f := range files {
		if s, fb := touchesFile(f, app, w); fb > b {
			what, b = s, fb
		}
	}
	return what, b
}

func touchesFile(f bot.FileChange, app bot.App, w bot.Workload) (string, bearing) {
	base, what := path.Base(f.Path), fmt.Sprintf("`%s`", f.Path)
	if manifest.IsFile(base) && !isKustomization(base) {
		diffs, err := manifest.Diff(f.Before, f.After)
		if err == nil && len(diffs) > 0 {
			return touchesObjects(diffs, f.Path, app, w)
		}
		if strings.Contains(base, "values") {
			what = "the values " + what
		}
	}
	// A kustomization, values, a template, a patch or what a generator reads:
	// no object, but something that objects are made of.
	if alone(app, w) || shapes(f, w) {
		return what + ", of which " + w.String() + " is made", bears
	}
	return what, bearsMaybe
}

// alone reports whether the workload is all that the App runs: what shapes the
// App then shapes it.
func alone(app bot.App, w bot.Workload) bool {
	if len(app.Workloads) != 1 {
		return false
	}
	only := app.Workloads[0]
	return only.Kind == w.Kind && only.Namespace == w.Namespace && only.Name == w.Name
}

func touchesObjects(diffs []manifest.Difference, file string, app bot.App, w bot.Workload) (what string, b bearing) {
	for _, d := range diffs {
		if s, db := touchesObject(d, app, w); db > b {
			what, b = fmt.Sprintf("%s in `%s`", s, file), db
		}
	}
	return what, b
}

// usedKinds are kinds of objects that belong to the workload of the same name,
// with or without an ending ("web-config"). Without rendering, the name is
// what tells.
var usedKinds = map[string]bool{
	"ConfigMap": true, "Secret": true, "SealedSecret": true, "ExternalSecret": true, "Service": true, "ServiceAccount": true,
	"HorizontalPodAutoscaler": true, "VerticalPodAutoscaler": true, "ScaledObject": true, "PodDisruptionBudget": true,
	"NetworkPolicy": true, "PersistentVolumeClaim": true, "Ingress": true, "HTTPRoute": true, "VirtualService": true, "DestinationRule": true,
}

func touchesObject(d manifest.Difference, app bot.App, w bot.Workload) (what string, b bearing) {
	o := d.Object()
	what = strings.TrimSpace(o.Kind + " " + o.Name)
	switch {
	case o.Kind == w.Kind && o.Name == w.Name:
		if fields := changedFields(d); fields != "" {
			return fields + " of " + what, bears
		}
		return what, bears
	case o.Kind == "HelmRelease" && app.ID.Kind == bot.KindHelmRelease:
		if o.Name == app.ID.Name {
			return what, bears
		}
		return "", bearsNot
	case o.Kind == "HelmRelease" && related(o.Name, w.Name):
		return what, bears
	case o.Kind == "HelmRelease":
		return what, bearsMaybe
	case usedKinds[o.Kind] && (o.Name == w.Name || strings.HasPrefix(o.Name, w.Name+"-")):
		return what + ", which belongs to " + w.String() + ",", bears
	case (o.Kind == w.Kind || usedKinds[o.Kind]) && related(o.Name, w.Name):
		return what, bearsMaybe // the same object if the App adds a prefix to names
	}
	return "", bearsNot
}

// related reports whether a name is that of a workload, or its end: charts and
// kustomizations put prefixes before names.
func related(name, workload string) bool {
	return name != "" && (name == workload || strings.HasSuffix(workload, "-"+name))
}
