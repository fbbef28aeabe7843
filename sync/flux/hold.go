package flux

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/backout-dev/backout/bot"
)

// Hold sets spec.suspend and writes whose hold it is. What is suspended
// already, or was resumed since we held it, is left and reported.
func (c *Controller) Hold(ctx context.Context, l bot.Lease) (bot.Held, error) {
	if l.Owner == "" || l.Deadline.IsZero() {
		return bot.Held{App: l.App}, bot.NewTrouble(bot.TroubleInvalid, nil,
			"A hold on %s needs an owner and a deadline.", nameOf(l.App))
	}
	return c.change(ctx, l.App, func(g grip) (map[string]any, bot.Held) { return place(g, l) })
}

// Release takes our hold off and puts spec.suspend back as it was. An object
// that is gone, or not held by that owner, is reported.
func (c *Controller) Release(ctx context.Context, id bot.AppID, owner bot.RollbackID) (bot.Held, error) {
	held, err := c.change(ctx, id, func(g grip) (map[string]any, bot.Held) { return lift(g, owner) })
	if bot.IsTrouble(err, bot.TroubleNotFound) {
		return bot.Held{App: id, Left: nameOf(id) + " no longer exists."}, nil
	}
	return held, err
}

// Holds lists the objects that bear our mark, also those whose hold somebody
// undid: their mark waits to be removed by Release.
func (c *Controller) Holds(ctx context.Context) ([]bot.Hold, error) {
	var holds []bot.Hold
	for _, kind := range []bot.AppKind{bot.KindKustomization, bot.KindHelmRelease} {
		r, _ := kindOf(kind)
		items, err := c.list(ctx, r)
		if err != nil {
			return nil, err
		}
		for i := range items {
			g := c.gripOn(kind, &items[i])
			if g.mark == nil {
				continue
			}
			h := g.mark.hold(g.id)
			h.Reason = sentences(g.undone(), h.Reason)
			holds = append(holds, *h)
		}
	}
	return holds, nil
}

// place decides what Hold does: a merge patch, or nil and what was found.
func place(g grip, l bot.Lease) (map[string]any, bot.Held) {
	switch {
	case g.suspended && g.ours(l.Owner):
		return nil, bot.Held{Placed: true}
	case g.suspended && g.mark != nil:
		return nil, bot.Held{Left: g.sentence("is already held by Rollback %s until %s", g.mark.owner, g.mark.until())}
	case g.suspended:
		return nil, bot.Held{Left: g.sentence("is already suspended %s", g.by())}
	case g.mark != nil:
		return nil, bot.Held{Left: g.sentence("is not held: %s", g.undone())}
	case g.deleting:
		return nil, bot.Held{Left: g.sentence("is being deleted")}
	}
	m := mark{owner: l.Owner, reason: l.Reason, previous: encodePrevious(g.present), deadline: l.Deadline}
	return map[string]any{
		"metadata": map[string]any{"annotations": m.annotations()},
		"spec":     map[string]any{"suspend": true},
	}, bot.Held{Placed: true}
}

// lift decides what Release does. When somebody else asserts spec.suspend by
// now, only our mark goes: they came after us, and it is theirs.
func lift(g grip, owner bot.RollbackID) (map[string]any, bot.Held) {
	annotations := map[string]any{"annotations": noMark()}
	switch {
	case g.mark == nil && g.suspended:
		return nil, bot.Held{Left: g.sentence("is suspended %s, not by Backout, and was left so", g.by())}
	case g.mark == nil:
		return nil, bot.Held{}
	case !g.ours(owner):
		return nil, bot.Held{Left: g.sentence("is held by Rollback %s until %s", g.mark.owner, g.mark.until())}
	case !g.suspended:
		return map[string]any{"metadata": annotations}, bot.Held{Left: g.sentence("was not held any more: %s", g.undone())}
	case len(g.others) > 0:
		return map[string]any{"metadata": annotations}, bot.Held{Left: g.sentence("is also suspended %s, which was left so", g.by())}
	}
	return map[string]any{
		"metadata": annotations,
		"spec":     map[string]any{"suspend": g.mark.restored()},
	}, bot.Held{}
}

func (m mark) until() string {
	if m.deadline.IsZero() {
		return "an unreadable deadline"
	}
	return m.deadline.Format(time.RFC3339)
}

// tries bounds how often a change is decided anew after a conflict. While a
// controller reconciles, it writes the object's status a few times a second.
const tries = 10

// change reads an App's object, decides, and writes if it is still as read.
// Each conflict leads to another look and another decision, never to a blind
// write.
func (c *Controller) change(ctx context.Context, id bot.AppID, decide func(grip) (map[string]any, bot.Held)) (bot.Held, error) {
	r, ok := kindOf(id.Kind)
	if !ok || !c.Handles(id) {
		return bot.Held{App: id}, c.notOurs(id)
	}
	return c.changeObject(ctx, r, id, decide)
}

// changeObject is change for an object of any kind that has spec.suspend.
func (c *Controller) changeObject(ctx context.Context, r resource, id bot.AppID, decide func(grip) (map[string]any, bot.Held)) (bot.Held, error) {
	none := bot.Held{App: id}
	var conflict error
	for range tries {
		u, err := c.get(ctx, r, id.Namespace, id.Name)
		if err != nil {
			return none, err
		}
		patch, held := decide(c.gripOn(id.Kind, u))
		held.App = id
		if patch == nil {
			return held, nil
		}
		disown(u, patch)
		after, err := c.patch(ctx, r, u, patch)
		if apierrors.IsConflict(err) {
			conflict = err
			continue
		}
		if err != nil {
			return none, c.trouble(err, request{"patch", r, id.Namespace, id.Name})
		}
		if held.Placed && !gripOf(after).suspended {
			held = bot.Held{App: id, Left: nameOf(id) + " is not held: the cluster took the change and dropped spec.suspend, as an admission webhook may."}
		}
		return held, nil
	}
	return none, c.trouble(conflict, request{"patch", r, id.Namespace, id.Name})
}

// patch applies a JSON merge patch if the object is still the one that was
// read. The resourceVersion in the patch makes the server refuse it otherwise,
// the UID guards against an object of the same name
// (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions).
func (c *Controller) patch(ctx context.Context, r resource, u *unstructured.Unstructured, patch map[string]any) (*unstructured.Unstructured, error) {
	gvr, _, err := c.served.version(r)
	if err != nil {
		return nil, err
	}
	meta, _ := patch["metadata"].(map[string]any)
	meta["resourceVersion"] = u.GetResourceVersion()
	meta["uid"] = u.GetUID()
	body, err := json.Marshal(patch)
	if err != nil {
		return nil, fmt.Errorf("encode a patch for %s/%s: %w", u.GetNamespace(), u.GetName(), err)
	}
	return c.dynamic.Resource(gvr).Namespace(u.GetNamespace()).
		Patch(ctx, u.GetName(), types.MergePatchType, body, metav1.PatchOptions{FieldManager: fieldManager})
}

// notOurs is the trouble of an App that another Deployer handles.
func (c *Controller) notOurs(id bot.AppID) error {
	return bot.NewTrouble(bot.TroubleInvalid, nil, "%s is not an App of Flux in cluster %s.", id, c.cluster)
}
