package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
)

// Name is an object's name, a SHA-1.
type Name [20]byte

// ErrCorrupt says that a pack or its index is not what it should be, or is of a
// kind that is not read here.
var ErrCorrupt = errors.New("pack can't be read")

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrCorrupt}, args...)...)
}

// index finds objects in one pack. It reads the second version of git's index (git
// help format-pack), which git has written since 2008: names in order, a checksum
// and a place for each, and a table of how many names begin with a byte or a lower
// one.
//
// That table is all that is in memory at first; a look costs three short reads. An
// index that is asked often loads its digest, 8 bytes for an object.
type index struct {
	file   source
	fanout [256]uint32
	count  int64 // objects
	far    int64 // places beyond 2 GiB
	pack   [20]byte

	looks  atomic.Int64
	digest atomic.Pointer[digest]
}

const (
	indexMagic  = "\xfftOc\x00\x00\x00\x02"
	fanoutBytes = 256 * 4
	namesAt     = int64(len(indexMagic)) + fanoutBytes
	nameBytes   = int64(len(Name{}))
	sumsBytes   = 4 // of a checksum
	placeBytes  = 4
	farBytes    = 8
	trailer     = 2 * nameBytes // the checksums of the pack and of the index
	isFar       = 1 << 31
)

// newIndex reads the head of an index and looks whether its size fits its contents.
func newIndex(from source, size int64) (*index, error) {
	x := &index{file: from}
	return x, x.head(size)
}

func (x *index) head(size int64) error {
	var head [namesAt]byte
	if err := readFull(x.file, head[:], 0); err != nil {
		return err
	}
	if string(head[:len(indexMagic)]) != indexMagic {
		return corrupt("index of another version")
	}
	last := uint32(0)
	for i := range x.fanout {
		n := binary.BigEndian.Uint32(head[len(indexMagic)+4*i:])
		if n < last {
			return corrupt("index counts backwards")
		}
		x.fanout[i], last = n, n
	}
	x.count = int64(last)
	rest := size - x.farAt() - trailer
	if rest < 0 || rest%farBytes != 0 || rest/farBytes > x.count {
		return corrupt("index of %d objects has %d bytes", x.count, size)
	}
	x.far = rest / farBytes
	return readFull(x.file, x.pack[:], size-trailer)
}

func (x *index) placesAt() int64 { return namesAt + x.count*(nameBytes+sumsBytes) }
func (x *index) farAt() int64    { return x.placesAt() + x.count*placeBytes }

// probe is how many names are read at once. Names are evenly spread, so their
// place can be guessed to within the square root of their number: one read finds
// most.
const probe = 200

// find is the place of an object in the pack, -1 when it is not there. A look that is
// not exact is for those who will see whether they got the right object.
func (x *index) find(name Name, exact bool) (int64, error) {
	if d := x.digested(); d != nil {
		return d.find(x, name, exact)
	}
	lo, hi := x.bucket(name)
	n, err := x.locate(name, lo, hi)
	if err != nil || n < 0 {
		return -1, err
	}
	return x.place(n)
}

// bucket is where names lie that begin with the same byte.
func (x *index) bucket(name Name) (lo, hi int64) {
	if name[0] > 0 {
		lo = int64(x.fanout[name[0]-1])
	}
	return lo, int64(x.fanout[name[0]])
}

// locate is the number of a name between lo and hi, -1 when it is not there.
func (x *index) locate(name Name, lo, hi int64) (int64, error) {
	var names [probe * nameBytes]byte
	for tries := 0; lo < hi; tries++ {
		from, to := lo, hi
		if to-from > probe {
			from = x.guess(name, lo, hi, tries)
			to = min(from+probe, hi)
		}
		part := names[:(to-from)*nameBytes]
		if err := readFull(x.file, part, namesAt+from*nameBytes); err != nil {
			return -1, err
		}
		at, found := search(part, name)
		switch {
		case found:
			return from + at, nil
		case at == 0 && from > lo:
			hi = from
		case at == to-from && to < hi:
			lo = to
		default:
			return -1, nil
		}
	}
	return -1, nil
}

// guess is where to read, between lo and hi: at first where the name would be if
// all were evenly spread, then in the middle.
func (x *index) guess(name Name, lo, hi int64, tries int) int64 {
	middle := lo + (hi-lo)/2
	if tries == 0 {
		part := float64(binary.BigEndian.Uint32(name[1:])) / (1 << 32)
		middle = lo + int64(part*float64(hi-lo))
	}
	return max(lo, min(middle-probe/2, hi-probe))
}

// search is where a name is, or would be, in a sorted list.
func search(list []byte, name Name) (at int64, found bool) {
	lo, hi := int64(0), int64(len(list))/nameBytes
	for lo < hi {
		mid := (lo + hi) / 2
		switch c := bytes.Compare(list[mid*nameBytes:(mid+1)*nameBytes], name[:]); {
		case c == 0:
			return mid, true
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return lo, false
}

// place reads where the n-th object lies.
func (x *index) place(n int64) (int64, error) {
	var b [placeBytes]byte
	if err := readFull(x.file, b[:], x.placesAt()+n*placeBytes); err != nil {
		return -1, err
	}
	return x.resolve(binary.BigEndian.Uint32(b[:]))
}

// resolve reads the place that a short one refers to, if it does.
func (x *index) resolve(place uint32) (int64, error) {
	if place&isFar == 0 {
		return int64(place), nil
	}
	n := int64(place &^ isFar)
	if n >= x.far {
		return -1, corrupt("index refers to place %d of %d", n, x.far)
	}
	var b [farBytes]byte
	if err := readFull(x.file, b[:], x.farAt()+n*farBytes); err != nil {
		return -1, err
	}
	far := binary.BigEndian.Uint64(b[:])
	if far > math.MaxInt64 {
		return -1, corrupt("index refers to place %d", far)
	}
	return int64(far), nil
}
