// Command load storms Backout and proves that it holds: 10,000 alerts within a
// minute for 500 Apps that three commits broke, mixed with 1,000 comments and
// redeliveries.
//
//	go run ./test/load
//
// Three processes take part. The bot runs alone in a child process, in its
// real wiring on SQLite, so that its memory is measured alone. The world around
// it (a GitHub over HTTP and real git, a simulated cluster with its
// monitoring) and the senders are the parent. A second child is what the bot is
// measured against: a plain net/http handler that inserts each body into SQLite
// with the same driver and pragmas, and gets the same requests at the same
// moments.
//
// The senders are open loops: a request is sent when it is due, whether or not
// the ones before were answered, and its time counts from when it was due. Like
// Alertmanager they send again what was answered by 5xx, after a growing pause;
// what else was refused is never sent again. Comments are written to the hub,
// which signs their webhooks; a postman passes them on beside it, since the hub
// itself sends one at a time.
//
// # The story
//
// The Apps belong to three teams. A pull request for each team moves all its
// Apps to a bad image at once, so each is the culprit for a third of the fleet:
//
//	alpha  alerts: auto, but max_affected is the default 5, and some broken Apps
//	       raise no alert: the guard asks for a second person, who comes while
//	       the storm still blows
//	beta   alerts: auto, per_day: 1, which is used up before the storm: the cap
//	       makes it a proposal, which a person merges after the storm
//	gamma  alerts: auto, max_affected as wide as the fleet: all by itself
//
// In the middle of it a person commands the rollback of a fourth change, which
// has nothing to do with the rest, and must be served at once.
//
// # What is asserted
//
// Counts, never times; proof.go has them. Times are printed.
package main
