// Package replay keeps the journals of every story and replays them against the
// code as it is: whoever upgrades Backout in the middle of a Rollback runs new
// code on a journal that older code wrote.
//
// A kept journal is one run of one flow in one story of test/scenarios, under
//
//	testdata/<flow>-v<n>/<story>-<n>.txtar
//
// with what the run was begun with, its steps in order, the recorded result of
// each, and how it ended. The replay answers from that record only. It fails
// when the flow asks for another step than the record holds, ends early or
// late, reads the clock, a port or the configuration between two steps, or comes
// to another end.
//
// # When the replay fails
//
// The order of steps changed, so the changed flow is a new version
// (bot.Flow.Versions says how to register it). The kept journals of the older
// version stay what they are and go on being replayed against its code. Those of
// the new version are recorded with
//
//	make journals
//
// which plays every story and writes only the journals that are missing. It
// never touches one that is there.
//
// As long as no release has a version, nobody has unfinished work of it, and its
// journals may be recorded anew: remove its folder and run make journals.
package replay
