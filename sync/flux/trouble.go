package flux

import (
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/backout-dev/backout/bot"
)

// request is one request to the API server, for telling people what did not
// work. An empty namespace is the whole cluster, an empty name is a list.
type request struct {
	verb      string
	resource  resource
	namespace string
	name      string
}

// String is "patch kustomizations.kustomize.toolkit.fluxcd.io apps/web".
func (r request) String() string { return r.verb + " " + r.object() }

func (r request) object() string {
	switch {
	case r.name != "":
		return fmt.Sprintf("%s %s/%s", r.resource, r.namespace, r.name)
	case r.namespace != "":
		return fmt.Sprintf("%s in namespace %s", r.resource, r.namespace)
	default:
		return fmt.Sprintf("%s in any namespace", r.resource)
	}
}

func (r request) scope() string {
	if r.namespace == "" {
		return "the whole cluster (or name the namespaces to watch)"
	}
	return "namespace " + r.namespace
}

// trouble says what an error of the API server means for the flow. The text
// never quotes the server: its messages can carry what admission webhooks and
// manifests say. An error that is Trouble already is left as it is.
func (c *Controller) trouble(err error, r request) error {
	var known *bot.Trouble
	if err == nil || errors.As(err, &known) {
		return err
	}
	switch {
	case apierrors.IsForbidden(err):
		return bot.NewTrouble(bot.TroubleForbidden, err, "Cluster %s does not let Backout %s.", c.cluster, r).
			WithAdvice("Grant Backout's service account the verb %q on %s in %s.", r.verb, r.resource, r.scope())
	case apierrors.IsUnauthorized(err):
		return bot.NewTrouble(bot.TroubleForbidden, err, "Cluster %s does not accept Backout's credentials.", c.cluster).
			WithAdvice("Renew the kubeconfig or the service account's token for cluster %s.", c.cluster)
	case apierrors.IsNotFound(err), apierrors.IsGone(err):
		return bot.NewTrouble(bot.TroubleNotFound, err, "Cluster %s has no %s.", c.cluster, r.object())
	case apierrors.IsConflict(err):
		return bot.NewTrouble(bot.TroubleStale, err, "The object kept changing while Backout tried to %s.", r)
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsMethodNotSupported(err):
		return bot.NewTrouble(bot.TroubleInvalid, err, "Cluster %s refused the request to %s.", c.cluster, r)
	}
	t := bot.NewTrouble(bot.TroubleTransient, err, "Cluster %s did not answer the request to %s.", c.cluster, r).
		WithAdvice("Check that the API server of cluster %s is up and can be reached from Backout, then ask again.", c.cluster)
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
		t.RetryAfter = time.Duration(seconds) * time.Second
	}
	return t
}
