// Package images recognises image tags that a program has written and would
// write again after a revert, and computes the change of that program's own
// configuration which keeps it from doing so. Pure: files in, facts and files
// out.
//
// # What is recognised
//
// Flux writes the fields that a comment {"$imagepolicy": "namespace:name"}
// marks, whoever wrote them last: so the comment alone decides, and neither
// author nor message of the commit is asked. Argo CD Image Updater is
// recognised by the files that only it writes (.argocd-source-<app>.yaml), or by
// its author and message. Renovate and Dependabot are recognised by author and
// branch. Names and messages can be forged by whoever may push; what follows is
// only that a tag which the commit did bring is kept from coming back.
//
// # What pins can do
//
// A pin takes one tag out of what the program chooses from: "!=" in the semver
// range of an ImagePolicy, or a rule in Renovate's configuration. Flux's other
// orders choose by filterTags.pattern, a regular expression of RE2, in which "all
// but this tag" can't be said. Each pin is an edit of the text that leaves the
// rest as it was, and is checked by reading the result back; where that can't be
// done safely, the pin says what a person can do.
package images
