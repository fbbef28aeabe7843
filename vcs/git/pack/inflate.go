package pack

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// inflater unpacks what follows the head of an entry. Most entries are small: one
// read brings the head and all that follows it.
type inflater struct {
	block  []byte // what was read of the file
	near   bytes.Reader
	far    *bufio.Reader
	stream io.Reader // flate's
	deltas []byte    // unpacked deltas of a chain
}

var inflaters = sync.Pool{New: func() any {
	z := &inflater{block: make([]byte, 0, blockBytes)}
	z.stream = flate.NewReader(&z.near)
	return z
}}

const (
	// blockBytes is how much of a pack is read at first.
	blockBytes = 4 << 10
	// maxBlock is how much of a pack is read in one piece.
	maxBlock = 1 << 20
	// maxKept is how large buffers may be that are kept for the next one.
	maxKept = 1 << 20
)

func (z *inflater) free() {
	if cap(z.block) <= maxKept && cap(z.deltas) <= maxKept {
		inflaters.Put(z)
	}
}

// zlibHead is the size of what comes before the compressed bytes.
const zlibHead = 2

// start prepares to unpack size bytes at a place of a file, of which block holds
// the beginning.
func (z *inflater) start(file io.ReaderAt, at, end int64, block []byte, size int64) error {
	if len(block) < zlibHead {
		return corrupt("it ends early")
	}
	if head := binary.BigEndian.Uint16(block); head%31 != 0 || block[0]&0x0f != 8 || block[1]&0x20 != 0 {
		return corrupt("no zlib stream")
	}
	var from flate.Reader
	if need := min(packedSize(size), end-at); need <= int64(len(block)) {
		z.near.Reset(block[zlibHead:])
		from = &z.near
	} else if need <= maxBlock {
		had := len(block)
		z.block = append(z.block[:0], block...)
		z.block = append(z.block, make([]byte, int(need)-had)...)
		if err := readFull(file, z.block[had:], at+int64(had)); err != nil {
			return err
		}
		z.near.Reset(z.block[zlibHead:])
		from = &z.near
	} else {
		rest := io.NewSectionReader(file, at+zlibHead, end-at-zlibHead)
		if z.far == nil {
			z.far = bufio.NewReaderSize(rest, 64<<10)
		}
		z.far.Reset(rest)
		from = z.far
	}
	return z.stream.(flate.Resetter).Reset(from, nil)
}

// fill unpacks exactly len(b) bytes.
func (z *inflater) fill(b []byte) error {
	if _, err := io.ReadFull(z.stream, b); err != nil {
		return corrupt("%v", err)
	}
	return nil
}

// packedSize is how many bytes zlib needs at most for size bytes. Other programs
// may need more in theory: then their entry is found to end early.
func packedSize(size int64) int64 {
	return size + size>>12 + size>>14 + size>>25 + 13 + 64
}
