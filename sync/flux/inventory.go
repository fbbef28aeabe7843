package flux

import (
	"strings"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"

	"github.com/backout-dev/backout/bot"
)

// entry is one object of a Kustomization's inventory.
type entry struct {
	namespace, name, group, kind string
}

// parseEntry reads an inventory ID, "<namespace>_<name>_<group>_<kind>"
// (https://fluxcd.io/flux/components/kustomize/kustomizations/#inventory). The
// name may hold underscores, where "__" stands for the colon of RBAC names; the
// other parts can't. The core group is empty.
func parseEntry(id string) (entry, bool) {
	namespace, rest, ok := strings.Cut(id, "_")
	if !ok {
		return entry{}, false
	}
	rest, kind, ok := cutLast(rest)
	if !ok {
		return entry{}, false
	}
	name, group, ok := cutLast(rest)
	if !ok || name == "" || kind == "" {
		return entry{}, false
	}
	return entry{namespace, strings.ReplaceAll(name, "__", ":"), group, kind}, true
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '_')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// runsPods reports whether the object runs pods, or is one.
func (e entry) runsPods() bool {
	switch e.group + "/" + e.kind {
	case "apps/Deployment", "apps/StatefulSet", "apps/DaemonSet", "batch/Job", "batch/CronJob", "/Pod":
		return true
	}
	return false
}

// workloadsIn lists what runs pods in an inventory. An entry that can't be read
// is passed over: the inventory is written by kustomize-controller, and a new
// form of it must not hide the App.
func (c *Controller) workloadsIn(inventory *kustomizev1.ResourceInventory) []bot.Workload {
	if inventory == nil {
		return nil
	}
	var ws []bot.Workload
	for _, ref := range inventory.Entries {
		e, ok := parseEntry(ref.ID)
		if ok && e.runsPods() {
			ws = append(ws, bot.Workload{Cluster: c.cluster, Kind: e.kind, Namespace: e.namespace, Name: e.name})
		}
	}
	return ws
}
