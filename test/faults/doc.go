// Package faults plays the plain stories of a Rollback while something outside
// fails: GitHub, the network, the cluster, the monitoring, the disk, the clock.
//
// Each trial ends right or in "needs human" with the reason and the next step
// on the pull request, holds nothing afterwards, has made one pull request, one
// merge and one comment at most, and never asks GitHub faster than the bounds
// of limits_test.go. Hours of retries pass on the fake clock of test/memory.
// The tests print a table of all trials at the end.
//
// The plain run plays every kind of fault on every kind of request once, each
// with one of the statuses and lengths; -full plays all combinations.
package faults
