package workload

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/backout-dev/backout/bot"
)

// trouble says what an error of the API server means for the flow. act is what
// was tried, "list pods in namespace shop". The text never quotes the server.
func (r *Reader) trouble(err error, verb, resource, namespace string) error {
	var known *bot.Trouble
	if err == nil || errors.As(err, &known) {
		return err
	}
	switch {
	case apierrors.IsForbidden(err):
		return bot.NewTrouble(bot.TroubleForbidden, err, "cluster %s does not let Backout %s %s in namespace %s", r.cluster, verb, resource, namespace).
			WithAdvice("Grant Backout's service account the verb %q on %s in namespace %s.", verb, resource, namespace)
	case apierrors.IsUnauthorized(err):
		return bot.NewTrouble(bot.TroubleForbidden, err, "cluster %s does not accept Backout's credentials", r.cluster).
			WithAdvice("Renew the kubeconfig or the service account's token for cluster %s.", r.cluster)
	case apierrors.IsNotFound(err):
		return bot.NewTrouble(bot.TroubleNotFound, err, "cluster %s has no such object to %s: %s in namespace %s", r.cluster, verb, resource, namespace)
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return bot.NewTrouble(bot.TroubleInvalid, err, "cluster %s refused the request to %s %s in namespace %s", r.cluster, verb, resource, namespace)
	}
	t := bot.NewTrouble(bot.TroubleTransient, err, "cluster %s did not answer the request to %s %s in namespace %s", r.cluster, verb, resource, namespace).
		WithAdvice("Check that the API server of cluster %s is up and can be reached from Backout, then ask again.", r.cluster)
	if errors.Is(err, context.DeadlineExceeded) {
		t.Text += " in time"
	}
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
		t.RetryAfter = time.Duration(seconds) * time.Second
	}
	return t
}

// notOurs is the trouble of a workload in another cluster.
func (r *Reader) notOurs(w bot.Workload) error {
	return bot.NewTrouble(bot.TroubleInvalid, nil, "%s is in cluster %q, not in %s", w, w.Cluster, r.cluster)
}
