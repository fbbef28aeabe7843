package flux

import (
	"strings"

	"github.com/backout-dev/backout/bot"
)

// commitOf returns the commit in a revision of a GitRepository's artifact:
// "main@sha1:<sha>", "sha1:<sha>" for a ref that is a commit, and, before Flux
// v2.0, "main/<sha>" or "HEAD/<sha>"
// (https://fluxcd.io/flux/components/source/gitrepositories/#artifact). It
// returns "" for anything else, such as a sha256 repository or a chart version:
// unknown is the safe direction, since nothing counts as applied then.
func commitOf(revision string) bot.SHA {
	s := revision
	if i := strings.LastIndex(s, "@"); i >= 0 {
		s = s[i+1:]
	}
	if hash, ok := strings.CutPrefix(s, "sha1:"); ok {
		s = hash
	} else if i := strings.LastIndex(s, "/"); i >= 0 {
		s = s[i+1:]
	}
	if sha := bot.SHA(s); sha.Valid() {
		return sha
	}
	return ""
}
