package flux

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/backout-dev/backout/bot"
)

// fieldManager is the name under which we write.
const fieldManager = "backout"

// grip is who has a hand on an object's reconciliation.
type grip struct {
	id bot.AppID
	// parent delivers the object; nil when nobody does.
	parent *bot.AppID
	// suspended is spec.suspend; present tells false from absent.
	suspended, present bool
	// deleting is true once the object is on its way out.
	deleting bool
	// mark is our annotations, nil when there are none.
	mark *mark
	// others are the field managers besides us that own spec.suspend, each with
	// the last time that it wrote the object. Empty also when the server tells
	// nothing.
	others []manager
}

type manager struct {
	name string
	at   time.Time
}

// gripOn reads an App's own object.
func (c *Controller) gripOn(kind bot.AppKind, u *unstructured.Unstructured) grip {
	g := gripOf(u)
	g.id = c.id(kind, u.GetNamespace(), u.GetName())
	g.parent = c.parentOf(g.id, u.GetLabels())
	return g
}

func gripOf(u *unstructured.Unstructured) grip {
	value, present, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "suspend")
	suspended, _ := value.(bool)
	return grip{
		suspended: suspended,
		present:   present && value != nil,
		deleting:  u.GetDeletionTimestamp() != nil,
		mark:      markOf(u.GetAnnotations()),
		others:    othersOn(u.GetManagedFields()),
	}
}

// othersOn finds who else owns spec.suspend. The format is fixed by the API
// (https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management).
func othersOn(entries []metav1.ManagedFieldsEntry) []manager {
	var ms []manager
	for _, e := range entries {
		if e.Manager == fieldManager || e.Subresource != "" || e.FieldsV1 == nil {
			continue
		}
		var fields struct {
			Spec map[string]json.RawMessage `json:"f:spec"`
		}
		if json.Unmarshal(e.FieldsV1.Raw, &fields) != nil || fields.Spec["f:suspend"] == nil {
			continue
		}
		m := manager{name: e.Manager}
		if e.Time != nil {
			m.at = e.Time.UTC()
		}
		ms = append(ms, m)
	}
	return ms
}

// ours reports whether the object bears the mark of that owner.
func (g grip) ours(owner bot.RollbackID) bool { return g.mark != nil && g.mark.owner == owner }

// hold is the hold as it stands; nil while reconciliation is on. A reason is a
// phrase, for use inside a sentence.
func (g grip) hold() *bot.Hold {
	if !g.suspended {
		return nil
	}
	if g.mark == nil {
		return &bot.Hold{App: g.id, Reason: "suspended " + g.by() + ", not by Backout"}
	}
	h := g.mark.hold(g.id)
	if len(g.others) > 0 {
		h.Reason = sentences(h.Reason, "also suspended "+g.by())
	}
	return h
}

// hold is the mark as the ports know it.
func (m mark) hold(app bot.AppID) *bot.Hold {
	return &bot.Hold{App: app, Owner: m.owner, Reason: m.reason, Deadline: m.deadline, Previous: m.previous}
}

// by names who set spec.suspend.
func (g grip) by() string {
	if len(g.others) == 0 {
		return "by somebody"
	}
	var names []string
	for _, m := range g.others {
		name := fmt.Sprintf("%q", m.name)
		if !m.at.IsZero() {
			name += " (last wrote at " + m.at.Format(time.RFC3339) + ")"
		}
		names = append(names, name)
	}
	return "by " + strings.Join(names, " and ")
}

// undone says that our mark is there and the hold is not, and who did it; ""
// when that is not so. A parent whose manifest sets spec.suspend asserts it on
// each of its reconciliations (flux2#3462).
func (g grip) undone() string {
	if g.mark == nil || g.suspended {
		return ""
	}
	who := "by somebody who removed spec.suspend, as \"flux resume\" does"
	switch {
	case g.parent != nil && g.assertedByFlux():
		who = fmt.Sprintf("by its parent %s, whose manifest sets spec.suspend; hold the parent too, or take spec.suspend out of the manifest",
			nameOf(*g.parent))
	case len(g.others) > 0:
		who = g.by()
	}
	return fmt.Sprintf("the hold of Rollback %s was undone %s", g.mark.owner, who)
}

// sentence says something about the App to people, who may see it among others.
func (g grip) sentence(format string, args ...any) string {
	return nameOf(g.id) + " " + fmt.Sprintf(format, args...) + "."
}

// nameOf is an App as people name it, "Kustomization flux-system/web".
func nameOf(id bot.AppID) string {
	return fmt.Sprintf("%s %s/%s", id.Kind, id.Namespace, id.Name)
}

// assertedByFlux reports whether the controller of a parent owns spec.suspend.
func (g grip) assertedByFlux() bool {
	return slices.ContainsFunc(g.others, func(m manager) bool {
		return m.name == "kustomize-controller" || m.name == "helm-controller"
	})
}

// disown takes spec.suspend out of the fields that we own, in a patch that takes
// our mark off and leaves spec.suspend as others want it. Without this, we and
// they would own it together, and it would stay when they took it out of their
// manifest. An entry that we can't read is left.
func disown(u *unstructured.Unstructured, patch map[string]any) {
	if _, sets := patch["spec"]; sets {
		return
	}
	entries := u.GetManagedFields()
	changed := false
	for i := range entries {
		if entries[i].Manager != fieldManager || entries[i].FieldsV1 == nil {
			continue
		}
		var fields map[string]any
		if json.Unmarshal(entries[i].FieldsV1.Raw, &fields) != nil {
			continue
		}
		spec, _ := fields["f:spec"].(map[string]any)
		if _, owned := spec["f:suspend"]; !owned {
			continue
		}
		delete(spec, "f:suspend")
		if raw, err := json.Marshal(fields); err == nil {
			entries[i].FieldsV1, changed = &metav1.FieldsV1{Raw: raw}, true
		}
	}
	if changed {
		metadata, _ := patch["metadata"].(map[string]any)
		metadata["managedFields"] = entries
	}
}
