package flux

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	fakediscovery "k8s.io/client-go/discovery/fake"
	fakedynamic "k8s.io/client-go/dynamic/fake"
	fakemetadata "k8s.io/client-go/metadata/fake"
	k8stesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"

	"github.com/backout-dev/backout/bot"
)

// cluster is a cluster in memory. client-go's fake takes a merge patch without
// looking at its resourceVersion, drops the field manager and counts no
// generations, so patches are applied here; what only a real API server shows is in the e2e tests.
type cluster struct {
	t         *testing.T
	dynamic   *fakedynamic.FakeDynamicClient
	metadata  *fakemetadata.FakeMetadataClient
	discovery *fakediscovery.FakeDiscovery
	logged    *strings.Builder

	mu      sync.Mutex
	patches []string // "kustomizations shop/web"
	// meddle runs once, before the next patch: what somebody else does between
	// our read and our write.
	meddle func()
}

var allVersions = []string{
	"kustomize.toolkit.fluxcd.io/v1", "helm.toolkit.fluxcd.io/v2", "source.toolkit.fluxcd.io/v1",
}

// newCluster has the given API versions and objects, each a YAML document.
func newCluster(t *testing.T, versions []string, docs ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, logged: &strings.Builder{}}
	lists := map[schema.GroupVersionResource]string{}
	c.discovery = &fakediscovery.FakeDiscovery{Fake: &k8stesting.Fake{}}
	for _, v := range versions {
		l := &metav1.APIResourceList{GroupVersion: v}
		gv, err := schema.ParseGroupVersion(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range []resource{kustomizations(), helmReleases(), gitRepositories(), helmCharts(), imageUpdateAutomations(), imagePolicies()} {
			if r.group == gv.Group {
				l.APIResources = append(l.APIResources, metav1.APIResource{Name: r.plural, Namespaced: true})
				lists[gv.WithResource(r.plural)] = "AnyList"
			}
		}
		c.discovery.Resources = append(c.discovery.Resources, l)
	}
	c.dynamic = fakedynamic.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), lists)
	c.dynamic.PrependReactor("patch", "*", c.patch)
	scheme := fakemetadata.NewTestScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c.metadata = fakemetadata.NewSimpleMetadataClient(scheme)
	for _, d := range docs {
		c.add(d)
	}
	return c
}

// add puts an object into the cluster; one of group apps is seen by its
// metadata only.
func (c *cluster) add(doc string) {
	c.t.Helper()
	u := parse(c.t, doc)
	gvr := gvrOf(u)
	var err error
	if gvr.Group == "apps" {
		o := &metav1.PartialObjectMetadata{}
		if err = runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, o); err == nil {
			err = c.metadata.Tracker().Create(gvr, o, u.GetNamespace())
		}
	} else {
		u.SetUID(types.UID("uid-" + u.GetName()))
		u.SetResourceVersion("1")
		err = c.dynamic.Tracker().Create(gvr, u, u.GetNamespace())
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// parse reads a YAML document; numbers become int64, as from the API.
func parse(t *testing.T, doc string) *unstructured.Unstructured {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(doc))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, doc)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	return u
}

func gvrOf(u *unstructured.Unstructured) schema.GroupVersionResource {
	plural := strings.ToLower(u.GetKind()) + "s"
	if stem, ok := strings.CutSuffix(plural, "ys"); ok {
		plural = stem + "ies"
	}
	return u.GroupVersionKind().GroupVersion().WithResource(plural)
}

// object reads an object back.
func (c *cluster) object(r resource, version, namespace, name string) *unstructured.Unstructured {
	c.t.Helper()
	gvr := schema.GroupVersionResource{Group: r.group, Version: version, Resource: r.plural}
	o, err := c.dynamic.Tracker().Get(gvr, namespace, name)
	if err != nil {
		c.t.Fatal(err)
	}
	return o.(*unstructured.Unstructured).DeepCopy()
}

// edit changes an object as somebody else would.
func (c *cluster) edit(r resource, version, namespace, name string, change func(*unstructured.Unstructured)) {
	c.t.Helper()
	u := c.object(r, version, namespace, name)
	before := u.DeepCopy()
	change(u)
	c.store(gvrOf(u), before, u)
}

// store writes an object as the API server does: a new resourceVersion, and a
// new generation when the spec changed.
func (c *cluster) store(gvr schema.GroupVersionResource, before, u *unstructured.Unstructured) {
	version, _ := strconv.Atoi(before.GetResourceVersion())
	u.SetResourceVersion(strconv.Itoa(version + 1))
	if !reflect.DeepEqual(before.Object["spec"], u.Object["spec"]) {
		u.SetGeneration(before.GetGeneration() + 1)
	}
	if err := c.dynamic.Tracker().Update(gvr, u, u.GetNamespace()); err != nil {
		c.t.Error(err)
	}
}

