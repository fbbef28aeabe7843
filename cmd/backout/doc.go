// Command backout is the GitOps revert bot.
//
// This is a tour of the code, bottom up.
//
// Package bot is the program: the nouns (App, Incident, Suspect, Culprit,
// Decision, Rollback, Hold, Verdict), the ports through which it sees and
// changes the world, and two durable functions over them. Intake (intake_*.go)
// turns one accepted webhook into a Rollback that is begun or joined. Rollback
// (run*.go) takes it from the decision to the verdict; run.go's act lists the
// stages in order. Both speak to a Journal: an act whose result is on record is
// never done again, so either function can be killed anywhere and replayed.
//
// Below it are the parts that decide and tell, all pure: bot/command (the
// grammar of slash commands), bot/culprit (which change broke it, if any),
// bot/policy (what may be done, and the merge gate), bot/report (every
// sentence that a person reads). bot/manifest reads Kubernetes manifests for
// them. bot/verify asks Prometheus and Alertmanager. bot/durable runs the
// flows on DBOS and keeps the ledger of Rollbacks.
//
// The adapters implement the ports, one vendor each: vcs/git (mirrors, history,
// the in-process revert), vcs/github (the App), sync/flux, sync/argo,
// sync/workload (clusters), webhooks (what comes in over HTTP).
//
// Package cmd/app is the one wiring of all this; cmd/backout parses flags and
// calls it, and so do cmd/demo and the tests. The commands revert and find need
// no wiring: they put vcs/git and bot/culprit to work on a clone.
//
// Under test are the stand-ins (fakehub, a GitHub over real repositories;
// simcluster; memory, an engine without a database), the bed (a real control
// plane of plain processes), stage (all of it set up in one process), and the
// stories: scenarios, played on the stage, and e2e, played on the bed.
package main
