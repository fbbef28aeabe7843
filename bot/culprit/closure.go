package culprit

import (
	"errors"
	"io/fs"
	"path"
	"strings"
)

// The bounds of the walk, since what a repository references may be hostile:
// how many directories and closure paths there are, how large a file that
// references may be, and how many symlinks one path may lead through.
const (
	maxClosure   = 2000
	maxReference = 1 << 20
	maxLinks     = 16
)

// Closure implements bot.Ranker. The roots come first; what they reference
// outside themselves follows in the order it is found. Where that is more than
// can be followed, the closure is the whole tree: a culprit or an affected App
// must not be overlooked.
func (Ranker) Closure(tree fs.FS, roots []string) []string {
	w := walker{tree: tree, in: map[string]bool{}, seen: map[string]bool{}}
	for _, root := range roots {
		w.include(clean(root))
	}
	if w.in["."] {
		return w.out
	}
	for _, root := range roots {
		if real := w.reference(clean(root)); real != "" {
			w.generate(real)
		}
	}
	for i := 0; i < len(w.dirs) && !w.in["."] && !w.over(); i++ {
		w.follow(w.dirs[i])
	}
	if w.over() {
		return []string{"."}
	}
	return w.out
}

type walker struct {
	tree fs.FS
	out  []string        // the closure
	in   map[string]bool // the same
	dirs []string        // directories whose references are to be read
	seen map[string]bool // the same
	// unread is set once something that may reference more could not be read:
	// it was too large, or too much, or the tree failed.
	unread bool
}

func (w *walker) over() bool { return w.unread || len(w.out) > maxClosure || len(w.dirs) > maxClosure }

// clean makes a path relative to the root of the tree; it can't leave it.
func clean(p string) string {
	if p = strings.TrimPrefix(path.Clean("/"+p), "/"); p == "" {
		return "."
	}
	return p
}

// include takes a path into the closure, unless it or a directory above it is
// there.
func (w *walker) include(p string) {
	for dir := p; ; dir = path.Dir(dir) {
		if w.in[dir] || w.in["."] {
			return
		}
		if dir == "." {
			break
		}
	}
	w.in[p] = true
	w.out = append(w.out, p)
}

// enter makes sure that what the kustomization or chart in a directory
// references is followed, once.
func (w *walker) enter(dir string) {
	if !w.seen[dir] {
		w.seen[dir] = true
		w.dirs = append(w.dirs, dir)
	}
}

// generate does as Flux does with a path that has no kustomization: it finds
// those below (https://fluxcd.io/flux/components/kustomize/kustomizations/#generating-a-kustomizationyaml-file).
func (w *walker) generate(dir string) {
	found := []string{dir}
	for i := 0; i < len(found) && !w.over(); i++ {
		if b, _ := w.read(found[i], kustomizationNames); b != nil {
			w.enter(found[i])
			continue
		}
		if _, _, info := w.resolve(found[i]); info == nil || !info.IsDir() {
			continue
		}
		entries, err := fs.ReadDir(w.tree, found[i])
		w.unread = w.unread || err != nil
		for _, e := range entries {
			if e.IsDir() {
				found = append(found, path.Join(found[i], e.Name()))
			}
		}
		w.unread = w.unread || len(found) > maxClosure
	}
}

// follow adds what the kustomization and the chart in dir reference.
func (w *walker) follow(dir string) {
	var refs []string
	if b, name := w.read(dir, kustomizationNames); b != nil {
		w.include(name)
		refs = kustomizationRefs(b)
	}
	for _, name := range chartNames {
		if b, name := w.read(dir, []string{name}); b != nil {
			w.include(name)
			refs = append(refs, chartRefs(b)...)
		}
	}
	for _, ref := range refs {
		// What would lead out of the tree is no valid name in it.
		w.reference(path.Join(dir, ref))
	}
}

// reference adds one path that is referenced, and says where it really is: ""
// when it is not there.
func (w *walker) reference(p string) string {
	real, links, info := w.resolve(p)
	if info == nil {
		return ""
	}
	for _, link := range links {
		w.include(link)
	}
	w.include(real)
	if info.IsDir() {
		w.enter(real)
	}
	return real
}

// read returns the first of some files of a directory, and where it is.
func (w *walker) read(dir string, names []string) ([]byte, string) {
	for _, name := range names {
		real, _, info := w.resolve(path.Join(dir, name))
		if info == nil || info.IsDir() {
			continue
		}
		if info.Size() > maxReference {
			w.unread = true
			return nil, ""
		}
		b, err := fs.ReadFile(w.tree, real)
		w.unread = w.unread || err != nil
		return b, real
	}
	return nil, ""
}

// resolve follows symlinks, which the tree does not do by itself, and names
// those it went through: they are part of what is delivered, too. info is nil
// when nothing is there or a link leads out of the tree.
func (w *walker) resolve(p string) (real string, links []string, info fs.FileInfo) {
	for range maxLinks {
		info, err := fs.Lstat(w.tree, p)
		if err == nil && info.Mode().Type() != fs.ModeSymlink {
			return p, links, info
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			w.unread = w.unread || !errors.Is(err, fs.ErrInvalid)
			return "", nil, nil
		}
		link, rest := w.firstLink(p)
		if link == "" {
			return "", nil, nil
		}
		target, err := fs.ReadLink(w.tree, link)
		if err != nil || path.IsAbs(target) {
			return "", nil, nil
		}
		links = append(links, link)
		p = path.Join(path.Dir(link), target, rest)
	}
	return "", nil, nil
}

// firstLink splits a path after the first symlink in it; link is empty when
// there is none.
func (w *walker) firstLink(p string) (link, rest string) {
	names := strings.Split(p, "/")
	for i := range names {
		link = path.Join(names[:i+1]...)
		info, err := fs.Lstat(w.tree, link)
		if err != nil {
			return "", ""
		}
		if info.Mode().Type() == fs.ModeSymlink {
			return link, path.Join(names[i+1:]...)
		}
	}
	return "", ""
}
