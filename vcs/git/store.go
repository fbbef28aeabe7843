package git

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // What git names objects by.
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	gitcache "github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/backout-dev/backout/bot"
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
	objectCacheBytes = 48 * gitcache.MiByte
	treeCacheBytes   = 12 << 20
	commitCacheBytes = 8 << 20
)

// quickLook is the usual graph.quick.
const quickLook = 2000

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

// store reads the objects of one bare repository. It is safe for concurrent use;
// go-git's storage is not, so it is entered by one goroutine at a time and
// everything worth keeping is kept decoded in front of it.
type store struct {
	dir     string
	commits *cache[*commit]
	trees   *cache[[]entry]
	graph   graph
	// cut are commits whose parents a shallow clone has left out.
	cut map[hash]bool

	mu  sync.Mutex // guards git
	git *filesystem.Storage

	headsMu sync.RWMutex
	heads   map[string]hash // by branch name
}

// openStore opens the bare repository in dir.
func openStore(dir string) (*store, error) {
	s := newStore(dir, filesystem.NewStorageWithOptions(osfs.New(dir), gitcache.NewObjectLRU(objectCacheBytes),
		filesystem.Options{KeepDescriptors: true}))
	heads, err := s.readHeads()
	if err != nil {
		return nil, err
	}
	s.heads = heads
	return s, nil
}

func newStore(dir string, from *filesystem.Storage) *store {
	s := &store{
		dir:     dir,
		commits: newCache[*commit](commitCacheBytes),
		trees:   newCache[[]entry](treeCacheBytes),
		git:     from,
	}
	s.graph.store, s.graph.quick = s, quickLook
	return s
}

func (s *store) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.git.Close()
}

// object reads one object; objects over limit bytes are errTooBig, unread.
func (s *store) object(kind plumbing.ObjectType, h hash, limit int64) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.git.EncodedObject(kind, h)
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
// revert is made of both. This is about torn disks, not about forgers, so it is
// the plain SHA-1, which processors help with.
func genuine(kind plumbing.ObjectType, h hash, content []byte) bool {
	sum := sha1.New() //nolint:gosec // What git names objects by.
	fmt.Fprintf(sum, "%s %d\x00", kind, len(content))
	sum.Write(content)
	return bytes.Equal(sum.Sum(nil), h[:])
}

// has reports whether an object is there, of whatever kind.
func (s *store) has(h hash) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.git.HasEncodedObject(h) == nil
}

// size is the size of a blob, which is cheaper to learn than its content.
func (s *store) size(h hash) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.git.EncodedObjectSize(h)
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

// commit is a decoded commit.
type commit struct{ *object.Commit }

// first is the first parent; zero for a root commit.
func (c *commit) first() hash {
	if len(c.ParentHashes) == 0 {
		return hash{}
	}
	return c.ParentHashes[0]
}

// commit reads a commit. It is shared.
func (s *store) commit(h hash) (*commit, error) {
	if c, ok := s.commits.get(h); ok {
		return c, nil
	}
	raw, err := s.object(plumbing.CommitObject, h, maxBlob)
	if err != nil {
		return nil, err
	}
	o := &plumbing.MemoryObject{}
	o.SetType(plumbing.CommitObject)
	if _, err := o.Write(raw); err != nil {
		return nil, fmt.Errorf("read commit %s: %w", h, err)
	}
	c := &commit{&object.Commit{}}
	if err := c.Decode(o); err != nil {
		return nil, fmt.Errorf("read commit %s: %w", h, err)
	}
	s.commits.put(h, c, 400+len(raw))
	return c, nil
}
