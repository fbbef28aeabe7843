package argo

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"

	"github.com/backout-dev/backout/bot"
)

// index is what was seen of the Applications when they were last listed. The
// marks on objects name an Application without its cluster, and name some that
// are not there; the index tells which to believe.
type index struct {
	mu     sync.RWMutex
	listed bool // a whole list has been seen
	apps   map[instance]known

	learning sync.Mutex // one list at a time
	asked    time.Time  // of the last one, under learning
}

// fresh is how long a name that is not in the index is taken to be nobody's.
const fresh = 15 * time.Second

// instance is an Application's namespace and name.
type instance struct{ namespace, name string }

// known is what deciding about a mark needs.
type known struct {
	id         bot.AppID
	namespaces []string // that it delivers to
	delivers   map[bot.Workload]bool
	children   map[instance]bool // Applications among its objects
}

func (x *index) replace(list []argov1.Application, s *Server) {
	apps := make(map[instance]known, len(list))
	for i := range list {
		apps[instance{list[i].Namespace, list[i].Name}] = s.know(&list[i])
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.apps, x.listed = apps, true
}

func (x *index) add(a *argov1.Application, s *Server) {
	k := s.know(a)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.apps == nil {
		x.apps = map[instance]known{}
	}
	x.apps[instance{a.Namespace, a.Name}] = k
}

func (x *index) get(i instance) (k known, ok, listed bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	k, ok = x.apps[i]
	return k, ok, x.listed
}

// find looks up a name that a mark carries, and lists the Applications when it is
// not known: one may have been made since, or none been listed yet.
func (s *Server) find(i instance) (k known, ok, listed bool) {
	if k, ok, listed = s.seen.get(i); ok {
		return k, ok, listed
	}
	s.seen.learning.Lock()
	defer s.seen.learning.Unlock()
	if now := s.cfg.Now(); now.Sub(s.seen.asked) >= fresh {
		s.seen.asked = now
		ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Timeout)
		defer cancel()
		if list, err := s.list(ctx); err == nil {
			s.seen.replace(list, s)
		} else {
			s.cfg.Log.Warn("can't list the Applications to find an owner", "err", err)
		}
	}
	return s.seen.get(i)
}

func (x *index) has(id bot.AppID) bool {
	k, ok, _ := x.get(instance{id.Namespace, id.Name})
	return ok && k.id == id
}

func (s *Server) know(a *argov1.Application) known {
	id := s.idOf(a)
	k := known{id: id, delivers: map[bot.Workload]bool{}, children: map[instance]bool{}}
	in := map[string]bool{a.Spec.Destination.Namespace: true}
	for _, w := range workloads(a, id.Cluster) {
		k.delivers[w], in[w.Namespace] = true, true
	}
	for _, r := range a.Status.Resources {
		if r.Group == "argoproj.io" && r.Kind == "Application" {
			k.children[instance{r.Namespace, r.Name}] = true
		}
	}
	k.namespaces = slices.Collect(maps.Keys(in))
	return k
}

// instanceOf reads the name that Argo CD marks objects with: "name", or
// "namespace_name" outside its own namespace. Neither part can hold "_".
func (s *Server) instanceOf(mark string) instance {
	if ns, name, ok := strings.Cut(mark, "_"); ok {
		return instance{ns, name}
	}
	return instance{s.cfg.Namespace, mark}
}
