package git

import (
	"maps"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// overlay holds the trees and files that a merge makes, on top of those that are
// stored. It lives as long as one computation; nothing is ever written.
type overlay struct {
	below objects
	trees map[hash][]entry
	blobs map[hash][]byte
}

func newOverlay(below objects) *overlay {
	return &overlay{below, make(map[hash][]entry), make(map[hash][]byte)}
}

func (o *overlay) tree(h hash) ([]entry, error) {
	if t, ok := o.trees[h]; ok {
		return t, nil
	}
	return o.below.tree(h)
}

func (o *overlay) blob(h hash) ([]byte, error) {
	if b, ok := o.blobs[h]; ok {
		return b, nil
	}
	return o.below.blob(h)
}

func (o *overlay) size(h hash) (int64, error) {
	if b, ok := o.blobs[h]; ok {
		return int64(len(b)), nil
	}
	return o.below.size(h)
}

// addBlob keeps a file and names it as git would.
func (o *overlay) addBlob(content []byte) hash {
	h := nameOf(plumbing.BlobObject, content)
	o.blobs[h] = content
	return h
}

// edits are new entries by path; an absent entry deletes.
type edits map[string]entry

// apply makes the tree that results from edits to root. Paths that would have to
// be a file and a directory at once are returned as clashes; the tree is then
// meaningless.
func (o *overlay) apply(root hash, es edits) (result hash, clashes []string, err error) {
	a := &application{o: o}
	top, err := a.dir("", entry{mode: modeTree, hash: root}, es)
	if err != nil || len(a.clashes) > 0 {
		return hash{}, a.clashes, err
	}
	if top.absent() {
		return emptyTree, nil, nil
	}
	return top.hash, nil, nil
}

type application struct {
	o       *overlay
	clashes []string
}

// dir applies edits, whose paths are relative, to one directory. Without any
// entry left the result is absent: git knows no empty directories.
func (a *application) dir(prefix string, old entry, es edits) (entry, error) {
	var stored []entry
	if !old.absent() {
		var err error
		if stored, err = a.o.tree(old.hash); err != nil {
			return entry{}, err
		}
	}
	leaves, below := make(edits), make(map[string]edits)
	made := make(edits) // what becomes of each name that an edit touches
	for path, e := range es {
		name, rest, deeper := strings.Cut(path, "/")
		made[name] = entry{}
		if !deeper {
			leaves[name] = e
			continue
		}
		if below[name] == nil {
			below[name] = make(edits)
		}
		below[name][rest] = e
	}
	var fresh []entry
	for _, name := range slices.Sorted(maps.Keys(made)) {
		leaf, isLeaf := leaves[name]
		e, err := a.name(prefix+name, find(stored, name), leaf, isLeaf, below[name])
		if err != nil {
			return entry{}, err
		}
		if !e.absent() {
			e.name = name
			fresh = append(fresh, e)
		}
	}
	slices.SortFunc(fresh, compareEntries)
	entries := make([]entry, 0, len(stored)+len(fresh))
	for _, e := range stored {
		if _, touched := made[e.name]; touched {
			continue
		}
		for len(fresh) > 0 && compareEntries(fresh[0], e) < 0 {
			entries, fresh = append(entries, fresh[0]), fresh[1:]
		}
		entries = append(entries, e)
	}
	if entries = append(entries, fresh...); len(entries) == 0 {
		return entry{}, nil
	}
	h := nameOf(plumbing.TreeObject, encodeTree(entries))
	a.o.trees[h] = entries
	return entry{mode: modeTree, hash: h}, nil
}

// name applies what is to happen to one name: to the file, to what lies below the
// directory, or to both when one replaces the other.
func (a *application) name(path string, old, leaf entry, isLeaf bool, below edits) (entry, error) {
	file, tree := old, entry{}
	if old.isTree() {
		file, tree = entry{}, old
	}
	if isLeaf {
		file = leaf
	}
	if len(below) > 0 {
		var err error
		if tree, err = a.dir(path+"/", tree, below); err != nil {
			return entry{}, err
		}
	}
	switch {
	case file.absent():
		return tree, nil
	case tree.absent():
		return file, nil
	}
	a.clashes = append(a.clashes, path)
	return entry{}, nil
}
