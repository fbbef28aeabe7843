package git

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
)

// indexFile holds the index of a mirror, in its directory. Numbers are
// little-endian:
//
//	magic      8 bytes, with the version of the format
//	counts     of rows, bytes of lists, nodes, names, bytes of text: 4 bytes each
//	rows       name 20, row of the first parent plus 1 4, Unix seconds 8, list 4, whole 1
//	lists      see index.lists
//	nodes      directory 4, name 4
//	names      their ends in text: 4 bytes each
//	text       the names
//	checksum   SHA-256 of all before it
//
// What it says is a cache of what the objects say: any other content, and any other
// version, is dropped and made anew.
const indexFile = "backout-history"

const indexMagic = "BOHIST\x00\x01"

// errBadIndex says that an index file is torn, or somebody else's.
var errBadIndex = errors.New("history index is not readable")

const (
	rowSize   = len(hash{}) + 4 + 8 + 4 + 1
	indexHead = len(indexMagic) + 5*4
)

// save writes the index so that its file is there whole or not at all.
func (x *index) save(path string) error {
	saved := 0
	err := replaceFileBy(path, func(w io.Writer) error {
		x.mu.RLock()
		defer x.mu.RUnlock()
		saved = x.unsaved
		return x.write(w)
	})
	if err != nil {
		return fmt.Errorf("write history index: %w", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.unsaved -= saved
	return nil
}

func (x *index) write(to io.Writer) error {
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(to, sum), 1<<16)
	b := make([]byte, 0, 64)
	put := func(b []byte) { _, _ = w.Write(b) } // Flush tells.
	b = append(b, indexMagic...)
	for _, n := range []int{len(x.rows), len(x.lists), len(x.paths.nodes), len(x.paths.ends), len(x.paths.text)} {
		b = binary.LittleEndian.AppendUint32(b, uint32(n)) //nolint:gosec // Bounded by maxIndexBytes.
	}
	put(b)
	for i := range x.rows {
		r := &x.rows[i]
		b = append(b[:0], r.hash[:]...)
		b = binary.LittleEndian.AppendUint32(b, r.below)
		b = binary.LittleEndian.AppendUint64(b, uint64(r.when)) //nolint:gosec // As bits.
		b = binary.LittleEndian.AppendUint32(b, r.list)
		whole := byte(0)
		if r.whole {
			whole = 1
		}
		put(append(b, whole))
	}
	put(x.lists)
	for _, n := range x.paths.nodes {
		b = binary.LittleEndian.AppendUint32(b[:0], n.dir)
		put(binary.LittleEndian.AppendUint32(b, n.name))
	}
	for _, end := range x.paths.ends {
		put(binary.LittleEndian.AppendUint32(b[:0], end))
	}
	put(x.paths.text)
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := to.Write(sum.Sum(nil))
	return err
}

// loadIndex reads an index file. errBadIndex when it is not one that save wrote.
func loadIndex(path string) (*index, error) {
	f, err := os.Open(path) //nolint:gosec // In the mirror's directory.
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // Only read from.
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	r := bufio.NewReaderSize(f, 1<<16)
	x, err := readIndex(io.TeeReader(r, sum), info.Size())
	if err != nil {
		return nil, err
	}
	stored := make([]byte, sha256.Size)
	if _, err := io.ReadFull(r, stored); err != nil || !bytes.Equal(stored, sum.Sum(nil)) {
		return nil, fmt.Errorf("checksum: %w", errBadIndex)
	}
	if !x.sound() {
		return nil, fmt.Errorf("content: %w", errBadIndex)
	}
	x.fillSlots()
	return x, nil
}

// readIndex reads what comes before the checksum of a file of so many bytes.
func readIndex(r io.Reader, size int64) (*index, error) {
	head := make([]byte, indexHead)
	if _, err := io.ReadFull(r, head); err != nil || string(head[:len(indexMagic)]) != indexMagic {
		return nil, fmt.Errorf("header: %w", errBadIndex)
	}
	var n [5]int64
	for i := range n {
		n[i] = int64(binary.LittleEndian.Uint32(head[len(indexMagic)+4*i:]))
	}
	// Before a length is believed: it must all be there.
	want := int64(indexHead) + n[0]*int64(rowSize) + n[1] + 8*n[2] + 4*n[3] + n[4] + sha256.Size
	if size != want {
		return nil, fmt.Errorf("%d bytes instead of %d: %w", size, want, errBadIndex)
	}
	x := newIndex()
	x.rows = make([]row, n[0])
	x.lists = make([]byte, n[1])
	x.paths.nodes = make([]pathNode, n[2])
	x.paths.ends = make([]uint32, n[3])
	x.paths.text = make([]byte, n[4])
	var err error
	b := make([]byte, rowSize)
	next := func(n int) []byte {
		if err == nil {
			_, err = io.ReadFull(r, b[:n])
		}
		return b[:n]
	}
	for i := range x.rows {
		b := next(rowSize)
		x.rows[i] = row{
			hash:  hash(b),
			below: binary.LittleEndian.Uint32(b[20:]),
			when:  int64(binary.LittleEndian.Uint64(b[24:])), //nolint:gosec // As bits.
			list:  binary.LittleEndian.Uint32(b[32:]),
			whole: b[36] != 0,
		}
	}
	if err == nil {
		_, err = io.ReadFull(r, x.lists)
	}
	for i := range x.paths.nodes {
		b := next(8)
		x.paths.nodes[i] = pathNode{binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])}
	}
	for i := range x.paths.ends {
		x.paths.ends[i] = binary.LittleEndian.Uint32(next(4))
	}
	if err == nil {
		_, err = io.ReadFull(r, x.paths.text)
	}
	return x, err
}

