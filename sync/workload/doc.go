// Package workload reads what runs in one cluster: objects with the controllers
// above them, and the state of rollouts. It implements [bot.Workloads] and
// writes nothing.
//
// # Rollouts
//
// Whether a rollout is done follows "kubectl rollout status"
// (https://kubernetes.io/docs/reference/kubectl/generated/kubectl_rollout/kubectl_rollout_status/,
// k8s.io/kubectl/pkg/polymorphichelpers), with these differences, each because
// an answer given once is acted on, where a person would look again:
//
//   - A Deployment's "exceeded its progress deadline" counts only when it speaks
//     of the current ReplicaSet. Right after a revert the condition of the
//     broken rollout still stands, with observedGeneration already current.
//   - A StatefulSet waits for availability (minReadySeconds), not readiness.
//   - A StatefulSet that can't go on because a pod of an earlier revision never
//     becomes ready (kubernetes#67250) has failed, and the pod is named.
//   - With strategy OnDelete, or paused, an unfinished rollout has failed: it
//     goes on only when a person acts.
//
// Jobs and bare Pods are done when they completed or are ready; a CronJob has
// nothing to roll out. A workload that is not there is not done, with the
// reason "not found": whether that is right is for the caller to say.
//
// Pods that crash, fail to pull or were killed are named, of the current
// revision only, since those of the broken one are on their way out. Pods are
// taken by the UID of their controller, never by labels alone.
//
// # Permissions
//
//	""     pods                                                           get, list
//	apps   deployments, replicasets, statefulsets, daemonsets             get
//	apps   replicasets, controllerrevisions                               list
//	batch  jobs, cronjobs                                                 get
//
// In every namespace that has workloads of Apps.
package workload
