// Package github is Backout's hands on GitHub and GitHub Enterprise Server: it
// authenticates as a GitHub App, reads pull requests and branches, opens and
// merges reverts, and writes what people read. It implements [bot.People],
// [bot.Pulls], [bot.Reverts] and [bot.Board] on one [Client].
//
// Four rules hold in every file:
//
//   - An effect is found again, not repeated. Whoever calls may have died
//     between an effect and writing it down, so every write has a natural key
//     (the branch's name, the head's SHA, the hidden marker, the check run's
//     external ID), and an answer that got lost is replaced by a look at the
//     world, never by a second write.
//   - Nothing is looked up before the first attempt. A revert is on the clock;
//     the branch's name is the lock, and "already exists" is what triggers the
//     look.
//   - It never waits. Rate limits, lag and outages come back as
//     [bot.TroubleTransient] with the time GitHub asked for; waiting is the
//     flow's business, because only a durable wait survives a restart.
//   - A refusal to act is better than a wrong act. Only branches below
//     "backout/" are ever deleted, a commit whose tree is not the wanted one is
//     removed, and what somebody else put on our branch is left alone.
//
// Reading order: client.go (configuration), auth.go and transport.go (tokens),
// trouble.go (errors), documents.go and graphql.go (GraphQL), then one file
// for each thing it does.
package github
