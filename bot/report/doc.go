// Package report writes every sentence that a person reads: the sticky
// comment, the revert's pull request, the check run and the replies. It is
// pure, so that each text has a golden test, and the one place to change the
// words.
//
// Text that comes from outside (labels, commit subjects, reasons) is
// untrusted. It reaches Markdown only through code or plain, which take away
// its power to mention, link, close, embed or reorder.
package report
