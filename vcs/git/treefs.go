package git

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/backout-dev/backout/bot"
)

// maxTreeFile is the largest file that a tree's file system hands out.
const maxTreeFile = 10 << 20

// Tree is the tree of a commit as a read-only file system. Files over 10 MiB can't
// be read. Symlinks are not followed, neither at the end of a path nor within it:
// opening one gives its target's text, as git stores it, so that nothing in a tree
// can lead out of it. Submodules are empty directories. Modification times are the
// commit's.
func (ms *Mirrors) Tree(ctx context.Context, repo bot.RepoName, rev bot.SHA) (fs.FS, error) {
	s, err := ms.read(ctx, repo, rev)
	if err != nil {
		return nil, err
	}
	c, err := s.commit(toHash(rev))
	if err != nil {
		return nil, ms.failed("tree "+rev.Short(), repo, s, err)
	}
	return &treeFS{s, c.TreeHash, c.Committer.When.UTC()}, nil
}

type treeFS struct {
	store *store
	root  hash
	when  time.Time
}

var (
	_ fs.ReadFileFS = (*treeFS)(nil)
	_ fs.ReadDirFS  = (*treeFS)(nil)
	_ fs.StatFS     = (*treeFS)(nil)
	_ fs.ReadLinkFS = (*treeFS)(nil)
)

// find looks a name up; op is for the error.
func (t *treeFS) find(op, name string) (*treeFile, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	e, err := lookup(t.store, t.root, name)
	if err == nil && e.absent() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	e.name = path.Base(name)
	return &treeFile{tree: t, path: name, entry: e}, nil
}

func (t *treeFS) Open(name string) (fs.File, error) {
	f, err := t.find("open", name)
	if err != nil {
		return nil, err
	}
	if f.IsDir() {
		list, err := f.list()
		if err != nil {
			return nil, err
		}
		return &openDir{f, list}, nil
	}
	b, err := f.read()
	if err != nil {
		return nil, err
	}
	return &openFile{f, bytes.NewReader(b)}, nil
}

func (t *treeFS) ReadFile(name string) ([]byte, error) {
	f, err := t.find("read", name)
	if err != nil {
		return nil, err
	}
	return f.read()
}

func (t *treeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := t.find("readdir", name)
	if err != nil {
		return nil, err
	}
	return f.list()
}

// Stat does not follow symlinks: there is nothing that would.
func (t *treeFS) Stat(name string) (fs.FileInfo, error)  { return t.stat(name) }
func (t *treeFS) Lstat(name string) (fs.FileInfo, error) { return t.stat(name) }

func (t *treeFS) stat(name string) (fs.FileInfo, error) {
	f, err := t.find("stat", name)
	if err != nil {
		return nil, err
	}
	return f, f.measure()
}

func (t *treeFS) ReadLink(name string) (string, error) {
	f, err := t.find("readlink", name)
	if err != nil {
		return "", err
	}
	if f.entry.mode != modeLink {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	b, err := f.read()
	return string(b), err
}

// treeFile is an entry with its place: a fs.FileInfo and a fs.DirEntry.
type treeFile struct {
	tree  *treeFS
	path  string
	entry entry
	size  int64
}

func (f *treeFile) Name() string       { return f.entry.name }
func (f *treeFile) Size() int64        { return f.size }
func (f *treeFile) ModTime() time.Time { return f.tree.when }
func (f *treeFile) IsDir() bool        { return f.Mode().IsDir() }
func (f *treeFile) Sys() any           { return nil }
func (f *treeFile) Type() fs.FileMode  { return f.Mode().Type() }

func (f *treeFile) Mode() fs.FileMode {
	switch f.entry.mode {
	case modeTree, modeModule:
		return fs.ModeDir | 0o555
	case modeLink:
		return fs.ModeSymlink | 0o777
	case modeExec:
		return 0o555
	}
	return 0o444
}

func (f *treeFile) Info() (fs.FileInfo, error) {
	info := *f
	return &info, info.measure()
}

// measure fills in the size, which directory listings can do without.
func (f *treeFile) measure() error {
	if f.IsDir() {
		return nil
	}
	n, err := f.tree.store.size(f.entry.hash)
	if err != nil {
		return f.failed("stat", err)
	}
	f.size = n
	return nil
}

func (f *treeFile) failed(op string, err error) error {
	return &fs.PathError{Op: op, Path: f.path, Err: err}
}

var errIsDirectory = errors.New("is a directory")

func (f *treeFile) read() ([]byte, error) {
	if f.IsDir() {
		return nil, f.failed("read", errIsDirectory)
	}
	b, err := f.tree.store.object(plumbing.BlobObject, f.entry.hash, maxTreeFile)
	if err != nil {
		return nil, f.failed("read", err)
	}
	f.size = int64(len(b))
	return bytes.Clone(b), nil // what is read is shared, and callers may change what they get
}

var errNotDirectory = errors.New("not a directory")

// list is the directory in the order of names, which is not always git's.
func (f *treeFile) list() ([]fs.DirEntry, error) {
	if !f.IsDir() {
		return nil, f.failed("readdir", errNotDirectory)
	}
	if f.entry.mode == modeModule {
		return nil, nil
	}
	entries, err := f.tree.store.tree(f.entry.hash)
	if err != nil {
		return nil, f.failed("readdir", err)
	}
	list := make([]fs.DirEntry, 0, len(entries))
	for _, e := range entries {
		list = append(list, &treeFile{tree: f.tree, path: path.Join(f.path, e.name), entry: e})
	}
	sortByName(list)
	return list, nil
}

type openFile struct {
	*treeFile
	*bytes.Reader
}

func (f *openFile) Size() int64                { return f.size }
func (f *openFile) Stat() (fs.FileInfo, error) { return f.treeFile, nil }
func (f *openFile) Close() error               { return nil }

type openDir struct {
	*treeFile
	rest []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.treeFile, nil }
func (d *openDir) Read([]byte) (int, error)   { return 0, d.failed("read", errIsDirectory) }
func (d *openDir) Close() error               { return nil }

func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.rest)
	} else if len(d.rest) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.rest))
	list := d.rest[:n:n]
	d.rest = d.rest[n:]
	return list, nil
}

func sortByName(list []fs.DirEntry) {
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
}
