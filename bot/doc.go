// Package bot is Backout itself: the nouns, the ports, and the flow from an
// incident to a verified revert.
//
// # The two flows
//
// [Flow.Intake] handles one accepted event. For a comment it reacts, checks
// who speaks, and does what the command asks. For an alert it finds the Apps
// that the alert speaks of and ranks the changes that may have broken them.
// Either way it ends in [Ledger.Begin], which starts a Rollback or joins the one
// that already takes the same change back.
//
// [Flow.Rollback] runs one Rollback: decide, approve, hold, open the revert,
// watch the merge gate, merge, release, sync, verify, settle. Each stage is a
// method that returns nil to go on or a stop with a verdict; settle runs after
// every end and leaves nothing held and nobody uninformed.
//
// Events come over HTTP (package webhooks), and those that did not arrive come
// from GitHub's log of deliveries ([CatchUp]): both have the same ID, so the
// engine takes each in once. A command that came late is looked at again, and a
// very late one is answered and not obeyed (intake_late.go).
//
// # Rules that every line here must keep
//
// A flow is replayed from its journal after a crash, so between two steps it
// may look at nothing but recorded results: no clock, no configuration, no
// policy, no map order, no randomness. All of that is read inside a [Step] and
// becomes part of what is recorded.
//
// An act runs at least once. A crash between an act and its record runs it
// again, so each outside effect has a natural key by which it is recognised:
// the revert's branch, the hidden marker of a comment, the external ID of a
// check run, the expected head of a merge, the owner annotation of a hold, the
// token of a sync. An effect without such a key must not be added.
//
// Everything that may be expected of the world (a conflict, a refusal, a rate
// limit) is a value in a step's result, as [Trouble] or a field. A Go error
// from a journal means only that the engine is going down.
//
// Hints wake a waiting flow early and carry no truth. The flow reads the world
// again, so a webhook that is lost costs one polling interval and one that is
// forged costs nothing.
//
// What a merge rests on (entitlement, kill switch, cancellation, head, tree,
// gate) is read in one step immediately before the merge, by [run.readGate].
// Anything that becomes another condition of merging belongs there.
package bot
