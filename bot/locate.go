package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// LocateRule maps alerts to an App by their labels, where no label names the
// workload. Every label of Match must be equal.
type LocateRule struct {
	Match map[string]string
	App   AppID
}

// Locator finds the App that an alert speaks of.
type Locator struct {
	Fleet *Fleet
	Rules []LocateRule
	// ClusterLabels tells clusters apart: cluster name to the label and value
	// that its alerts carry. A cluster without an entry is meant by alerts that
	// match no other.
	ClusterLabels map[string]ClusterLabel
}

// ClusterLabel is the label that marks the alerts of one cluster.
type ClusterLabel struct{ Name, Value string }

// Located is one App that an alert may speak of, and how we know.
type Located struct {
	App AppID `json:"app"`
	// Via says which labels led to which object and which mark on it.
	Via string `json:"via"`
	// Failing is the workload that the alert names; nil when a rule matched.
	Failing *Workload `json:"failing,omitempty"`
}

// Location is the answer for one alert. Looked says what was looked for, in
// the order it was done, so that "none fits" can be told.
type Location struct {
	Found  []Located `json:"found,omitempty"`
	Looked []string  `json:"looked,omitempty"`
}

// workloadLabels are the labels that name a workload, most telling first, as
// kube-state-metrics, the kubelet and common relabelling write them.
var workloadLabels = []struct{ label, kind string }{
	{"deployment", "Deployment"}, {"statefulset", "StatefulSet"}, {"daemonset", "DaemonSet"},
	{"job_name", "Job"}, {"cronjob", "CronJob"},
	{"exported_deployment", "Deployment"}, {"exported_statefulset", "StatefulSet"}, {"exported_daemonset", "DaemonSet"},
	{"pod", "Pod"}, {"exported_pod", "Pod"}, {"pod_name", "Pod"},
}

// namespaceLabels name the namespace. "exported_namespace" comes first: where
// it exists, "namespace" is that of the exporter.
var namespaceLabels = []string{"exported_namespace", "namespace", "kubernetes_namespace"}

// Locate finds the Apps of one alert.
func (l *Locator) Locate(ctx context.Context, a Alert) (Location, error) {
	var loc Location
	for _, r := range l.Rules {
		if matches(r.Match, a.Labels) {
			loc.Found = append(loc.Found, Located{App: r.App, Via: "a locate rule of the configuration"})
		}
	}
	if len(loc.Found) > 0 {
		return loc, nil
	}
	ws := l.workloads(a.Labels)
	if len(ws) == 0 {
		loc.Looked = append(loc.Looked, "labels namespace with deployment, statefulset, daemonset, job_name, cronjob or pod: the alert has none of these pairs")
		return loc, nil
	}
	for _, w := range ws {
		if err := l.owners(ctx, w, &loc); err != nil {
			return loc, err
		}
		if len(loc.Found) > 0 {
			// A more telling label answered; a Pod label beside a Deployment
			// label would only say the same again.
			break
		}
	}
	return loc, nil
}

// owners adds the Apps that deliver w or one of its controllers.
func (l *Locator) owners(ctx context.Context, w Workload, loc *Location) error {
	reader := l.Fleet.Workloads[w.Cluster]
	if reader == nil {
		return nil
	}
	objects, err := reader.Find(ctx, w)
	if IsTrouble(err, TroubleNotFound) {
		loc.Looked = append(loc.Looked, fmt.Sprintf("%s in cluster %s: not there", w, w.Cluster))
		return nil
	}
	if err != nil {
		return fmt.Errorf("find %s: %w", w, err)
	}
	for _, o := range objects {
		for _, d := range l.Fleet.Deployers {
			id, mark, ok := d.Owner(o)
			if !ok || slices.ContainsFunc(loc.Found, func(f Located) bool { return f.App == id }) {
				continue
			}
			failing := outermost(objects)
			loc.Found = append(loc.Found, Located{App: id, Failing: &failing, Via: fmt.Sprintf("%s carries %s", o.Workload, mark)})
		}
	}
	if len(loc.Found) == 0 {
		loc.Looked = append(loc.Looked, fmt.Sprintf("marks of Flux or Argo CD on %s in cluster %s: none", w, w.Cluster))
	}
	return nil
}

// outermost is the controller that people know: the Deployment of a Pod.
func outermost(objects []Object) Workload { return objects[len(objects)-1].Workload }

// workloads reads the workload that labels name, in every cluster that the
// labels may mean, most telling label first.
func (l *Locator) workloads(labels map[string]string) []Workload {
	var ns string
	for _, name := range namespaceLabels {
		if ns = labels[name]; ns != "" {
			break
		}
	}
	if ns == "" {
		return nil
	}
	var out []Workload
	for _, cluster := range l.clusters(labels) {
		for _, wl := range workloadLabels {
			if name := labels[wl.label]; name != "" {
				out = append(out, Workload{Cluster: cluster, Kind: wl.kind, Namespace: ns, Name: name})
			}
		}
		// kubernetes-mixin's pair; the type is lower case.
		if name, kind := labels["workload"], kindOf(labels["workload_type"]); name != "" && kind != "" {
			out = append(out, Workload{Cluster: cluster, Kind: kind, Namespace: ns, Name: name})
		}
	}
	return out
}

// clusters lists the clusters that the labels may mean, in name order.
func (l *Locator) clusters(labels map[string]string) []string {
	var marked, rest []string
	for name := range l.Fleet.byCluster() {
		want, ok := l.ClusterLabels[name]
		switch {
		case !ok:
			rest = append(rest, name)
		case labels[want.Name] == want.Value:
			marked = append(marked, name)
		}
	}
	if len(marked) > 0 {
		return marked
	}
	return rest
}

func kindOf(workloadType string) string {
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"} {
		if strings.EqualFold(kind, workloadType) {
			return kind
		}
	}
	return ""
}

func matches(want, labels map[string]string) bool {
	for k, v := range want {
		if labels[k] != v {
			return false
		}
	}
	return len(want) > 0
}
