// Package durable keeps what Backout must not forget: the flows under way, step
// by step, and the ledger of Rollbacks. It is the only package that knows DBOS
// (https://github.com/dbos-inc/dbos-transact-golang, v1.8.0). What is said here
// about DBOS was read in its source or seen by running it.
//
// # What is recorded, and when
//
// An accepted event is one row, and that row is at the same time the flow that
// handles it. [Engine.Accept] returns when the row is committed and synced, so
// a webhook that was answered 2xx can't be lost, and there is no moment at which
// the event is on record but its flow is not. The row's key is the event's ID:
// a redelivery finds the row and does nothing.
//
// A flow then records one row per step, under the step's number and name:
//
//	Do       the act's result, after the act and before anything else happens
//	Now      the time
//	NewID    the identifier
//	Sleep    the moment of waking, before it sleeps
//	Wait     the moment of giving up, before it waits
//
// The end of a flow is the last write. Nothing else is recorded: no hint, no
// waking, no error, no interruption.
//
// # What a crash does
//
// At the next [Engine.Launch] every unfinished flow runs again from its first
// line. Steps that are on record return what they returned then; the first one
// that is not is run. So an act whose process died before its result was
// recorded is run again, and acts must be idempotent by a natural key. Acts
// that are on record are never run again.
//
// A Sleep sleeps what is left. A Wait at which the process died does not wait
// again: the flow looks at the world at once. Hints that arrived while nobody
// ran are lost, and looking is what the lost hint would have made it do. A Wait
// that is followed by steps on record has ended by then. So a Wait needs one row
// and not two; see journal.Wait.
//
// [Engine.Close] is a crash with manners. The flows' contexts are cancelled,
// acts under way may return, and what they return is thrown away, because it
// may be the echo of the cancellation. A lock on the data directory (a session
// lock on PostgreSQL) makes sure that the next process begins only when this
// one has ended.
//
// # What a failure does
//
// By the rules of [bot.Journal], an act reports everything that may be expected
// of the world as a value. Its Go error, or a panic, says that this process
// could not go on. DBOS would record the error as the step's result for good,
// and hand it to all later runs as mere text, so it never gets to see it; see
// journal.record. The run ends, and the flow is run again from its record
// after a pause.
//
// A database that can't be read or written (a full disk) is waited for, however
// long it takes. Any other failure counts. A flow that fails five times without
// getting a step further, that asks for other steps than its record holds, or
// that was begun a hundred times (it may be what kills the process), is given
// up: its Rollback is finished in the ledger as needs-human, which frees its
// Apps and makes its holds the janitor's, Config.OnDead is told, and only then
// is the end recorded. A crash in between repeats the report. A flow never ends
// in silence, and DBOS's own dead-letter state, which would be silence, is
// turned off.
//
// # Which process, which database
//
// SQLite is the default: one process, one file, nothing to install. DBOS's
// tables and ours (prefix backout_) share the file, so that one backup is one
// moment. Every commit is synced. On PostgreSQL each process needs an executor
// ID of its own that it keeps over restarts: DBOS resumes only the flows of the
// ID it runs under. Adopting those of a process that does not come back is not
// done here yet, and nothing here stands in its way.
//
// # How much at once
//
// An accepted event's flow begins with the call that accepts it; a DBOS queue
// would have it wait for a poll. Each kind of flow has a number of places
// (lane.go). A flow without a place waits for one, and one that sleeps or waits
// gives its own away. Beyond a crowd of 64 intakes per lane, events stay in the
// database and are fetched by a queue as room comes free, so a flood of alerts
// costs disk and not memory, and a person's command passes it on a lane of its
// own.
//
// # What must not change
//
// The names in rows are the program's promises to its own past:
//
//   - the flows' names (intake/v1, rollback/v1), which stand in a row twice: as
//     the workflow's name and as its instance's. When the sequence of a flow's
//     steps changes, the changed flow is registered under the next version, and
//     the old one stays registered for one minor release (bot.Flow.Versions).
//     Changing what an act does is fine; changing its name, or which steps come
//     in which order for the same results, is not. Unfinished work of a version
//     that is gone is given up at the start, like a flow that can't go on. Work
//     of a newer version stops the start: only that program can finish it;
//   - the application version "backout" and the default executor ID "backout-0",
//     without which DBOS does not resume a flow;
//   - the prefix of intakes' IDs, and the names of the queues;
//   - the serializer's name and its encoding;
//   - released files in schema/. A change is a new file, and a database that
//     has more of them than a program knows is refused by it.
//
// Four habits of DBOS that this package works around, and which an upgrade of
// it must be checked for (the tests named here fail if one bites):
//
//   - Cancelling the context that DBOS was opened with marks every running flow
//     as cancelled for good; only its own Shutdown leaves them unfinished.
//     A context given to RunWorkflow becomes the flow's. Neither ever sees one
//     of ours (TestCancelledContextCancelsNoFlow).
//   - A step's error is recorded ("an act's error is not recorded", in the
//     contract), and a panic passes through a step unrecorded.
//   - Opened by URL, a SQLite database gets synchronous=NORMAL on one of its
//     connections, whatever the URL says.
//   - DBOS__ variables in the environment override its configuration
//     (TestEnvironmentDoesNotChangeTheEngine).
//
// Its deduplication IDs and its cancellation are never used: the first are
// cleared when a flow is adopted, the second forbids the compensation that must
// follow.
package durable
