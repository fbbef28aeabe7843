package bed

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"
)

// FieldManager owns the fields that [Bed.Apply] sets.
const FieldManager = "bed"

// Apply applies every document of the given YAML on the server's side, as
// administrator, taking over fields that somebody else owns. Definitions of
// resources are established when it returns.
func (b *Bed) Apply(ctx context.Context, manifests ...string) error {
	var definitions []*unstructured.Unstructured
	for _, m := range manifests {
		objects, err := documents(m)
		if err != nil {
			return err
		}
		for _, o := range objects {
			if err := b.apply(ctx, o); err != nil {
				return err
			}
			if o.GetKind() == "CustomResourceDefinition" {
				definitions = append(definitions, o)
			}
		}
	}
	for _, d := range definitions {
		if err := b.waitEstablished(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// Client is an administrator's client for the objects of a kind in a namespace,
// which is "" for a kind that has none, or to list all.
func (b *Bed) Client(kind schema.GroupVersionKind, namespace string) (dynamic.ResourceInterface, error) {
	m, err := b.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) {
		b.mapper.Reset() // perhaps it was defined after we asked last
		m, err = b.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	}
	if err != nil {
		return nil, fmt.Errorf("find the resource of %s: %w", kind, err)
	}
	if m.Scope.Name() == meta.RESTScopeNameRoot || namespace == "" {
		return b.dynamic.Resource(m.Resource), nil
	}
	return b.dynamic.Resource(m.Resource).Namespace(namespace), nil
}

func (b *Bed) apply(ctx context.Context, o *unstructured.Unstructured) error {
	what := fmt.Sprintf("apply %s %s/%s", o.GetKind(), o.GetNamespace(), o.GetName())
	var c dynamic.ResourceInterface
	err := b.Wait(ctx, what, func(context.Context) (done bool, err error) {
		c, err = b.client(o)
		return err == nil, err
	})
	if err != nil {
		return err
	}
	_, err = c.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: FieldManager, Force: true})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// client is that for one object. One that names no namespace goes to default.
func (b *Bed) client(o *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	ns := o.GetNamespace()
	if ns == "" {
		ns = metav1.NamespaceDefault
	}
	return b.Client(o.GroupVersionKind(), ns)
}

func (b *Bed) waitEstablished(ctx context.Context, definition *unstructured.Unstructured) error {
	c, err := b.client(definition)
	if err != nil {
		return err
	}
	name := definition.GetName()
	return b.Wait(ctx, name+" to be established", func(ctx context.Context) (bool, error) {
		o, err := c.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		if Condition(o, "Established").Status != metav1.ConditionTrue {
			return false, nil
		}
		return b.discoverable(o)
	})
}

// discoverable reports whether the API server lists a definition's resources. It
// does so a moment after the definition is established, and a controller that
// starts in between gives up.
func (b *Bed) discoverable(definition *unstructured.Unstructured) (bool, error) {
	group, _, _ := unstructured.NestedString(definition.Object, "spec", "group")
	versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
	for _, v := range versions {
		m, _ := v.(map[string]any)
		if m["served"] != true {
			continue
		}
		if _, err := b.Kubernetes().Discovery().ServerResourcesForGroupVersion(fmt.Sprintf("%s/%s", group, m["name"])); err != nil {
			return false, err
		}
	}
	return true, nil
}

// Condition reads a condition of an object's status. It is empty if the object
// has none of that type.
func Condition(o *unstructured.Unstructured, kind string) metav1.Condition {
	all, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range all {
		m, _ := c.(map[string]any)
		var found metav1.Condition
		if m["type"] == kind && runtime.DefaultUnstructuredConverter.FromUnstructured(m, &found) == nil {
			return found
		}
	}
	return metav1.Condition{}
}

// documents splits YAML and decodes what is in it.
func documents(manifest string) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	r := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(manifest)))
	for {
		doc, err := r.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("split YAML: %w", err)
		}
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(doc, &o.Object); err != nil {
			return nil, fmt.Errorf("decode YAML: %w\n%s", err, doc)
		}
		if len(o.Object) > 0 { // nothing but comments
			all = append(all, o)
		}
	}
}
