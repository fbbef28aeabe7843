package github

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // git's object names.
	"encoding/hex"
	"fmt"
	"unicode/utf8"

	"github.com/backout-dev/backout/bot"
)

// What one createCommitOnBranch may carry. The limits are observed, not
// documented; beyond them the Git data API serves.
const (
	maxAdditions     = 100
	maxAdditionBytes = 10 << 20
)

// maxInline is the size in bytes up to which a file travels inside the tree
// request; larger ones become blobs first.
const maxInline = 1 << 20

// Git's file modes (https://docs.github.com/rest/git/trees#create-a-tree).
const (
	modeFile   = "100644"
	modeExec   = "100755"
	modeCommit = "160000"
)

// fitsOneDocument tells whether createCommitOnBranch can express a change: it
// writes regular files only, keeps the mode of those that exist, and gives new
// ones 100644 (https://docs.github.com/graphql/reference/input-objects#filechanges).
func fitsOneDocument(files []bot.FileChange) bool {
	adds, size := 0, 0
	for _, f := range files {
		if !utf8.ValidString(f.Path) {
			return false
		}
		switch {
		case f.AfterMode == "":
			if f.BeforeMode == modeCommit {
				return false
			}
			continue
		case f.AfterMode != modeFile && f.AfterMode != modeExec:
			return false
		case f.BeforeMode != f.AfterMode && (f.BeforeMode != "" || f.AfterMode != modeFile):
			return false
		case !whole(f):
			return false
		}
		adds++
		size += len(f.After)
	}
	return adds <= maxAdditions && size <= maxAdditionBytes
}

// whole tells whether After is the file and not what guards needed to read of
// it: where the blob is named, the content must hash to it.
func whole(f bot.FileChange) bool {
	return f.Blob == "" || f.Blob == blobName(f.After)
}

// blobName is the name that git gives a content
// (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects).
func blobName(content []byte) bot.SHA {
	h := sha1.New() //nolint:gosec // git's object names.
	h.Write(fmt.Appendf(nil, "blob %d\x00", len(content)))
	h.Write(content)
	return bot.SHA(hex.EncodeToString(h.Sum(nil)))
}

// inlines tells whether a content may travel as JSON text: anything else would
// be changed on the way.
func inlines(content []byte) bool {
	return len(content) <= maxInline && utf8.Valid(content) && !bytes.ContainsRune(content, 0)
}
