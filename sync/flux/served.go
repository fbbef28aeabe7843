package flux

import (
	"log/slog"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/backout-dev/backout/bot"
)

// resource is one of Flux's resources, with the API versions that we can read,
// newest first. The fields that we use are the same in all of them.
type resource struct {
	group    string
	plural   string
	versions []string
}

func kustomizations() resource {
	return resource{"kustomize.toolkit.fluxcd.io", "kustomizations", []string{"v1"}}
}

func helmReleases() resource {
	return resource{"helm.toolkit.fluxcd.io", "helmreleases", []string{"v2", "v2beta2"}}
}

func gitRepositories() resource {
	return resource{"source.toolkit.fluxcd.io", "gitrepositories", []string{"v1"}}
}

func helmCharts() resource {
	return resource{"source.toolkit.fluxcd.io", "helmcharts", []string{"v1", "v1beta2"}}
}

// The image controllers' API became v1 with version 1.0 of both.
func imageUpdateAutomations() resource {
	return resource{imageGroup, "imageupdateautomations", []string{"v1", "v1beta2", "v1beta1"}}
}

func imagePolicies() resource {
	return resource{imageGroup, "imagepolicies", []string{"v1", "v1beta2", "v1beta1"}}
}

const imageGroup = "image.toolkit.fluxcd.io"

// kindOf is the resource of an App's kind.
func kindOf(kind bot.AppKind) (resource, bool) {
	switch kind {
	case bot.KindKustomization:
		return kustomizations(), true
	case bot.KindHelmRelease:
		return helmReleases(), true
	}
	return resource{}, false
}

// String is the name that RBAC rules use, "kustomizations.kustomize.toolkit.fluxcd.io".
func (r resource) String() string {
	if r.group == "" {
		return r.plural
	}
	return r.plural + "." + r.group
}

// served knows which version of a resource the cluster serves. A version that
// was found is remembered until a request shows that it is gone; an absent API
// is asked for again each time, since Flux may be installed later.
type served struct {
	discovery discovery.ServerResourcesInterface
	log       *slog.Logger

	mu    sync.Mutex
	found map[string]schema.GroupVersionResource // by resource.String()
	noted map[string]bool                        // absences that were logged
}

// version returns the newest version that the cluster serves and we read; ok is
// false when there is none.
func (s *served) version(r resource) (gvr schema.GroupVersionResource, ok bool, err error) {
	s.mu.Lock()
	gvr, ok = s.found[r.String()]
	s.mu.Unlock()
	if ok {
		return gvr, true, nil
	}
	for _, v := range r.versions {
		gv := schema.GroupVersion{Group: r.group, Version: v}
		list, err := s.discovery.ServerResourcesForGroupVersion(gv.String())
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return gvr, false, err
		}
		for _, have := range list.APIResources {
			if have.Name == r.plural {
				gvr = gv.WithResource(r.plural)
				s.remember(r, gvr)
				return gvr, true, nil
			}
		}
	}
	s.noteAbsent(r)
	return gvr, false, nil
}

func (s *served) remember(r resource, gvr schema.GroupVersionResource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found == nil {
		s.found = map[string]schema.GroupVersionResource{}
	}
	s.found[r.String()] = gvr
	delete(s.noted, r.String())
}

// forget makes the next call look again: the version is no longer served.
func (s *served) forget(r resource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.found, r.String())
}

// noteAbsent logs once that an API is not there: a cluster without
// helm-controller is no fault.
func (s *served) noteAbsent(r resource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.noted[r.String()] {
		return
	}
	if s.noted == nil {
		s.noted = map[string]bool{}
	}
	s.noted[r.String()] = true
	s.log.Info("the cluster does not serve an API of Flux; its Apps are not seen", "resource", r.String())
}
