// Package window tells when a freeze window is open. Pure: a freeze and a
// moment in, open or not and until when out.
//
// A window begins whenever the wall clock of its zone shows what its cron
// expression says, and lasts for its length in elapsed time. The cron dialect
// is that of Kubernetes CronJobs and of Argo CD's sync windows, whose parser it
// uses; the library's own search for the next start leaves out what falls into
// a skipped hour, so the search is ours.
//
// When the clock is put forward, a window that would begin in the skipped hour
// begins at the jump. When it is put back, one that would begin in the doubled
// hour begins the first time. A night may so be an hour shorter or longer by
// the clock, but a window never lasts less than it says.
//
// Windows that overlap or touch are one. A window that would never close is
// refused, as nobody means that; policy has the mode observe for it. What can't
// be understood counts as open.
package window