func (c *cluster) patch(action k8stesting.Action) (bool, runtime.Object, error) {
	a := action.(k8stesting.PatchActionImpl)
	c.mu.Lock()
	meddle := c.meddle
	c.meddle = nil
	c.patches = append(c.patches, fmt.Sprintf("%s %s/%s", a.GetResource().Resource, a.GetNamespace(), a.GetName()))
	c.mu.Unlock()
	if meddle != nil {
		meddle()
	}
	o, err := c.dynamic.Tracker().Get(a.GetResource(), a.GetNamespace(), a.GetName())
	if err != nil {
		return true, nil, err
	}
	before := o.(*unstructured.Unstructured)
	if a.GetPatchType() != types.MergePatchType {
		return true, nil, fmt.Errorf("unexpected patch type %s", a.GetPatchType())
	}
	var body map[string]any
	if err := json.Unmarshal(a.GetPatch(), &body); err != nil {
		return true, nil, err
	}
	given := &unstructured.Unstructured{Object: body}
	if v := given.GetResourceVersion(); v != "" && v != before.GetResourceVersion() || given.GetUID() != "" && given.GetUID() != before.GetUID() {
		return true, nil, apierrors.NewConflict(a.GetResource().GroupResource(), a.GetName(), nil)
	}
	after := before.DeepCopy()
	merge(after.Object, body)
	c.store(a.GetResource(), before, after)
	return true, after, nil
}

// merge is RFC 7396.
func merge(into, patch map[string]any) {
	for k, v := range patch {
		switch v := v.(type) {
		case nil:
			delete(into, k)
		case map[string]any:
			below, ok := into[k].(map[string]any)
			if !ok {
				below = map[string]any{}
				into[k] = below
			}
			merge(below, v)
		default:
			into[k] = v
		}
	}
}

// controller makes a Controller on the cluster.
func (c *cluster) controller(change ...func(*Config)) *Controller {
	c.t.Helper()
	config := Config{
		Cluster: "prod", Host: "github.com",
		Dynamic: c.dynamic, Metadata: c.metadata, Discovery: c.discovery,
		Log: slog.New(slog.NewTextHandler(c.logged, nil)),
	}
	for _, f := range change {
		f(&config)
	}
	flux, err := New(config)
	if err != nil {
		c.t.Fatal(err)
	}
	return flux
}

// fail makes requests fail.
func (c *cluster) fail(verb, plural string, err error) {
	c.dynamic.PrependReactor(verb, plural, failing(err))
}

func failing(err error) k8stesting.ReactionFunc {
	return func(k8stesting.Action) (bool, runtime.Object, error) { return true, nil, err }
}

func webID() bot.AppID {
	return bot.AppID{Cluster: "prod", Kind: bot.KindKustomization, Namespace: "flux-system", Name: "web"}
}

func shopID() bot.AppID {
	return bot.AppID{Cluster: "prod", Kind: bot.KindHelmRelease, Namespace: "shop", Name: "shop"}
}

// The commits of the fixtures.
const (
	goodSHA = "1111111111111111111111111111111111111111"
	badSHA  = "2222222222222222222222222222222222222222"
)

const fleet = `
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: flux-system, generation: 1}
spec: {interval: 1m, url: "ssh://git@github.com/acme/fleet.git", ref: {branch: main}}
`

const web = `
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: web
  namespace: flux-system
  generation: 4
  labels: {kustomize.toolkit.fluxcd.io/name: apps, kustomize.toolkit.fluxcd.io/namespace: flux-system}
spec: {interval: 10m, path: ./apps/web/, prune: true, targetNamespace: web, sourceRef: {kind: GitRepository, name: fleet}}
status:
  observedGeneration: 4
  lastAppliedRevision: main@sha1:1111111111111111111111111111111111111111
  lastAttemptedRevision: main@sha1:1111111111111111111111111111111111111111
  inventory:
    entries:
    - {id: web_settings__ConfigMap, v: v1}
    - {id: web_front_apps_Deployment, v: v1}
    - {id: web_nightly_batch_CronJob, v: v1}
    - {id: _web-reader_rbac.authorization.k8s.io_ClusterRole, v: v1}
  conditions:
  - {type: Ready, status: "True", reason: ReconciliationSucceeded, observedGeneration: 4, message: "Applied revision: main@sha1:1111111111111111111111111111111111111111", lastTransitionTime: "2026-03-04T10:00:00Z"}
`

const shop = `
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: shop
  namespace: shop
  generation: 2
  labels: {kustomize.toolkit.fluxcd.io/name: web, kustomize.toolkit.fluxcd.io/namespace: flux-system}
spec:
  interval: 10m
  chart: {spec: {chart: shop, version: 1.x, sourceRef: {kind: HelmRepository, name: charts}}}
  values: {replicas: 3, deep: [{any: thing}]}
status:
  observedGeneration: 2
  lastAttemptedRevision: 1.4.2
  conditions:
  - {type: Ready, status: "True", reason: UpgradeSucceeded, observedGeneration: 2, message: Helm upgrade succeeded, lastTransitionTime: "2026-03-04T10:00:00Z"}
`
