package flux

import (
	"strings"
	"testing"
)

// FuzzCommitOf reads revisions of artifacts. What is taken for a commit is one,
// and ends the text that it was found in.
func FuzzCommitOf(f *testing.F) {
	f.Fuzz(func(t *testing.T, revision string) {
		sha := commitOf(revision)
		switch {
		case sha == "":
			return
		case !sha.Valid():
			t.Errorf("%q names %q, which is no commit", revision, sha)
		case !strings.HasSuffix(revision, string(sha)):
			t.Errorf("%q does not end in %q", revision, sha)
		}
		for _, form := range []string{"main@sha1:", "sha1:", "HEAD/", "feature/x@sha1:", ""} {
			if got := commitOf(form + string(sha)); got != sha {
				t.Errorf("%q%s reads as %q", form, sha, got)
			}
		}
		if got := commitOf("main@sha256:" + string(sha)); got != "" {
			t.Errorf("a sha256 reads as %q", got)
		}
	})
}
