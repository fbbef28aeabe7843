package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
)

// Kind is what an object is. The numbers are git's.
type Kind uint8

// The kinds of objects.
const (
	Commit Kind = 1
	Tree   Kind = 2
	Blob   Kind = 3
	Tag    Kind = 4
)

// An entry of a pack may also be a delta: its base lies some bytes before it, or
// is named.
const (
	offsetDelta Kind = 6
	namedDelta  Kind = 7
)

// String is git's word for the kind.
func (k Kind) String() string {
	switch k {
	case Commit:
		return "commit"
	case Tree:
		return "tree"
	case Blob:
		return "blob"
	case Tag:
		return "tag"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// file is one pack and its index.
type file struct {
	path  string // of the index
	index *index
	pack  source
	id    uint32 // in the keys of the cache
	end   int64  // where entries end
}

const (
	packMagic   = "PACK"
	packHead    = 12 // magic, version, count
	packTrailer = nameBytes
)

var fileIDs atomic.Uint32

// openFile opens the pack that belongs to an index.
func openFile(indexPath string) (*file, error) {
	x, err := openIndex(indexPath)
	if err != nil {
		return nil, err
	}
	path := strings.TrimSuffix(indexPath, ".idx") + ".pack"
	pack, size, err := openSized(path)
	if err != nil {
		_ = x.file.Close()
		return nil, err
	}
	f := &file{path: indexPath, index: x, pack: pack, id: fileIDs.Add(1)}
	if err := f.head(size); err != nil {
		_ = f.close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// head looks whether the pack is the one that the index is of.
func (f *file) head(size int64) error {
	f.end = size - packTrailer
	var head [packHead]byte
	if err := readFull(f.pack, head[:], 0); err != nil {
		return err
	}
	version, count := binary.BigEndian.Uint32(head[4:]), binary.BigEndian.Uint32(head[8:])
	if string(head[:4]) != packMagic || version != 2 && version != 3 {
		return corrupt("pack of another version")
	}
	var sum [packTrailer]byte
	if err := readFull(f.pack, sum[:], f.end); err != nil {
		return err
	}
	if int64(count) != f.index.count || !bytes.Equal(sum[:], f.index.pack[:]) {
		return corrupt("index belongs to another pack")
	}
	return nil
}

func (f *file) close() error {
	return errors.Join(f.index.file.Close(), f.pack.Close())
}

// entry is the head of an object in a pack.
type entry struct {
	kind Kind
	size int64 // of what is compressed: the object or the delta
	base int64 // of a delta: the place of its base
	data int64 // where the compressed bytes begin
}

// head reads the head of the entry at a place into z, and the bytes after it as far
// as they came along.
func (f *file) entry(z *inflater, at int64) (e entry, rest []byte, err error) {
	if at < packHead || at >= f.end {
		return e, nil, corrupt("entry at %d of %d", at, f.end)
	}
	block := z.block[:min(blockBytes, f.end-at)]
	if err := readFull(f.pack, block, at); err != nil {
		return e, nil, err
	}
	e, n, err := f.parse(block, at)
	return e, block[n:], err
}

// parse decodes the head of an entry, of n bytes.
func (f *file) parse(block []byte, at int64) (e entry, n int, err error) {
	size, n, ok := entrySize(block)
	if !ok {
		return e, 0, corrupt("entry without size")
	}
	e.kind, e.size = Kind(block[0]>>4&7), size
	switch e.kind {
	case Commit, Tree, Blob, Tag:
	case offsetDelta:
		back, m, ok := backwards(block[n:])
		if !ok || back <= 0 || back > at-packHead {
			return e, 0, corrupt("delta without base")
		}
		e.base, n = at-back, n+m
	case namedDelta:
		if len(block) < n+len(Name{}) {
			return e, 0, corrupt("delta without base")
		}
		// Packs on disk are complete: thin ones exist only on the wire.
		e.base, err = f.index.find(Name(block[n:n+len(Name{})]), true)
		if n += len(Name{}); err == nil && e.base < 0 {
			err = corrupt("delta without base")
		}
		if err != nil {
			return e, 0, err
		}
	default:
		return e, 0, corrupt("entry of %v", e.kind)
	}
	e.data = at + int64(n)
	// Deflate makes no more than 1032 bytes of one.
	if e.size > 1032*(f.end-e.data) {
		return e, 0, corrupt("entry of %d bytes does not fit", e.size)
	}
	return e, n, nil
}

// entrySize decodes kind and size: four bits in the first byte, seven in each that
// follows.
func entrySize(b []byte) (size int64, n int, ok bool) {
	size = int64(b[0] & 0x0f)
	for shift := 4; ; shift += 7 {
		if b[n]&0x80 == 0 {
			return size, n + 1, true
		}
		if n++; n == len(b) || shift > 40 {
			return 0, 0, false
		}
		size |= int64(b[n]&0x7f) << shift
	}
}

// backwards decodes how far before a delta its base lies: seven bits a byte, the
// highest first, where each further byte adds one to those before it.
func backwards(b []byte) (back int64, n int, ok bool) {
	for n < len(b) && n < 8 {
		back = back<<7 | int64(b[n]&0x7f)
		if b[n]&0x80 == 0 {
			return back, n + 1, true
		}
		back++
		n++
	}
	return 0, 0, false
}
