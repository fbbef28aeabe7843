// Package model drives the real flow through random stories and holds it to
// its promises after every step.
//
// A story is a sequence of what people, GitHub, the cluster and the machine may
// do: commands, approvals, cancellations, repeated and late deliveries, pushes,
// closed and merged pull requests, revoked permissions, holds by hand, the kill
// switch, faults, crashes between and inside the acts of a flow. rapid draws the
// stories and shrinks one that breaks a promise to the shortest that does.
//
// What is real: bot.Flow with intake, rollback and janitor, the grammar, the
// ranker, the policy, the texts, the ledger (SQLite in memory). What is not: the
// engine is test/memory's, the cluster test/simcluster's, and git and GitHub are
// [World], a small and strict model of the ports, which makes a story cost
// milliseconds. TestTheWorldIsLikeTheStage plays stories in it and on test/stage
// (HTTP and real git) and compares how they end.
//
//	World        GitHub: people, pull requests, comments, the merge gate
//	repository   git: commits, trees, three-way merges, by whole files
//	mirror       the repository as of the last fetch (bot.History)
//	hands        every effect of the bot, where a crash can be put before or after
package model
