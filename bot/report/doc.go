// Package report writes every sentence that a person reads: the sticky
// comment, the revert's pull request, the check run and the replies. It is
// pure, so that each text has a golden file under testdata (go test -update
// writes them anew), and the one place to change the words. The reader is tired
// and it is three in the morning: first where it stands, then what to do, as
// the exact command, then everything else.
//
// Text that comes from outside (labels, commit subjects, paths, reasons) is
// untrusted. It reaches Markdown only through code, prose or plain, which take
// away its power to mention, link, close, embed, hide or reorder. What remains
// of links are pull requests of our own, as #12, and commits. Backout's own
// commands always stand in code spans, so that no comment of ours is one.
package report
