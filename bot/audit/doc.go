// Package audit keeps the record of what Backout decided and did: one line of
// JSON for every decision with what it rested on, for every effect on GitHub,
// on a cluster or on the ledger, and for every word of a person that counted.
//
// It looks on from outside. [Ports] wraps the ports through which the flow acts,
// [Versions] the flows and their journals; the flow itself knows nothing of it,
// and its steps are the same with and without.
//
// # What a line promises
//
// Before an effect, the line that announces it ("attempt") is on disk, synced;
// afterwards the line with its result ("effect") follows. Where the second one
// is missing, the process died in between and the effect may have happened: the
// act is then done again, and stands here twice, as it was. An act that changes
// git or a cluster is not done when its attempt can't be written. What makes
// things safer again (releasing, closing, dequeuing) and what tells people is
// done all the same.
//
// Lines of other kinds are written at once and synced within a second: a power
// cut can take the last of them, and the journal still has them.
//
// # What the chain promises
//
// Each line carries the SHA-256 of the line before it. A line that was changed,
// removed or put in shows ([Verify]), unless everything after it was written
// anew as well. Against somebody who can do that, compare the head: it is
// logged at every start and at every new file, so it also stands where the
// process's log goes. Lines cut off at the end show by the same comparison.
package audit
