// Package bed brings up a real GitOps control plane for tests: plain processes
// on loopback, without a container engine.
//
// Real, built from their published modules or taken from the system: etcd,
// kube-apiserver, kube-controller-manager, kube-scheduler, KWOK, Flux's
// kustomize-controller, Argo CD (repo server, application controller, API
// server) with Redis, Prometheus and Alertmanager.
//
// Stand-ins, to be named wherever a result rests on them:
//
//   - KWOK replaces the kubelet. No container runs; a pod is Ready at once, or,
//     when an image tag contains "bad", crash-loops and never becomes Ready.
//   - [Source] replaces Flux's source-controller, which cannot be built here:
//     it fetches branch heads and publishes them as artifacts. It proves nothing
//     about Flux's own source handling. HelmRelease has its definition
//     installed and no controller.
//   - [Exporter] invents the traffic: it derives request counters from the pods
//     that it sees, since KWOK's pods emit none.
//
// [Up] starts everything, in parallel where one part does not need another,
// and returns when all of it answers. The first run builds the programs (see
// package build); later ones take seconds. [Bed.Down] kills it all, and so does
// the death of the test process.
//
// Every wait is for a condition, with a limit generous enough for a loaded
// machine; no port is fixed; nothing is written outside the bed's own folder.
package bed
