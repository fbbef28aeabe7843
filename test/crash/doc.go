// Package crash kills the bot, on purpose and everywhere.
//
// The bot is a process of its own: the test binary, run again. It is the real
// wiring on SQLite. GitHub (test/fakehub), the cluster (test/simcluster) and
// the monitoring live in the test, so they survive it, and they count what it
// does to them.
//
// # Where it is killed
//
// No list of places is kept. Each story is told once without a kill, and the
// test notes every effect in order: each write to GitHub, each write to the
// cluster, each commit to the bot's own record (an accepted event, a step of a
// flow, a row of the ledger) and each answer to a webhook. Then the story is
// told again for each of them, with SIGKILL at one moment of it:
//
//	before  the request has arrived, is not handled, and never will be
//	inside  it has been handled and the answer does not leave
//	after   the answer has left
//	late    it is handled just before the same request of the next process
//	later   it is handled just after the same request of the next process
//
// An effect on the bot's own record knows before (what is to be recorded has
// happened, the record is not written) and after (it is written, and nobody
// knows).
//
// The process is started again each time, on another port, as it would be by a
// supervisor. In part of the runs the second process is killed as well, at the
// first effects that it has, and a third one must come to the end.
//
// # What must hold
//
// See check: one revert, at most one merge, one sticky comment, one hold and
// one release for each App, one end; nothing held, no branch left over, and
// every event that was answered with 2xx handled to its end. Nobody sends an
// event again that was accepted; one that found nobody is delivered again, as
// GitHub lets people do and as Alertmanager does by itself.
//
// BACKOUT_CRASH=all runs the whole matrix, and BACKOUT_CRASH=n a part of n runs;
// without it, a short part. Every part is spread over all effects, moments and
// stories.
package crash