// sound checks what reading an index relies on: that everything it refers to is
// there, and that parents lead to an end.
func (x *index) sound() bool {
	t := &x.paths
	if len(x.lists) < int(rowLists) || len(t.nodes) == 0 || t.nodes[0] != (pathNode{}) {
		return false
	}
	last := uint32(0)
	for _, end := range t.ends {
		if end < last {
			return false
		}
		last = end
	}
	if int(last) != len(t.text) {
		return false
	}
	for i, n := range t.nodes[1:] {
		if int(n.dir) > i || int(n.name) >= len(t.ends) {
			return false
		}
	}
	for i := range x.rows {
		r := &x.rows[i]
		if int(r.below) > len(x.rows) || int(r.list) >= len(x.lists) && r.list >= rowLists {
			return false
		}
	}
	return x.acyclic()
}

func (x *index) acyclic() bool {
	seen := make([]uint32, len(x.rows)) // by which walk
	for i := range x.rows {
		walk := uint32(i) + 1 //nolint:gosec // Bounded by maxIndexBytes.
		for at := walk; at != 0 && seen[at-1] == 0; at = x.rows[at-1].below {
			seen[at-1] = walk
			if below := x.rows[at-1].below; below != 0 && seen[below-1] == walk {
				return false
			}
		}
	}
	return true
}

// fillSlots makes the tables that the file does not have.
func (x *index) fillSlots() {
	t := &x.paths
	for i := range x.rows {
		x.slots.add(hashOf(x.rows[i].hash), uint32(i), func(i uint32) uint64 { return hashOf(x.rows[i].hash) }) //nolint:gosec // Bounded.
	}
	for i, n := range t.nodes[1:] {
		t.slots.add(n.hash(), uint32(i)+1, func(i uint32) uint64 { return t.nodes[i].hash() }) //nolint:gosec // Bounded.
	}
	for i := range t.ends {
		hashOf := func(i uint32) uint64 { return maphash.Bytes(seed, t.text[t.start(i):t.ends[i]]) }
		t.named.add(hashOf(uint32(i)), uint32(i), hashOf) //nolint:gosec // Bounded.
	}
}
