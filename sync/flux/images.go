package flux

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	imagev1 "github.com/fluxcd/image-automation-controller/api/v1beta2"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/backout-dev/backout/bot"
)

// AnnotationImages is, on a held ImageUpdateAutomation, what the hold keeps from
// coming back: a list of [bot.ImageUpdate] as JSON.
const AnnotationImages = "backout.dev/hold-images"

var _ bot.ImageAutomations = (*Controller)(nil)

// HoldImages suspends every ImageUpdateAutomation that would write the choice of
// one of the policies again.
//
// Suspending the ImagePolicy would be narrower and do nothing: an automation
// writes the choice that a suspended policy made last.
func (c *Controller) HoldImages(ctx context.Context, l bot.ImageLease) ([]bot.ImageHeld, error) {
	updates := slices.DeleteFunc(slices.Clone(l.Updates), func(u bot.ImageUpdate) bool {
		namespace, _, ok := policyOf(u)
		return !ok || !c.inScope(namespace)
	})
	if len(updates) == 0 {
		return nil, nil
	}
	items, err := c.list(ctx, imageUpdateAutomations())
	if err != nil {
		return nil, err
	}
	var out []bot.ImageHeld
	var errs []error
	for i := range items {
		writes, err := c.writes(ctx, &items[i], updates, l)
		if err != nil || len(writes) == 0 {
			errs = append(errs, err)
			continue
		}
		held, err := c.holdImages(ctx, &items[i], writes, l)
		errs = append(errs, err)
		if err == nil {
			out = append(out, held)
		}
	}
	return out, errors.Join(errs...)
}

func (c *Controller) holdImages(ctx context.Context, u *unstructured.Unstructured, updates []bot.ImageUpdate, l bot.ImageLease) (bot.ImageHeld, error) {
	id := c.id(bot.AppKind(imagev1.ImageUpdateAutomationKind), u.GetNamespace(), u.GetName())
	text, err := json.Marshal(updates)
	if err != nil {
		return bot.ImageHeld{}, err
	}
	held, err := c.changeObject(ctx, imageUpdateAutomations(), id, func(g grip) (map[string]any, bot.Held) {
		patch, held := place(g, bot.Lease{App: id, Owner: l.Owner, Reason: l.Reason, Deadline: l.Deadline})
		noteImages(patch, string(text))
		return patch, held
	})
	return bot.ImageHeld{
		ImageHold: bot.ImageHold{
			Cluster: c.cluster, Kind: string(id.Kind), Namespace: id.Namespace, Name: id.Name,
			Owner: l.Owner, Reason: l.Reason, Deadline: l.Deadline, Updates: updates,
		},
		Placed: held.Placed, Left: held.Left,
	}, err
}

// noteImages adds what a hold is for to the patch that places it, and takes it off
// with value nil.
func noteImages(patch map[string]any, value any) {
	meta, _ := patch["metadata"].(map[string]any)
	if annotations, ok := meta["annotations"].(map[string]any); ok {
		annotations[AnnotationImages] = value
	}
}

// ReleaseImages takes our hold off, as Release does for an App.
func (c *Controller) ReleaseImages(ctx context.Context, h bot.ImageHold) (left string, err error) {
	id := c.id(bot.AppKind(imagev1.ImageUpdateAutomationKind), h.Namespace, h.Name)
	if h.Cluster != c.cluster || h.Kind != string(id.Kind) || !c.inScope(h.Namespace) {
		return "", c.notOurs(id)
	}
	held, err := c.changeObject(ctx, imageUpdateAutomations(), id, func(g grip) (map[string]any, bot.Held) {
		patch, held := lift(g, h.Owner)
		noteImages(patch, nil)
		return patch, held
	})
	if bot.IsTrouble(err, bot.TroubleNotFound) {
		return nameOf(id) + " no longer exists.", nil
	}
	return held.Left, err
}

// ImageHolds lists the ImageUpdateAutomations that bear our mark.
func (c *Controller) ImageHolds(ctx context.Context) ([]bot.ImageHold, error) {
	items, err := c.list(ctx, imageUpdateAutomations())
	if err != nil {
		return nil, err
	}
	var out []bot.ImageHold
	for i := range items {
		u := &items[i]
		m := markOf(u.GetAnnotations())
		if m == nil {
			continue
		}
		h := bot.ImageHold{
			Cluster: c.cluster, Kind: imagev1.ImageUpdateAutomationKind, Namespace: u.GetNamespace(), Name: u.GetName(),
			Owner: m.owner, Reason: m.reason, Deadline: m.deadline,
		}
		// Where it is damaged nobody can tell when the hold has done its work, and
		// the deadline ends it.
		if json.Unmarshal([]byte(u.GetAnnotations()[AnnotationImages]), &h.Updates) != nil {
			h.Updates = nil
		}
		out = append(out, h)
	}
	return out, nil
}

// policyOf is the ImagePolicy whose choice an update is.
func policyOf(u bot.ImageUpdate) (namespace, name string, ok bool) {
	namespace, name, ok = strings.Cut(u.Ref, ":")
	return namespace, name, ok && u.By == bot.ImageFlux && namespace != "" && name != ""
}

// writes are the updates that an automation would make again: those of policies
// in its namespace that it selects. What can't be read counts as selected, since
// a hold too many is told and a bad tag back is an incident.
func (c *Controller) writes(ctx context.Context, item *unstructured.Unstructured, updates []bot.ImageUpdate, l bot.ImageLease) ([]bot.ImageUpdate, error) {
	var out []bot.ImageUpdate
	for _, u := range updates {
		if namespace, _, _ := policyOf(u); namespace == item.GetNamespace() {
			out = append(out, u)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	a, err := decode[imagev1.ImageUpdateAutomation](item)
	if err != nil {
		return nil, err
	}
	if pushed := a.Status.LastPushCommit; pushed != "" && strings.HasSuffix(pushed, string(l.Culprit)) && l.Culprit != "" {
		return out, nil
	}
	if elsewhere, err := c.pushesElsewhere(ctx, a, l.Repo); err != nil || elsewhere {
		return nil, err
	}
	if a.Spec.PolicySelector == nil {
		return out, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(a.Spec.PolicySelector)
	if err != nil {
		return out, nil
	}
	return slices.DeleteFunc(out, func(u bot.ImageUpdate) bool {
		namespace, name, _ := policyOf(u)
		p, err := c.get(ctx, imagePolicies(), namespace, name)
		return err == nil && !selector.Matches(labels.Set(p.GetLabels()))
	}), nil
}

// pushesElsewhere reports whether an automation surely writes to another
// repository.
func (c *Controller) pushesElsewhere(ctx context.Context, a *imagev1.ImageUpdateAutomation, repo bot.RepoName) (bool, error) {
	if a.Spec.SourceRef.Kind != sourcev1.GitRepositoryKind {
		return false, nil
	}
	namespace := a.Spec.SourceRef.Namespace
	if namespace == "" {
		namespace = a.Namespace
	}
	u, err := c.get(ctx, gitRepositories(), namespace, a.Spec.SourceRef.Name)
	if bot.IsTrouble(err, bot.TroubleNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	source, err := decode[sourcev1.GitRepository](u)
	if err != nil {
		return false, err
	}
	at, ok := repoOn(c.host, source.Spec.URL)
	return ok && !strings.EqualFold(string(at), string(repo)), nil
}
