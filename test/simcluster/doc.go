// Package simcluster is a simulated cluster for the demo and the scenario
// tests: a control plane that delivers Apps from a git branch, the workloads
// it runs, and the monitoring that watches them. It is a stand-in and says so:
// it knows one rule, that an image whose tag contains "bad" fails half of its
// requests and crash-loops. What real controllers do is shown by the tests on
// the bed.
package simcluster
