package bot

import (
	"fmt"
	"regexp"
	"strings"
)

// SHA is a git object name: 40 lower-case hexadecimal digits. The empty SHA
// means "unknown".
type SHA string

var fullSHA = regexp.MustCompile(`^[0-9a-f]{40}$`)

// Valid reports whether s is a full object name.
func (s SHA) Valid() bool { return fullSHA.MatchString(string(s)) }

// Short is the form people read: the first twelve digits, long enough to stay
// unique in repositories with millions of objects.
func (s SHA) Short() string {
	if len(s) > 12 {
		return string(s[:12])
	}
	return string(s)
}

// RepoName is a repository on the one GitHub host that a server speaks to, as
// "owner/name".
type RepoName string

// Split returns owner and name. Both are empty when the name is malformed.
func (r RepoName) Split() (owner, name string) {
	owner, name, ok := strings.Cut(string(r), "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		return "", ""
	}
	return owner, name
}

// Permission is what a person may do on a repository, as GitHub names it
// (https://docs.github.com/rest/collaborators/collaborators#get-repository-permissions-for-a-user).
type Permission string

// The permissions, weakest first. GitHub reports triage as read and maintain
// as write in "permission"; adapters return the finer "role_name".
const (
	PermissionNone     Permission = "none"
	PermissionRead     Permission = "read"
	PermissionTriage   Permission = "triage"
	PermissionWrite    Permission = "write"
	PermissionMaintain Permission = "maintain"
	PermissionAdmin    Permission = "admin"
)

// AtLeast reports whether p allows everything that want allows. An unknown
// permission allows nothing: that is the safe direction of error.
func (p Permission) AtLeast(want Permission) bool {
	rank := map[Permission]int{
		PermissionRead: 1, PermissionTriage: 2, PermissionWrite: 3,
		PermissionMaintain: 4, PermissionAdmin: 5,
	}
	have, known := rank[p]
	return known && have >= rank[want]
}

// AppKind is the kind of the object that delivers an App.
type AppKind string

// The kinds of Apps.
const (
	KindKustomization AppKind = "Kustomization"
	KindHelmRelease   AppKind = "HelmRelease"
	KindApplication   AppKind = "Application"
)

// AppID names one App in one cluster.
type AppID struct {
	Cluster   string  `json:"cluster"`
	Kind      AppKind `json:"kind"`
	Namespace string  `json:"namespace"`
	Name      string  `json:"name"`
}

// String is the form used in keys, logs and config globs:
// "cluster/Kind/namespace/name".
func (id AppID) String() string {
	return fmt.Sprintf("%s/%s/%s/%s", id.Cluster, id.Kind, id.Namespace, id.Name)
}

// Workload names one Kubernetes object that runs pods (or one pod), in the
// cluster it runs in. Kind is the Kubernetes kind: Deployment, StatefulSet,
// DaemonSet, Job, CronJob or Pod.
type Workload struct {
	Cluster   string `json:"cluster"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String is "Kind namespace/name", as people read it.
func (w Workload) String() string {
	return fmt.Sprintf("%s %s/%s", w.Kind, w.Namespace, w.Name)
}

// RollbackID identifies a Rollback: a hash of host, repository, base branch,
// culprit set and attempt, so that every way in to the same revert is the same
// Rollback.
type RollbackID string
