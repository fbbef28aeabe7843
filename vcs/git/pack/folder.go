package pack

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // What git names objects by.
	"errors"
	"fmt"
	"hash"
	"strconv"
	"sync"
	"sync/atomic"
)

// ErrAbsent says that no pack has the object.
var ErrAbsent = errors.New("object is in no pack")

// TooBig says that an object is larger than was asked for.
type TooBig struct{ Bytes int64 }

func (t *TooBig) Error() string { return fmt.Sprintf("object of %d bytes is too big", t.Bytes) }

func errTooBig(bytes int64) error { return &TooBig{bytes} }

// Folder is a folder of packs, objects/pack of a repository. It is safe for
// concurrent use. Packs may come and go: when an object is not found, the folder is
// listed anew if it has changed.
type Folder struct {
	dir   string
	cache *cache

	mu     sync.Mutex // held to list
	closed bool
	state  atomic.Pointer[state]
}

// New reads the packs in dir, with at most about twice cacheBytes of memory for
// unpacked objects. The folder is listed when it is first asked for something.
func New(dir string, cacheBytes int) *Folder {
	return &Folder{dir: dir, cache: newCache(cacheBytes)}
}

// Close lets go of all files. Nothing is found any more.
func (d *Folder) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	var errs []error
	if s := d.state.Swap(&state{}); s != nil {
		for _, f := range s.files {
			errs = append(errs, f.close())
		}
	}
	return errors.Join(errs...)
}

// Read returns an object, compared with its name. It is shared: it must not be
// changed. ErrAbsent when no pack has it, *TooBig when it is of more than limit
// bytes; any other error says that it can't be read here.
func (d *Folder) Read(name Name, limit int64) (kind Kind, content []byte, err error) {
	err = d.look(name, false, func(f *file, at int64) error {
		m, err := f.object(d.cache, at, limit)
		if err != nil {
			return err
		}
		if int64(len(m.content)) > limit {
			return errTooBig(int64(len(m.content)))
		}
		if m.name != name {
			if !genuine(name, m) {
				return corrupt("%x is another object", name)
			}
			m.name = name
			d.cache.put(f.id, at, m)
		}
		kind, content = m.kind, m.content
		return nil
	})
	return kind, content, err
}

// Size is the size of an object. ErrAbsent when no pack has it.
func (d *Folder) Size(name Name) (size int64, err error) {
	err = d.look(name, true, func(f *file, at int64) error {
		size, err = f.size(d.cache, at)
		return err
	})
	return size, err
}

// Has reports whether a pack has an object. The answer no is certain only if
// Complete is true afterwards.
func (d *Folder) Has(name Name) bool {
	return d.look(name, true, func(*file, int64) error { return nil }) == nil
}

// Complete reports whether every pack that was there when the folder was listed last can be read here.
func (d *Folder) Complete() bool {
	s := d.state.Load()
	return s != nil && len(s.files) == len(s.paths)
}

// Turn is a number that grows with each change of the folder that was seen.
func (d *Folder) Turn() int {
	if s := d.state.Load(); s != nil {
		return s.turn
	}
	return 0
}

// look calls read for a pack that has an object. If none has, or it can't be read, it
// looks once more whether the folder has changed.
func (d *Folder) look(name Name, exact bool, read func(f *file, at int64) error) error {
	s := d.state.Load()
	if s == nil {
		var err error
		if s, err = d.list(nil); err != nil {
			return err
		}
	}
	err := s.look(name, exact, read)
	var big *TooBig
	if err == nil || errors.As(err, &big) {
		return err
	}
	fresh, listErr := d.list(s)
	if listErr != nil {
		return listErr
	}
	if fresh == s {
		return err
	}
	return fresh.look(name, exact, read)
}

func (s *state) look(name Name, exact bool, read func(f *file, at int64) error) error {
	failed := ErrAbsent
	last := int(s.last.Load())
	for i := -1; i < len(s.files); i++ {
		n := i
		if i < 0 {
			n = last // most likely it is where the one before was
		} else if i == last {
			continue
		}
		if n >= len(s.files) {
			continue
		}
		at, err := s.files[n].index.find(name, exact)
		if err == nil && at < 0 {
			continue
		}
		if err == nil {
			err = read(s.files[n], at)
		}
		var big *TooBig
		if err == nil || errors.As(err, &big) {
			s.last.Store(int32(n))
			return err
		}
		failed = err
	}
	return failed
}

var sums = sync.Pool{New: func() any { return sha1.New() }} //nolint:gosec // As above.

// genuine compares an object with its name. This is about torn disks, not about
// forgers, so it is the plain SHA-1, which processors help with.
func genuine(name Name, m made) bool {
	sum := sums.Get().(hash.Hash)
	defer sums.Put(sum)
	sum.Reset()
	var buffer [64]byte
	head := append(buffer[:0], m.kind.String()...)
	head = append(head, ' ')
	head = strconv.AppendInt(head, int64(len(m.content)), 10)
	sum.Write(append(head, 0))
	sum.Write(m.content)
	return bytes.Equal(sum.Sum(buffer[:0]), name[:])
}
