package fakehub

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// entry is one line of a tree object.
type entry struct {
	mode string // 100644, 100755, 120000, 160000, 40000
	name string
	oid  string
}

func (e entry) isDir() bool { return e.mode == "40000" }

// kind is the type of the object that an entry names.
func (e entry) kind() string {
	switch e.mode {
	case "40000":
		return "tree"
	case "160000":
		return "commit"
	}
	return "blob"
}

// emptyTree is the name of the tree with no entries.
const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

// tree reads one tree object, not the trees below it.
func (g *gitRepo) tree(oid string) ([]entry, error) {
	if oid == "" || oid == emptyTree {
		return nil, nil
	}
	_, kind, data, err := g.read(oid)
	if err != nil {
		return nil, err
	}
	if kind != "tree" {
		return nil, fmt.Errorf("%s is a %s: %w", oid, kind, errNoObject)
	}
	var list []entry
	for len(data) > 0 {
		head, rest, ok := bytes.Cut(data, []byte{0})
		mode, name, ok2 := strings.Cut(string(head), " ")
		if !ok || !ok2 || len(rest) < 20 {
			return nil, fmt.Errorf("tree %s is malformed", oid)
		}
		list = append(list, entry{mode: mode, name: name, oid: hex.EncodeToString(rest[:20])})
		data = rest[20:]
	}
	return list, nil
}

// writeTree stores entries in git's order: by name, folders as if they ended
// in a slash.
func (g *gitRepo) writeTree(list []entry) (string, error) {
	key := func(e entry) string {
		if e.isDir() {
			return e.name + "/"
		}
		return e.name
	}
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(key(a), key(b)) })
	var b bytes.Buffer
	for _, e := range list {
		raw, err := hex.DecodeString(e.oid)
		if err != nil || len(raw) != 20 {
			return "", fmt.Errorf("write tree: %q is not an object name", e.oid)
		}
		fmt.Fprintf(&b, "%s %s\x00", e.mode, e.name)
		b.Write(raw)
	}
	return g.write("tree", b.Bytes())
}

// edit returns a tree with paths set (an entry; its name is ignored) or
// removed (nil). An empty mode keeps the mode the path has, else 100644.
// Folders that become empty go.
func (g *gitRepo) edit(tree string, changes map[string]*entry) (string, error) {
	list, err := g.tree(tree)
	if err != nil {
		return "", err
	}
	byName := map[string]entry{}
	for _, e := range list {
		byName[e.name] = e
	}
	below := map[string]map[string]*entry{}
	for path, e := range changes {
		name, rest, deep := strings.Cut(path, "/")
		switch {
		case deep:
			if below[name] == nil {
				below[name] = map[string]*entry{}
			}
			below[name][rest] = e
		case e == nil:
			delete(byName, name)
		default:
			mode := e.mode
			if mode == "" {
				mode = "100644"
				if old, ok := byName[name]; ok && !old.isDir() {
					mode = old.mode
				}
			}
			byName[name] = entry{mode: mode, name: name, oid: e.oid}
		}
	}
	for name, sub := range below {
		base := emptyTree
		if old, ok := byName[name]; ok && old.isDir() {
			base = old.oid
		} else if ok && !slices.ContainsFunc(slices.Collect(maps.Values(sub)), func(e *entry) bool { return e != nil }) {
			continue // nothing below a file to remove.
		}
		oid, err := g.edit(base, sub)
		if err != nil {
			return "", err
		}
		delete(byName, name)
		if oid != emptyTree {
			byName[name] = entry{mode: "40000", name: name, oid: oid}
		}
	}
	return g.writeTree(slices.Collect(maps.Values(byName)))
}

// lookup finds the entry at a path below a tree.
func (g *gitRepo) lookup(tree, path string) (entry, bool) {
	name, rest, deep := strings.Cut(path, "/")
	list, err := g.tree(tree)
	if err != nil {
		return entry{}, false
	}
	for _, e := range list {
		switch {
		case e.name != name:
		case !deep:
			return e, true
		case e.isDir():
			return g.lookup(e.oid, rest)
		}
	}
	return entry{}, false
}

// walk calls f for every entry below a tree, folders before what they hold.
func (g *gitRepo) walk(tree, prefix string, f func(path string, e entry)) error {
	list, err := g.tree(tree)
	if err != nil {
		return err
	}
	for _, e := range list {
		f(prefix+e.name, e)
		if e.isDir() {
			if err := g.walk(e.oid, prefix+e.name+"/", f); err != nil {
				return err
			}
		}
	}
	return nil
}
