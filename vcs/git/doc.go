// Package git is the git side of Backout: bare mirrors of repositories, their
// history, and the revert of a change, all in process.
//
// A Mirrors keeps one bare mirror for each repository, below one directory. Fetch
// brings a mirror up to date; everything else reads. What is read from a
// repository is never written to disk as files, no hook or filter runs, and
// nothing but a pack from the remote is ever added to a mirror: the trees and files
// that a revert makes live in memory, and are named so that whoever writes them
// through an API can be held to them.
//
// # The revert
//
// To take a change back is a three-way merge: base is the culprit, ours the
// branch, theirs the culprit's parent. The judge of each merge is git itself
// (git merge-tree): what is clean here is clean there, with the very same tree.
// The code keeps to three rules:
//
//   - Lines are compared and merged exactly as git's default strategy does it:
//     histogram.go, myers.go, settle.go and content.go. Tests put thousands of
//     random merges before the installed git.
//   - Only paths that the culprit changed are looked at, so a revert costs what the
//     culprit did, not what the repository weighs. Where a rename could change the
//     outcome (renames.go), what the branch has removed and added since is looked at,
//     too. Which files are paired is git's choice to the last detail: pairing.go,
//     pairing_best.go, and order.go for ties.
//   - Where git's answer can't be reached safely, the answer is a conflict: merge
//     drivers set by .gitattributes (attributes.go), renames among files in the place
//     of directories. To stop where git would go on costs a person a minute; to go on
//     where git would stop could write what nobody meant.
//
// Mirrors and Repository are the two ways in. A Repository (local.go) is somebody's
// own clone, named by a folder: revision.go reads names, takeback.go computes,
// branch.go writes the one thing that is ever written there.
//
// # The past
//
// Questions about the past follow first parents (trail.go). A walk looks along the
// paths in question only (narrow.go), and asks the index before: what a commit touched
// never changes, so it is listed once (index.go). In a clone the index lives in memory;
// a mirror's is filled after each fetch, in the background (index_build.go), and kept
// in one file beside the objects (index_file.go). Answers never depend on it: what it
// does not know is compared. graph.go tells who is whose ancestor.
//
// The rest of the package is the mirror: store.go reads objects, by package pack and
// by go-git for what that does not read, and keeps what is worth keeping decoded; remote.go talks to the server, mirrors.go and fetch.go
// own the directory. No go-git type leaves the package, and no other package of
// Backout imports go-git.
package git
