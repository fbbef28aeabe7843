package bot

import "time"

// App is one delivered unit as its control plane sees it now.
type App struct {
	ID     AppID  `json:"id"`
	Source Source `json:"source"`
	// Namespace is where its objects go by default; empty when the manifests
	// decide.
	Namespace string `json:"namespace,omitempty"`
	// Revision is the commit that the control plane last applied in full. It is
	// not the commit that it last saw.
	Revision SHA `json:"revision,omitempty"`
	// Attempted is the commit that it last began to apply. It differs from
	// Revision while the new objects stand but are not well: Flux counts a
	// revision as applied only once its health checks pass.
	Attempted SHA `json:"attempted,omitempty"`
	// AppliedAt is when Attempted (or Revision) was applied, as the control
	// plane tells; zero when it does not.
	AppliedAt time.Time `json:"applied_at,omitzero"`
	// Current is true when the status speaks of the object's present
	// generation; a status that lags proves nothing.
	Current bool `json:"current"`
	// Synced is true when the live objects equal those of Revision.
	Synced  bool   `json:"synced"`
	Health  Health `json:"health"`
	Message string `json:"message,omitempty"`
	// Hold is set while reconciliation is off, whoever turned it off.
	Hold *Hold `json:"hold,omitempty"`
	// AutoSync is true when the control plane applies new commits by itself.
	AutoSync bool `json:"auto_sync"`
	// Workloads are the objects it delivers that run pods.
	Workloads []Workload `json:"workloads,omitempty"`
	// Parent is the App that delivers this App's own object, when known.
	Parent *AppID `json:"parent,omitempty"`
}

// Running is the commit whose objects stand in the cluster, well or not.
func (a App) Running() SHA {
	if a.Attempted != "" {
		return a.Attempted
	}
	return a.Revision
}

// Source is where an App's manifests come from.
type Source struct {
	// Repo is empty when the source is not a repository on our host.
	Repo RepoName `json:"repo,omitempty"`
	// Branch is the branch that it tracks.
	Branch string `json:"branch,omitempty"`
	// Paths are directories or files below the root, without "./" or a leading
	// slash; "." is the whole tree.
	Paths []string `json:"paths,omitempty"`
	// Untracked says in a sentence why the App can't be reverted through git
	// (a tag, a fixed commit, an OCI artifact, a chart repository); empty when
	// it tracks a branch.
	Untracked string `json:"untracked,omitempty"`
}

// Health is an App's health in our words.
type Health string

// The healths. Flux: Ready true, unknown with reason Progressing, false.
// Argo CD: Healthy, Progressing, Degraded or Missing, Unknown.
const (
	HealthGood        Health = "healthy"
	HealthProgressing Health = "progressing"
	HealthBad         Health = "degraded"
	HealthUnknown     Health = "unknown"
)

// Hold is a lease on an App's reconciliation as it is written on the object.
type Hold struct {
	App AppID `json:"app"`
	// Owner is the Rollback that placed it; empty when it is not ours.
	Owner RollbackID `json:"owner,omitempty"`
	// Reason is for the people who find the object held.
	Reason string `json:"reason,omitempty"`
	// Deadline is when the janitor releases it, whatever happened.
	Deadline time.Time `json:"deadline,omitzero"`
	// Previous is what stood there before, in the adapter's own encoding.
	Previous string `json:"previous,omitempty"`
}

// Ours reports whether Backout placed the hold.
func (h *Hold) Ours() bool { return h != nil && h.Owner != "" }

// Deployed is one line of our own record of what an App ran when.
type Deployed struct {
	App      AppID     `json:"app"`
	Revision SHA       `json:"revision"`
	Health   Health    `json:"health"`
	At       time.Time `json:"at"`
}

// Object is a Kubernetes object as far as finding its owner needs it.
type Object struct {
	Workload
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Rollout is the state of one workload after a sync.
type Rollout struct {
	Workload Workload `json:"workload"`
	// Done is true when every wanted replica is updated and available.
	Done bool `json:"done"`
	// Gone is true when there is no such object (any more).
	Gone bool `json:"gone,omitempty"`
	// Failed is true when it will not finish by itself.
	Failed bool   `json:"failed"`
	Reason string `json:"reason,omitempty"`
	// CrashLooping names pods that crash, fail to pull or were killed.
	CrashLooping []string `json:"crash_looping,omitempty"`
	Images       []string `json:"images,omitempty"`
}
