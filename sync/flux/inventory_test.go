package flux

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"

	"github.com/backout-dev/backout/bot"
)

func TestParseEntry(t *testing.T) {
	for id, want := range map[string]entry{
		"default_podinfo__Service":                                  {"default", "podinfo", "", "Service"},
		"default_podinfo_apps_Deployment":                           {"default", "podinfo", "apps", "Deployment"},
		"_web_rbac.authorization.k8s.io_ClusterRole":                {"", "web", "rbac.authorization.k8s.io", "ClusterRole"},
		"_system__web_rbac.authorization.k8s.io_ClusterRole":        {"", "system:web", "rbac.authorization.k8s.io", "ClusterRole"},
		"ops_my_role_rbac.authorization.k8s.io_Role":                {"ops", "my_role", "rbac.authorization.k8s.io", "Role"},
		"flux-system_web_kustomize.toolkit.fluxcd.io_Kustomization": {"flux-system", "web", "kustomize.toolkit.fluxcd.io", "Kustomization"},
	} {
		if got, ok := parseEntry(id); !ok || got != want {
			t.Errorf("parseEntry(%q) = %+v, %v, want %+v", id, got, ok, want)
		}
	}
	for _, id := range []string{"", "web", "a_b", "a_b_c", "ns__apps_Deployment", "ns_web_apps_"} {
		if got, ok := parseEntry(id); ok {
			t.Errorf("parseEntry(%q) = %+v, want none", id, got)
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	f.Add("default_podinfo_apps_Deployment")
	f.Add("_system__web_rbac.authorization.k8s.io_ClusterRole")
	f.Add("____")
	f.Fuzz(func(t *testing.T, id string) {
		e, ok := parseEntry(id)
		if ok && (e.name == "" || e.kind == "") {
			t.Errorf("parseEntry(%q) = %+v has no name or kind", id, e)
		}
	})
}

func TestWorkloadsInAnInventory(t *testing.T) {
	c := &Controller{cluster: "prod"}
	ids := []string{
		"web_front_apps_Deployment", "web_db_apps_StatefulSet", "web_agent_apps_DaemonSet",
		"web_migrate_batch_Job", "web_nightly_batch_CronJob", "web_debug__Pod",
		"web_front__Service", "web_canary_argoproj.io_Deployment", "garbage",
	}
	inventory := &kustomizev1.ResourceInventory{}
	for _, id := range ids {
		inventory.Entries = append(inventory.Entries, kustomizev1.ResourceRef{ID: id, Version: "v1"})
	}
	var want []bot.Workload
	for _, w := range [][2]string{
		{"Deployment", "front"}, {"StatefulSet", "db"}, {"DaemonSet", "agent"}, {"Job", "migrate"}, {"CronJob", "nightly"}, {"Pod", "debug"},
	} {
		want = append(want, bot.Workload{Cluster: "prod", Kind: w[0], Namespace: "web", Name: w[1]})
	}
	if diff := cmp.Diff(want, c.workloadsIn(inventory)); diff != "" {
		t.Errorf("workloads (-want +got):\n%s", diff)
	}
	if got := c.workloadsIn(nil); got != nil {
		t.Errorf("workloads of no inventory: %v", got)
	}
}
