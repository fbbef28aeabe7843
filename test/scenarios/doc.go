// Package scenarios plays the stories of testdata/*.txtar on the stage: the
// real wiring between a GitHub over real repositories and a simulated cluster.
//
// A story is a script in verbs that a reader follows, one a line, then the
// files of the repository. Every "want" waits for its condition. Each story is
// played four times: as it is; with a restart of the flow after each recorded
// step; with each act done twice, as if the process had died between act and
// record; and on the durable engine (DBOS on SQLite). The end must be the same,
// and the steps of the first two must match.
//
//	repo methods=METHOD,… auto-merge   how the repository merges
//	protect BRANCH [CHECK[@APP]…]      require checks on a branch; strict, queue, ruleset,
//	                                   reviews=N, bypass=APP are words for its other rules
//	lag READS                          for how many reads mergeability is unknown
//	ci NAME CONCLUSION                 what CI reports on each new head ("" pending)
//	app NAME PATH [KIND/WORKLOAD] [untracked]
//	policy KEY=VALUE…                  alerts, commands, hold, unprotected, max_affected, …
//	limits KEY=VALUE…                  the server's limits; {cron:-5m}, in files too, is the cron of then
//	observe                            start the bot with --observe
//	start                              start the bot; the verbs above come before it
//	pr AUTHOR TITLE FILE=CONTENT…      open a pull request (CONTENT names a file below)
//	merge NUMBER METHOD
//	push AUTHOR MESSAGE FILE=CONTENT…  straight to main
//	deploy                             deliver main, and wait until the bot has seen it
//	comment AUTHOR NUMBER TEXT         {head:BRANCH} in the text is that commit
//	edit-comment TEXT                  edit the last comment
//	alert / resolve                    post the alerts that fire now / as resolved
//	alert-with FILE                    likewise, with a file's text in a label, then with a megabyte of it
//	late-alert DURATION                an alert whose trouble began that long after the rollout
//	green NAME VERDICT                 turn a check green on every head until the verdict
//	push-revert AUTHOR MESSAGE FILE=…  to the branch of the open revert
//	suspend APP / resume APP           a human's hold
//	grant LOGIN ROLE
//	check NAME CONCLUSION [APP]        on the open revert's head, by an App
//	ci-also NAME CONCLUSION            ci reports success on each new head, and this
//	review LOGIN EVENT [TEXT]          APPROVE or REQUEST_CHANGES, on the open revert
//	approve-pr NUMBER LOGIN            an approving review on a pull request
//	draft-revert                       a person turns the open revert into a draft
//	refuse-merge N TEXT                GitHub refuses the next N merges (-1: all) with 405
//	queue-human NUMBER                 a person queues a pull request
//	run-queue / fail-queue CHECK       the merge queue does its work / that check fails on its merge
//	disarm LOGIN                       a person turns the open revert's auto-merge off
//	check-pr NUMBER NAME CONCLUSION    on a pull request's head
//	team SLUG LOGIN…                   a team of acme, which the bot may read; team-hidden, which it may not
//	leave SLUG LOGIN
//	allow-apps SLUG…                   Apps by which may be commanded
//	fork-pr AUTHOR TITLE FILE=…        a pull request from the author's fork
//	repeat N                           deliver every comment by people N times more
//	ready NUMBER                       a draft is ready
//	issue LOGIN TITLE / close-issue NUMBER
//	label LOGIN NUMBER NAME / unlabel LOGIN NUMBER NAME
//	labels away|back                   whether GitHub answers what carries a label
//	break-cluster / mend-cluster
//	kill-switch on|off
//	kill-switch-file NAME              where the file of the kill switch is
//	close NUMBER / human-merge NUMBER
//	advance DURATION
//	restart                            stop the bot and start it on the same data
//	down / up                          likewise, with time between, in which webhooks fail
//	lose-comments N                    let the webhooks of the next comments by people time out
//	webhook-secret wrong|right         what deliveries are signed with
//	sweep                              let the bot sweep GitHub's delivery log; it does so at each start, too
//	redeliver                          send every comment that failed once more
//	delete-comment                     delete the last comment
//	want-failed N                      how many new comments failed to be delivered
//	want-verdict VERDICT
//	want-pulls N                       pull requests opened by the bot
//	want-comment NUMBER TEXT           some comment by the bot holds the text
//	want-comments NUMBER N             how many comments the bot wrote there
//	want-file PATH TEXT                main holds the text in the file
//	want-held APP / want-free APP
//	want-effect N ACT APP              how often an act was done in the cluster
//	want-images held / want-images free  whether the image automation is held
//	want-queued / want-not-queued      whether the open revert is in the merge queue
//	want-armed / want-not-armed        whether GitHub's auto-merge is on for it
//	want-reviewer LOGIN                who was asked to review it
//	want-tame                          nothing that the bot wrote links, mentions, closes, hides or is too long
//	want-no-writes                     the bot wrote nothing to GitHub
//	want-rollbacks N
//	want-preview #N|SHA TEXT           what backout plan prints holds the text
//	want-waiting TEXT                  the newest Rollback waits, and says so in these words
package scenarios
