// Package e2e plays the stories of Backout on a real control plane: what
// people and Alertmanager ask for comes in over HTTP, and what is asserted
// stands in the cluster, in the API server's audit log and on the pull
// request.
//
// Real are the API server, kustomize-controller, Argo CD, Prometheus,
// Alertmanager, git, and the bot in the wiring of cmd/app. The bot is a user of
// the cluster who may do in the story's namespace what the package comments of
// sync/flux and sync/workload list, and nothing else. Stand-ins are GitHub
// (test/fakehub), and of the control plane what package bed names: the
// kubelet, Flux's source-controller and the traffic.
//
// All stories share one bed. Each has a namespace, a GitHub and a bot of its
// own. Those that hear of trouble from Alertmanager, which knows one receiver,
// run one after the other, the rest beside each other.
package e2e
