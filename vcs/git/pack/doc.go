// Package pack reads objects from git's packs, in front of go-git.
//
// A revert is a few dozen objects, mostly directories that differ little from each
// other, looked up by name. go-git is made for walking whole packs: it keeps every
// index in memory, unpacks each link of a chain of deltas by way of several readers and
// copies, and lets in one goroutine at a time. Of the time that it took to take one change
// back, it was what was left after everything else had been made cheap. Here
//
//   - an index is searched on disk, in three short reads, until it has been asked a
//     256th as often as it has objects; then 8 bytes an object are kept of it. A repository of
//     1.5 million objects costs nothing when it is opened and 12 MB when it is used much,
//     where go-git's index has 43 MB and takes 0.2 s to load;
//   - most entries come with one read of 4 KiB, and unpack into one allocation;
//   - what was met on the way up a chain of deltas is kept, within a bound, since the next
//     version of a directory usually lies in the same chain;
//   - readers don't wait for each other.
//
// The library stays the authority. This package reads packs with an index of version 2,
// on disk, complete in themselves; of all else it says [ErrAbsent] or another error, and the caller asks
// go-git: loose and borrowed objects, packs that are damaged or of a kind not known.
// Every object is compared with its name before it is returned, so that a mistake
// here costs time and not a wrong revert. Packs are read, not mapped into memory: an
// error of the disk under a mapped file would end the process.
//
// Packs come, with each fetch, and go, when somebody's git gc joins them. As in git,
// the folder is looked at again when an object is not found or a pack can't be read.
package pack
