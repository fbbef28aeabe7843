package flux

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/meta"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/backout-dev/backout/bot"
)

// Sync asks Flux to fetch the source and to apply it. It returns when the
// request is made; whether it came to anything is seen by App.
//
// The source comes first and is given up to Config.FetchWait to fetch. Asking
// for the apply sooner would have kustomize-controller apply the old commit
// again, and where that one fails its health checks, the new commit waits until
// they time out (unless the controller's CancelHealthCheckOnNewRevision is on).
// When the fetch takes longer, the apply is asked for all the same: the
// controller starts on a new artifact by itself.
//
// What is held or suspended is not asked, because it would answer without
// applying anything: our own hold is TroubleStale, another's TroubleInvalid.
func (c *Controller) Sync(ctx context.Context, id bot.AppID, token string) error {
	if token == "" {
		return bot.NewTrouble(bot.TroubleInvalid, nil, "A sync of %s needs a token.", nameOf(id))
	}
	p, err := c.planSync(ctx, id)
	if err != nil {
		return err
	}
	for _, k := range p.sources {
		u, err := c.get(ctx, gitRepositories(), k.namespace, k.name)
		if err != nil {
			return err
		}
		if gripOf(u).suspended {
			return bot.NewTrouble(bot.TroubleInvalid, nil, "GitRepository %s/%s, the source of %s, is suspended %s, so no new commit is fetched.",
				k.namespace, k.name, nameOf(id), gripOf(u).by()).
				WithAdvice("Resume it: flux resume source git %s -n %s", k.name, k.namespace)
		}
		if err := c.ask(ctx, gitRepositories(), u, token); err != nil {
			return err
		}
	}
	for _, k := range p.sources {
		if err := c.awaitFetch(ctx, k, token); err != nil {
			return err
		}
	}
	for _, o := range p.objects {
		r, _ := kindOf(o.kind)
		if err := c.ask(ctx, r, o.u, token); err != nil {
			return err
		}
	}
	return nil
}

// syncPlan is what to ask, in this order.
type syncPlan struct {
	sources []key
	objects []asked
}

type asked struct {
	kind bot.AppKind
	u    *unstructured.Unstructured
}

// planSync finds the objects on the way from the repository to the App. It is
// an error when one of them is held.
func (c *Controller) planSync(ctx context.Context, id bot.AppID) (syncPlan, error) {
	var p syncPlan
	r, ok := kindOf(id.Kind)
	if !ok || !c.Handles(id) {
		return p, c.notOurs(id)
	}
	u, err := c.get(ctx, r, id.Namespace, id.Name)
	if err != nil {
		return p, err
	}
	if err := p.add(c.gripOn(id.Kind, u), u); err != nil || id.Kind == bot.KindKustomization {
		return p, err
	}
	release, err := decode[helmv2.HelmRelease](u)
	if err != nil {
		return p, err
	}
	if k, ok := chartKey(release); ok {
		p.addSource(k)
	}
	root, err := c.look().root(ctx, c.parentOf(id, u.GetLabels()))
	if err != nil || root == nil {
		return p, err
	}
	if u, err = c.get(ctx, kustomizations(), root.Namespace, root.Name); err != nil {
		return p, err
	}
	return p, p.add(c.gripOn(bot.KindKustomization, u), u)
}

// add puts an object before those that were added, and a Kustomization's source
// beside the others.
func (p *syncPlan) add(g grip, u *unstructured.Unstructured) error {
	if h := g.hold(); h != nil {
		return heldTrouble(h)
	}
	p.objects = slices.Insert(p.objects, 0, asked{g.id.Kind, u})
	if g.id.Kind != bot.KindKustomization {
		return nil
	}
	k, err := decode[kustomizev1.Kustomization](u)
	if err == nil && k.Spec.SourceRef.Kind == sourcev1.GitRepositoryKind {
		p.addSource(sourceKey(k))
	}
	return err
}

func (p *syncPlan) addSource(k key) {
	if !slices.Contains(p.sources, k) {
		p.sources = append(p.sources, k)
	}
}

// heldTrouble tells that a sync would do nothing, and how to end the hold.
func heldTrouble(h *bot.Hold) error {
	if h.Ours() {
		return bot.NewTrouble(bot.TroubleStale, nil, "%s is held by Rollback %s, so nothing would be applied.", nameOf(h.App), h.Owner)
	}
	return bot.NewTrouble(bot.TroubleInvalid, nil, "%s is %s, so nothing would be applied.", nameOf(h.App), h.Reason).
		WithAdvice("Resume it: flux resume %s %s -n %s", strings.ToLower(string(h.App.Kind)), h.App.Name, h.App.Namespace)
}

// ask has an object reconciled now, once for each token
// (https://fluxcd.io/flux/components/kustomize/kustomizations/#triggering-a-reconcile).
// It writes one annotation that is nobody's, so it needs no precondition.
func (c *Controller) ask(ctx context.Context, r resource, u *unstructured.Unstructured, token string) error {
	if u.GetAnnotations()[meta.ReconcileRequestAnnotation] == token {
		return nil
	}
	req := request{"patch", r, u.GetNamespace(), u.GetName()}
	gvr, _, err := c.served.version(r)
	if err != nil {
		return c.trouble(err, req)
	}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"annotations": map[string]any{meta.ReconcileRequestAnnotation: token},
	}})
	if err != nil {
		return fmt.Errorf("encode the token of a sync: %w", err)
	}
	_, err = c.dynamic.Resource(gvr).Namespace(u.GetNamespace()).
		Patch(ctx, u.GetName(), types.MergePatchType, body, metav1.PatchOptions{FieldManager: fieldManager})
	return c.trouble(err, req)
}

// fetchPoll is how often a source is looked at while it fetches.
const fetchPoll = 250 * time.Millisecond

// awaitFetch waits until source-controller has acted on the token, at most
// FetchWait. A fetch that went wrong is trouble; one that takes long is not.
func (c *Controller) awaitFetch(ctx context.Context, k key, token string) error {
	limit := time.NewTimer(c.fetchWait)
	defer limit.Stop()
	tick := time.NewTicker(fetchPoll)
	defer tick.Stop()
	for {
		u, err := c.get(ctx, gitRepositories(), k.namespace, k.name)
		if err != nil && !bot.IsTrouble(err, bot.TroubleTransient) {
			return err
		}
		if err == nil {
			r, err := decode[sourcev1.GitRepository](u)
			if err != nil {
				return err
			}
			if r.Status.LastHandledReconcileAt == token {
				return fetched(r)
			}
		}
		select {
		case <-ctx.Done():
			return c.trouble(context.Cause(ctx), request{"get", gitRepositories(), k.namespace, k.name})
		case <-limit.C:
			c.log.Info("source-controller has not fetched yet", "namespace", k.namespace, "name", k.name)
			return nil
		case <-tick.C:
		}
	}
}

// fetched tells how a fetch ended.
func fetched(r *sourcev1.GitRepository) error {
	ready := status{conditions: r.Status.Conditions}.condition(meta.ReadyCondition)
	if ready.Status != metav1.ConditionFalse {
		return nil
	}
	return bot.NewTrouble(bot.TroubleTransient, fmt.Errorf("%s: %s", ready.Reason, ready.Message),
		"Flux could not fetch GitRepository %s/%s (%s).", r.Namespace, r.Name, ready.Reason).
		WithAdvice("See why: flux get source git %s -n %s", r.Name, r.Namespace)
}
