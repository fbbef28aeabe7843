package git

import (
	"crypto/sha1" //nolint:gosec // What git names objects by.
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	gitcache "github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/vcs/git/pack"
)

// hash is a git object name in binary.
type hash = plumbing.Hash

func toHash(s bot.SHA) hash { return plumbing.NewHash(string(s)) }

func toSHA(h hash) bot.SHA {
	if h.IsZero() {
		return ""
	}
	return bot.SHA(h.String())
}

// Sizes of the caches of one mirror. Together with go-git's own they bound what an
// open mirror holds to a few dozen MiB.
const (
	packCacheBytes   = 16 << 20
	objectCacheBytes = 8 * gitcache.MiByte
	treeCacheBytes   = 12 << 20
	commitCacheBytes = 8 << 20
)

// maxBlob is the largest file that is ever read into memory: what the GitHub API
// takes in one blob, and more than any manifest.
const maxBlob = 100 << 20

// errMissing says that an object which must be there is not: the mirror is damaged,
// unless the name came from outside.
var errMissing = errors.New("object is missing")

// errDamaged says that the mirror holds something else than it should.
var errDamaged = errors.New("mirror is damaged")

// errTooBig says that a file is larger than what was asked for.
var errTooBig = errors.New("file is too big")

// store reads the objects of one bare repository. It is safe for concurrent use.
// Packs are read by our own reader, which most objects come from; go-git is asked
// for what that does not have or can't read. Its storage is not safe for concurrent
// use, so it is entered by one goroutine at a time.
type store struct {
	dir     string
	packed  *pack.Folder
	commits *cache[*commit]
	trees   *cache[[]entry]
	graph   graph
	index   *index
	// cut are commits whose parents a shallow clone has left out.
	cut map[hash]bool

	mu   sync.Mutex // guards git
	git  *filesystem.Storage
	turn int // of packs, as go-git knows them

	headsMu sync.RWMutex
	heads   map[string]hash // by branch name
	main    string          // the default branch
}

// openStore opens the bare repository in dir.
func openStore(dir string) (*store, error) {
	s := newStore(dir, filesystem.NewStorageWithOptions(osfs.New(dir), gitcache.NewObjectLRU(objectCacheBytes),
		filesystem.Options{KeepDescriptors: true}))
	heads, err := s.readHeads()
	if err != nil {
		return nil, err
	}
	s.heads, s.main = heads, s.readMain()
	return s, nil
}

func newStore(dir string, from *filesystem.Storage) *store {
	s := &store{
		dir:     dir,
		packed:  pack.New(filepath.Join(dir, "objects", "pack"), packCacheBytes),
		commits: newCache[*commit](commitCacheBytes),
		trees:   newCache[[]entry](treeCacheBytes),
		git:     from,
		index:   newIndex(),
	}
	s.graph.store = s
	return s
}

func (s *store) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.packed.Close(), s.git.Close())
}

// library is go-git, told when packs have come or gone: it looks only once. The
// caller holds mu.
func (s *store) library() *filesystem.Storage {
	if turn := s.packed.Turn(); turn != s.turn {
		s.git.Reindex()
		s.turn = turn
	}
	return s.git
}

// object reads one object; objects over limit bytes are errTooBig, unread. The
// content is shared and must not be changed.
func (s *store) object(kind plumbing.ObjectType, h hash, limit int64) ([]byte, error) {
	got, content, err := s.packed.Read(pack.Name(h), limit)
	var big *pack.TooBig
	switch {
	case err == nil && plumbing.ObjectType(got) == kind:
		return content, nil
	case errors.As(err, &big):
		return nil, fmt.Errorf("read %s %s of %d bytes: %w", kind, h, big.Bytes, errTooBig)
	}
	return s.libraryObject(kind, h, limit)
}

func (s *store) libraryObject(kind plumbing.ObjectType, h hash, limit int64) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.library().EncodedObject(kind, h)
	switch {
	case errors.Is(err, plumbing.ErrObjectNotFound):
		return nil, fmt.Errorf("read %s %s: %w", kind, h, errMissing)
	case err != nil:
		return nil, fmt.Errorf("read %s %s: %w", kind, h, err)
	case o.Size() > limit:
		return nil, fmt.Errorf("read %s %s of %d bytes: %w", kind, h, o.Size(), errTooBig)
	}
	r, err := o.Reader()
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", kind, h, err)
	}
	defer r.Close() //nolint:errcheck // Only read from.
	content := make([]byte, o.Size())
	if _, err := io.ReadFull(r, content); err != nil {
		return nil, fmt.Errorf("read %s %s: %w", kind, h, err)
	}
	if !genuine(kind, h, content) {
		return nil, fmt.Errorf("read %s %s: %w", kind, h, errDamaged)
	}
	return content, nil
}

// genuine compares content with its name: go-git does not when it reads, and a
// revert is made of both.
func genuine(kind plumbing.ObjectType, h hash, content []byte) bool {
	return nameOf(kind, content) == h
}

// nameOf is the name of an object. This is about torn disks, not about forgers, so it
// is the plain SHA-1, which processors help with.
func nameOf(kind plumbing.ObjectType, content []byte) hash {
	sum := sha1.New() //nolint:gosec // What git names objects by.
	var space [64]byte
	head := append(space[:0], kind.Bytes()...)
	head = strconv.AppendInt(append(head, ' '), int64(len(content)), 10)
	sum.Write(append(head, 0))
	sum.Write(content)
	return hash(sum.Sum(space[:0]))
}

// has reports whether an object is there, of whatever kind. Borrowed ones don't count.
func (s *store) has(h hash) bool {
	if s.packed.Has(pack.Name(h)) {
		return true
	}
	if s.packed.Complete() {
		name := h.String()
		_, err := os.Stat(filepath.Join(s.dir, "objects", name[:2], name[2:]))
		if errors.Is(err, os.ErrNotExist) {
			return false
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.library().HasEncodedObject(h) == nil
}

// size is the size of a blob, which is cheaper to learn than its content.
func (s *store) size(h hash) (int64, error) {
	if n, err := s.packed.Size(pack.Name(h)); err == nil {
		return n, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.library().EncodedObjectSize(h)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		// It may be borrowed, which only reading finds out.
		var o plumbing.EncodedObject
		if o, err = s.git.EncodedObject(plumbing.AnyObject, h); err == nil {
			n = o.Size()
		}
	}
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return 0, fmt.Errorf("measure %s: %w", h, errMissing)
	}
	return n, err
}

// blob reads a file's content.
func (s *store) blob(h hash) ([]byte, error) {
	return s.object(plumbing.BlobObject, h, maxBlob)
}

// tree reads a directory. The entries are in git's order and are shared.
func (s *store) tree(h hash) ([]entry, error) {
	if h == emptyTree {
		return nil, nil
	}
	if t, ok := s.trees.get(h); ok {
		return t, nil
	}
	raw, err := s.object(plumbing.TreeObject, h, maxBlob)
	if err != nil {
		return nil, err
	}
	t, err := parseTree(raw)
	if err != nil {
		return nil, fmt.Errorf("read tree %s: %w", h, err)
	}
	s.trees.put(h, t, 100+3*len(raw))
	return t, nil
}
