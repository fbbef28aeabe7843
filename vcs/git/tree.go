package git

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// mode is what git records about the kind of an entry. Zero stands for "absent".
type mode uint32

// The modes that git writes.
const (
	modeTree   mode = 0o040000
	modeFile   mode = 0o100644
	modeExec   mode = 0o100755
	modeLink   mode = 0o120000
	modeModule mode = 0o160000
)

// kind is the mode without permissions: two entries of different kinds never merge.
func (m mode) kind() mode { return m & 0o170000 }

func (m mode) regular() bool { return m.kind() == 0o100000 }

// String is the form git prints, "100644"; empty for an absent entry.
func (m mode) String() string {
	if m == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(m)|1<<18, 8)[1:]
}

// canonical folds modes that only old or foreign tools have written into those
// above, as git does on reading.
func (m mode) canonical() mode {
	switch m.kind() {
	case 0o100000:
		if m&0o100 != 0 {
			return modeExec
		}
		return modeFile
	case modeLink, modeTree:
		return m.kind()
	default:
		return modeModule
	}
}

// entry is one name in a directory. The zero entry stands for "absent".
type entry struct {
	name string
	mode mode
	hash hash
}

func (e entry) absent() bool { return e.mode == 0 }
func (e entry) isTree() bool { return e.mode == modeTree }

// same reports whether two entries stand for the same thing, whatever their names.
func (e entry) same(f entry) bool { return e.mode == f.mode && e.hash == f.hash }

// emptyTree is the name of the tree without entries, which is in every repository
// whether it is stored or not.
var emptyTree = plumbing.NewHash("4b825dc642cb6eb9a060e54bf8d69288fbee4904")

var errMalformed = errors.New("malformed tree")

// parseTree decodes a tree object. Entries out of order are refused: a merge that
// looked names up in such a tree could miss some.
func parseTree(raw []byte) ([]entry, error) {
	text := string(raw) // names share this memory
	entries := make([]entry, 0, bytes.Count(raw, []byte{0}))
	for len(text) > 0 {
		digits, rest, ok := strings.Cut(text, " ")
		end := strings.IndexByte(rest, 0)
		if !ok || end <= 0 || len(rest) < end+1+len(hash{}) {
			return nil, errMalformed
		}
		m, err := strconv.ParseUint(digits, 8, 32)
		if err != nil || m == 0 {
			return nil, errMalformed
		}
		e := entry{name: rest[:end], mode: mode(m).canonical()}
		if e.name == "." || e.name == ".." || strings.Contains(e.name, "/") {
			return nil, errMalformed
		}
		text = rest[end+1+copy(e.hash[:], rest[end+1:]):]
		if n := len(entries); n > 0 && compareEntries(entries[n-1], e) >= 0 {
			return nil, errMalformed
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// encodeTree is the tree object that holds entries, which must be in order.
func encodeTree(entries []entry) []byte {
	size := 0
	for _, e := range entries {
		size += len("100644 \x00") + len(e.name) + len(e.hash)
	}
	b := make([]byte, 0, size)
	for _, e := range entries {
		b = strconv.AppendUint(b, uint64(e.mode), 8)
		b = append(b, ' ')
		b = append(b, e.name...)
		b = append(b, 0)
		b = append(b, e.hash[:]...)
	}
	return b
}

// compareEntries is git's order within a tree: by name, with directories as if
// their names ended in a slash. A file and a directory of one name are different.
func compareEntries(x, y entry) int {
	n := min(len(x.name), len(y.name))
	if c := strings.Compare(x.name[:n], y.name[:n]); c != 0 {
		return c
	}
	return cmp.Compare(x.after(n), y.after(n))
}

// after is the byte at n of the name as it is sorted.
func (e entry) after(n int) int {
	switch {
	case n < len(e.name):
		return int(e.name[n])
	case n == len(e.name) && e.isTree():
		return '/'
	}
	return -1
}

// find looks a name up, file or directory.
func find(entries []entry, name string) entry {
	for _, m := range [...]mode{modeFile, modeTree} {
		if i, ok := slices.BinarySearchFunc(entries, entry{name: name, mode: m}, compareEntries); ok {
			return entries[i]
		}
	}
	return entry{}
}

// objects is where trees and files are read from: a store, or the results of a
// merge on top of one.
type objects interface {
	tree(h hash) ([]entry, error)
	blob(h hash) ([]byte, error)
	size(h hash) (int64, error) // of a file
}

// lookup finds the entry at a slash-separated path below root. A path that leads
// through a file is absent.
func lookup(from objects, root hash, path string) (entry, error) {
	e := entry{mode: modeTree, hash: root}
	if path == "." {
		return e, nil
	}
	for name := range strings.SplitSeq(path, "/") {
		if !e.isTree() {
			return entry{}, nil
		}
		entries, err := from.tree(e.hash)
		if err != nil {
			return entry{}, err
		}
		if e = find(entries, name); e.absent() {
			return e, nil
		}
	}
	return e, nil
}
